"""Any bytes in any pieces: what comes out of a connection does not depend on the pieces, and h11 would have read no request otherwise."""

import asyncio
import itertools

from hypothesis import example, given, settings
from hypothesis import strategies as st
from wirebytes import H11_ALONE, OURS_ALONE, answers, by_h11, requests_of

LINES = [
    *(b"GET /a HTTP/1.1\r\n", b"POST /b HTTP/1.1\r\n", b"HEAD /c?d=e HTTP/1.1\r\n", b"PUT /d HTTP/1.0\r\n", b"OPTIONS * HTTP/1.1\r\n"),
    *(
        "GET /straße HTTP/1.1\r\n".encode(),
        b"FETCH /a HTTP/1.1\r\n",
        b"GET  /a HTTP/1.1\r\n",
        b"GET /a HTTP/2.0\r\n",
        b"GET http://y/a HTTP/1.1\r\n",
    ),
    *(b"host: x\r\n", b"host: x\r\n\r\n", b"content-length: 3\r\n", b"content-length: 3\r\n\r\nabc", b"content-length: 0\r\n\r\n"),
    *(
        b"transfer-encoding: chunked\r\n",
        b"transfer-encoding: chunked\r\n\r\n",
        b"3\r\nabc\r\n",
        b"3;x=y\r\n\xff\r\n\r\n",
        b"0\r\n\r\n",
        b"0\r\nx: y\r\n\r\n",
    ),
    *(
        b"connection: close\r\n",
        b"connection: keep-alive\r\n",
        b"connection: upgrade\r\nupgrade: websocket\r\n",
        b"expect: 100-continue\r\n",
    ),
    *(
        b"transfer-encoding: gzip\r\n",
        b"x: y\r\n z\r\n",
        b"x : y\r\n",
        b"x: \x00\r\n",
        b"x: \xc3\xa9\r\n",
        b": y\r\n",
        b"\r\n",
        b"\n",
        b"\r",
        b" ",
        b"abc",
    ),
    *(b"GET /instant/1 HTTP/1.1\r\nhost: x\r\n\r\n", b"POST /unread HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabc"),
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
]
STREAMS = st.lists(st.one_of(st.sampled_from(LINES), st.sampled_from(LINES), st.binary(max_size=8)), max_size=12).map(b"".join)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    at = [0, *sorted({cut % (len(data) + 1) for cut in cuts}), len(data)]
    return [data[begin:end] for begin, end in itertools.pairwise(at) if begin < end]


@settings(deadline=None, max_examples=400)
@given(STREAMS, st.lists(st.integers(0, 10_000), max_size=8))
@example("GET /straße HTTP/1.1\r\nhost: x\r\n\r\n".encode() * 2, [8])
@example(b"FETCH /a HTTP/1.1\r\nhost: x\r\n\r\n", [1])
@example(b"POST /b HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n\r\n", [55, 58])
def test_pieces_change_nothing(data: bytes, cuts: list[int]) -> None:
    whole = asyncio.run(answers([data]))
    assert asyncio.run(answers(pieces(data, cuts))) == whole
    assert asyncio.run(answers([data[at : at + 1] for at in range(len(data))])) == whole


@settings(deadline=None, max_examples=400)
@given(STREAMS)
def test_h11_reads_the_same_requests_but_for_what_a_table_explains(data: bytes) -> None:
    ours, theirs = requests_of(data), by_h11(data)
    both = min(len(ours), len(theirs))
    assert ours[:both] == theirs[:both]
    if len(ours) != len(theirs):
        assert any(cause.search(data) for cause, _ in (OURS_ALONE if len(ours) > both else H11_ALONE)), (data, ours, theirs)


def test_both_read_what_they_are_compared_by() -> None:
    data = b"POST /a?b=c HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nGET /d HTTP/1.1\r\nhost: x\r\n\r\n"
    assert requests_of(data) == by_h11(data) == [("POST", b"/a?b=c", b"abc"), ("GET", b"/d", b"")]
