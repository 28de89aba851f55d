"""Connections without sockets: bytes in, answers out; and the same bytes as h11 reads them."""

import asyncio
import re
from typing import Any

import h11
from wireworld import ID, Echo

from codeai.http.messages import Request, Response, problem_response
from codeai.http.problems import Problem
from codeai.http.wire.connection import Connection
from codeai.http.wire.server import HttpServer

_CHANGING = re.compile(rb'date: [^\r]*\r\n|"request_id":"[^"]*"|x-request-id: [^\r]*\r\n')


class Pipe(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1)})
        self.written = bytearray()
        self.closed = False
        self.paused = False

    def write(self, data: Any) -> None:
        assert not self.closed
        self.written += data

    def writelines(self, parts: Any) -> None:
        self.write(b"".join(parts))

    def get_write_buffer_size(self) -> int:
        return 0

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        pass

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        raise AssertionError("a connection is aborted for a failure of ours only")

    def pause_reading(self) -> None:
        assert not self.paused
        self.paused = True

    def resume_reading(self) -> None:
        assert self.paused
        self.paused = False


class Noting(Echo):
    """Reads each request to its end, and notes it."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[tuple[str, bytes, bytes]] = []

    def at_once(self, request: Request) -> None:
        return None

    async def respond(self, request: Request) -> Response:
        try:
            body = await request.body(100_000, 5, self._deadlines)
        except Problem as problem:
            return problem_response(problem, request)
        query = b"?" + request.query_string if request.query_string else b""
        self.requests.append((request.method, (request.raw_path or b"") + query, body))
        return Response(200, b"", (ID,))


def _server(app: Echo) -> HttpServer:
    server = HttpServer(app, None)  # type: ignore[arg-type]  # it does not listen
    server.loop = asyncio.get_running_loop()
    return server


async def run(parts: list[bytes], app: Echo) -> bytes:
    """What a connection answers to bytes that come in pieces and then end, without dates and numbers of requests."""
    connection, pipe = Connection(_server(app)), Pipe()
    connection.connection_made(pipe)
    for part in parts:
        for _ in range(200):  # as a socket would wait
            if not pipe.paused:
                break
            await asyncio.sleep(0)
        if pipe.closed:
            break
        connection.data_received(part)
        await asyncio.sleep(0)
    for _ in range(200):
        if not pipe.paused:
            break
        await asyncio.sleep(0)
    if not pipe.closed:
        connection.eof_received()
    for _ in range(200):
        if not app.running:
            break
        await asyncio.sleep(0)
    assert not app.running
    connection.connection_lost(None)
    return _CHANGING.sub(b"", bytes(pipe.written))


async def answers(parts: list[bytes]) -> bytes:
    return await run(parts, Echo())


def requests_of(data: bytes) -> list[tuple[str, bytes, bytes]]:
    """The requests that a connection reads, with their bodies."""
    app = Noting()
    asyncio.run(run([data], app))
    return app.requests


def by_h11(data: bytes) -> list[tuple[str, bytes, bytes]]:
    """The same by h11, as far as it reads any."""
    connection: Any = h11.Connection(h11.SERVER)
    connection.receive_data(data)
    connection.receive_data(b"")
    found: list[tuple[str, bytes, bytes]] = []
    try:
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Request):
                request, body = event, b""
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                found.append((request.method.decode(), request.target.removeprefix(b"http://y"), body))
                connection.send(h11.Response(status_code=200, headers=[("content-length", "0")]))
                connection.send(h11.EndOfMessage())
                if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
                    return found
                connection.start_next_cycle()
            else:
                return found
    except h11.RemoteProtocolError:
        return found


# What explains that one of the two reads a request that the other refuses (sections are those of RFC 9112).
OURS_ALONE = [
    (re.compile(rb"[\r\n]+[A-Z]"), "line breaks before a request are skipped (2.2)"),
    (re.compile(rb"[A-Z]  "), "parts of a request line may stand farther apart (3)"),
    (re.compile(rb"[\x80-\xff][^\n]* HTTP/"), "letters in the target are escaped"),
]
H11_ALONE = [
    (re.compile(rb"(^|[^\r])\n"), "a line ends with both, since where it ends is what requests are smuggled by (2.2)"),
    (re.compile(rb"HTTP/[^1]"), "HTTP/1.1 and 1.0 are spoken"),
    (re.compile(rb"\n[ \t]"), "a header stands on one line (5.2)"),
    (re.compile(rb"(?!(GET|HEAD|POST|PUT|OPTIONS) )[!-~]+ +[/*h]"), "methods are those that are registered"),
]
