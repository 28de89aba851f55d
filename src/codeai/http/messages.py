"""Requests and responses, as thin as they can be around ASGI."""

from __future__ import annotations

import asyncio
import itertools
import os
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final
from urllib.parse import quote

from codeai.http.deadlines import Deadlines
from codeai.http.problems import Problem

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

# Printable ASCII without what could end a quoted field of a log line or begin a tag.
_PLAIN_ID: Final = re.compile(rb"[!#-;=?-\[\]-~]{1,128}")
_SERIAL: Final = itertools.count(1)
_PREFIX: Final = os.urandom(8).hex()
Header = tuple[bytes, bytes]


class Response:
    """A whole answer."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, body: bytes = b"", headers: tuple[Header, ...] = ()) -> None:
        self.status = status
        self.body = body
        self.headers = headers


def problem_response(problem: Problem, request: Request) -> Response:
    """A problem as the answer to a request."""
    request.code = problem.code
    return Response(problem.status, problem.body(request.id), (PROBLEM, *problem.headers))


JSON: Final[Header] = (b"content-type", b"application/json")
PROBLEM: Final[Header] = (b"content-type", b"application/problem+json")


def request_id(headers: dict[bytes, bytes]) -> str:
    """The client's ``X-Request-ID`` if it is short and plain, else one of our own."""
    given = headers.get(b"x-request-id")
    if given is not None and _PLAIN_ID.fullmatch(given):
        return given.decode("ascii")
    return f"{_PREFIX}{next(_SERIAL):012x}"


class Request:
    """One request while it is answered; ``headers`` has the last value of each name, ``receipt`` identifies a verified message."""

    __slots__ = (
        *("_kept", "_receive", "code", "cors", "debug", "extra", "headers", "id", "method", "packed", "path", "raw_path", "root"),
        *("principal", "receipt", "scope", "template", "trace"),
    )

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.scope = scope
        self._receive = receive
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.id = request_id(self.headers)
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.raw_path: bytes | None = scope.get("raw_path")
        self.root: str = scope.get("root_path") or ""
        if self.root:
            self._mounted()
        self.template = ""
        self.code = ""  # of the problem that answers it
        self.debug = False
        self.trace: Mapping[str, str] = {}
        self.packed = False  # whether the endpoint has seen to the compression of its answer
        self.extra: tuple[Header, ...] = ()  # of its answer, whatever that is
        self.cors: Any = None  # the policy of its endpoint, if it has one of its own
        self.principal: Any = None
        self.receipt: str | None = None
        self._kept: bytes | None = None

    def _mounted(self) -> None:
        """Takes the path at which another program has mounted this one off the paths (ASGI: ``path`` begins with ``root_path``)."""
        if self.path.startswith(self.root):
            self.path = self.path[len(self.root) :] or "/"
        prefix = quote(self.root).encode()
        if self.raw_path is not None and self.raw_path.startswith(prefix):
            self.raw_path = self.raw_path[len(prefix) :] or b"/"

    def log_fields(self) -> dict[str, object]:
        """What every log line of the request says (see ``observability.context.Work``)."""
        return {"request_id": self.id, **self.trace}

    @property
    def query_string(self) -> bytes:
        """What stands behind the question mark."""
        found: bytes = self.scope.get("query_string", b"")
        return found

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
                raise _too_large(limit)
        deadline = deadlines.begin(timeout)
        try:
            self._kept = await self._read(limit)
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

    async def _read(self, limit: int) -> bytes:
        message = await self._receive()
        first: bytes = message.get("body", b"")
        if message["type"] == "http.request" and not message.get("more_body", False) and len(first) <= limit:
            return first
        chunks, size = [first], len(first)
        while message.get("more_body", False) or message["type"] != "http.request":
            if message["type"] == "http.disconnect":
                raise Problem(400, "the client went away", "client_closed")
            if size > limit:
                raise _too_large(limit)
            message = await self._receive()
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
        if size > limit:
            raise _too_large(limit)
        return b"".join(chunks)


def _too_large(limit: int) -> Problem:
    return Problem(413, f"the body is larger than {limit:,} bytes", "content_too_large")


def _within(header: Header, root: str) -> Header:
    """A header whose path begins where another program has mounted this one."""
    name, value = header
    return (name, quote(root).encode() + value) if name == b"location" and value[:1] == b"/" and value[:2] != b"//" else header


async def send_response(send: Send, response: Response, request: Request, extra: tuple[Header, ...]) -> None:
    """Sends a whole answer with the headers that every answer has."""
    body = response.body
    if request.root:
        response.headers = tuple(_within(header, request.root) for header in response.headers)
    headers = [*response.headers, *extra, (b"x-request-id", request.id.encode())]
    if response.status != 204 and response.status != 304:
        headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if request.method == "HEAD" else body})
