"""The guarded client against real peers, good and bad."""

import asyncio
import gzip
import ipaddress
import ssl
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from codeai.integrations.addresses import AddressPolicy, is_public, parse_allow_list
from codeai.integrations.errors import (
    AddressForbidden,
    AnswerTooLarge,
    AnswerUnreadable,
    BadAddress,
    Disconnected,
    OutboundError,
    TimedOut,
    TlsFailed,
    Unreachable,
)
from codeai.integrations.outbound import Limits, Outbound
from services.peer import Behaviour, Peer, Reply, cut_off, drip, endless, hang, no_http, reset
from services.ports import free_port

LOOPBACK = AddressPolicy(parse_allow_list("127.0.0.0/8"))
PATIENT = Limits(connect=30, read=30, total=60, answer=100_000)
SHORT = Limits(connect=2, read=0.5, total=2, answer=100_000)

INSIDE = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "100.100.100.200",
    "169.254.169.254",
    "192.0.0.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "168.63.129.16",
    "::1",
    "::",
    "fe80::1",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "2002:a00:1::",
    "2001:0:7f00:1:0:0:80ff:fffe",
    "2001:db8::1",
    "203.0.113.7",
    "64:ff9b:1::a00:1",
    "64:ff9b:1:a00:0:100:808:808",
    "fec0::1",
    "192.0.0.192",
    "192.88.99.1",
    "3fff::1",
    "::ffff:0:127.0.0.1",
]
OUTSIDE = ["1.1.1.1", "8.8.8.8", "93.184.216.34", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"]


@pytest.mark.parametrize("text", INSIDE)
def test_an_inside_address_is_not_public_however_it_is_written(text: str) -> None:
    assert not is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", OUTSIDE)
def test_an_address_of_the_internet_is_public(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/",
        "http://localhost:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://2130706433:{port}/",
        "http://0x7f.1:{port}/",
        "http://0177.0.0.1:{port}/",
        "http://0:{port}/",
    ],
)
async def test_no_spelling_of_loopback_is_connected_to(url: str) -> None:
    with Peer(lambda seen: Reply()) as peer:
        client = Outbound(AddressPolicy())
        with pytest.raises((AddressForbidden, BadAddress, Unreachable)):
            await client.send("GET", url.format(port=peer.port))
        await client.close()
        assert peer.connections == 0


@pytest.mark.parametrize("url", ["", "ftp://x/", "file:///etc/passwd", "http://", "//x/y", "http://u:p@x/", "http://x:99999/", "nonsense"])
async def test_what_is_no_web_address_is_refused_before_any_look_up(url: str) -> None:
    async def never(host: str, port: int) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
        raise AssertionError("resolved")

    with pytest.raises(BadAddress):
        await Outbound(AddressPolicy(), resolve=never).send("GET", url)


async def test_a_name_that_changes_its_answer_reaches_only_the_checked_address() -> None:
    """Rebinding: the name is resolved once, and what was checked is what is connected to."""
    asked: list[str] = []

    async def resolve(host: str, port: int) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
        asked.append(host)
        return [ipaddress.ip_address("192.0.2.1" if len(asked) == 1 else "127.0.0.1")]

    with Peer(lambda seen: Reply()) as peer:
        client = Outbound(AddressPolicy(parse_allow_list("192.0.2.0/24")), resolve=resolve)
        with pytest.raises(OutboundError):
            await client.send("GET", f"http://rebind.example:{peer.port}/", limits=SHORT)
        assert asked == ["rebind.example"]
        with pytest.raises(AddressForbidden):
            await client.send("GET", f"http://rebind.example:{peer.port}/", limits=SHORT)
        assert peer.connections == 0


async def test_of_a_mixed_answer_only_permitted_addresses_are_tried() -> None:
    async def resolve(host: str, port: int) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
        return [ipaddress.ip_address("10.0.0.1"), ipaddress.ip_address("127.0.0.1")]

    with Peer(lambda seen: Reply()) as peer:
        answer = await Outbound(LOOPBACK, resolve=resolve).send("GET", f"http://mixed.example:{peer.port}/x", limits=PATIENT)
        assert (answer.status, peer.seen[0].headers["host"]) == (200, f"mixed.example:{peer.port}")


@pytest.mark.parametrize(
    ("allow", "host", "permitted"),
    [
        ("", "a.corp", False),
        ("10.0.0.0/8", "a.corp", True),
        ("10.1.0.0/16", "a.corp", False),
        ("a.corp", "A.corp.", True),
        ("*.corp", "a.corp", True),
        ("*.corp", "corp", False),
        ("*.corp", "evilcorp", False),
        ("b.corp, 10.0.0.7", "a.corp", True),
    ],
)
def test_operators_allow_hosts_suffixes_and_networks(allow: str, host: str, permitted: bool) -> None:
    policy = AddressPolicy(parse_allow_list(allow))
    assert bool(policy.permitted(host, [ipaddress.ip_address("10.0.0.7")])) is permitted


@pytest.mark.parametrize("text", ["http://x", "10.0.0.0/40", "a b", "*", "*.", "-/-", "x:80", "ü.example"])
def test_a_malformed_allow_list_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="separated by commas"):
        parse_allow_list(text)


FAULTS: list[tuple[Behaviour, type[OutboundError]]] = [
    (hang, TimedOut),
    (drip, TimedOut),
    (reset, Disconnected),
    (cut_off, Disconnected),
    (no_http, Disconnected),
    (endless, AnswerTooLarge),
]


