"""How executions end: their last change, the block that follows it, and who gets their key."""

from __future__ import annotations

import logging
from typing import Any, Final

import msgspec

from codeai.durable.blocks import outside
from codeai.durable.children import cancel_awaited, wake_parents
from codeai.durable.dispatch.protocol import Claim
from codeai.durable.executions import offer_execution
from codeai.durable.failures import BLAMELESS, CancelledByHand, described
from codeai.durable.parts import Parts
from codeai.durable.plans import STEP_SECONDS, BlockPlan
from codeai.durable.records import Change, Execution
from codeai.durable.run import Run
from codeai.durable.values import recorded
from codeai.storage.interface import Session

_LOG: Final = logging.getLogger("codeai.durable")


_BAD: Final = ("failed", "compensated")


class Endings:
    """Ends executions. Each method says whether there is news instead: the execution was offered again and is looked at once more."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def complete(self, run: Run) -> bool:
        """All steps are done; the output is that of the last one, unless ``on_complete`` returns something."""
        last = run.plan.nodes[-1] if run.plan.nodes else None
        name = getattr(last, "name", None)
        output = run.steps.get(name, {}).get("output") if isinstance(name, str) else None
        return await self.end(run, "completed", output=output, block=run.plan.on_complete)

    async def end(
        self,
        run: Run,
        status: str,
        *,
        output: Any = None,
        error: dict[str, Any] | None = None,
        block: BlockPlan | None = None,
        compensation: str | None = None,
    ) -> bool:
        """Ends an execution, with the block that follows in the same transaction, unless that has effects outside."""
        change = Change(
            status=status,
            compensation=compensation,
            output=recorded(output),
            error=error,
            started_at=run.started_at,
            finished_at=run.now,
            frees_key=not run.plan.once,
        )
        if block is None and not self._queues(run):
            news = await run.settle(change, -1)
        else:
            news = await self._followed(run, change, block)
        if not news:
            self._ended(run.execution, status, error)
        return news

    @staticmethod
    def _queues(run: Run) -> bool:
        return run.plan.on_duplicate == "queue" and run.execution.key is not None

    async def _followed(self, run: Run, change: Change, block: BlockPlan | None) -> bool:
        more, key = {"error": change.error}, f"{run.execution.id}/{change.status}"
        try:
            value = None
            if block is not None and block.outside:
                value = await outside(run, block, more, key, STEP_SECONDS)
            async with run.transaction() as session:
                if run.again:
                    await run.seen(session)
                else:
                    if block is not None and not block.outside:
                        value = await block.run(run.context(session, more, key))
                    if value is not None and change.status == "completed":
                        change = msgspec.structs.replace(change, output=recorded(value))
                    await self._last(run, session, change)
        except BLAMELESS:
            raise
        except Exception as error:
            return await self._block_failed(run, change, error)
        return run.again

    async def _last(self, run: Run, session: Session, change: Change) -> None:
        await self._parts.store.save(session, run.execution.id, (), change)
        await wake_parents(self._parts.store, self._parts.dispatcher, session, [run.execution.id])
        if self._queues(run):
            await self._next_of_key(session, run.execution)
        await self._parts.dispatcher.done(session, run.claim)

    async def _block_failed(self, run: Run, change: Change, error: Exception) -> bool:
        """What follows the steps has failed: of a complete run that is its failure, of a failed one a note beside it."""
        found = described(error, "on_complete" if change.status == "completed" else "on_fail")
        _LOG.error("the end of an execution failed", extra={"execution": run.execution.id, "cause": found["message"]})
        if change.status == "completed":
            failed = msgspec.structs.replace(change, status="failed", output=None, error=found)
        else:
            failed = msgspec.structs.replace(change, error={**(change.error or {}), "on_fail": found})
        return await (self._followed(run, failed, None) if self._queues(run) else run.settle(failed, -1))

    async def _next_of_key(self, session: Session, execution: Execution) -> None:
        """Lets the next one begin that waits for the key, if the key is free."""
        store = self._parts.store
        row = await session.fetch_row(store.sql.next_queued, (execution.workflow_id, execution.key))
        if row is not None and await session.execute(store.sql.take_key, (row[0],)):
            lane = await self._parts.lanes.of(str(row[3]))
            await offer_execution(self._parts, session, str(row[0]), lane, queue=str(row[1]), priority=int(row[2]))  # type: ignore[call-overload]

    async def cancel(self, claim: Claim, execution: Execution, *, once: bool) -> bool:
        """Ends an execution that somebody has cancelled; or sends it backwards, when undoing it was asked for meanwhile.

        :param once: it has its key for good, as one that has ended otherwise
        """
        parts, store, id_ = self._parts, self._parts.store, self._parts.store.uuid(execution.id)
        error = store.json(described(CancelledByHand("the execution was cancelled"), None))
        await cancel_awaited(parts, execution.id)
        async with parts.database.transaction() as session:
            await parts.dispatcher.hold(session, claim)
            row = await session.fetch_row(store.sql.status, (id_,))  # under the lock that whoever asks for undoing takes as well
            undo = row is not None and row[1] == "running"
            status = "compensating" if undo else "cancelled"
            change = Change(status=status, error=execution.error, finished_at=parts.clock(), frees_key=not (undo or once))
            await session.execute(store.sql.cut_short, (id_, error, store.instant(parts.clock())))
            await store.save(session, execution.id, (), change)
            await session.execute(store.sql.waited_all, (id_,))
            if not undo:
                await self._last_of(session, claim, execution)
        if not undo:
            self._ended(execution, "cancelled")
        return undo

    async def _last_of(self, session: Session, claim: Claim, execution: Execution) -> None:
        """What follows the end of one whose plan is not known, or does not matter."""
        await wake_parents(self._parts.store, self._parts.dispatcher, session, [execution.id])
        if execution.key is not None:
            await self._next_of_key(session, execution)
        await self._parts.dispatcher.done(session, claim)

    async def impossible(self, claim: Claim, execution: Execution, error: Exception) -> bool:
        """Ends an execution that this program cannot run."""
        parts, store = self._parts, self._parts.store
        compensation = "failed" if execution.compensation == "running" else None
        change = Change(status="failed", compensation=compensation, error=described(error, None), finished_at=parts.clock(), frees_key=True)
        async with parts.database.transaction() as session:
            news = await parts.dispatcher.hold(session, claim)
            if news:
                await session.execute(store.sql.seen, (store.listed([claim.id]),))
            else:
                await store.save(session, execution.id, (), change)
                await self._last_of(session, claim, execution)
        if not news:
            self._ended(execution, "failed", change.error)
        return news

    def _ended(self, execution: Execution, status: str, error: dict[str, Any] | None = None) -> None:
        if status in _BAD:
            error = error or {}
            known = {"execution": execution.id, "workflow": execution.workflow_id, "status": status, "step": error.get("step")}
            if "compensation" in error:
                known["not_undone"] = error["compensation"].get("message")
            _LOG.error("execution failed", extra={**known, "cause": error.get("message")})
        self._parts.on_change(execution.workflow_id, status, (self._parts.clock() - execution.created_at).total_seconds())
