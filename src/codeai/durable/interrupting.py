"""Cutting short what runs of an execution that somebody has cancelled.

Whoever cancels in this process says so at once; of those that do it elsewhere the database tells within a second, asked by one query
for all that runs. A plain Python function cannot be cut short on its thread: nobody waits for it any more, and what it returns is lost.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager, suppress
from types import TracebackType
from typing import Final

from codeai.durable.dispatch.protocol import LeaseLost
from codeai.durable.store import Store
from codeai.storage.errors import StorageError

_EVERY: Final = 1.0


class Interrupted(LeaseLost):
    """The execution was cancelled while it ran: what is not recorded is forgotten, and the end of it follows."""


class _Work:
    """A block that runs, and is cut short when its execution is cancelled."""

    __slots__ = ("_before", "_cut", "_execution", "_running", "_task")

    def __init__(self, running: dict[str, set[_Work]], execution: str) -> None:
        self._running = running
        self._execution = execution
        self._cut = False

    def __enter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._before = task.cancelling()
        self._running.setdefault(self._execution, set()).add(self)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        works = self._running[self._execution]
        works.discard(self)
        if not works:
            del self._running[self._execution]
        if self._cut:  # which is taken back in any case: the work may have ended, or failed, instead
            others = self._task.uncancel() > self._before
            if kind is asyncio.CancelledError and not others:
                raise Interrupted from None

    def interrupt(self) -> None:
        """Cuts it short."""
        if not self._cut:
            self._cut = True
            self._task.cancel()


class Interrupts:
    """What runs in this process and may be cut short."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._running: dict[str, set[_Work]] = {}
        self._watcher: asyncio.Task[None] | None = None

    def allowed(self, execution: str) -> AbstractContextManager[None]:
        """A block that is cut short when its execution is cancelled; raises Interrupted then."""
        if self._watcher is None or self._watcher.done():
            self._watcher = asyncio.create_task(self._watch())
        return _Work(self._running, execution)

    def interrupt(self, execution: str) -> None:
        """Cuts short what runs here of an execution."""
        for work in tuple(self._running.get(execution, ())):
            work.interrupt()

    async def _watch(self) -> None:
        await asyncio.sleep(_EVERY)
        while self._running:
            with suppress(StorageError):  # asked again in a moment
                await self.look()
            await asyncio.sleep(_EVERY)

    async def look(self) -> None:
        """Asks which of what runs here was cancelled."""
        store = self._store
        listed = store.listed(list(self._running), ids=True)
        for row in await store.database.reading().fetch(store.sql.cancelling, (listed,)):
            self.interrupt(str(row[0]))
