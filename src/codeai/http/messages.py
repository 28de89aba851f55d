"""Requests and responses, the same for whatever protocol brings them: ASGI (``http/asgi``) or the wire itself (``http/wire``)."""

from __future__ import annotations

import asyncio
import itertools
import os
import re
from collections.abc import Mapping
from typing import Any, Final, Protocol
from urllib.parse import quote

from codeai.http.deadlines import Deadlines
from codeai.http.problems import Problem

# Printable ASCII without what could end a quoted field of a log line or begin a tag.
_PLAIN_ID: Final = re.compile(rb"[!#-;=?-\[\]-~]{1,128}")
_SERIAL: Final = itertools.count(1)
_PREFIX: Final = os.urandom(8).hex()
Header = tuple[bytes, bytes]
_SECURITY: Final[Header] = (b"x-content-type-options", b"nosniff")


class Response:
    """A whole answer.

    ``request_id`` stands for the headers that every answer has (see ``sent``): they are written last, and often without being made.
    """

    __slots__ = ("body", "headers", "request_id", "status")

    def __init__(self, status: int, body: bytes = b"", headers: tuple[Header, ...] = ()) -> None:
        self.status = status
        self.body = body
        self.headers = headers
        self.request_id = b""

    @property
    def sent(self) -> tuple[Header, ...]:
        """All headers, with those that every answer has once it is an answer of the application."""
        return (*self.headers, _SECURITY, (b"x-request-id", self.request_id)) if self.request_id else self.headers


def problem_response(problem: Problem, request: Request) -> Response:
    """A problem as the answer to a request."""
    request.code = problem.code
    return Response(problem.status, problem.body(request.id), (PROBLEM, *problem.headers))


JSON: Final[Header] = (b"content-type", b"application/json")
ONLY_JSON: Final = (JSON,)
PROBLEM: Final[Header] = (b"content-type", b"application/problem+json")


def request_id(headers: Mapping[bytes, bytes]) -> str:
    """The client's ``X-Request-ID`` if it is short and plain, else one of our own."""
    given = headers.get(b"x-request-id")
    if given is not None and _PLAIN_ID.fullmatch(given):
        return given.decode("ascii")
    return own_id()


def own_id() -> str:
    """An identifier that no other request has."""
    return f"{_PREFIX}{next(_SERIAL):012x}"


class Body(Protocol):
    """Where the bytes behind the head of a request come from."""

    async def read(self, limit: int) -> bytes:
        """All of them.

        :param limit: the most bytes
        :raises Problem: 413 for more, 400 when the client went away
        """


class NoBody:
    """The body of a request that has none."""

    async def read(self, limit: int) -> bytes:
        """See ``Body``."""
        return b""


NO_BODY: Final = NoBody()


class Request:
    """One request while it is answered.

    ``pairs`` are its headers as they came, names in lower case; ``headers`` has the last value of each name. Neither is ever changed,
    since requests may share them. ``receipt`` identifies a verified message. What most requests do not change stands on the class,
    so that making one costs little.

    :param path: decoded
    :param raw_path: the path as sent, if it is known
    :param peer: the address of the other end of the connection, None for a Unix socket
    :param version: of HTTP, as ``1.1``
    :param root: where another program has mounted this one
    :param size: a bound of the bytes of target and headers, when whoever read them knows one
    """

    answered_by: Any = None  # what is at its path: a handler, or the answer that there is none for its method
    code = ""  # of the problem that answers it
    cors: Any = None  # the policy of its endpoint, if it has one of its own
    debug = False
    extra: tuple[Header, ...] = ()  # of its answer, whatever that is
    packed = False  # whether the endpoint has seen to the compression of its answer
    principal: Any = None
    receipt: str | None = None
    root = ""
    template = ""
    trace: Mapping[str, str] = {}
    values: list[str] = []  # of the parameters of its path
    _kept: bytes | None = None

    def __init__(
        self,
        method: str,
        path: str,
        pairs: list[Header],
        body: Body = NO_BODY,
        *,
        raw_path: bytes | None = None,
        query_string: bytes = b"",
        peer: str | None = None,
        version: str = "1.1",
        root: str = "",
        size: int | None = None,
    ) -> None:
        self.method = method
        self.path = path
        self.raw_path = raw_path
        self.query_string = query_string
        self.pairs = pairs
        self.headers: Mapping[bytes, bytes] = dict(pairs)
        self.id = request_id(self.headers)
        self.peer = peer
        self.version = version
        self.source = body
        self.bound = size
        if root:
            self.root = root
            self._mounted()

    def _mounted(self) -> None:
        """Takes the path at which another program has mounted this one off the paths (ASGI: ``path`` begins with ``root_path``)."""
        if self.path.startswith(self.root):
            self.path = self.path[len(self.root) :] or "/"
        prefix = self.base.encode()
        if self.raw_path is not None and self.raw_path.startswith(prefix):
            self.raw_path = self.raw_path[len(prefix) :] or b"/"

    def within(self, header: Header) -> Header:
        """A header of the answer whose path begins where another program has mounted this one."""
        name, value = header
        if name == b"location" and value[:1] == b"/" and value[:2] != b"//":
            return name, self.base.encode() + value
        return header

    @property
    def base(self) -> str:
        """What stands before the paths of links: where another program has mounted this one."""
        return quote(self.root)

    def log_fields(self) -> dict[str, object]:
        """What every log line of the request says (see ``observability.context.Work``)."""
        return {"request_id": self.id, **self.trace}

    @property
    def size(self) -> int:
        """Bytes of its headers, or a bound of them that lies near."""
        if self.bound is None:
            self.bound = sum(len(name) + len(value) for name, value in self.pairs)
        return self.bound

    async def body(self, limit: int, timeout: float, deadlines: Deadlines) -> bytes:
        """The whole body.

        :param limit: the most bytes
        :param timeout: seconds until the last byte must have come
        :raises Problem: 413 for more, 408 for slower, 400 when the client went away or lied about the length
        """
        if self._kept is not None:
            return self._kept
        declared = self.headers.get(b"content-length")
        if declared is not None:
            if not declared.isdigit():
                raise Problem(400, "the content length is malformed", "malformed_length")
            if len(declared) > 15 or int(declared) > limit:
                raise too_large(limit)
        deadline = deadlines.begin(timeout)
        try:
            self._kept = await self.source.read(limit)
            return self._kept
        except asyncio.CancelledError:
            if deadline.answers():
                raise Problem(408, f"the body did not come within {timeout:g} s", "request_timeout") from None
            raise
        finally:
            deadlines.end(deadline)

    @property
    def seen_body(self) -> bytes | None:
        """The body, if somebody has read it."""
        return self._kept

    def keep(self, body: bytes) -> None:
        """Remembers a body that has been read, for whoever asks for it next."""
        self._kept = body


def too_large(limit: int) -> Problem:
    """The refusal of a body that is larger than it may be."""
    return Problem(413, f"the body is larger than {limit:,} bytes", "content_too_large")


def client_closed() -> Problem:
    """What a request ends with whose client went away before it had sent all of it; nobody gets to see it but the log."""
    return Problem(400, "the client went away", "client_closed")
