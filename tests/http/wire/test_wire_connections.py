"""Connections as clients make them, well or badly: bytes in, bytes out, over real sockets."""

import asyncio
import json
import re
import socket
import ssl
import struct
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import uvloop
from wireworld import GET, HOST, POST, Client, Impatient, World, world_of

from codeai.http.wire.server import HttpServer
from codeai.server.listening import Tls, most_files, tls_context
from services.polling import eventually


async def test_a_request_is_passed_on_as_it_was_sent(world: World) -> None:
    client = await world.client()
    await client.send(b"GET /a%2Fb%20c/d?x=%20y HTTP/1.1\r\nHost: x\r\nX-A: 1\r\nx-a:  2 \r\nX-B: j\xc3\xb6rg\r\nX-C:\r\n\r\n")
    shown = await client.shown()
    assert (shown["method"], shown["path"], shown["raw"], shown["query"]) == ("GET", "/a/b c/d", "/a%2Fb%20c/d", "x=%20y")
    assert shown["headers"] == [["host", "x"], ["x-a", "1"], ["x-a", "2"], ["x-b", "jÃ¶rg"], ["x-c", ""]]
    assert (shown["body"], shown["peer"], shown["version"]) == ("", "127.0.0.1", "1.1")


async def test_an_answer_has_what_the_standard_asks_for(world: World) -> None:
    client = await world.client()
    await client.send(GET % b"/a")
    status, headers, body = await client.answer()
    assert (status, headers["content-length"], headers["x-request-id"]) == (200, str(len(body)), "1")
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", headers["date"])
    assert "connection" not in headers
    await client.send(b"HEAD /a HTTP/1.1\r\nhost: x\r\n\r\n" + GET % b"/empty")
    assert (await client.answer(bodiless=True))[1]["content-length"] == str(len(body) + 1)
    status, headers, _ = await client.answer()
    assert (status, "content-length" in headers) == (204, False)


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        (b"http://other.example/a?b=c", "/a", "b=c"),
        (b"http://other.example", "/", ""),
        (b"*", "*", ""),
        (b"//a//b", "//a//b", ""),
        ("/straße?q=ü".encode(), "/straße", "q=%C3%BC"),
        (b"/%ff", "/\ufffd", ""),
        (b"/a?", "/a", ""),
    ],
)
async def test_targets(world: World, target: bytes, path: str, query: str) -> None:
    client = await world.client()
    await client.send(b"OPTIONS %b HTTP/1.1\r\nhost: x\r\n\r\n" % target)
    shown = await client.shown()
    assert (shown["path"], shown["query"]) == (path, query)


