"""Works on activations of executions: loads, decides by state, runs, and settles."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import msgspec

from codeai.durable.batching import Batcher
from codeai.durable.compensation import compensate
from codeai.durable.definitions import DefinitionMissing, Definitions
from codeai.durable.dispatch.failures import REFUSALS
from codeai.durable.dispatch.protocol import Claim
from codeai.durable.ending import Endings
from codeai.durable.interrupting import Interrupted
from codeai.durable.outcomes import GO, Broken, Outcome, Parked
from codeai.durable.parts import Parts
from codeai.durable.plans import RunPlan
from codeai.durable.recorder import Write
from codeai.durable.records import FINISHED, Change, Execution, Record
from codeai.durable.run import Run
from codeai.durable.steps import sequence
from codeai.evaluate.errors import NotCompilable

POISONED: Final = 20
_MOST_NEWS: Final = 1_000
_LEFT_MS: Final = 2_000
_FAR: Final = 100 * 365 * 24 * 3_600_000  # milliseconds: not before somebody says so


async def _alone() -> bool:
    return False


class Loaded(msgspec.Struct, frozen=True):
    """An execution as a turn begins; ``whole`` when all its records are there."""

    execution: Execution
    records: dict[str, Record]
    whole: bool = True


class Engine:
    """The handler of executions (see ``dispatch.protocol.Handler``).

    ``accompanied`` says whether processes of other versions of the program run, where somebody knows.
    """

    def __init__(self, parts: Parts, definitions: Definitions) -> None:
        self.parts = parts
        self.definitions = definitions
        self.accompanied = _alone
        self._endings = Endings(parts)
        self._loads: Batcher[str, Loaded | None] = Batcher(self._load, common=REFUSALS)

    async def _load(self, ids: Sequence[str]) -> Sequence[Loaded | None]:
        store = self.parts.store
        found = await store.load_executions(ids)
        begun = [execution for execution in found.values() if not execution.fresh]
        wide = {execution.id: plan for execution in begun if (plan := await self._repeats(execution)) is not None}
        narrow = [execution.id for execution in begun if execution.id not in wide]
        steps = await store.load_steps(narrow) if narrow else {}
        turns = [store.load_turn(id_, tuple(plan.steps), plan.repeated) for id_, plan in wide.items()]
        steps.update(zip(wide, await asyncio.gather(*turns), strict=True))
        return [Loaded(found[id_], steps.get(id_, {}), id_ not in wide) if id_ in found else None for id_ in ids]

    async def _repeats(self, execution: Execution) -> RunPlan | None:
        """The plan of an execution, if a step of it is repeated."""
        try:
            plan = await self.definitions.plan(execution.version)
        except (DefinitionMissing, NotCompilable):
            return None
        return plan if plan.repeated else None

    async def __call__(self, claim: Claim) -> None:
        """Works on an execution until it waits, has ended, or belongs to somebody else."""
        for _ in range(_MOST_NEWS):
            try:
                loaded = await self._loads.submit(claim.subject)
            except REFUSALS:
                raise
            except Exception as error:
                await self._unreadable(claim, error)
                return
            if loaded is None or _has_nothing_to_do(loaded.execution) or not await self._has_key(loaded.execution):
                if await self._settled(claim):
                    return
            elif not await self._turned(claim, loaded):
                return
        raise RuntimeError("an execution has news without end")

    async def _unreadable(self, claim: Claim, error: Exception) -> None:
        """What cannot be read is tried as often as other work that fails, and ends when somebody cancels it."""
        execution = await self.parts.store.head(claim.subject)
        if execution is None or execution.status in FINISHED:
            await self._settled(claim)
        elif execution.status == "cancelling":
            await self._endings.cancel(claim, msgspec.structs.replace(execution, compensation="none"), once=False)
        elif claim.attempts < POISONED:
            raise error
        else:
            last = f"given up: {claim.attempts} attempts to read it failed, the last with: {error}"
            await self._endings.impossible(claim, execution, RuntimeError(last))

    async def _settled(self, claim: Claim) -> bool:
        return not await self.parts.recorder.write(Write(claim, claim.subject, settle=-1))

    async def _has_key(self, execution: Execution) -> bool:
        """Whether it may begin. One that queues takes its key if that has been freed; else whoever has it wakes the next one."""
        if not execution.queued:
            return True
        store = self.parts.store
        return await store.database.writing().execute(store.sql.take_key, (store.uuid(execution.id),)) > 0

    async def _turned(self, claim: Claim, loaded: Loaded) -> bool:
        try:
            return await self._turn(claim, loaded)
        except Interrupted:
            return True  # it is looked at again, as one that was cancelled

    async def _turn(self, claim: Claim, loaded: Loaded) -> bool:
        """One turn; true when there is news, so that it is looked at again."""
        execution = loaded.execution
        if execution.status == "cancelling":
            return await self._endings.cancel(claim, execution, once=await self._once(execution))
        try:
            plan = await self.definitions.plan(execution.version)
        except DefinitionMissing as error:
            return await self._endings.impossible(claim, execution, error)
        except NotCompilable as error:
            return await self._unable(claim, execution, error)
        if claim.attempts >= POISONED:
            return await self._endings.impossible(claim, execution, await self._given_up(claim))
        run = Run(self.parts, claim, execution, plan, loaded.records, whole=loaded.whole)
        if execution.status == "compensating":
            return await self._compensate(run)
        return await self._forward(run)

    async def _given_up(self, claim: Claim) -> Exception:
        row = await self.parts.database.reading().fetch_row(self.parts.store.sql.trouble, (claim.subject,))
        last = f", the last with: {row[2]}" if row is not None else ""
        return RuntimeError(f"given up: {claim.attempts} attempts to work on it failed{last}")

    async def _unable(self, claim: Claim, execution: Execution, error: NotCompilable) -> bool:
        """Leaves what this program cannot run to the other versions that run, without counting; alone it tries as often as ever."""
        if await self.accompanied():
            await self.parts.dispatcher.later(self.parts.database.writing(), claim, _LEFT_MS)
            return False
        if claim.attempts < POISONED:
            raise error  # a process of the version that can may come
        return await self._endings.impossible(claim, execution, error)

    async def _once(self, execution: Execution) -> bool:
        try:
            return (await self.definitions.plan(execution.version)).once
        except (DefinitionMissing, NotCompilable):
            return False

    # -- forward ---------------------------------------------------------------------------------------------------

    async def _forward(self, run: Run) -> bool:
        outcome = await sequence(run, run.plan.nodes)
        if isinstance(outcome, Parked):
            return await self._park(run, outcome)
        if outcome is GO:
            return await self._endings.complete(run)
        assert isinstance(outcome, Broken)
        if outcome.then == "rollback":
            return await self._roll_back(run, outcome)
        return await self._endings.end(run, "failed", error=outcome.error, block=run.plan.on_fail)

    async def _park(self, run: Run, outcome: Parked) -> bool:
        due = outcome.due_ms
        if run.deadline_ms is not None and (due is None or run.deadline_ms < due):
            due = run.deadline_ms
        if due is not None:
            settle = max(due - run.parts.now_ms(), 0)
        else:
            settle = -1 if run.plan.concurrency is None else _FAR  # its activation stays, and with that its lane
        return await run.settle(Change(status="waiting", started_at=run.started_at, deadline_ms=run.deadline_ms), settle)

    # -- backward --------------------------------------------------------------------------------------------------

    async def _roll_back(self, run: Run, outcome: Broken) -> bool:
        """Records that it goes backwards, then does; one that was cancelled meanwhile does not."""
        store, id_ = self.parts.store, self.parts.store.uuid(run.execution.id)
        change = Change(status="compensating", compensation="running", error=outcome.error, started_at=run.started_at)
        async with run.transaction() as session:
            await store.save(session, run.execution.id, (), change)
            row = await session.fetch_row(store.sql.status, (id_,))
            cancelled = row is not None and row[0] == "cancelling"
            if not cancelled:
                await session.execute(store.sql.waited_all, (id_,))
                await session.execute(store.sql.keep_error, (id_, store.json(outcome.error)))
        if cancelled or run.plan.repeated:
            return True  # what is undone is loaded piece by piece
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
            return await self._endings.end(run, "failed", error=found, block=block, compensation="failed")
        return await self._endings.end(run, "compensated", output=run.execution.output, error=error, block=block, compensation="done")


def _has_nothing_to_do(execution: Execution) -> bool:
    return execution.status in FINISHED or _held_back(execution)


def _held_back(execution: Execution) -> bool:
    """A paused or archived definition begins nothing; making it active offers what is pending."""
    return execution.fresh and execution.definition in ("paused", "archived")
