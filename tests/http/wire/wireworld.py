"""A server in the loop of a test, an application that shows what it was asked, and clients that send bytes."""

import asyncio
import json
import socket
import ssl

from codeai.http.deadlines import Deadlines
from codeai.http.messages import Request, Response, problem_response
from codeai.http.problems import Problem
from codeai.http.wire.server import HttpServer

HOST = b"host: x\r\n"
GET = b"GET %b HTTP/1.1\r\nhost: x\r\n\r\n"
POST = b"POST %b HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n"
ID = (b"x-request-id", b"1")


class Echo:
    """Answers with what it was asked; some paths do otherwise."""

    def __init__(self) -> None:
        self.running = 0
        self.closing = False
        self.seen: list[tuple[str, str, int]] = []
        self.gate = asyncio.Event()
        self.patience = 60.0  # seconds, for a body
        self._deadlines = Deadlines()

    def at_once(self, request: Request) -> Response | None:
        if request.path == "/broken/at/once":
            raise RuntimeError("an application never does that")
        return Response(200, request.raw_path or b"", (ID,)) if request.path.startswith("/instant") else None

    async def respond(self, request: Request) -> Response:
        try:
            return await self._answer(request)
        except Problem as problem:
            return problem_response(problem, request)

    async def _answer(self, request: Request) -> Response:
        if request.path.startswith("/instant"):
            return Response(200, request.raw_path or b"", (ID,))
        if request.path == "/unread":
            return Response(401, b"no", (ID,))
        if request.path == "/broken":
            return Response(200, b"x", ((b"x-text", b"a\r\nset-cookie: b"), ID))
        if request.path == "/large":
            return Response(200, b"x" * 3_000_000, (ID,))
        if request.path == "/empty":
            return Response(204, b"", (ID,))
        if request.path.startswith("/status/"):
            return Response(int(request.path[8:]), b"x" * 10, (ID,))
        if request.path == "/cancelled":
            raise asyncio.CancelledError
        if request.path == "/crash":
            raise RuntimeError("an application never does that")
        if request.path == "/gate":
            await self.gate.wait()
        body = await request.body(100_000, self.patience, self._deadlines)
        shown = {
            "method": request.method,
            "path": request.path,
            "raw": (request.raw_path or b"").decode(),
            "query": request.query_string.decode(),
            "headers": [[name.decode(), value.decode("latin-1")] for name, value in request.pairs],
            "body": body.decode(errors="replace") if len(body) < 1000 else len(body),
            "peer": request.peer,
            "version": request.version,
        }
        return Response(200, json.dumps(shown).encode(), (ID,))

    def finished(self, request: Request, status: int, seconds: float, /) -> None:
        self.seen.append((request.method, request.path, status))


class Impatient(HttpServer):
    """As the server, with limits that tests can wait for, and within which a busy machine does what a client does at once."""

    idle_limit = 2.0
    head_limit = 1.5
    linger_limit = 1.0
    write_limit = 1.0
    look_every = 0.05


class Client:
    """A connection whose answers are read one after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, *parts: bytes) -> None:
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()
            await asyncio.sleep(0.01)  # so that parts arrive as parts; nothing depends on it

    async def answer(self, *, bodiless: bool = False) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body; status 0 when the connection ended instead."""
        async with asyncio.timeout(60):
            try:
                head = await self.reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, ConnectionResetError):
                return 0, {}, b""
            first, *lines = head.decode("latin-1").split("\r\n")
            assert first.startswith("HTTP/1.1 "), first
            headers = dict(line.split(": ", 1) for line in lines if line)
            size = 0 if bodiless else int(headers.get("content-length", 0))
            return int(first.split(" ")[1]), headers, await self.reader.readexactly(size)

    async def shown(self) -> dict[str, object]:
        status, _, body = await self.answer()
        assert status == 200, body
        found: dict[str, object] = json.loads(body)
        return found

    async def ended(self) -> bool:
        """Whether the server has closed the connection, with nothing more said."""
        async with asyncio.timeout(60):
            try:
                return await self.reader.read() == b""
            except ConnectionResetError:
                return True


class World:
    """A server in this loop, and clients of it."""

    def __init__(self, server: HttpServer, app: Echo, port: int) -> None:
        self.server = server
        self.app = app
        self.port = port
        self._clients: list[Client] = []

    async def client(self) -> Client:
        found = Client(*await asyncio.open_connection("127.0.0.1", self.port, limit=10_000_000))
        self._clients.append(found)
        return found

    async def close(self) -> None:
        for client in self._clients:
            client.writer.close()
        self.app.gate.set()
        await self.server.stop(1)


async def world_of(kind: type[HttpServer], tls: ssl.SSLContext | None = None, most: int = 10_000) -> World:
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setblocking(False)
    app = Echo()
    server = kind(app, listening, tls, most=most)
    await server.start()
    return World(server, app, listening.getsockname()[1])