@pytest.mark.parametrize(
    ("bad", "status", "code"),
    [
        (b"GET /a HTTP/1.1\r\n\r\n", 400, "malformed_host"),
        (b"GET /a HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n", 400, "malformed_host"),
        (b"GET /a HTTP/1.1\r\nhost: a b\r\n\r\n", 400, "malformed_host"),
        (b"GET /a HTTP/1.1\r\nhost: a/b\r\n\r\n", 400, "malformed_host"),
        (b"GET /a HTTP/1.1\r\nhost: a:b\r\n\r\n", 400, "malformed_host"),
        (b"GET /a HTTP/1.1\r\nhost: u@a\r\n\r\n", 400, "malformed_host"),
        (b"GET /a#b HTTP/1.1\r\nhost: x\r\n\r\n", 400, "malformed_target"),
        (b"GET ftp://a/b HTTP/1.1\r\nhost: x\r\n\r\n", 400, "malformed_target"),
        (b"FETCH /a HTTP/1.1\r\nhost: x\r\n\r\n", 405, "method_not_allowed"),
        (b"CONNECT a:443 HTTP/1.1\r\nhost: x\r\n\r\n", 405, "method_not_allowed"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "http_version_not_supported"),
        (b"GET /a HTTP/1.1\nhost: x\n\n", 400, "malformed_request"),
        (b"GET /a HTTP/1.1\r\nhost: x\r\n folded\r\n\r\n", 400, "malformed_request"),
        (b"GET /a HTTP/1.1\r\nhost: x\r\nx: a\0b\r\n\r\n", 400, "malformed_request"),
        (b"GET /a HTTP/1.1\r\nhost: x\r\nx y: a\r\n\r\n", 400, "malformed_request"),
        (b"GET /a HTTP/1.1\r\n" + HOST + b"x: 1\r\n" * 300 + b"\r\n", 431, "request_header_fields_too_large"),
        (b"GET /a HTTP/1.1\r\nx: " + b"a" * 200_000, 431, "request_header_fields_too_large"),
        (b"GET /" + b"a" * 200_000, 414, "uri_too_long"),
        (b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n", 414, "uri_too_long"),
        (POST % (b"/a", 3) + b"abcX\r\n\r\n", 405, "method_not_allowed"),
        (b"POST /a HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", 400, "malformed_request"),
    ],
)
async def test_what_is_no_request_is_refused_and_the_connection_ends(world: World, bad: bytes, status: int, code: str) -> None:
    client = await world.client()
    await client.send(GET % b"/first")
    assert (await client.answer())[0] == 200
    await client.send(bad)
    answers = [await client.answer()]
    if answers[0][0] == 200:  # it began well
        answers.append(await client.answer())
    assert answers[-1][0] == status
    assert json.loads(answers[-1][2])["code"] == code
    assert answers[-1][1]["connection"] == "close"
    assert await client.ended()
    assert world.app.seen[-1][2] == status


async def test_requests_that_come_at_once_are_answered_in_their_order(world: World) -> None:
    client = await world.client()
    await client.send(GET % b"/gate" + POST % (b"/1", 2) + b"ab" + GET % b"/2" + b"GET /3 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    world.app.gate.set()
    shown = [await client.shown() for _ in range(4)]
    assert [found["path"] for found in shown] == ["/gate", "/1", "/2", "/3"]
    assert shown[1]["body"] == "ab"
    assert await client.ended()


async def test_what_can_be_answered_at_once_waits_for_its_turn(world: World) -> None:
    client = await world.client()
    await client.send(GET % b"/instant/1" + GET % b"/gate" + GET % b"/instant/2" + GET % b"/3" + GET % b"/instant/4")
    assert (await client.answer())[2] == b"/instant/1"
    assert world.app.seen == [("GET", "/instant/1", 200)]
    world.app.gate.set()
    assert (await client.shown())["path"] == "/gate"
    assert (await client.answer())[2] == b"/instant/2"
    assert (await client.shown())["path"] == "/3"
    assert (await client.answer())[2] == b"/instant/4"


async def test_one_client_with_many_such_requests_keeps_no_other_waiting(world: World) -> None:
    busy, other = await world.client(), await world.client()
    await busy.send(b"".join(GET % b"/instant/%d" % number for number in range(500)))
    await other.send(GET % b"/instant/other")
    assert (await other.answer())[2] == b"/instant/other"
    assert [(await busy.answer())[2] for _ in range(500)] == [b"/instant/%d" % number for number in range(500)]


async def test_an_application_that_fails_at_once_ends_the_connection(world: World) -> None:
    client = await world.client()
    await client.send(GET % b"/broken/at/once")
    assert await client.ended()


async def test_a_request_may_come_byte_by_byte(world: World) -> None:
    client = await world.client()
    for byte in b"POST /a HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nx-trailer: 1\r\n\r\n":
        client.writer.write(bytes([byte]))
        await asyncio.sleep(0)
    assert (await client.shown())["body"] == "abcde"


async def test_a_body_larger_than_what_is_read_ahead_comes_through(world: World) -> None:
    client = await world.client()
    await client.send(POST % (b"/a", 99_999), b"x" * 99_999, GET % b"/next")
    assert (await client.shown())["body"] == 99_999
    assert (await client.shown())["path"] == "/next"


@pytest.mark.parametrize(
    ("head", "rest", "status", "kept"),
    [
        (POST % (b"/unread", 10), b"0123456789", 401, True),  # the rest is small: it is thrown away
        (POST % (b"/unread", 1_000_000), b"x" * 500_000, 401, False),
        (b"POST /unread HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\na\r\n", 401, False),
        (POST % (b"/a", 200_000), b"", 413, False),
        (b"POST /a HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n", b"40000\r\n" + b"x" * 0x40000 + b"\r\n", 413, False),
        (POST % (b"/a", 10), b"", 408, False),
    ],
)
async def test_bodies_that_nobody_reads_to_their_end(world: World, head: bytes, rest: bytes, status: int, kept: bool) -> None:
    if status == 408:
        world.app.patience = 0.3
    client = await world.client()
    await client.send(head, rest)
    found, headers, _ = await client.answer()
    assert (found, headers.get("connection")) == (status, None if kept else "close")
    if kept:
        await client.send(GET % b"/next")
        assert (await client.shown())["path"] == "/next"
    else:
        assert await client.ended()


async def test_a_client_that_waits_to_be_asked_is_asked_or_refused(world: World) -> None:
    head = b"POST %b HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n"
    client = await world.client()
    await client.send(head % b"/a")
    assert (await client.answer())[0] == 100
    await client.send(b"ab")
    assert (await client.shown())["body"] == "ab"
    await client.send(head % b"/unread")
    status, headers, _ = await client.answer()
    assert (status, headers["connection"]) == (401, "close")
    assert await client.ended()


@pytest.mark.parametrize("wish", [b"Upgrade\r\nupgrade: websocket", b"Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk"])
async def test_another_protocol_is_not_spoken_but_the_request_answered(world: World, wish: bytes) -> None:
    client = await world.client()
    await client.send(b"POST /a HTTP/1.1\r\nhost: x\r\nconnection: " + wish + b"\r\ncontent-length: 5\r\n\r\nhe", b"llo" + GET % b"/next")
    assert (await client.shown())["body"] == "hello"
    assert (await client.shown())["path"] == "/next"


async def test_http_1_0(world: World) -> None:
    client = await world.client()
    await client.send(b"GET /a HTTP/1.0\r\nconnection: keep-alive\r\n\r\n")
    status, headers, body = await client.answer()
    assert (status, headers["connection"], json.loads(body)["version"]) == (200, "keep-alive", "1.0")
    await client.send(b"GET /a HTTP/1.0\r\n\r\n")
    assert (await client.answer())[1]["connection"] == "close"
    assert await client.ended()


async def test_no_header_of_an_answer_becomes_two(world: World) -> None:
    client = await world.client()
    await client.send(GET % b"/broken")
    status, headers, body = await client.answer()
    assert (status, "set-cookie" in headers, json.loads(body)["code"]) == (500, False, "bad_header")
    assert world.app.seen == [("GET", "/broken", 500)]


async def test_an_application_that_fails_ends_the_connection(world: World) -> None:
    client = await world.client()
    await client.send(GET % b"/crash")
    assert await client.ended()
    assert world.app.running == 0


async def test_a_client_that_has_said_all_still_hears_the_answer(world: World) -> None:
    client = await world.client()
    await client.send(GET % b"/gate" + GET % b"/2")
    client.writer.write_eof()
    world.app.gate.set()
    assert [(await client.shown())["path"] for _ in range(2)] == ["/gate", "/2"]
    assert await client.ended()


async def test_what_a_client_asked_for_is_done_though_it_has_gone(world: World) -> None:
    client = await world.client()
    await client.send(GET % b"/gate")
    client.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.writer.transport.abort()
    await eventually(lambda: not world.server.connections)
    assert world.app.running == 1
    world.app.gate.set()
    await eventually(lambda: not world.app.running)
    assert world.app.seen == [("GET", "/gate", 200)]


async def test_a_client_that_goes_within_its_body_ends_the_request(world: World) -> None:
    client = await world.client()
    await client.send(POST % (b"/a", 10) + b"abc")
    client.writer.transport.abort()
    await eventually(lambda: world.app.seen)
    assert world.app.seen == [("POST", "/a", 400)]


async def test_an_answer_waits_for_a_client_that_reads_slowly(world: World) -> None:
    client = await world.client()
    await client.send(GET % b"/large" + GET % b"/large" + GET % b"/next")
    for _ in range(2):
        assert len((await client.answer())[2]) == 3_000_000
    assert (await client.shown())["path"] == "/next"


# -- limits and the end --------------------------------------------------------------------------------------------


async def test_an_idle_connection_is_closed(impatient: World) -> None:
    client = await impatient.client()
    await client.send(GET % b"/a")
    assert (await client.answer())[0] == 200
    assert await client.ended()


@pytest.mark.parametrize("begin", [b"", b"GET /a HTTP/1.1\r\nho"])
async def test_a_head_that_does_not_come_is_given_up(impatient: World, begin: bytes) -> None:
    client = await impatient.client()
    await client.send(begin)
    status, _, body = await client.answer()
    assert status == (408 if begin else 0), body
    assert await client.ended()


async def test_a_slow_answer_is_no_idle_connection(impatient: World) -> None:
    client = await impatient.client()
    await client.send(GET % b"/gate")
    await asyncio.sleep(2.2)
    impatient.app.gate.set()
    assert (await client.shown())["path"] == "/gate"


async def test_an_answer_that_nobody_takes_is_given_up(impatient: World) -> None:
    client = await impatient.client()
    client.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a transport that reads, too
    await client.send(GET % b"/large" * 5)
    await eventually(lambda: not impatient.server.connections)


async def test_the_end_lets_requests_finish_and_closes_the_rest(world: World) -> None:
    idle, busy = await world.client(), await world.client()
    await idle.send(GET % b"/a")
    assert (await idle.answer())[0] == 200
    await busy.send(GET % b"/gate")
    world.app.closing = True
    stopping = asyncio.ensure_future(world.server.stop(5))
    assert await idle.ended()
    with pytest.raises(OSError):
        await asyncio.open_connection("127.0.0.1", world.port)
    assert not stopping.done()
    world.app.gate.set()
    status, headers, _ = await busy.answer()
    assert (status, headers["connection"]) == (200, "close")
    assert await busy.ended()
    await stopping


async def test_the_end_does_not_wait_for_ever(world: World) -> None:
    client = await world.client()
    await client.send(GET % b"/gate")
    world.app.closing = True
    await world.server.stop(0.3)
    assert await client.ended()


class HasteAtTheDoor(HttpServer):
    """A handshake may take two seconds."""

    patience = 2.0
    look_every = 0.05


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for localhost, and its key."""
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    names = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1", *names]
    subprocess.run([*command, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    return certificate, key


async def test_a_handshake_that_fails_is_said_with_its_cause(certificate: tuple[Path, Path], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    world = await world_of(HttpServer, tls_context(Tls(*certificate)))
    try:
        client = await world.client()
        await client.send(GET % b"/a")
        assert await client.ended()
        await eventually(lambda: "tls handshake failed" in caplog.messages)
        found = [record for record in caplog.records if record.message == "tls handshake failed"]
        assert [vars(record)["cause"] for record in found] == ["the client speaks plain HTTP"]
    finally:
        await world.close()


async def asked_over_tls(world: World, certificate: Path) -> bytes:
    context = ssl.create_default_context(cafile=str(certificate))
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port, ssl=context, server_hostname="localhost")
    writer.write(GET % b"/instant")
    async with asyncio.timeout(60):
        head = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    return head[9:12]


@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_clients_that_do_not_shake_hands_count_and_go(
    certificate: tuple[Path, Path], caplog: pytest.LogCaptureFixture, loop_factory: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    """Two thousand of them take no more room than there is, and leave it in time to those who speak."""
    assert most_files() > 3_000
    most = 100

    async def run() -> None:
        world = await world_of(HasteAtTheDoor, tls_context(Tls(*certificate)), most=most)
        loop = asyncio.get_running_loop()
        silent, counts = [], [0]
        for _ in range(2_000):
            silent.append(client := socket.socket())
            client.setblocking(False)
            await loop.sock_connect(client, ("127.0.0.1", world.port))
            counts.append(world.server.connections)
        await eventually(lambda: max(*counts, world.server.connections) == most)
        await eventually(lambda: "too many connections" in caplog.messages)
        await eventually(lambda: not world.server.connections)
        assert await asked_over_tls(world, certificate[0]) == b"200"
        for client in silent:
            client.close()
        await world.close()

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(run())


async def test_a_bound_of_one_connection_lets_one_speak_tls(certificate: tuple[Path, Path]) -> None:
    world = await world_of(HttpServer, tls_context(Tls(*certificate)), most=1)
    try:
        assert await asked_over_tls(world, certificate[0]) == b"200"
        await eventually(lambda: not world.server.connections)
        assert await asked_over_tls(world, certificate[0]) == b"200"
    finally:
        await world.close()


async def test_a_handshake_on_its_way_when_the_server_ends_is_answered(certificate: tuple[Path, Path]) -> None:
    world = await world_of(HttpServer, tls_context(Tls(*certificate)))
    context = ssl.create_default_context(cafile=str(certificate[0]))
    plain = socket.create_connection(("127.0.0.1", world.port))
    await eventually(lambda: world.server.connections == 1)
    world.app.closing = True
    ending = asyncio.create_task(world.server.stop(10))
    await eventually(lambda: world.server._finishing)

    def ask() -> bytes:
        with context.wrap_socket(plain, server_hostname="localhost") as client:
            client.sendall(GET % b"/instant")
            return client.recv(1_000)

    assert (await asyncio.to_thread(ask)).startswith(b"HTTP/1.1 200")
    await ending


async def test_handshakes_do_not_keep_a_server_that_ends(certificate: tuple[Path, Path]) -> None:
    world = await world_of(HttpServer, tls_context(Tls(*certificate)))
    with socket.create_connection(("127.0.0.1", world.port)):
        await eventually(lambda: world.server.connections == 1)
        await world.server.stop(0.2)
        await eventually(lambda: not world.server.connections)


def test_an_answer_over_tls_that_is_taken_slowly_is_not_given_up(certificate: tuple[Path, Path]) -> None:
    def take(port: int) -> int:
        with socket.socket() as plain:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            plain.connect(("127.0.0.1", port))
            with ssl.create_default_context(cafile=str(certificate[0])).wrap_socket(plain, server_hostname="localhost") as client:
                client.sendall(GET % b"/large")
                began, size = time.monotonic(), 0
                while size < 3_000_000 and (part := client.recv(16_384)):
                    size += len(part)
                    if time.monotonic() - began < 2.5:  # longer than what nobody takes is kept for
                        time.sleep(0.02)
                return size

    async def both() -> int:
        world = await world_of(Impatient, tls_context(Tls(*certificate)))
        world.server._listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 20_000)
        taken = await asyncio.to_thread(take, world.port)
        await world.close()
        return taken

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(both()) >= 3_000_000


async def test_tls(certificate: tuple[Path, Path]) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    world = await world_of(HttpServer, context)
    try:
        trust = ssl.create_default_context(cafile=str(certificate[0]))
        client = Client(*await asyncio.open_connection("127.0.0.1", world.port, ssl=trust, server_hostname="localhost"))
        await client.send(GET % b"/a", POST % (b"/unread", 1_000_000))
        assert (await client.shown())["peer"] == "127.0.0.1"
        assert (await client.answer())[0] == 401
        client.writer.close()
    finally:
        await world.close()
