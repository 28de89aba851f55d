"""Waiting no longer than needed, and patiently: how soon something comes says mostly how busy the machine is."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

_Found = TypeVar("_Found")
_PATIENCE = 60.0  # seconds


def until(
    find: Callable[[], _Found], seconds: float = _PATIENCE, explain: Callable[[], object] = lambda: "it did not come to that"
) -> _Found:
    """What ``find`` returns, once that is true; ``explain`` says why it may not have come to that in time."""
    deadline = time.monotonic() + seconds
    while not (found := find()):
        assert time.monotonic() < deadline, explain()
        time.sleep(0.02)
    return found


def comes_to(look: Callable[[], _Found], wanted: _Found, seconds: float = _PATIENCE) -> None:
    """Waits until what is seen is what is wanted."""
    seen: list[_Found] = []

    def same() -> bool:
        seen[:] = [look()]
        return seen == [wanted]

    until(same, seconds, lambda: f"{seen[0]!r} is not {wanted!r}")


async def eventually(condition: Callable[[], object | Awaitable[object]], seconds: float = _PATIENCE) -> None:
    """As ``until``, inside of a loop; the condition may be a coroutine function."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if await found if inspect.isawaitable(found) else found:
            return
        assert time.monotonic() < deadline, "it did not come to that"
        await asyncio.sleep(0.01)
