"""How long events are kept: what is older and entirely delivered goes, a little at a time. Dead letters and what waits stay."""

from __future__ import annotations

import datetime
from typing import Any, Final
from uuid import UUID

from codeai.events.records import Forms
from codeai.storage.codecs import encode_json
from codeai.storage.interface import Database, Session
from codeai.storage.portable import portable

BATCH: Final = 500
# Identifiers grow with time: one pass over those of the time before, beginning with the oldest.
_EVENTS: Final = f"""
SELECT id FROM codeai_events WHERE id > $2 AND id < $3 AND at < $1 AND relayed = 1 AND NOT EXISTS (
  SELECT 1 FROM codeai_deliveries AS d WHERE d.event_id = codeai_events.id AND d.status IN ('pending', 'dead'))
ORDER BY id LIMIT {BATCH}"""  # noqa: S608  # a number of ours
_MESSAGES: Final = f"""
SELECT id FROM codeai_deliveries WHERE id > $2 AND id < $3 AND event_id IS NULL AND created_at < $1 AND status NOT IN ('pending', 'dead')
ORDER BY id LIMIT {BATCH}"""  # noqa: S608  # a number of ours
# Who replays an event holds it meanwhile: those are passed over, and what was replayed before is seen by the statement after the lock.
_HOLD: Final = "SELECT id FROM codeai_events WHERE id IN {ids} FOR UPDATE SKIP LOCKED"
_FREE: Final = """
SELECT id FROM codeai_events WHERE id IN {ids} AND NOT EXISTS (
  SELECT 1 FROM codeai_deliveries AS d WHERE d.event_id = codeai_events.id AND d.status IN ('pending', 'dead'))"""
_OF_EVENTS: Final = (
    "DELETE FROM codeai_attempts WHERE delivery_id IN (SELECT id FROM codeai_deliveries WHERE event_id IN {ids})",
    "DELETE FROM codeai_deliveries WHERE event_id IN {ids}",
    "DELETE FROM codeai_events WHERE id IN {ids}",
)
_OF_MESSAGES: Final = ("DELETE FROM codeai_attempts WHERE delivery_id IN {ids}", "DELETE FROM codeai_deliveries WHERE id IN {ids}")
_IDS: Final = {"postgresql": "(SELECT unnest($1::uuid[]))", "sqlite": "(SELECT value FROM json_each($1))"}


class Retention:
    """Deletes what is past its time."""

    def __init__(self, database: Database, forms: Forms) -> None:
        self._database = database
        self._forms = forms

    def _text(self, statement: str) -> str:
        dialect = self._database.dialect
        return portable(statement.replace("{ids}", _IDS[dialect]), dialect)

    def _listed(self, ids: list[Any]) -> tuple[object]:
        return (encode_json(ids) if self._database.dialect == "sqlite" else ids,)

    async def purge(self, before: datetime.datetime) -> int:
        """Deletes events that are older and entirely delivered, with their deliveries, and old messages; the number of both."""
        total, bound = 0, self._forms.identifier(UUID(int=int(before.timestamp() * 1000) << 80))
        for found, held in ((_EVENTS, True), (_MESSAGES, False)):
            last = self._forms.identifier(UUID(int=0))
            while True:
                values = (self._forms.moment(before), last, bound)
                ids = [row[0] for row in await self._database.reading().fetch(self._text(found), values)]
                if ids:
                    async with self._database.transaction() as session:
                        total += await (self._events(session, ids) if held else self._messages(session, ids))
                if len(ids) < BATCH:
                    break
                last = ids[-1]
        return total

    async def _events(self, session: Session, ids: list[Any]) -> int:
        held = [row[0] for row in await session.fetch(self._text(_HOLD), self._listed(ids))]
        free = [row[0] for row in await session.fetch(self._text(_FREE), self._listed(held))]
        for deletion in _OF_EVENTS:
            await session.execute(self._text(deletion), self._listed(free))
        return len(free)

    async def _messages(self, session: Session, ids: list[Any]) -> int:
        for deletion in _OF_MESSAGES:
            await session.execute(self._text(deletion), self._listed(ids))
        return len(ids)
