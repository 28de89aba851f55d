"""Removing runs that ended long ago, with all that belongs to them; a few at a time, so that nobody waits for it."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Final

from codeai.durable.store import Store
from codeai.storage.portable import portable

FINISHED: Final = ("completed", "failed", "cancelled")
_BATCH: Final = 500
_STATES: Final = {"completed": "('completed')", "failed": "('failed', 'compensated')", "cancelled": "('cancelled')"}
_OLD: Final = (
    f"SELECT id FROM executions WHERE kind = 'job' AND status IN {{states}} AND finished_at < $1 LIMIT {_BATCH} FOR UPDATE SKIP LOCKED"
)
_GONE: Final = "DELETE FROM executions WHERE id = $1 AND kind = 'job' AND status IN {states}"
_BELONGINGS: Final = (
    "DELETE FROM codeai_steps WHERE execution_id = $1",
    "DELETE FROM codeai_mailbox WHERE execution_id = $1",
    "DELETE FROM codeai_waits WHERE execution_id = $1",
)


class Purge:
    """Purges finished runs of jobs."""

    def __init__(self, store: Store, clock: Callable[[], datetime.datetime]) -> None:
        self._store = store
        self._clock = clock

    async def jobs(self, status: str, older_than_ms: int) -> int:
        """Removes runs that ended in a state more than so many milliseconds ago; how many those were.

        :param status: one of ``FINISHED``
        """
        before = self._store.instant(self._clock() - datetime.timedelta(milliseconds=older_than_ms))
        dialect, states = self._store.dialect, _STATES[status]
        old, gone = (portable(text.replace("{states}", states), dialect) for text in (_OLD, _GONE))
        belongings = [portable(text, dialect) for text in _BELONGINGS]
        total = 0
        while True:
            async with self._store.database.transaction() as session:
                ids = [(row[0],) for row in await session.fetch(old, (before,))]
                for text in (*belongings, gone):
                    await session.execute_many(text, ids)
            total += len(ids)
            if len(ids) < _BATCH:
                return total
