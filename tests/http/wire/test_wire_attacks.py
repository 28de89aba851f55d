"""What clients do that mean harm, or are broken: ambiguous framing, floods, bodies without end, answers that nobody takes."""

import asyncio
import gc
import json
import socket

import pytest
from wireworld import GET, POST, World, world_of

from codeai.http.messages import Request
from codeai.http.wire.connection import Connection
from codeai.http.wire.server import HttpServer
from services.polling import eventually

CHUNKED = b"POST %b HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (b"transfer-encoding: gzip, chunked", 501),
        (b"transfer-encoding: , chunked", 501),
        (b"transfer-encoding: gzip\r\ntransfer-encoding: chunked", 501),
        (b"transfer-encoding: chunked\r\ntransfer-encoding: chunked", 400),
        (b"transfer-encoding: xchunked", 501),
        (b"transfer-encoding: chunked, identity", 400),
        (b"transfer-encoding: identity", 501),
        (b"transfer-encoding: \x0bchunked", 400),
        (b"transfer-encoding:\r\n chunked", 400),
        (b"transfer-encoding : chunked", 400),
        (b"transfer-encoding: chunked\r\ncontent-length: 5", 400),
        (b"content-length: 5\r\ntransfer-encoding: chunked", 400),
        (b"content-length: 5\r\ncontent-length: 5", 400),
        (b"content-length: 5, 5", 400),
        (b"content-length: +5", 400),
        (b"content-length: 99999999999999999999", 400),
        (b"content-length: ", 400),
        (b"x: a\nb: c", 400),
        (b"x: a\rb: c", 400),
    ],
)
async def test_no_framing_is_guessed(world: World, headers: bytes, status: int) -> None:
    client = await world.client()
    await client.send(b"POST /a HTTP/1.1\r\nhost: x\r\n" + headers + b"\r\n\r\n0\r\n\r\n" + GET % b"/smuggled")
    assert (await client.answer())[0] == status
    assert await client.ended()
    assert "/smuggled" not in [path for _, path, _ in world.app.seen]


@pytest.mark.parametrize(
    "chunks",
    [
        b"3 \r\nabc\r\n",
        b"+3\r\nabc\r\n",
        b"0x3\r\nabc\r\n",
        b"3\nabc\n",
        b"3\r\nabcd\r\n",
        b"3;a\nb\r\nabc\r\n",
        b"f" * 17 + b"\r\n",
        b"3\rX\nabc\r\n",
    ],
)
async def test_chunks_that_two_servers_could_read_in_two_ways(world: World, chunks: bytes) -> None:
    client = await world.client()
    await client.send(CHUNKED % b"/a" + chunks + b"0\r\n\r\n" + GET % b"/smuggled")
    assert (await client.answer())[0] == 400
    assert await client.ended()
    assert "/smuggled" not in [path for _, path, _ in world.app.seen]


@pytest.mark.parametrize("version", [b"HTTP/2.0", b"HTTP/0.9"])
async def test_other_versions_are_said_to_be_unknown(world: World, version: bytes) -> None:
    client = await world.client()
    await client.send(b"GET /a " + version + b"\r\nhost: x\r\n\r\n")
    assert (await client.answer())[0] == 505
    assert world.app.seen == [("-", "-", 505)]


async def test_what_comes_behind_a_refusal_is_read_away_until_the_client_ends(world: World) -> None:
    world.server.linger_limit = 600.0
    client = await world.client()
    await client.send(b"GET /a b HTTP/1.1\r\n\r\n" + GET % b"/more")
    assert (await client.answer())[0] == 400
    await client.send(b"x" * 1_000_000)
    client.writer.close()
    await eventually(lambda: not world.server.connections)


async def test_http_1_0_has_no_transfer_encoding(world: World) -> None:
    client = await world.client()
    await client.send(b"POST /a HTTP/1.0\r\ntransfer-encoding: chunked\r\nconnection: keep-alive\r\n\r\n0\r\n\r\n")
    assert (await client.answer())[0] == 400


async def test_what_follows_a_body_is_no_header(world: World) -> None:
    client = await world.client()
    await client.send(CHUNKED % b"/a" + b"2\r\nab\r\n0\r\nx-forwarded-for: 1.2.3.4\r\n\r\n")
    assert (await client.shown())["headers"] == [["host", "x"], ["transfer-encoding", "chunked"]]


