"""Threads for calls that block. Those of the standard library's executors keep a process alive until they end; these do not."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

_Result = TypeVar("_Result")


class Threads:
    """Runs calls on threads of their own.

    :param most: how many run at a time; one that nobody waits for any more counts until it ends
    """

    def __init__(self, most: int) -> None:
        self._free = asyncio.Semaphore(most)

    async def run(self, call: Callable[[], _Result]) -> _Result:
        """The result of a call; raises what it raises."""
        await self._free.acquire()
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[_Result] = loop.create_future()

        def settle(give: Callable[[], None]) -> None:
            self._free.release()
            if not answer.done():
                give()

        def work() -> None:
            try:
                result = call()
            except BaseException as error:
                # A future takes everything but StopIteration.
                failed = RuntimeError("StopIteration") if isinstance(error, StopIteration) else error
                give: Callable[[], None] = lambda: answer.set_exception(failed)  # noqa: E731  # typed for both branches
            else:
                give = lambda: answer.set_result(result)  # noqa: E731
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(settle, give)

        try:
            threading.Thread(target=work, name="codeai-function", daemon=True).start()
        except RuntimeError:  # no thread can be had
            self._free.release()
            raise
        return await answer
