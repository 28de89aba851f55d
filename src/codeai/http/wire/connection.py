"""One connection: requests are answered one after the other, in their order, each whole before the next begins."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import time
from collections import deque
from typing import Any, Final, NoReturn, Protocol, cast

import httptools

from codeai.http.messages import NO_BODY, Header, Request, Response, client_closed, problem_response
from codeai.http.problems import Problem
from codeai.http.wire.bodies import WireBody
from codeai.http.wire.heads import CONTINUE, BadHeader, BadTarget, Heads, escaped, split_target

_LOG: Final = logging.getLogger("codeai.http")
_LONGEST_HEAD: Final = 65_536  # far beyond what the application refuses with a better answer
_MOST_HEADERS: Final = 200
_SMALL: Final = 32_768
_SPARE: Final = 65_536
_LARGE: Final = 65_536
_WISHES: Final = (b"upgrade", b"http2-settings")
_OTHER_METHOD: Final = re.compile(rb"(?!GET |HEAD |POST |PUT |PATCH |DELETE |OPTIONS )[A-Z][A-Z0-9_-]* [/*h]")
_ALLOW: Final = ((b"allow", b"DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"),)
_MOST_INSTANT: Final = 16  # then others get their turn
NEVER: Final = float("inf")


class Answerer(Protocol):
    """An application; ``running`` counts the requests that it answers, ``closing`` makes each answer the last of its connection."""

    running: int
    closing: bool

    def at_once(self, request: Request) -> Response | None:
        """The answer to a request for which nothing has to be awaited; None asks for ``respond``."""

    async def respond(self, request: Request) -> Response:
        """The answer, whatever happens."""

    def finished(self, request: Request, status: int, seconds: float, /) -> None:
        """Hears of each answer that was sent."""


class Home(Protocol):
    """What connections share. ``now`` is the time of the loop, give or take a second; the limits are seconds of silence."""

    app: Answerer
    loop: asyncio.AbstractEventLoop
    heads: Heads
    now: float
    idle_limit: float
    head_limit: float
    write_limit: float
    linger_limit: float

    def opened(self, connection: Connection) -> None:
        """A connection begins."""

    def closed(self, connection: Connection) -> None:
        """It has ended."""


class _Refused(Exception):
    """Stops the parser; ``Connection._refusal`` says why."""


class _Received(Request):
    """A request with what its connection has to know of it."""

    stream: WireBody | None = None
    keep_alive = True


class Connection(asyncio.Protocol):
    """The protocol of one connection.

    ``deadline`` is when ``expire`` is due. While ``_ending``, what comes is no request any more; while ``_lingering``, the last answer is
    on its way, and what comes is thrown away so that the client gets to read it (RFC 9112, section 9.6).
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self._app = home.app
        self._parser: Any = httptools.HttpRequestParser(self)
        self._waiting: deque[_Received | Problem] = deque()
        self._task: asyncio.Task[None] | None = None
        self._stream: WireBody | None = None  # of the request that is being received
        self._refusal: Problem | None = None
        self._target = b""
        self._pairs: list[Header] = []
        self._size = 0
        self._instant = 0  # how many requests of what came last were answered at once
        self._in_head = self._upgrading = self._expects = False
        self._held = self._blocked = False
        self._keeps = True  # whether another request may follow the one that is being received
        self._ending = self._lingering = False
        self.deadline = NEVER

    # -- the transport ---------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See ``asyncio.Protocol``."""
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        self._peer: str | None = str(peer[0]) if isinstance(peer, tuple) and peer else None
        self.deadline = self._home.now + self._home.head_limit
        self._home.opened(self)

    def data_received(self, data: bytes) -> None:
        """See ``asyncio.Protocol``."""
        if self._ending:
            return
        if not data.isascii() and not self._in_head and self._stream is None:
            data = escaped(data)
        self._instant = 0
        self._size = self._size + len(data) if self._in_head else len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as found:
            self._without_upgrade(data[found.args[0] :])
        except httptools.HttpParserError as error:
            self._refuse(self._refusal or _malformed(error, data))
        if self._in_head and self._size > _LONGEST_HEAD:
            self._refuse(Problem(431, f"the headers are larger than {_LONGEST_HEAD:,} bytes"))

    def eof_received(self) -> bool:
        """See ``asyncio.Protocol``. What has come as a whole is still answered."""
        self._ending = True
        self._break_off()
        if self._task is None:
            self._transport.close()
        return self._task is not None

    def connection_lost(self, error: Exception | None) -> None:
        """See ``asyncio.Protocol``. What runs runs on: a client that is gone may count on the change that it asked for."""
        self._ending = True
        self._waiting.clear()
        self._break_off()
        self._parser = None  # which holds this connection
        self._home.closed(self)

    def pause_writing(self) -> None:
        """See ``asyncio.Protocol``: the client does not take what it asked for."""
        self._blocked = True
        self.deadline = self._home.now + self._home.write_limit

    def resume_writing(self) -> None:
        """See ``asyncio.Protocol``."""
        self._blocked = False
        if self._task is None and not self._lingering:
            self._next()

    # -- the parser ------------------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """A request begins."""
        self._in_head = True
        self._target = b""
        self._pairs = []
        if self._task is None:
            self.deadline = self._home.now + self._home.head_limit

    def on_url(self, part: bytes) -> None:
        """Some of its target."""
        self._target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        """One of its headers."""
        self._pairs.append((name.lower(), value.strip()))

    def on_headers_complete(self) -> None:
        """Its head is there."""
        self._in_head = False
        parser = self._parser
        if parser.should_upgrade():
            self._upgrading = True
            return
        request = self._received(parser.get_method().decode("ascii"), parser.get_http_version())
        request.keep_alive = self._keeps = parser.should_keep_alive()
        if self._task is None and not self._blocked and not self._waiting:
            self._answer(request)
        else:
            self._waiting.append(request)
            self.hold()

    def on_body(self, chunk: bytes) -> None:
        """Some of its body."""
        if self._stream is not None:
            self._stream.feed(chunk)

    def on_message_complete(self) -> None:
        """All of it is there."""
        if self._upgrading:
            return
        if self._stream is not None:
            self._stream.finish()
            self._stream = None
        if not self._keeps:
            self._ending = True

    def _received(self, method: str, version: str) -> _Received:
        pairs = self._pairs
        if len(pairs) > _MOST_HEADERS:
            self._stop(Problem(431, f"there are more than {_MOST_HEADERS} headers"))
        try:
            path, raw, query = split_target(self._target)
        except BadTarget:
            self._stop(Problem(400, "the target of the request is malformed", "malformed_target"))
        bound = self._size if self._size < _SMALL else None
        request = _Received(method, path, pairs, NO_BODY, raw_path=raw, query_string=query, peer=self._peer, version=version, size=bound)
        headers = request.headers
        if version == "1.1" and (b"host" not in headers or _twice(b"host", pairs, headers)):
            self._stop(Problem(400, "an HTTP/1.1 request has one header 'host'", "malformed_host"))
        if b"content-length" in headers or b"transfer-encoding" in headers:
            request.stream = request.source = self._stream = WireBody(self)
        return request

    def _stop(self, problem: Problem) -> NoReturn:
        self._refusal = problem
        raise _Refused

    def _without_upgrade(self, rest: bytes) -> None:
        """Reads a request that asks for another protocol once more, without that wish: nothing but HTTP/1.1 is spoken here."""
        self._upgrading = False
        method = self._parser.get_method()
        if method == b"CONNECT":
            self._refuse(Problem(405, "this is no proxy", headers=_ALLOW))
            return
        version = self._parser.get_http_version().encode()
        head = b"".join(b"%b: %b\r\n" % pair for pair in self._pairs if pair[0] not in _WISHES)
        again = b"%b %b HTTP/%b\r\n%b\r\n" % (method, self._target, version, head)
        self._parser = httptools.HttpRequestParser(self)
        self.data_received(again + rest)

    # -- bodies ----------------------------------------------------------------------------------------------------

    def hold(self) -> None:
        """See ``bodies.Source``."""
        if not self._held and not self._transport.is_closing():
            self._held = True
            self._transport.pause_reading()

    def go_on(self) -> None:
        """See ``bodies.Source``."""
        if self._expects:
            self._expects = False
            self._transport.write(CONTINUE)
        self._unhold()

    def _unhold(self) -> None:
        if self._held and not self._transport.is_closing():
            self._held = False
            self._transport.resume_reading()

    def _break_off(self, problem: Problem | None = None) -> None:
        if self._stream is not None:
            self._stream.break_off(problem or client_closed())
            self._stream = None

    # -- answers ---------------------------------------------------------------------------------------------------

    def _answer(self, request: _Received) -> None:
        self.deadline = NEVER
        self._expects = request.stream is not None and request.headers.get(b"expect", b"").lower() == b"100-continue"
        if request.stream is None and self._instant < _MOST_INSTANT and self._answered_at_once(request):
            return
        self._task = self._home.loop.create_task(self._answering(request))

    def _answered_at_once(self, request: _Received) -> bool:
        began = time.perf_counter()
        try:
            response = self._app.at_once(request)
            if response is None:
                return False
            self._instant += 1
            self._finished(request, self._send(request, response), began)
        except Exception:
            _LOG.exception("an answer could not be made")
            self._transport.abort()
        return True

    async def _answering(self, request: _Received) -> None:
        app = self._app
        began = time.perf_counter()
        app.running += 1
        try:
            response = await app.respond(request)
            response = self._send(request, response)
        except Exception:
            _LOG.exception("an answer could not be made")
            self._transport.abort()
            return
        finally:
            app.running -= 1
            self._task = None
        self._finished(request, response, began)

    def _finished(self, request: _Received, response: Response, began: float) -> None:
        self._app.finished(request, response.status, time.perf_counter() - began)
        if not self._lingering:
            self._next()

    def _send(self, request: _Received, response: Response) -> Response:
        """Sends an answer, and decides whether the connection goes on; returns what was sent."""
        whole = request.stream is None or request.stream.complete or (response.status != 408 and self._spared(request))
        last = not request.keep_alive or not whole or self._app.closing
        connection = b"close" if last else b"keep-alive" if request.version == "1.0" else b""
        try:
            self._write(response, request.method, connection)
        except BadHeader:
            response = problem_response(Problem(500, "the program set a header that it may not set", "bad_header"), request)
            self._write(response, request.method, connection)
        if last:
            self._end(at_once=whole)
        return response

    def _spared(self, request: _Received) -> bool:
        """Whether the rest of a body that nobody wants is so small that it is thrown away rather than the connection."""
        stream, length = request.stream, request.headers.get(b"content-length", b"")
        if stream is None or self._expects or self._ending or not length.isdigit() or int(length) - stream.size > _SPARE:
            return False
        stream.drop()
        return True

    def _write(self, response: Response, method: str, connection: bytes) -> None:
        head = self._home.heads.of(response, connection)
        if self._transport.is_closing():
            return
        body = b"" if method == "HEAD" else response.body
        if len(body) > _LARGE:
            self._transport.writelines((head, body))
        else:
            self._transport.write(head + body)

    def _next(self) -> None:
        """Turns to what has come meanwhile."""
        if self._transport.is_closing() or self._blocked:
            return
        if self._waiting:
            found = self._waiting.popleft()
            if isinstance(found, Problem):
                self._reject(found)
            else:
                self._answer(found)
                return
        elif self._ending:
            self._transport.close()
        else:
            self.deadline = self._home.now + (self._home.head_limit if self._in_head else self._home.idle_limit)
            if self._held:
                self._unhold()

    # -- the end ---------------------------------------------------------------------------------------------------

    def _refuse(self, problem: Problem) -> None:
        """Answers what is no request, after those before it, and ends."""
        self._ending = True
        self._in_head = False
        if self._stream is not None:
            self._break_off(problem)  # so that it answers the request to which it belongs
        elif self._task is None and not self._waiting:
            self._reject(problem)
        else:
            self._waiting.append(problem)

    def _reject(self, problem: Problem) -> None:
        request = Request("-", "-", [])
        response = problem_response(problem, request)
        response.headers += ((b"x-request-id", request.id.encode()),)
        self._write(response, "-", b"close")
        self._app.finished(request, response.status, 0.0)
        self._end(at_once=False)

    def _end(self, *, at_once: bool) -> None:
        """Ends after what was written; unless at once, with an eye for a client that still sends."""
        self._ending = True
        self._waiting.clear()
        self._break_off()
        if at_once or self._transport.is_closing():
            self._transport.close()
            return
        self._lingering = True
        self.deadline = self._home.now + self._home.linger_limit
        with contextlib.suppress(OSError):  # the client has gone already
            if self._transport.can_write_eof():
                self._transport.write_eof()
        self._unhold()

    def finish(self) -> None:
        """The server ends: a connection that nobody uses is closed, others after their answer."""
        if self._task is None and not self._in_head and not self._waiting and not self._lingering and not self._blocked:
            self._transport.close()

    def expire(self) -> None:
        """The deadline has passed."""
        self.deadline = NEVER
        if self._lingering or self._blocked:
            self._transport.abort()
        elif self._in_head:
            self._refuse(Problem(408, "the request did not come in time", "request_timeout"))
        else:
            self._transport.close()

    def abort(self) -> None:
        """Ends at once."""
        self._transport.abort()


def _malformed(error: httptools.HttpParserError, data: bytes) -> Problem:
    if "Invalid method" in str(error) and _OTHER_METHOD.match(data):
        return Problem(405, "the method is unknown", headers=_ALLOW)
    return Problem(400, "this is no HTTP/1.1 request", "malformed_request")


def _twice(name: bytes, pairs: list[Header], headers: dict[bytes, bytes]) -> bool:
    return len(headers) < len(pairs) and sum(known == name for known, _ in pairs) > 1