async def test_the_host_of_the_target_counts_more_than_the_header(world: World) -> None:
    client = await world.client()
    await client.send(b"GET http://user@other.example:81/a HTTP/1.1\r\nhost: x\r\n\r\n")
    assert (await client.shown())["headers"] == [["host", "other.example:81"]]


async def test_an_expectation_of_http_1_0_is_ignored(world: World) -> None:
    client = await world.client()
    await client.send(b"POST /a HTTP/1.0\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n")
    await client.send(b"ab")
    assert (await client.answer())[0] == 200


@pytest.mark.parametrize("status", [204, 304])
async def test_a_body_of_an_answer_that_has_none_is_no_second_answer(world: World, status: int) -> None:
    client = await world.client()
    await client.send(GET % b"/status/%d" % status)
    assert (await client.answer())[0] == status
    await client.send(GET % b"/next")
    assert (await client.shown())["path"] == "/next"


async def test_an_answer_that_is_not_final_is_none(world: World) -> None:
    client = await world.client()
    await client.send(GET % b"/status/101")
    assert (await client.answer())[0] == 500


async def test_the_begin_of_the_next_request_may_come_with_a_large_body(world: World) -> None:
    client = await world.client()
    await client.send(GET % b"/gate" + POST % (b"/a", 90_000) + b"x" * 90_000 + b"GET /next HTTP/1.1\r\nho", b"st: x\r\n\r\n")
    world.app.gate.set()
    assert [(await client.shown())["path"] for _ in range(3)] == ["/gate", "/a", "/next"]


@pytest.mark.parametrize("parts", [1, 3])
async def test_the_limit_of_a_head_is_the_same_however_it_comes(world: World, parts: int) -> None:
    client = await world.client()
    head = b"GET /a HTTP/1.1\r\nhost: x\r\nx: " + b"a" * 70_000 + b"\r\n\r\n"
    size = len(head) // parts + 1
    await client.send(*(head[at : at + size] for at in range(0, len(head), size)))
    assert (await client.answer())[0] == 431


@pytest.mark.parametrize(
    ("line", "piece"),
    [
        (b"0\r\n", b"x-more: %b\r\n" % (b"a" * 1000)),  # trailers
        (b"0\r\nx: ", b"a" * 1000),  # one that does not end
        (b"1;", b"a" * 1000),  # an extension
        (b"", b"0" * 1000),  # a size
    ],
)
async def test_what_is_around_a_body_has_a_limit(world: World, line: bytes, piece: bytes) -> None:
    client = await world.client()
    client.writer.write(CHUNKED % b"/gate" + b"3\r\nabc\r\n" + line + piece * 100)
    world.app.gate.set()
    status, _, body = await client.answer()
    assert (status, json.loads(body)["code"]) == (400, "malformed_request")
    assert await client.ended()


async def test_a_body_of_the_smallest_chunks_is_one(world: World) -> None:
    client = await world.client()
    await client.send(CHUNKED % b"/a" + b"1;a=b\r\nx\r\n" * 30_000 + b"0\r\n\r\n")
    assert (await client.shown())["body"] == 30_000


def _requests() -> int:
    """How many there are, also of tests that were before."""
    return sum(isinstance(found, Request) for found in gc.get_objects())


async def test_thousands_of_requests_that_come_at_once_wait_as_bytes(world: World) -> None:
    client = await world.client()
    gc.collect()
    before = _requests()
    client.writer.write(GET % b"/gate" + b"".join(GET % b"/instant/%d" % number for number in range(10_000)))
    await eventually(lambda: world.app.running)
    await asyncio.sleep(0.05)  # so that what is there is read
    assert _requests() - before < 5
    world.app.gate.set()
    assert (await client.shown())["path"] == "/gate"
    assert [(await client.answer())[2] for _ in range(10_000)] == [b"/instant/%d" % number for number in range(10_000)]


async def test_thousands_of_requests_for_another_protocol_come_at_once(world: World) -> None:
    client = await world.client()
    wish = b"GET /instant/%d HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"
    client.writer.write(b"".join(wish % number for number in range(3_000)))
    assert [(await client.answer())[2] for _ in range(3_000)] == [b"/instant/%d" % number for number in range(3_000)]


