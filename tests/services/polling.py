"""Waiting without sleeping longer than needed."""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

_Found = TypeVar("_Found")


def until(find: Callable[[], _Found], seconds: float = 20.0, explain: Callable[[], object] = lambda: "it did not come to that") -> _Found:
    """What ``find`` returns, once that is true; ``explain`` says why it may not have come to that in time."""
    deadline = time.monotonic() + seconds
    while not (found := find()):
        assert time.monotonic() < deadline, explain()
        time.sleep(0.02)
    return found


async def eventually(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """As ``until``, inside of a loop; TimeoutError when it does not hold in time."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  # what is awaited lies in a database or another process
            await asyncio.sleep(0.005)
