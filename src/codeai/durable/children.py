"""Steps that start another workflow and wait for its end (``start: W { … }  await: true``).

The start, the record of the step and the note of who waits commit together. Whatever ends an execution looks for such notes behind its
last change, and offers those who wait.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from codeai.durable.dispatch.protocol import Dispatcher
from codeai.durable.plans import WorkPlan
from codeai.durable.records import FINISHED, Record
from codeai.durable.store import Store
from codeai.evaluate.errors import ProgramFailure
from codeai.storage.interface import Session

if TYPE_CHECKING:
    from codeai.durable.parts import Parts
    from codeai.durable.run import Run  # which writes by the recorder, which wakes parents

CHILD: Final = "@child"  # in the place of an event; no event is called so


class ChildFailed(ProgramFailure):
    """The workflow that the step waited for has not completed; trying again starts another one, so only a step that says so does."""

    def __init__(self, name: str, id_: str, status: str, error: Mapping[str, Any] | None) -> None:
        cause = f": {error['message']}" if error and error.get("message") else ""
        super().__init__(424, f"'{name}' is {status}{cause}", "child_failed")
        self.body = {"id": id_, "status": status, "error": error}


async def begin(run: Run, work: WorkPlan, record: Record, more: Mapping[str, Any], key: str) -> Record:
    """Starts the child; the record of the step then waits and has the child's id as output.

    Its row is locked meanwhile: one that was there before (its key was taken) ends before, or finds that somebody waits.
    """
    store, own = run.parts.store, run.parts.store.uuid(run.execution.id)
    async with run.block() as block:
        started = await work.run(run.context(block.session, more, key))
        child = str(started["id"])
        record = msgspec.structs.replace(record, status="waiting", output={"id": child})
        await block.session.execute(store.sql.waited, (own, record.name))
        await block.session.execute(store.sql.wait, (own, record.name, CHILD, child))
        await block.session.fetch(store.sql.lock, (store.uuid(child),))
        await block.save(record)
    run.written(record)
    return record


async def outcome(run: Run, work: WorkPlan, record: Record) -> tuple[bool, Any]:
    """Whether the child has ended, and its output.

    :raises ChildFailed: it has not completed
    """
    store, id_ = run.parts.store, str(record.output["id"])
    row = await run.parts.database.reading().fetch_row(store.sql.outcome, (store.uuid(id_),))
    status = str(row[1]) if row is not None else "gone"
    if row is not None and status not in FINISHED:
        return False, None
    if row is not None and status == "completed":
        return True, work.restore(store.value_of(row[2]))  # type: ignore[arg-type]  # text of a json column
    await forget(run, record)
    name, error = (str(row[0]), store.value_of(row[3])) if row is not None else ("the workflow", None)  # type: ignore[arg-type]  # as above
    raise ChildFailed(name, id_, status, error)


async def take(run: Run, record: Record) -> None:
    """Writes the record of a step whose child has completed; nobody waits any more."""
    store = run.parts.store
    async with run.transaction() as session:
        await session.execute(store.sql.waited, (store.uuid(run.execution.id), record.name))
        await run.save(session, record)
    run.written(record)


async def forget(run: Run, record: Record) -> None:
    """Waits no longer."""
    store = run.parts.store
    async with run.transaction() as session:
        await session.execute(store.sql.waited, (store.uuid(run.execution.id), record.name))


async def cancel_awaited(parts: Parts, parent: str) -> None:
    """Cancels the children that an execution has started and waits for, each in a transaction of its own.

    Repeated if the process dies in between; the parent ends afterwards. Nothing of the parent is held meanwhile: a child that ends
    holds its own activation and wants that of its parent.
    """
    store, own = parts.store, parts.store.uuid(parent)
    for (child,) in await parts.database.reading().fetch(store.sql.awaited_by, (own,)):
        await _cancel(parts, own, str(child))


async def _cancel(parts: Parts, parent: object, child: str) -> None:
    store = parts.store
    async with parts.database.transaction() as session:
        await session.fetch(store.sql.guard, (store.listed([child]),))
        if not await session.execute(store.sql.cancel_child, (store.uuid(child), parent, child)):
            return
        execution = (await store.load_executions([child], session))[child]
        await parts.dispatcher.offer(session, "execution", child, queue=execution.queue, priority=execution.priority)
        session.after_commit(lambda: parts.interrupts.interrupt(child))


async def wake_parents(store: Store, dispatcher: Dispatcher, session: Session, ended: Sequence[str]) -> None:
    """Offers the executions that wait for others which end in this transaction; called behind the last change of those."""
    rows = await session.fetch(store.sql.awaiting, (store.listed(ended),))
    if len(rows) > 1:  # in one order, so that nobody waits in a circle
        await session.fetch(store.sql.guard, (store.listed([str(row[0]) for row in rows]),))
    for id_, queue, priority in rows:
        await dispatcher.offer(session, "execution", str(id_), queue=str(queue), priority=int(priority))  # type: ignore[call-overload]
