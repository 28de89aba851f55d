"""What operators do with executions. Every operation is one transaction, leaves a line in the audit trail, and may be repeated."""

from __future__ import annotations

import asyncio
import datetime
import uuid
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import msgspec

from codeai.durable import waiting
from codeai.durable.definitions import DefinitionMissing, Definitions
from codeai.durable.executions import Executions, Started, new_id, offer_execution
from codeai.durable.forking import before, copied, names, nothing_undone
from codeai.durable.hastening import hasten, waits_for, was_tried
from codeai.durable.lanes import lane_of
from codeai.durable.parts import Parts
from codeai.durable.records import FINISHED, Execution, Record, Trouble
from codeai.durable.refusals import UnknownExecution, UnknownStep, WrongState
from codeai.durable.values import Restore
from codeai.evaluate.errors import NotCompilable
from codeai.storage.interface import Session

_LOOK_EVERY: Final = 0.5  # seconds
_UNDER_WAY: Final = frozenset({"pending", "running", "waiting", "compensating"})
_COMPENSABLE: Final = frozenset({"failed", "completed", "cancelled"})


class Control:
    """Retry, compensate, cancel, signal and fork; pause, resume and archive of definitions."""

    def __init__(self, parts: Parts, definitions: Definitions, executions: Executions) -> None:
        self._parts = parts
        self._definitions = definitions
        self._executions = executions

    # -- executions ------------------------------------------------------------------------------------------------

    async def start(
        self, kind: str, name: str, values: Mapping[str, Any], *, key: str | None = None, actor: str | None = None, **more: Any
    ) -> Started:
        """Starts a run; see ``Executions.begin`` for what else may be given."""
        if more.get("delay_ms"):
            more.setdefault("scheduled_for", self._parts.clock() + datetime.timedelta(milliseconds=more["delay_ms"]))
        async with self._parts.database.transaction() as session:
            found = await self._executions.begin(session, kind, name, values, key=key, actor=actor, **more)
            if not found.existing:
                await self._audit(session, actor, "start", found.id, {"definition": name})
        return found

    async def retry(self, id_: str, actor: str | None = None) -> Execution:
        """Goes on from the failed steps: what is recorded stays, what failed runs again. What waits for its next try is tried now.

        :raises WrongState: it has neither failed nor waits for a try, or was compensated
        """
        async with self._parts.database.transaction() as session:
            execution = await self._locked(session, id_)
            records = (await self._parts.store.load_steps([execution.id], session))[execution.id]
            if execution.status in _UNDER_WAY:
                return await self._sooner(session, execution, records, actor)
            if execution.status != "failed" or execution.compensation != "none":
                raise WrongState("retry", execution.status, "failed executions can be retried, unless they were compensated; fork this one")
            store = self._parts.store
            failed = [record for record in records.values() if record.status in ("failed", "retrying", "waiting")]
            for record in failed:
                if record.inputs is not None and isinstance(record.inputs, dict) and "items" in record.inputs:
                    await session.execute(store.sql.reopen, (store.uuid(id_), record.name))
                else:
                    await session.execute(store.sql.forget, (store.uuid(id_), record.name))
            await self._key_is_free(session, execution)
            await session.execute(store.sql.resume, (store.uuid(id_),))
            await self._offer(session, execution)
            await self._audit(session, actor, "retry", id_, {"steps": [record.name for record in failed]})
        return await self.head(id_)

    async def _sooner(self, session: Session, execution: Execution, records: Mapping[str, Record], actor: str | None) -> Execution:
        """Does now what an execution would do later; asking for it again changes nothing."""
        steps = await hasten(self._parts, session, execution)
        if steps is not None:
            await self._offer(session, execution)
            await self._audit(session, actor, "retry", execution.id, {"steps": steps})
        elif not was_tried(execution, records):
            raise WrongState("retry", execution.status, waits_for(records))
        return execution

    async def _key_is_free(self, session: Session, execution: Execution) -> None:
        row = await session.fetch_row(self._parts.store.sql.taken, (execution.workflow_id, None, execution.key))
        if row is not None and str(row[0]) != execution.id:
            hint = f"execution '{row[0]}' has its key '{execution.key}'; retry when that one has ended, or fork this one"
            raise WrongState("retry", execution.status, hint)

    async def compensate(self, id_: str, actor: str | None = None) -> Execution:
        """Undoes the finished steps of an execution that has ended; also goes on with a compensation that failed.

        :raises WrongState: it has not ended
        """
        async with self._parts.database.transaction() as session:
            execution = await self._locked(session, id_)
            records = (await self._parts.store.load_steps([execution.id], session))[execution.id]
            if execution.status in ("compensating", "compensated"):
                return execution
            if execution.status == "cancelling":
                return await self._undo_then(session, execution, actor)
            if execution.status not in _COMPENSABLE:
                raise WrongState("compensate", execution.status, "cancel it first")
            store = self._parts.store
            for record in records.values():
                if record.compensation in ("failed", "running"):
                    await session.execute(store.sql.undo_again, (store.uuid(id_), record.name))
            await session.execute(store.sql.go_back, (store.uuid(id_),))
            await self._offer(session, execution)
            await self._audit(session, actor, "compensate", id_, {})
        return await self.head(id_)

    async def _undo_then(self, session: Session, execution: Execution, actor: str | None) -> Execution:
        """What is being cancelled is undone as soon as nothing of it runs any more."""
        if execution.compensation != "running":
            store = self._parts.store
            await session.execute(store.sql.undo_then, (store.uuid(execution.id),))
            await self._audit(session, actor, "compensate", execution.id, {})
        return msgspec.structs.replace(execution, compensation="running")

    async def cancel(self, id_: str, actor: str | None = None) -> Execution:
        """Ends an execution; what it does outside of the database is cut short, its finished steps stay done.

        :raises WrongState: it has ended or goes backwards
        """
        async with self._parts.database.transaction() as session:
            execution = await self._locked(session, id_)
            if execution.status in ("cancelling", "cancelled"):
                return execution
            if execution.status in FINISHED or execution.status == "compensating":
                raise WrongState("cancel", execution.status, "only executions that have not ended can be cancelled")
            store = self._parts.store
            await session.execute(store.sql.set_status, (store.uuid(id_), "cancelling"))
            await self._offer(session, execution)
            await self._audit(session, actor, "cancel", id_, {})
            session.after_commit(lambda: self._parts.interrupts.interrupt(id_))
        return await self.head(id_)

    async def signal(self, id_: str, event: str, payload: Any, *, actor: str | None = None, event_id: str | None = None) -> bool:
        """Puts an event into the mailbox of one execution.

        :param event: its wire name
        :param event_id: makes a repetition recognisable
        :returns: whether it was new
        :raises WrongState: the execution has ended
        """
        async with self._parts.database.transaction() as session:
            execution = await self._locked(session, id_)
            if execution.status in FINISHED:
                raise WrongState("signal", execution.status, "nobody waits for it any more")
            store = self._parts.store
            name = event_id or f"signal:{new_id()}"
            if not await waiting.put(store, session, id_, event, name, payload, self._parts.clock()):
                return False
            await self._offer(session, execution)
            await self._audit(session, actor, "signal", id_, {"event": event})
        return True

    async def fork(self, id_: str, step: str, actor: str | None = None, *, origin: str | None = None) -> Execution:
        """A new execution of the same version and input that takes over the records before a step and runs from there.

        What was done before stays the business of the first one: the fork does not compensate it.

        :param origin: makes a repetition recognisable, which gives the fork that there is
        :raises UnknownStep: the definition has no such step
        :raises WrongState: it would take over what was undone
        """
        parts, store = self._parts, self._parts.store
        async with parts.database.transaction() as session:
            execution = await self._locked(session, id_)
            records = (await self._parts.store.load_steps([execution.id], session))[execution.id]
            plan = await self._definitions.plan(execution.version)
            taken = before(plan.nodes, step)
            if taken is None:
                raise UnknownStep(f"'{execution.workflow_id}' has no step '{step}'; it has {', '.join(names(plan.nodes))}")
            nothing_undone(plan.nodes, taken, execution, records.values())
            fork = new_id()
            source = f"fork:{id_}:{step}:{origin}" if origin is not None else None
            values = (store.uuid(fork), store.uuid(id_), actor, store.instant(parts.clock()), source)
            if not await session.execute(store.sql.fork, values):
                row = await session.fetch_row(store.sql.taken, (execution.workflow_id, source, None))
                assert row is not None
                return (await store.load_executions([str(row[0])], session))[str(row[0])]
            for record in records.values():
                if record.name.partition("[")[0] in taken:
                    await store.save(session, fork, (copied(record),))
            await offer_execution(parts, session, fork, lane_of(plan), queue=execution.queue, priority=execution.priority)
            await self._audit(session, actor, "fork", id_, {"fork": fork, "step": step})
        return await self.head(fork)

    async def show(self, id_: str) -> Execution:
        """An execution; raises UnknownExecution."""
        try:
            found = tuple((await self._parts.store.load_executions([id_])).values())
        except ValueError:
            found = ()
        if not found:
            raise UnknownExecution(id_)
        return found[0]

    async def head(self, id_: str) -> Execution:
        """An execution without input, output and error, as the operations give it; raises UnknownExecution."""
        found = await self._parts.store.head(id_)
        if found is None:
            raise UnknownExecution(id_)
        return found

    async def trouble(self, id_: str) -> Trouble | None:
        """Why nobody gets on with an execution; None where work on it did not fail the last time."""
        row = await self._parts.database.reading().fetch_row(self._parts.store.sql.trouble, (id_,))
        if row is None:
            return None
        attempts, refusals, cause, due = row
        next_at = None if due is None else datetime.datetime.fromtimestamp(int(due) / 1000, datetime.UTC)  # type: ignore[call-overload]  # a number
        return Trouble(attempts=int(attempts), refusals=int(refusals), cause=str(cause), next_at=next_at)  # type: ignore[call-overload]  # as above

    async def ended(self, id_: str, seconds: float) -> None:
        """Returns when an execution has ended or does not exist, or after some seconds."""
        store, pause = self._parts.store, 0.02
        try:
            key = store.uuid(id_)
        except ValueError:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    row = await self._parts.database.reading().fetch_row(store.sql.status, (key,))
                    if row is None or row[0] in FINISHED:
                        return
                    await asyncio.sleep(pause)
                    pause = min(pause * 1.5, _LOOK_EVERY)

    async def timeline(self, id_: str) -> tuple[Execution, tuple[Record, ...]]:
        """An execution with its records, in the order in which the steps ended; those that run come last."""
        try:
            found = (await self._parts.store.load([id_])).get(id_)
        except ValueError:
            found = None
        if found is None:
            raise UnknownExecution(id_)
        records = sorted(found[1].values(), key=lambda record: (record.seq == 0, record.seq, record.name))
        return found[0], tuple(records)

    async def shown_items(self, version: str) -> dict[str, Restore]:
        """What makes of an item what may be shown of it, by the name of the repeated step; nothing for a version that cannot run here."""
        try:
            plan = await self._definitions.plan(version)
        except (DefinitionMissing, NotCompilable):
            return {}
        return {name: plan.steps[name].shown_item or (lambda item: item) for name in plan.repeated}

    async def known(self) -> list[str]:
        """The names of all workflows and jobs that there are or were."""
        return [str(row[0]) for row in await self._parts.database.reading().fetch(self._parts.store.sql.known, ())]

    async def of(self, name: str) -> list[dict[str, Any]]:
        """All executions of a workflow or job as programs see them, the oldest first."""
        store = self._parts.store
        rows = await self._parts.database.reading().fetch(store.sql.of_definition, (name,))
        return [
            {"id": uuid.UUID(str(id_)), "name": name, "status": status, "started_at": store.time_of(at), "attempt": attempt}
            for id_, status, at, attempt in rows
        ]

    # -- definitions -----------------------------------------------------------------------------------------------

    async def set_definition_status(self, name: str, status: str, actor: str | None = None) -> None:
        """``active``, ``paused`` (starts wait) or ``archived``; what waited begins when it becomes active.

        :raises DefinitionMissing: there is no such definition
        """
        store = self._parts.store
        async with self._parts.database.transaction() as session:
            changed = await session.execute(store.sql.set_definition, (name, status, store.instant(self._parts.clock())))
            if not changed:
                raise DefinitionMissing(f"unknown workflow '{name}'")
            if status == "active":
                for row in await session.fetch(store.sql.pending_of, (name,)):
                    lane = await self._parts.lanes.of(str(row[1]))
                    await offer_execution(self._parts, session, str(row[0]), lane, queue=str(row[2]), priority=int(row[3]))  # type: ignore[call-overload]
            await self._audit(session, actor, status, name, {}, entity="workflow")

    # -- parts -----------------------------------------------------------------------------------------------------

    async def _offer(self, session: Session, execution: Execution) -> None:
        lane = await self._parts.lanes.of(execution.version)
        await offer_execution(self._parts, session, execution.id, lane, queue=execution.queue, priority=execution.priority)

    async def _locked(self, session: Session, id_: str) -> Execution:
        store = self._parts.store
        try:
            await session.fetch(store.sql.guard, (store.listed([id_]),))
            await session.fetch(store.sql.lock, (store.uuid(id_),))
        except ValueError:
            raise UnknownExecution(id_) from None
        found = await store.head(id_, session)
        if found is None:
            raise UnknownExecution(id_)
        return found

    async def _audit(
        self, session: Session, actor: str | None, action: str, key: str, after: Mapping[str, Any], *, entity: str = "execution"
    ) -> None:
        store = self._parts.store
        values = (store.uuid(new_id()), store.instant(self._parts.clock()), actor, action, entity, key, store.json(dict(after)))
        await session.execute(store.sql.audit, values)
