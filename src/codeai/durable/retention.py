"""How long executions are kept that have ended: with their records, messages and waits they go, a few at a time; what they alone used
goes after them.

What must not happen again stays known: an execution that has its key for good (``once: true``) is kept, and so is one that an event has
started as long as the event is there, which might be delivered again, or for whose end another one waits.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from codeai.durable.children import CHILD
from codeai.durable.records import FINISHED
from codeai.durable.store import Store
from codeai.storage.interface import Session
from codeai.storage.portable import portable

BATCH: Final = 200
_STATES: Final = ", ".join(f"'{status}'" for status in sorted(FINISHED))
# Identifiers grow with time: one pass over those of the time before, beginning with the oldest.
_PAST: Final = f"""e.status IN ({_STATES}) AND e.finished_at < {{before}} AND e.active_key IS NULL
  AND NOT EXISTS (SELECT 1 FROM executions AS p WHERE p.id = e.parent_id AND p.status NOT IN ({_STATES}))
  AND NOT EXISTS (SELECT 1 FROM codeai_waits AS w WHERE w.event = '{CHILD}' AND w.match = CAST(e.id AS text))"""  # noqa: S608  # ours
_OLD: Final = f"""
SELECT e.id, e.origin FROM executions AS e WHERE e.id > $2 AND e.id < $3 AND {_PAST.replace("{before}", "$1")}
ORDER BY e.id LIMIT {BATCH}"""  # noqa: S608  # constants of ours
_EVENTS: Final = "SELECT id FROM codeai_events WHERE id IN {ids}"
_DELETE: Final = (
    "DELETE FROM codeai_steps WHERE execution_id IN {ids}",
    "DELETE FROM codeai_mailbox WHERE execution_id IN {ids}",
    "DELETE FROM codeai_waits WHERE execution_id IN {ids}",
)
# One that was retried or is compensated meanwhile is not past its time any more, also when it has ended again.
_GONE: Final = f"""
SELECT e.id FROM executions AS e WHERE e.id IN {{ids}} AND {_PAST.replace("{before}", "$2")} FOR UPDATE OF e SKIP LOCKED"""  # noqa: S608  # as above
_LAST: Final = "DELETE FROM executions WHERE id IN {ids}"
_IDS: Final = {"postgresql": "(SELECT unnest($1::uuid[]))", "sqlite": "(SELECT value FROM json_each(?1))"}
_FIRST: Final = "00000000-0000-0000-0000-000000000000"
_EVENT: Final = "event:"
# What executions began with is what they end with, are retried, forked and undone with. Every process that begins says that it has it.
_UNUSED: Final = """
DELETE FROM codeai_definitions WHERE created_at < $1 AND version NOT IN {versions}
  AND NOT EXISTS (SELECT 1 FROM workflows AS w WHERE w.version = codeai_definitions.version)
  AND NOT EXISTS (SELECT 1 FROM executions AS e WHERE e.version = codeai_definitions.version)"""
_VERSIONS: Final = {"postgresql": "(SELECT unnest($2::text[]))", "sqlite": "(SELECT value FROM json_each(?2))"}


class ExecutionRetention:
    """Deletes executions."""

    def __init__(self, store: Store) -> None:
        self._store = store

        def made(text: str) -> str:
            text = text.replace("{ids}", _IDS[store.dialect])
            return portable(text if store.dialect == "postgresql" else text.replace(" FOR UPDATE OF e SKIP LOCKED", ""), store.dialect)

        self._old, self._events, self._gone, self._last = made(_OLD), made(_EVENTS), made(_GONE), made(_LAST)
        self._delete = [made(text) for text in _DELETE]

    async def purge(self, before: datetime.datetime) -> int:
        """Deletes what ended before a moment; how many executions those were."""
        store, last, total = self._store, self._store.uuid(_FIRST), 0
        bound = store.uuid(str(uuid.UUID(int=int(before.timestamp() * 1000) << 80)))
        while True:
            rows = await store.database.reading().fetch(self._old, (store.instant(before), last, bound))
            if rows:
                async with store.database.transaction() as session:
                    total += await self._deleted(session, await self._free(session, rows), before)
            if len(rows) < BATCH:
                return total
            last = rows[-1][0]

    async def _free(self, session: Session, rows: Sequence[Sequence[Any]]) -> list[str]:
        """Those whose event is not there any more, or that none has started."""
        events = {str(row[0]): _event_of(row[1]) for row in rows}
        wanted = [event for event in events.values() if event is not None]
        there = {str(row[0]) for row in await session.fetch(self._events, (self._store.listed(wanted, ids=True),))} if wanted else set()
        return [execution for execution, event in events.items() if event not in there]

    async def _deleted(self, session: Session, ids: list[str], before: datetime.datetime) -> int:
        if not ids:
            return 0
        rows = await session.fetch(self._gone, (self._store.listed(ids, ids=True), self._store.instant(before)))
        locked = [str(row[0]) for row in rows]
        if locked:
            values = (self._store.listed(locked, ids=True),)
            for text in (*self._delete, self._last):
                await session.execute(text, values)
        return len(locked)


class DefinitionRetention:
    """Deletes versions of workflows and jobs that no execution needs and nobody begins with.

    :param kept: the versions that this process begins with
    :param accompanied: whether processes of other versions of the program run, which may begin with others
    """

    def __init__(self, store: Store, kept: Callable[[], Sequence[str]], accompanied: Callable[[], Awaitable[bool]]) -> None:
        self._store = store
        self._kept = kept
        self._accompanied = accompanied
        self._unused = portable(_UNUSED.replace("{versions}", _VERSIONS[store.dialect]), store.dialect)

    async def purge(self, before: datetime.datetime) -> int:
        """Deletes those that no process has said to have since a moment; how many."""
        if await self._accompanied():
            return 0
        values = (self._store.instant(before), self._store.listed(self._kept()))
        return await self._store.database.writing().execute(self._unused, values)


def _event_of(origin: object) -> str | None:
    """The identifier of the event that started an execution: ``event:ID`` or, of a forced replay, ``event:ID:…``."""
    text = str(origin or "")
    return text.removeprefix(_EVENT)[:36] if text.startswith(_EVENT) else None
