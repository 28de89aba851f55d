"""A thread that does one thing after another for an event loop, for a third of what an executor of the library asks for each."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Generic, TypeVar

_Result = TypeVar("_Result")


class _Job(Generic[_Result]):
    """Work with who waits for it; ``done`` is set in the loop."""

    __slots__ = ("done", "future", "loop", "work")

    def __init__(self, work: Callable[[], _Result], loop: asyncio.AbstractEventLoop) -> None:
        self.work = work
        self.loop = loop
        self.future: asyncio.Future[_Result] = loop.create_future()
        self.done = False

    def do(self) -> None:
        """Does the work, on the thread, and hands over what came of it; a loop that has ended wants nothing any more."""
        try:
            result = self.work()
        except BaseException as error:
            with suppress(RuntimeError):
                self.loop.call_soon_threadsafe(self._failed, error)
        else:
            with suppress(RuntimeError):
                self.loop.call_soon_threadsafe(self._succeeded, result)

    def _succeeded(self, result: _Result) -> None:
        self.done = True
        if not self.future.done():
            self.future.set_result(result)

    def _failed(self, error: BaseException) -> None:
        self.done = True
        if not self.future.done():
            self.future.set_exception(error)


class Thread:
    """The thread. It ends with the process; ``close`` ends it after what was given to it."""

    def __init__(self, name: str) -> None:
        self._jobs: SimpleQueue[_Job[object] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        while True:
            job = self._jobs.get()
            if job is None:
                return
            job.do()
            del job  # what it holds is not kept until the next one comes

    async def run(self, work: Callable[[], _Result], interrupt: Callable[[], None]) -> _Result:
        """Does work on the thread; a caller who is cancelled interrupts it, and waits until it has stopped."""
        loop = asyncio.get_running_loop()
        job = _Job(work, loop)
        self._jobs.put(job)  # type: ignore[arg-type]  # nobody looks at the result on the thread
        try:
            return await job.future
        except asyncio.CancelledError:
            if not job.done:
                interrupt()
                job.future = loop.create_future()
                with suppress(Exception):
                    await job.future
            raise

    def close(self) -> None:
        """Ends the thread, and waits for that."""
        self._jobs.put(None)
        self._thread.join()
