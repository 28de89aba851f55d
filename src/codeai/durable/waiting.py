"""Waiting for events: a mailbox per execution, and who waits for what.

An event of the execution's lifetime counts whether it came before the wait began or after. So a wait is first made known, then the
events that were are looked through: whatever commits later finds the wait.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from codeai.durable.dispatch.protocol import Dispatcher
from codeai.durable.plans import WorkPlan
from codeai.durable.records import Record
from codeai.durable.run import Run
from codeai.durable.statements import PAGE
from codeai.durable.store import Store
from codeai.durable.values import recorded
from codeai.evaluate.operations import text
from codeai.storage.interface import Session

_FIRST: Final = "00000000-0000-0000-0000-000000000000"


async def begin(run: Run, work: WorkPlan, record: Record, more: Mapping[str, Any]) -> None:
    """Makes a wait known."""
    store, match = run.parts.store, None
    if work.match is not None:
        field, value = work.match
        match = f"{field}={text(await run.compute(value, more))}"
    async with run.transaction() as session:
        await session.execute(store.sql.wait, (store.uuid(run.execution.id), record.name, work.event, match))
        await run.save(session, record)
    run.written(record)


async def look(run: Run, work: WorkPlan, more: Mapping[str, Any]) -> tuple[int, Any] | None:
    """The oldest matching message that no wait has consumed: its number and payload."""
    store, execution = run.parts.store, run.execution
    assert work.event is not None
    rows = await run.parts.database.reading().fetch(store.sql.unread, (store.uuid(execution.id), work.event))
    for row in rows:
        payload = work.restore(store.value_of(row[1]))  # type: ignore[arg-type]  # text of a json column
        if await _fits(run, work, payload, more):
            return int(row[0]), payload  # type: ignore[call-overload]  # the number of the row
    return None


async def _fits(run: Run, work: WorkPlan, payload: Any, more: Mapping[str, Any]) -> bool:
    return bool(await run.compute(work.run, {**more, "event": payload})) if work.conditional else True


async def recall(run: Run, work: WorkPlan, more: Mapping[str, Any]) -> None:
    """Puts events that came since the execution began into its mailbox, as far as they fit; once, after the wait was made known."""
    parts, store, execution = run.parts, run.parts.store, run.execution
    assert work.event is not None
    since, last = store.instant(execution.created_at), store.uuid(_FIRST)
    while True:
        rows = await parts.database.reading().fetch(store.sql.since, (work.event, since, last))
        for row in rows:
            payload = event_values(store, work.event, row)
            if await _fits(run, work, work.restore(payload), more):
                async with parts.database.transaction() as session:
                    await put(store, session, execution.id, work.event, str(row[0]), payload, parts.clock())
        if len(rows) < PAGE:
            return
        last = rows[-1][0]


def event_values(store: Store, wire: str, row: Any) -> dict[str, Any]:
    """What a program sees of an event (a row of ``statements.SINCE``): its payload beside the facts."""
    at = store.time_of(row[1])
    facts = {"id": str(row[0]), "name": wire, "time": recorded(at), "actor": row[2], "key": row[3], "attempt": 1, "replay_of": None}
    return facts | (store.value_of(row[4]) or {})


async def put(store: Store, session: Session, execution: str, wire: str, event_id: str, payload: Any, now: Any) -> bool:
    """Puts a message into a mailbox, once per event; whether it was new."""
    values = (store.uuid(execution), wire, event_id, store.json(recorded(payload)), store.instant(now))
    return await session.execute(store.sql.mail, values) > 0


async def take(run: Run, number: int, record: Record) -> bool:
    """Consumes a message: the wait is over. False when another wait of the run has consumed it meanwhile."""
    store = run.parts.store
    try:
        async with run.transaction() as session:
            if not await session.execute(store.sql.consume, (number, record.name)):
                raise _Taken
            await session.execute(store.sql.waited, (store.uuid(run.execution.id), record.name))
            await run.save(session, record)
    except _Taken:
        return False
    run.written(record)
    return True


class _Taken(Exception):
    """The message is consumed already."""


async def give_up(run: Run, record: Record) -> None:
    """Ends a wait without a message."""
    store = run.parts.store
    async with run.transaction() as session:
        await session.execute(store.sql.waited, (store.uuid(run.execution.id), record.name))


class Addressee(msgspec.Struct, frozen=True):
    """An execution that has got a message, and where it runs."""

    execution: str
    queue: str
    priority: int


async def awaited(store: Store, session: Session, wires: Iterable[str]) -> frozenset[str]:
    """Those of some events that an execution waits for. Whoever begins to wait afterwards looks at what was (see ``recall``)."""
    return frozenset(str(row[0]) for row in await session.fetch(store.sql.awaited, (store.listed(sorted(set(wires))),)))


async def arrived(store: Store, session: Session, wire: str, event_id: uuid.UUID, values: Mapping[str, Any], now: Any) -> list[Addressee]:
    """Gives an event to the executions that wait for it, in the transaction of its delivery; those are to be woken.

    :param values: the payload beside the facts of the event
    """
    texts = [f"{name}={text(value)}" for name, value in values.items() if isinstance(value, str | int | uuid.UUID)]
    rows = await session.fetch(store.sql.waiting, (wire, store.listed(texts)))
    found = [Addressee(str(row[0]), str(row[1]), int(row[2])) for row in rows]  # type: ignore[call-overload]  # its columns
    return [one for one in found if await put(store, session, one.execution, wire, str(event_id), dict(values), now)]


async def wake(store: Store, dispatcher: Dispatcher, session: Session, found: Iterable[Addressee]) -> None:
    """Offers executions that have got messages; their activations are taken in one order, so that nobody waits in a circle."""
    wanted = {one.execution: one for one in found}
    if len(wanted) > 1:
        await session.fetch(store.sql.guard, (store.listed(list(wanted)),))
    for one in wanted.values():
        await dispatcher.offer(session, "execution", one.execution, queue=one.queue, priority=one.priority)
