"""What must hold for any bytes on a connection: the answers do not depend on the pieces in which they come, and nothing fails.

The first four bytes say where the rest is cut.
"""

import asyncio
import itertools
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "http/wire"))  # where the tests of connections have theirs

from wirebytes import answers


def fuzz_connection(data: bytes) -> None:
    cuts, stream = data[:4], data[4:]
    if not stream:
        return
    at = [0, *sorted({cut * len(stream) // 256 for cut in cuts} - {0}), len(stream)]
    asyncio.run(check(stream, [stream[begin:end] for begin, end in itertools.pairwise(at)]))


async def check(stream: bytes, pieces: list[bytes]) -> None:
    whole = await answers([stream])
    assert await answers(pieces) == whole
    assert not whole or whole.startswith(b"HTTP/1.1 ")
