"""What must hold for any bytes on a connection, in whatever pieces they come: nothing fails, and what is answered is HTTP.

The first four bytes say where the rest is cut. That the answers are the same for all cuts is a target of its own (``pieces``, for
``make fuzz``): it is not yet so for some chunked bodies that are malformed.
"""

import asyncio
import itertools
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "http/wire"))  # where the tests of connections have theirs

from wirebytes import answers


def fuzz_connection(data: bytes) -> None:
    asyncio.run(check(data))


def fuzz_pieces(data: bytes) -> None:
    """The answers do not depend on the cuts."""
    asyncio.run(check(data, same=True))


async def check(data: bytes, *, same: bool = False) -> None:
    cuts, stream = data[:4], data[4:]
    if not stream:
        return
    at = [0, *sorted({cut * len(stream) // 256 for cut in cuts} - {0}), len(stream)]
    whole = await answers([stream])
    cut = await answers([stream[begin:end] for begin, end in itertools.pairwise(at)])
    for answer in (whole, cut):
        assert not answer or answer.startswith(b"HTTP/1.1 ")
        assert b"HTTP/1.1 500 " not in answer
    if same and b"100-continue" not in stream.lower():  # who sends unasked what is refused is answered by what has come until then
        assert cut == whole
