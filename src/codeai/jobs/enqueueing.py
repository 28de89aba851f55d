"""Enqueueing runs of jobs: later, once per key, or debounced (the last request of a burst wins)."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from codeai.durable.dispatch.protocol import Dispatcher
from codeai.durable.executions import KIND, Executions
from codeai.durable.store import Store
from codeai.durable.values import recorded
from codeai.storage.interface import Session
from codeai.storage.portable import portable

_PENDING: Final = "SELECT id, queue, priority FROM executions WHERE workflow_id = $1 AND active_key = $2 AND status = 'pending' FOR UPDATE"
_REPLACE: Final = "UPDATE executions SET input = $2, scheduled_for = $3 WHERE id = $1 AND status = 'pending'"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A run that somebody asks for.

    :param values: its input in value form
    :param delay_ms: it begins so much later
    :param key: at most one unfinished run has it
    :param origin: what asks for it, where that may happen once only
    :param debounce_ms: a run with the key that has not begun takes this input instead and begins so long from now
    """

    job: str
    values: Mapping[str, Any]
    queue: str | None = None
    priority: int | None = None
    delay_ms: int = 0
    key: str | None = None
    debounce_ms: int = 0
    origin: str | None = None


class Enqueueing:
    """Enqueues in the transaction of the caller."""

    def __init__(self, executions: Executions, store: Store, dispatcher: Dispatcher, clock: Callable[[], datetime.datetime]) -> None:
        self._executions = executions
        self._store = store
        self._dispatcher = dispatcher
        self._clock = clock
        self._pending, self._replace = (portable(text, store.dialect) for text in (_PENDING, _REPLACE))

    async def enqueue(self, session: Session, wanted: Wanted, actor: str | None) -> str:
        """Starts the run, or finds the one that has its key; its id.

        :raises DefinitionMissing: there is no such job
        :raises KeyTaken: the key is taken, and the job rejects duplicates
        """
        delay = wanted.debounce_ms or wanted.delay_ms
        due = self._clock() + datetime.timedelta(milliseconds=delay) if delay else None
        if wanted.debounce_ms and due is not None:
            found = await self._debounced(session, wanted, due)
            if found is not None:
                return found
        started = await self._executions.begin(
            session,
            "job",
            wanted.job,
            wanted.values,
            key=wanted.key,
            origin=wanted.origin,
            actor=actor,
            queue=wanted.queue,
            priority=wanted.priority,
            scheduled_for=due,
            delay_ms=delay,
        )
        return started.id

    async def _debounced(self, session: Session, wanted: Wanted, due: datetime.datetime) -> str | None:
        """Moves the run that waits with the key; None when there is none, or when somebody has just begun it."""
        row = await session.fetch_row(self._pending, (wanted.job, wanted.key))
        if row is None:
            return None
        id_ = str(row[0])
        if not await self._dispatcher.withdraw(session, KIND, id_):
            return None
        store = self._store
        await session.execute(self._replace, (store.uuid(id_), store.json(recorded(dict(wanted.values))), store.instant(due)))
        queue, priority = str(row[1]), int(row[2])  # type: ignore[call-overload]  # its columns
        await self._dispatcher.offer(session, KIND, id_, queue=queue, priority=priority, delay_ms=wanted.debounce_ms)
        return id_
