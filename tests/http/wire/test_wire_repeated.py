"""Heads that come again: read without the parser, and never otherwise than by it."""

import asyncio

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from wirebytes import answers

from codeai.http.wire.repeated import Repeated

LINES = [
    *(b"GET /a HTTP/1.1\r\n", b"GET /a HTTP/1.1\r\n", b"HEAD /b?c=d HTTP/1.1\r\n", b"POST /b?c=%20&d=[] HTTP/1.1\r\n"),
    *(b"DELETE /?x HTTP/1.1\r\n", b"GET /a?b?c HTTP/1.1\r\n", b"GET /a%2Fb HTTP/1.1\r\n", b"GET //a//../b HTTP/1.1\r\n"),
    *(b"GET /a HTTP/1.0\r\n", b"GET /a HTTP/1.2\r\n", b"GET /a HTTP/1.1\n", b"GET /a  HTTP/1.1\r\n", b"get /a HTTP/1.1\r\n"),
    *(b"GET http://y/a HTTP/1.1\r\n", b"OPTIONS * HTTP/1.1\r\n", b"CONNECT y:1 HTTP/1.1\r\n", b"GET /a#b HTTP/1.1\r\n"),
    *(
        b"GET /a\x00 HTTP/1.1\r\n",
        b"GET /a\tb HTTP/1.1\r\n",
        b'GET /"<>\\^`{|} HTTP/1.1\r\n',
        "GET /ü HTTP/1.1\r\n".encode(),
        b"\r\nGET /a HTTP/1.1\r\n",
    ),
    *(b"FETCH /a HTTP/1.1\r\n", b"GET /instant/1 HTTP/1.1\r\n", b"GET /a HTTP/1.1\r\nx: y\r\n", b"GET /a HTTP/1.1\r\n\r\n", b""),
]
RESTS = [
    *(
        b"host: x\r\n\r\n",
        b"host: x\r\n\r\n",
        b"Host:  x \r\nAccept: */*\r\nx-a: 1\r\nx-a: 2\r\n\r\n",
        b"\r\n",
        b"host: x\r\nhost: x\r\n\r\n",
    ),
    *(b"host: x\r\nconnection: close\r\n\r\n", b"host: x\r\nconnection: keep-alive\r\n\r\n", b"host: x\r\ncontent-length: 0\r\n\r\n"),
    *(b"host: x\r\ncontent-length: 3\r\n\r\nabc", b"host: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
    *(
        b"host: x\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n",
        b"host: x\r\nexpect: 100-continue\r\n\r\n",
        b"host: x\r\n",
        b"host: x\n\n",
    ),
    b"host: x\r\nx-b: j\xc3\xb6rg\r\n\r\n",
]
REQUESTS = st.builds(bytes.__add__, st.sampled_from(LINES), st.sampled_from(RESTS))


@settings(deadline=None, max_examples=400)
@given(st.lists(REQUESTS, min_size=2, max_size=5))
@example([b"GET /a HTTP/1.1\nx: y\r\nhost: x\r\n\r\n", b"GET /a HTTP/1.1\r\nhost: x\r\n\r\n"])
@example([b"GET /a HTTP/1.1\r\nhost: x\r\n\r\n", b"GET /b HTTP/1.0\r\nhost: x\r\n\r\n", b"HEAD /b?c HTTP/1.1\r\nhost: x\r\n\r\n"])
def test_requests_one_by_one_are_answered_as_in_one_piece_which_the_parser_reads(requests: list[bytes]) -> None:
    assert asyncio.run(answers(requests)) == asyncio.run(answers([b"".join(requests)]))


PAIRS = [(b"host", b"x")]


def known() -> Repeated:
    found = Repeated()
    found.remember(b"GET /a HTTP/1.1\r\nhost: x\r\n\r\n", PAIRS, dict(PAIRS))
    return found


@pytest.mark.parametrize(
    ("line", "read"),
    [
        (b"GET /a HTTP/1.1\r\n", ("GET", b"/a", b"")),
        (b"POST /b/c-d_e.f~g;h=1,2@3:4!$&'()*+?i=%20&j[]=k HTTP/1.1\r\n", None),  # brackets are for the parser
        (b"PATCH /b/c-d_e.f~g;h=1,2@3:4!$&'()*+?i=%20&j=k HTTP/1.1\r\n", ("PATCH", b"/b/c-d_e.f~g;h=1,2@3:4!$&'()*+", b"i=%20&j=k")),
        (b"GET /a%20b HTTP/1.1\r\n", None),
        (b"GET /a HTTP/1.0\r\n", None),
        (b"GET /a HTTP/1.1\n", None),
        (b"GET a HTTP/1.1\r\n", None),
        (b"TRACE /a HTTP/1.1\r\n", None),
    ],
)
def test_only_plain_lines_are_read_here(line: bytes, read: tuple[str, bytes, bytes] | None) -> None:
    assert known().of(line + b"host: x\r\n\r\n") == read


def test_the_rest_must_be_the_same_byte_by_byte() -> None:
    assert known().of(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n") is None
    assert known().of(b"GET /a HTTP/1.1\r\nhost: x\r\n\r\n ") is None


def test_a_client_whose_heads_all_differ_is_not_remembered_any_more() -> None:
    found = Repeated()
    heads = [b"GET /a HTTP/1.1\r\nhost: x\r\nx-request-id: %d\r\n\r\n" % number for number in range(9)]
    for head in heads[:8]:
        found.remember(head, PAIRS, dict(PAIRS))
        assert found.of(head[:-5] + b"x\r\n\r\n") is None
    found.remember(heads[8], PAIRS, dict(PAIRS))
    assert found.of(heads[8]) is None


def test_a_head_that_came_again_is_worth_new_patience() -> None:
    found = Repeated()
    for number in range(50):
        head = b"GET /a HTTP/1.1\r\nhost: x\r\nx: %d\r\n\r\n" % number
        found.remember(head, PAIRS, dict(PAIRS))
        assert found.of(head) == ("GET", b"/a", b"")


def test_long_heads_are_not_kept() -> None:
    found = Repeated()
    head = b"GET /a HTTP/1.1\r\nhost: x\r\nx: %b\r\n\r\n" % (b"y" * 5000)
    found.remember(head, PAIRS, dict(PAIRS))
    assert found.of(head) is None
