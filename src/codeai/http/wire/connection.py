"""One connection: requests are answered one after the other, in their order, each whole before the next begins."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import struct
import sys
import time
from typing import Final, Protocol, cast

import httptools

from codeai.http.messages import Request, Response, client_closed, problem_response
from codeai.http.problems import Problem
from codeai.http.wire.heads import CONTINUE, BadHeader, Heads
from codeai.http.wire.reception import Received, Reception

_LOG: Final = logging.getLogger("codeai.http")
_SPARE: Final = 65_536
_LARGE: Final = 65_536
_MOST_INSTANT: Final = 16  # then others get their turn
_BODILESS: Final = (204, 304)
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

    def opened(self, connection: Connection) -> bool:
        """A connection begins; whether there is room for it."""

    def closed(self, connection: Connection) -> None:
        """It has ended."""


class Connection(asyncio.Protocol):
    """The protocol of one connection.

    ``deadline`` is when ``expire`` is due. When it is ``_over``, nothing more is read; while ``_lingering``, the last answer is on its way,
    and what comes is thrown away so that the client gets to read it (RFC 9112, section 9.6).
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self._app = home.app
        self._task: asyncio.Task[None] | None = None
        self._instant = 0  # how many requests were answered at once since others had their turn
        self._taken = 0  # what the client had taken when the deadline was set
        self._expects = self._held = self._blocked = False
        self._all_said = False  # by the client
        self._over = self._lingering = False
        self.deadline = NEVER

    # -- the transport ---------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See ``asyncio.Protocol``."""
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        self._peer = str(peer[0]) if isinstance(peer, tuple) and peer else None
        self._reception = Reception(self, self._peer)
        self.deadline = self._home.now + self._home.head_limit
        if not self._home.opened(self):
            self._over = True
            self._reject(Problem(503, "there are too many connections", "too_many_connections", headers=((b"retry-after", b"1"),)))

    def data_received(self, data: bytes) -> None:
        """See ``asyncio.Protocol``."""
        if self._task is None and not (self._over or self._blocked or self._held):
            request = self._reception.again(data)
            if request is not None:
                self._instant = 0
                self.begun(request)
                if self.ready():
                    self.deadline = self._home.now + self._home.idle_limit
                return
        if not self._over:
            self._go_on(data)

    def eof_received(self) -> bool:
        """See ``asyncio.Protocol``. What has come as a whole is still answered."""
        self._all_said = True
        self._reception.break_off(client_closed())
        if self._lingering or self.ready():
            self._close()
        return self._task is not None

    def connection_lost(self, error: Exception | None) -> None:
        """See ``asyncio.Protocol``. What runs runs on: a client that is gone may count on the change that it asked for."""
        self._over = True
        self._reception.break_off(client_closed())
        self._reception.drop()
        self._home.closed(self)

    def pause_writing(self) -> None:
        """See ``asyncio.Protocol``: the client does not take what it asked for."""
        self._blocked = True
        self._watch(self._home.write_limit)

    def resume_writing(self) -> None:
        """See ``asyncio.Protocol``."""
        self._blocked = False
        if self.ready() and not self._reception.reading:
            self.deadline = NEVER
            self._go_on()

    # -- requests --------------------------------------------------------------------------------------------------

    def ready(self) -> bool:
        """See ``reception.Taker``."""
        return self._task is None and not self._blocked and not self._over

    def begun(self, request: Received) -> None:
        """See ``reception.Taker``."""
        self.deadline = NEVER
        self._expects = (
            request.stream is not None and request.version == "1.1" and request.headers.get(b"expect", b"").lower() == b"100-continue"
        )
        if request.stream is None and self._instant < _MOST_INSTANT and self._answered_at_once(request):
            return
        self._task = self._home.loop.create_task(self._answering(request))

    def _go_on(self, data: bytes = b"") -> None:
        """Reads what has come, as far as it can be answered, and waits for more."""
        reception = self._reception
        self._instant = 0
        knew = reception.in_head and self.deadline != NEVER
        try:
            reception.read(data)
        except Problem as problem:
            self._refuse(problem)
        except httptools.HttpParserCallbackError as error:
            _LOG.exception("a request could not be received", exc_info=error.__context__)
            self._transport.abort()
            return
        if self._task is not None or self._blocked or self._over:  # it is not ready
            if reception.waits and not self._over:
                self.hold()
        elif self._all_said:
            self._close()
        else:
            if reception.in_head:
                if not knew:
                    self.deadline = self._home.now + self._home.head_limit
            elif self.deadline == NEVER:
                self.deadline = self._home.now + self._home.idle_limit
            if self._held:
                self._unhold()

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

    # -- answers ---------------------------------------------------------------------------------------------------

    def _answered_at_once(self, request: Received) -> bool:
        began = time.perf_counter()
        try:
            response = self._app.at_once(request)
            if response is None:
                return False
            self._instant += 1
            response = self._send(request, response)
            self._app.finished(request, response.status, time.perf_counter() - began)
        except Exception:
            _LOG.exception("an answer could not be made")
            self._transport.abort()
        return True

    async def _answering(self, request: Received) -> None:
        app = self._app
        began = time.perf_counter()
        app.running += 1
        try:
            response = await app.respond(request)
            response = self._send(request, response)
        except asyncio.CancelledError:
            self._transport.abort()
            raise
        except Exception:
            _LOG.exception("an answer could not be made")
            self._transport.abort()
            return
        finally:
            app.running -= 1
            self._task = None
        self._app.finished(request, response.status, time.perf_counter() - began)
        if not self._over and not self._reception.reading:  # else it goes on by itself
            self._go_on()

    def _send(self, request: Received, response: Response) -> Response:
        """Sends an answer, and decides whether the connection goes on; returns what was sent."""
        stream = request.stream
        whole = stream is None or stream.complete or (response.status != 408 and self._spared(request))
        last = not request.keep_alive or not whole or self._app.closing or self._over
        connection = b"close" if last else b"" if request.version == "1.1" else b"keep-alive"
        try:
            self._write(response, request.method, connection)
        except BadHeader:
            response = problem_response(Problem(500, "the program set a header that it may not set", "bad_header"), request)
            self._write(response, request.method, connection)
        if last:
            self._end(at_once=whole and not self._held and not self._reception.waits)
        return response

    def _spared(self, request: Received) -> bool:
        """Whether the rest of a body that nobody wants is so small that it is thrown away rather than the connection."""
        stream, length = request.stream, request.headers.get(b"content-length", b"")
        if stream is None or self._expects or self._all_said or not length or int(length) - stream.size > _SPARE:
            return False
        stream.drop()
        return True

    def _write(self, response: Response, method: str, connection: bytes) -> None:
        head = self._home.heads.of(response, connection)
        transport = self._transport
        if transport.is_closing():
            return
        body = b"" if method == "HEAD" or response.status in _BODILESS else response.body
        if len(body) > _LARGE:
            transport.writelines((head, body))
        else:
            transport.write(head + body)

    # -- the end ---------------------------------------------------------------------------------------------------

    def _refuse(self, problem: Problem) -> None:
        """Answers what is no request, and ends."""
        self._over = True
        self._reception.break_off(problem)  # so that it answers the request to which it belongs
        if self._task is None:
            self._reject(problem)

    def _reject(self, problem: Problem) -> None:
        request = Request("-", "-", [], peer=self._peer)
        response = problem_response(problem, request)
        response.request_id = request.id.encode()
        self._write(response, "-", b"close")
        self._app.finished(request, response.status, 0.0)
        self._end(at_once=False)

    def _end(self, *, at_once: bool) -> None:
        """Ends after what was written; unless at once, with an eye for a client that still sends."""
        self._over = True
        self._reception.break_off(client_closed())
        if at_once or self._transport.is_closing():
            self._close()
            return
        self._lingering = True
        self._watch(self._home.linger_limit)
        with contextlib.suppress(OSError):  # the client has gone already
            if self._transport.can_write_eof():
                self._transport.write_eof()
        self._unhold()

    def _close(self) -> None:
        """Ends when what was written is taken."""
        self._over = True
        self._watch(self._home.write_limit)
        self._transport.close()

    def _watch(self, limit: float) -> None:
        self.deadline = self._home.now + limit
        self._taken = self._progress()

    def _progress(self) -> int:
        """Grows with what the client takes. A transport that speaks TLS does not know: the system does (``tcpi_bytes_acked``)."""
        left: int = self._transport.get_write_buffer_size()
        sock = self._transport.get_extra_info("socket")
        if sys.platform == "linux" and sock is not None and sock.family != socket.AF_UNIX:
            with contextlib.suppress(OSError, struct.error):
                acked: int = struct.unpack_from("Q", sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 128), 120)[0]
                return acked
        return -left

    def finish(self) -> None:
        """The server ends: a connection that nobody uses is closed, others after their answer."""
        if self.ready() and not self._reception.in_head:
            self._close()

    def expire(self) -> None:
        """The deadline has passed."""
        if self._blocked or self._over:
            unsent = self._blocked or self._transport.get_write_buffer_size()
            if unsent and self._progress() > self._taken:  # slowly, but it is taken
                self._watch(self._home.write_limit)
            else:
                self._transport.abort()
        elif self._reception.in_head:
            self._refuse(Problem(408, "the request did not come in time", "request_timeout"))
        else:
            self._close()

    def abort(self) -> None:
        """Ends at once."""
        self._transport.abort()
