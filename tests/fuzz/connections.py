"""What must hold for any bytes on a connection: nothing fails, what is answered is HTTP, and it is the same however the bytes are cut.

The first four bytes say where the rest is cut.
"""

import asyncio
import itertools
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "http/wire"))  # where the tests of connections have theirs

from wirebytes import answers


def fuzz_connection(data: bytes) -> None:
    asyncio.run(check(data))


async def check(data: bytes) -> None:
    cuts, stream = data[:4], data[4:]
    if not stream:
        return
    at = [0, *sorted({cut * len(stream) // 256 for cut in cuts} - {0}), len(stream)]
    whole = await answers([stream])
    cut = await answers([stream[begin:end] for begin, end in itertools.pairwise(at)])
    for answer in (whole, cut):
        assert not answer or answer.startswith(b"HTTP/1.1 ")
        assert b"HTTP/1.1 500 " not in answer
    if b"100-continue" not in stream.lower():  # who sends unasked what is refused is answered by what has come until then
        assert cut == whole