async def test_nothing_behind_the_last_answer_is_done(world: World) -> None:
    client = await world.client()
    world.app.closing = True
    await client.send(GET % b"/instant/1" + POST % (b"/a", 2) + b"ab" + GET % b"/instant/2")
    assert (await client.answer())[1]["connection"] == "close"
    assert await client.ended()
    assert world.app.seen == [("GET", "/instant/1", 200)]
    world.app.closing = False
    client = await world.client()
    await client.send(b"GET /instant/3 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n" + GET % b"/instant/4")
    assert (await client.answer())[2] == b"/instant/3"
    assert await client.ended()
    assert world.app.seen[1:] == [("GET", "/instant/3", 200)]


async def test_an_error_of_ours_is_not_blamed_on_the_client(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Connection, request: Request) -> None:
        raise LookupError("a mistake of ours")

    monkeypatch.setattr(Connection, "begun", broken)
    client = await world.client()
    await client.send(GET % b"/a")
    assert await client.ended()
    ours = [record.exc_info[0] for record in caplog.records if record.exc_info and record.name.startswith("codeai")]
    assert ours == [LookupError]
    assert not world.app.seen


async def test_an_answer_that_is_cancelled_ends_its_connection(world: World) -> None:
    client = await world.client()
    await client.send(GET % b"/cancelled")
    assert await client.ended()
    assert world.app.running == 0


# -- clients that read slowly or not at all ------------------------------------------------------------------------


async def slow(world: World) -> socket.socket:
    """A connection that buffers little at both ends, so that what is not read stays with the server."""
    world.server._listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 20_000)
    found = socket.socket()
    found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    found.setblocking(False)
    await world.server.loop.sock_connect(found, ("127.0.0.1", world.port))
    return found


async def test_an_answer_that_is_taken_slowly_is_not_given_up(impatient: World) -> None:
    client = await slow(impatient)
    loop = impatient.server.loop
    await loop.sock_sendall(client, GET % b"/large")
    began, size = loop.time(), 0
    while loop.time() - began < 2.5:  # longer than what nobody takes is kept for
        size += len(await loop.sock_recv(client, 20_000))
        await asyncio.sleep(0.02)
    while size < 3_000_000 and (part := await loop.sock_recv(client, 1_000_000)):
        size += len(part)
    assert size > 3_000_000
    client.close()


@pytest.mark.parametrize("end", [b"", b"connection: close\r\n"])
async def test_an_end_of_an_answer_that_nobody_takes_keeps_no_connection(impatient: World, end: bytes) -> None:
    """So little is left that the transport does not complain, but it is left for ever."""
    client = await slow(impatient)
    await eventually(lambda: impatient.server.connections)
    connection = next(iter(impatient.server._connections))
    while not connection._transport.get_write_buffer_size():  # until what the kernel takes is full
        seen = len(impatient.app.seen)
        await impatient.server.loop.sock_sendall(client, GET % b"/instant" * 100)
        await eventually(lambda: len(impatient.app.seen) == seen + 100)  # noqa: B023  # called within the turn
    assert not connection._blocked
    await impatient.server.loop.sock_sendall(client, b"GET /instant HTTP/1.1\r\nhost: x\r\n" + end + b"\r\n")
    await eventually(lambda: not impatient.server.connections)
    client.close()


async def test_clients_beyond_the_limit_are_told_and_sent_away(caplog: pytest.LogCaptureFixture) -> None:
    world = await world_of(HttpServer, most=2)
    first, second, third = [await world.client() for _ in range(3)]
    status, headers, body = await third.answer()
    assert (status, headers["retry-after"], json.loads(body)["code"]) == (503, "1", "too_many_connections")
    assert await third.ended()
    third.writer.close()
    await first.send(GET % b"/a")
    assert (await first.answer())[0] == 200
    second.writer.close()
    await eventually(lambda: world.server.connections == 1)
    fourth = await world.client()
    await fourth.send(GET % b"/a")
    assert (await fourth.answer())[0] == 200
    await eventually(lambda: "too many connections" in caplog.messages)
    await world.close()
