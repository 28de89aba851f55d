"""How long events are kept: what is older and entirely delivered goes, a little at a time."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Final

from codeai.events.records import Forms
from codeai.storage.interface import Database
from codeai.storage.portable import portable

EVERY: Final = datetime.timedelta(hours=1)
_BATCH: Final = 500
# Identifiers grow with time, so that the oldest are found first.
_EVENTS: Final = f"""
SELECT id FROM codeai_events WHERE at < $1 AND relayed = 1 AND NOT EXISTS (
  SELECT 1 FROM codeai_deliveries AS d WHERE d.event_id = codeai_events.id AND d.status IN ('pending', 'dead'))
ORDER BY id LIMIT {_BATCH}"""  # noqa: S608  # a number of ours
_MESSAGES: Final = f"""
SELECT id FROM codeai_deliveries WHERE event_id IS NULL AND created_at < $1 AND status NOT IN ('pending', 'dead')
ORDER BY id LIMIT {_BATCH}"""  # noqa: S608  # a number of ours
_OF_EVENT: Final = (
    "DELETE FROM codeai_attempts WHERE delivery_id IN (SELECT id FROM codeai_deliveries WHERE event_id = $1)",
    "DELETE FROM codeai_deliveries WHERE event_id = $1",
    "DELETE FROM codeai_events WHERE id = $1",
)
_OF_MESSAGE: Final = ("DELETE FROM codeai_attempts WHERE delivery_id = $1", "DELETE FROM codeai_deliveries WHERE id = $1")


class Retention:
    """Deletes what is past its time. Dead letters and what waits are kept, however old they are.

    :param keep: how long; None keeps everything
    """

    def __init__(self, database: Database, forms: Forms, keep: datetime.timedelta | None, clock: Callable[[], datetime.datetime]) -> None:
        self._database = database
        self._forms = forms
        self._keep = keep
        self._clock = clock
        self._next: datetime.datetime | None = None

    async def __call__(self) -> None:
        """Deletes, once an hour; the relay calls this when it has nothing to do."""
        now = self._clock()
        if self._keep is None or (self._next is not None and now < self._next):
            return
        self._next = now + EVERY
        await self.purge(now - self._keep)

    async def purge(self, before: datetime.datetime) -> int:
        """Deletes events that are older and entirely delivered, with their deliveries, and old messages; the number of both."""
        moment, total = self._forms.moment(before), 0
        for found, deletions in ((_EVENTS, _OF_EVENT), (_MESSAGES, _OF_MESSAGE)):
            while True:
                rows = await self._database.reading().fetch(portable(found, self._database.dialect), (moment,))
                keys = [(row[0],) for row in rows]
                if keys:
                    async with self._database.transaction() as session:
                        for deletion in deletions:
                            await session.execute_many(portable(deletion, self._database.dialect), keys)
                total += len(keys)
                if len(keys) < _BATCH:
                    break
        return total
