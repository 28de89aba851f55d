"""What an operator wants now: steps that wait for their next try, work that waits since it failed, runs that were to begin later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from codeai.durable.parts import Parts
from codeai.durable.records import Execution, Record
from codeai.storage.interface import Session

_UNDER_WAY: Final = ("running", "retrying", "waiting")


async def hasten(parts: Parts, session: Session, execution: Execution) -> list[str] | None:
    """Lets what an execution waits for between two tries be due now, in the transaction of whoever holds the execution.

    :returns: the steps that are tried or undone at once, nothing where all of it begins; None when it waits for no try
    """
    store, id_ = parts.store, parts.store.uuid(execution.id)
    steps = sorted(str(row[0]) for row in await session.fetch(store.sql.hasten, (id_, parts.now_ms())))
    if steps:
        return steps
    if await session.execute(store.sql.begin_now, (id_, store.instant(parts.clock()))):
        return []
    fails = await session.fetch_row(store.sql.trouble, (execution.id,))
    return [] if fails is not None and fails[3] is not None else None


def was_tried(execution: Execution, records: Mapping[str, Record]) -> bool:
    """Whether what runs runs again, so that somebody who wants it tried again has what he wants."""
    if execution.status == "compensating":
        return any(record.compensation == "running" or record.compensation_attempt for record in records.values())
    return execution.attempt > 1 or any(record.attempt and record.status in _UNDER_WAY for record in records.values())


def waits_for(records: Mapping[str, Record]) -> str:
    """What an operator may do about an execution that no try would help."""
    waiting = sorted(record.name for record in records.values() if record.status == "waiting")
    if not waiting:
        return "it is under way; what fails of it is tried again by itself, and may be retried when it has failed"
    return f"step '{waiting[0]}' waits for its time or for an event, which 'signal' gives it"
