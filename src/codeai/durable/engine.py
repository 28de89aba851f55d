"""Works on activations of executions: loads, decides by state, runs, and settles."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from codeai.durable.batching import Batcher
from codeai.durable.compensation import compensate
from codeai.durable.definitions import DefinitionMissing, Definitions
from codeai.durable.dispatch.protocol import Claim, LeaseLost
from codeai.durable.executions import offer_execution
from codeai.durable.failures import described
from codeai.durable.outcomes import GO, Broken, Outcome, Parked
from codeai.durable.parts import Parts
from codeai.durable.plans import Compute, RunPlan
from codeai.durable.recorder import Write
from codeai.durable.records import FINISHED, Change, Execution, Record
from codeai.durable.run import Run
from codeai.durable.steps import sequence
from codeai.durable.values import recorded
from codeai.evaluate.errors import NotCompilable
from codeai.storage.errors import DatabaseUnavailable
from codeai.storage.interface import Session

_LOG: Final = logging.getLogger("codeai.durable")
POISONED: Final = 20
_MOST_NEWS: Final = 1_000
_Loaded = tuple[Execution, dict[str, Record]]


class Engine:
    """The handler of executions (see ``dispatch.protocol.Handler``)."""

    def __init__(self, parts: Parts, definitions: Definitions) -> None:
        self.parts = parts
        self.definitions = definitions
        self._loads: Batcher[str, _Loaded | None] = Batcher(self._load)

    async def _load(self, ids: Sequence[str]) -> Sequence[_Loaded | None]:
        found = await self.parts.store.load(ids)
        return [found.get(id_) for id_ in ids]

    async def __call__(self, claim: Claim) -> None:
        """Works on an execution until it waits, has ended, or belongs to somebody else."""
        for _ in range(_MOST_NEWS):
            loaded = await self._loads.submit(claim.subject)
            if loaded is None or loaded[0].status in FINISHED or _held_back(loaded[0]) or not await self._has_key(loaded[0]):
                if await self._settled(claim):
                    return
            elif not await self._turn(claim, *loaded):
                return
        raise RuntimeError("an execution has news without end")

    async def _settled(self, claim: Claim) -> bool:
        return not await self.parts.recorder.write(Write(claim, claim.subject, settle=-1))

    async def _has_key(self, execution: Execution) -> bool:
        """Whether it may begin. One that queues takes its key if that has been freed; else whoever has it wakes the next one."""
        if not execution.queued:
            return True
        store = self.parts.store
        return await store.database.writing().execute(store.sql.take_key, (store.uuid(execution.id),)) > 0

    async def _turn(self, claim: Claim, execution: Execution, records: dict[str, Record]) -> bool:
        """One turn; true when there is news, so that it is looked at again."""
        if execution.status == "cancelling":
            return await self._cancel(claim, execution)
        try:
            plan = await self.definitions.plan(execution.version)
        except DefinitionMissing as error:
            return await self._impossible(claim, execution, error)
        except NotCompilable as error:
            if claim.attempts < POISONED:
                raise  # another process may be of the version that can
            return await self._impossible(claim, execution, error)
        if claim.attempts >= POISONED:
            return await self._impossible(claim, execution, RuntimeError(f"given up: {claim.attempts} attempts to work on it failed"))
        run = Run(self.parts, claim, execution, plan, records)
        if execution.status == "compensating":
            return await self._compensate(run)
        return await self._forward(run)

    # -- forward ---------------------------------------------------------------------------------------------------

    async def _forward(self, run: Run) -> bool:
        outcome = await sequence(run, run.plan.nodes)
        if isinstance(outcome, Parked):
            return await self._park(run, outcome)
        if outcome is GO:
            return await self._complete(run)
        assert isinstance(outcome, Broken)
        if outcome.then == "rollback":
            change = Change(status="compensating", compensation="running", error=outcome.error, started_at=run.started_at)
            return await self._roll_back(run, change, outcome)
        return await self._end(run, "failed", error=outcome.error, block=run.plan.on_fail)

    async def _park(self, run: Run, outcome: Parked) -> bool:
        due = outcome.due_ms
        if run.deadline_ms is not None and (due is None or run.deadline_ms < due):
            due = run.deadline_ms
        settle = -1 if due is None else max(due - run.parts.now_ms(), 0)
        return await run.settle(Change(status="waiting", started_at=run.started_at, deadline_ms=run.deadline_ms), settle)

    async def _complete(self, run: Run) -> bool:
        last = run.plan.nodes[-1] if run.plan.nodes else None
        name = getattr(last, "name", None)
        output = run.steps.get(name, {}).get("output") if isinstance(name, str) else None
        return await self._end(run, "completed", output=output, block=run.plan.on_complete)

    async def _end(
        self,
        run: Run,
        status: str,
        *,
        output: Any = None,
        error: dict[str, Any] | None = None,
        block: Compute | None = None,
        compensation: str | None = None,
    ) -> bool:
        """Ends an execution, with the block that follows in the same transaction."""
        change = Change(
            status=status,
            compensation=compensation,
            output=recorded(output),
            error=error,
            started_at=run.started_at,
            finished_at=run.now,
            frees_key=not run.plan.once,
        )
        queued = run.plan.on_duplicate == "queue" and run.execution.key is not None
        if block is None and not queued:
            news = await run.settle(change, -1)
        else:
            news = await self._end_with(run, change, block, queued)
        if not news:
            self._ended(run.execution, status)
        return news

    async def _end_with(self, run: Run, change: Change, block: Compute | None, queued: bool) -> bool:
        parts = self.parts
        try:
            async with run.transaction() as session:
                if run.again:
                    raise _News
                if block is not None:
                    value = await block(run.context(session, {"error": change.error}, f"{run.execution.id}/{change.status}"))
                    if value is not None and change.status == "completed":
                        change = msgspec.structs.replace(change, output=recorded(value))
                await parts.store.save(session, run.execution.id, (), change)
                if queued:
                    await self._next_of_key(session, run.execution, run.plan)
                await parts.dispatcher.done(session, run.claim)
        except _News:
            return True
        except (LeaseLost, DatabaseUnavailable):
            raise
        except Exception as error:
            return await self._ending_failed(run, change, queued, error)
        return False

    async def _ending_failed(self, run: Run, change: Change, queued: bool, error: Exception) -> bool:
        """What follows the steps has failed: of a complete run that is its failure, of a failed one a note beside it."""
        found = described(error, "on_complete" if change.status == "completed" else "on_fail")
        _LOG.error("the end of an execution failed", extra={"execution": run.execution.id, "cause": found["message"]})
        if change.status == "completed":
            failed = msgspec.structs.replace(change, status="failed", output=None, error=found)
        else:
            failed = msgspec.structs.replace(change, error={**(change.error or {}), "on_fail": found})
        return await (self._end_with(run, failed, None, queued) if queued else run.settle(failed, -1))

    async def _next_of_key(self, session: Session, execution: Execution, plan: RunPlan | None) -> None:
        """Lets the next one begin that waits for the key, if the key is free."""
        store = self.parts.store
        row = await session.fetch_row(store.sql.next_queued, (execution.workflow_id, execution.key))
        if row is not None and await session.execute(store.sql.take_key, (row[0],)):
            await offer_execution(self.parts, session, str(row[0]), plan, queue=str(row[1]), priority=int(row[2]))  # type: ignore[call-overload]

    # -- backward --------------------------------------------------------------------------------------------------

    async def _roll_back(self, run: Run, change: Change, outcome: Broken) -> bool:
        """Records that it goes backwards, then does."""
        async with run.transaction() as session:
            await self.parts.store.save(session, run.execution.id, (), msgspec.structs.replace(change, finished_at=None))
            await session.execute(self.parts.store.sql.waited_all, (self.parts.store.uuid(run.execution.id),))
            await session.execute(
                self.parts.store.sql.keep_error, (self.parts.store.uuid(run.execution.id), self.parts.store.json(outcome.error))
            )
        run.status = "compensating"
        run.execution = msgspec.structs.replace(run.execution, status="compensating", error=outcome.error, compensation="running")
        return await self._compensate(run)

    async def _compensate(self, run: Run) -> bool:
        outcome: Outcome = await compensate(run)
        error = run.execution.error
        if isinstance(outcome, Parked):
            assert outcome.due_ms is not None
            return await run.settle(None, max(outcome.due_ms - run.parts.now_ms(), 0))
        automatic = run.execution.finished_at is None  # one that an operator asked for begins after the end
        block = run.plan.on_fail if automatic else None
        if isinstance(outcome, Broken):
            found = {**(error or outcome.error), "compensation": outcome.error}
            return await self._end(run, "failed", error=found, block=block, compensation="failed")
        return await self._end(run, "compensated", output=run.execution.output, error=error, block=block, compensation="done")

    async def _cancel(self, claim: Claim, execution: Execution) -> bool:
        """Ends an execution that somebody has cancelled."""
        parts, store = self.parts, self.parts.store
        change = Change(status="cancelled", error=execution.error, finished_at=parts.clock(), frees_key=True)
        async with parts.database.transaction() as session:
            await parts.dispatcher.hold(session, claim)
            await store.save(session, execution.id, (), change)
            await session.execute(store.sql.waited_all, (store.uuid(execution.id),))
            if execution.key is not None:
                await self._next_of_key(session, execution, None)
            await parts.dispatcher.done(session, claim)
        self._ended(execution, "cancelled")
        return False

    async def _impossible(self, claim: Claim, execution: Execution, error: Exception) -> bool:
        """Ends an execution that this program cannot run."""
        change = Change(status="failed", error=described(error, None), finished_at=self.parts.clock(), frees_key=True)
        news = await self.parts.recorder.write(Write(claim, execution.id, change=change, settle=-1))
        if not news:
            self._ended(execution, "failed")
        return news

    def _ended(self, execution: Execution, status: str) -> None:
        self.parts.on_change(execution.workflow_id, status, (self.parts.clock() - execution.created_at).total_seconds())


class _News(Exception):
    """The execution was offered again while it was about to end."""


def _held_back(execution: Execution) -> bool:
    """A paused or archived definition begins nothing; making it active offers what is pending."""
    return execution.fresh and execution.definition in ("paused", "archived")
