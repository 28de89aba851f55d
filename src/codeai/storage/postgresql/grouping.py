"""Rows that are written while others are on their way: those that wait go together, in one statement.

Nobody waits for company: while little is under way, a row goes at once and alone. A statement of many stands or falls as a whole,
so when it fails each of its rows is tried alone, and what is wrong with one is told to nobody else. It gives up soon where it would
wait for a lock (see ``OneOfMany``): so it holds up nobody, and takes part in no deadlock.
"""

from __future__ import annotations

import asyncio
from contextvars import Context
from typing import Final

from codeai.storage.errors import DatabaseUnavailable, PoolExhausted
from codeai.storage.interface import Record, Session, Values
from codeai.storage.many import OneOfMany
from codeai.storage.watching import WATCHER

_UNDER_WAY: Final = 2  # statements; while one is answered, the other keeps the database busy
_MOST: Final = 64  # rows
_LARGE: Final = 65_536  # characters and bytes of a row that goes alone: what is sent at once should not be much
_PATIENCE: Final = 0.002  # seconds until rows no longer wait for those under way, which may themselves wait for a lock
_PAUSE: Final = 1.0  # seconds in which rows go alone after a statement of many has failed
_WAITING = asyncio.Future["Record | bool | None"]


class Group:
    """Where rows of one statement meet.

    :param alone: sends what it is given at once
    """

    def __init__(self, alone: Session, statement: OneOfMany) -> None:
        self._alone = alone
        self._statement = statement
        self._under_way = 0
        self._waiting: list[tuple[_WAITING, Values]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._context = Context()  # of no request
        self._timer: asyncio.TimerHandle | None = None
        self._paused_until = 0.0

    async def row(self, values: Values) -> Record | None:
        """Writes a row; what the statement returns for it begins with its key."""
        if self._under_way >= _UNDER_WAY:
            found = await self._joined(values)
            if not isinstance(found, bool):
                return found
        self._under_way += 1
        try:
            return await self._alone.fetch_row(self._statement.one, values)
        finally:
            self._ended()

    async def _joined(self, values: Values) -> Record | bool | None:
        """What a row of a group gets; True when it is to go alone. A caller who leaves before it is sent takes it along."""
        loop = asyncio.get_running_loop()
        if (self._paused_until and loop.time() < self._paused_until) or _size(values) > _LARGE:
            return True
        waiting: _WAITING = loop.create_future()
        self._waiting.append((waiting, values))
        if self._timer is None:
            self._timer = loop.call_later(_PATIENCE, self._send)
        watcher = WATCHER.get()
        return await (waiting if watcher is None else watcher.watch(self._statement.one, waiting))

    def _ended(self) -> None:
        self._under_way -= 1
        if self._waiting and self._under_way < _UNDER_WAY:
            self._send()

    def _send(self) -> None:
        """Sends those that wait."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waiting, self._waiting = self._waiting, []
        for first in range(0, len(waiting), _MOST):
            group = [each for each in waiting[first : first + _MOST] if not each[0].done()]
            if len(group) > 1:
                self._under_way += 1
                task = asyncio.get_running_loop().create_task(self._sent(group), context=self._context)
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            elif group:
                group[0][0].set_result(True)

    async def _sent(self, group: list[tuple[_WAITING, Values]]) -> None:
        """Writes the rows of a group."""
        statement = self._statement
        try:
            columns = [list(column) for column in zip(*(values for _, values in group), strict=True)]
            found = await self._alone.fetch(statement.many, columns)
        except (DatabaseUnavailable, PoolExhausted) as error:  # whether the rows are there nobody knows, or nobody gets through
            for waiting, _ in group:
                if not waiting.done():
                    waiting.set_exception(type(error)(*error.args))
        except BaseException as error:
            self._paused_until = asyncio.get_running_loop().time() + _PAUSE
            for waiting, _ in group:
                if not waiting.done():
                    waiting.set_result(True)
            if not isinstance(error, Exception):
                raise
        else:
            records = {record[0]: record for record in found}
            for waiting, values in group:
                if not waiting.done():
                    waiting.set_result(records.get(values[statement.key]))
        finally:
            self._ended()


def _size(values: Values) -> int:
    return sum([len(value) for value in values if isinstance(value, str | bytes)])