@pytest.mark.parametrize(("behaviour", "error"), FAULTS, ids=[behaviour.__name__ for behaviour, _ in FAULTS])
async def test_a_bad_peer_is_an_error_of_its_class_and_its_connection_is_dropped(behaviour: Behaviour, error: type[OutboundError]) -> None:
    with Peer(lambda seen: behaviour) as peer:
        client = Outbound(LOOPBACK, connections=1)
        with pytest.raises(error) as raised:
            await client.send("GET", f"{peer.url}/path?key=secret", limits=SHORT if error is TimedOut else PATIENT)
        assert raised.value.sent
        assert "secret" not in str(raised.value)
        assert peer.disconnected.wait(60)
        peer.script = lambda seen: Reply(200, b"fine")
        assert (await client.send("GET", peer.url, limits=PATIENT)).body == b"fine"
        await client.close()


async def test_a_refused_connection_was_certainly_not_sent() -> None:
    with pytest.raises(Unreachable) as raised:
        await Outbound(LOOPBACK).send("POST", f"http://127.0.0.1:{free_port()}/", body=b"x")
    assert not raised.value.sent


async def test_an_unknown_name_is_unreachable() -> None:
    async def resolve(host: str, port: int) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
        raise OSError("no such name")

    with pytest.raises(Unreachable, match=r"'nowhere\.example' cannot be resolved"):
        await Outbound(LOOPBACK, resolve=resolve).send("GET", "http://nowhere.example/")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_answer_and_not_followed(status: int) -> None:
    with Peer(lambda seen: Reply(status, b"", {"location": "http://127.0.0.1:1/latest/meta-data"})) as peer:
        answer = await Outbound(LOOPBACK).send("GET", peer.url)
        assert (answer.status, len(peer.seen)) == (status, 1)


def _bomb(compress: Callable[[bytes], bytes]) -> bytes:
    return compress(b"0" * 50_000_000)


@pytest.mark.parametrize(("encoding", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
async def test_a_small_answer_that_unpacks_to_a_large_one_is_refused(encoding: str, compress: Callable[[bytes], bytes]) -> None:
    with Peer(lambda seen: Reply(200, _bomb(compress), {"content-encoding": encoding})) as peer, pytest.raises(AnswerTooLarge):
        await Outbound(LOOPBACK).send("GET", peer.url, limits=Limits(answer=1_000_000))


@pytest.mark.parametrize(
    ("encoding", "body", "expected"),
    [
        ("gzip", gzip.compress(b"text", mtime=0), b"text"),
        ("gzip", gzip.compress(b"te", mtime=0) + gzip.compress(b"xt", mtime=0), b"text"),
        ("deflate", zlib.compress(b"text"), b"text"),
        ("identity", b"text", b"text"),
        ("gzip", b"no gzip", None),
        ("gzip", gzip.compress(b"text", mtime=0)[:-6], None),
        ("br", b"\x0b\x01\x80text\x03", None),
    ],
)
async def test_answers_are_unpacked_or_refused_as_unreadable(encoding: str, body: bytes, expected: bytes | None) -> None:
    with Peer(lambda seen: Reply(200, body, {"content-encoding": encoding})) as peer:
        client = Outbound(LOOPBACK)
        if expected is None:
            with pytest.raises(AnswerUnreadable):
                await client.send("GET", peer.url)
        else:
            assert (await client.send("GET", peer.url)).body == expected
        await client.close()


async def test_requests_carry_what_was_given_and_connections_are_used_again() -> None:
    with Peer(lambda seen: Reply(201, b'{"id":1}', {"x-a": "b"})) as peer:
        client = Outbound(LOOPBACK)
        for _ in range(3):
            answer = await client.send("POST", f"{peer.url}/a%2Fb?c=d", headers=[("X-Key", "k"), ("Host", "other")], body=b"{}")
        await client.close()
    assert (answer.status, answer.body, answer.header("x-a")) == (201, b'{"id":1}', "b")
    assert (peer.seen[0].target, peer.seen[0].headers["x-key"], peer.seen[0].headers["host"]) == (
        "/a%2Fb?c=d",
        "k",
        f"127.0.0.1:{peer.port}",
    )
    assert peer.connections == 1


async def test_what_comes_after_an_answer_is_nobodys_answer() -> None:
    async def surplus(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nmine" + b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged")
        await reader.read()

    with Peer(lambda seen: surplus if seen.target == "/surplus" else Reply(200, b"good")) as peer:
        client = Outbound(LOOPBACK)
        assert (await client.send("GET", f"{peer.url}/surplus")).body == b"mine"
        assert (await client.send("GET", f"{peer.url}/well")).body == b"good"
        await client.close()
    assert peer.connections == 2


async def test_a_header_cannot_smuggle_a_second_request() -> None:
    with Peer(lambda seen: Reply()) as peer:
        with pytest.raises(BadAddress):
            await Outbound(LOOPBACK).send("GET", peer.url, headers=[("X", "a\r\nX-Evil: 1")])
        assert peer.seen == []


async def test_a_certificate_that_nobody_vouches_for_ends_the_handshake(certificate: tuple[Path, Path]) -> None:
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    served.load_cert_chain(*certificate)
    with Peer(lambda seen: Reply(), served) as peer:
        with pytest.raises(TlsFailed) as raised:
            await Outbound(LOOPBACK).send("GET", peer.url)
        assert (raised.value.sent, peer.seen) == (False, [])
        trusted = ssl.create_default_context(cafile=str(certificate[0]))
        client = Outbound(LOOPBACK, tls=trusted)
        assert (await client.send("GET", f"https://localhost:{peer.port}/")).status == 200
        await client.close()
        with pytest.raises(TlsFailed):
            await Outbound(LOOPBACK, tls=trusted).send("GET", peer.url)  # the certificate is for localhost, not for 127.0.0.1


async def test_plain_http_where_tls_is_expected_is_a_tls_failure() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await reader.read()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        with pytest.raises(TlsFailed):
            await Outbound(LOOPBACK).send("GET", f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
