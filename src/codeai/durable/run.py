"""One activation of an execution: from its records as far as it goes now."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType
from typing import Any, Final

import msgspec

from codeai.durable.dispatch.protocol import Claim, LeaseLost
from codeai.durable.parts import NoRows, Parts
from codeai.durable.plans import Compute, RunPlan, StepPlan
from codeai.durable.recorder import Write
from codeai.durable.records import SETTLED_STEPS, Change, Execution, Record, item_of
from codeai.durable.settled import Settled
from codeai.durable.values import recorded
from codeai.evaluate.context import Context
from codeai.storage.interface import Session

_NO_ROWS: Final = NoRows()
_FLUSH_AT: Final = 64
_MOST_KEPT: Final = 1_000
IDLE_LIMIT: Final = 9.0  # sooner than a lease ends: a process that stands still keeps no rows from its successor


class Key(str):
    """The idempotency key of a block; ``calls`` numbers the calls that it makes."""

    def __init__(self, _text: str) -> None:
        self.calls = itertools.count(1)


class Run:
    """The state of an activation: what is known of the steps, what is not yet written, and the values that the program sees."""

    def __init__(
        self, parts: Parts, claim: Claim, execution: Execution, plan: RunPlan, records: dict[str, Record], *, whole: bool = True
    ) -> None:
        self.parts = parts
        self.claim = claim
        self.execution = execution
        self.plan = plan
        self.records = records
        self.pending: dict[str, Record] = {}
        self.status = execution.status
        self.whole = whole
        self._settled: dict[str, Settled] = {}
        self.seq = self._begun()
        self.steps: dict[str, Any] = {}
        self.again = False  # whether it was offered once more, as the last transaction has found
        self.deadline_ms = execution.deadline_ms
        self.started_at = execution.started_at
        self.values = self._values()

    def _begun(self) -> int:
        """Finds out which items have ended, and the last place in the order of endings."""
        seq = 0
        for record in self.records.values():
            seq = max(seq, record.seq, record.settled.seq if record.settled is not None else 0)
            step = item_of(record.name)
            if step is None and record.settled is not None:
                self._settled[record.name] = record.settled
        for record in self.records.values():
            step = item_of(record.name)
            if step is not None and record.status in SETTLED_STEPS:
                self.settled_of(step).add(int(record.name[len(step) + 1 : -1]))
        return seq

    def settled_of(self, step: str) -> Settled:
        """Which items of a repeated step have ended."""
        return self._settled.setdefault(step, Settled())

    def _values(self) -> dict[str, Any]:
        execution = self.execution
        given = self.plan.restore(execution.input)
        if self.started_at is None:
            self.started_at = self.parts.clock()
            if self.plan.timeout is not None:
                self.deadline_ms = int(self.started_at.timestamp() * 1000) + self.plan.timeout
        facts = {
            "id": execution.id,
            "name": execution.workflow_id,
            "status": "running",
            "started_at": self.started_at,
            "attempt": execution.attempt,
        }
        values: dict[str, Any] = dict(given) if self.plan.kind == "job" and isinstance(given, dict) else {}
        return values | {"trigger": given, "input": given, "execution": facts, "steps": self.steps}

    # -- values ----------------------------------------------------------------------------------------------------

    def publish(self, step: StepPlan, record: Record, output: Any) -> None:
        """Shows the result of a settled step to those after it."""
        shown: dict[str, Any] = {}
        if isinstance(output, dict):
            shown.update((name, output.get(name)) for name in step.fields)
        shown |= {"output": output, "ok": record.status == "done", "error": record.error}
        self.steps[step.name] = shown
        if step.alias is not None:
            self.values[step.alias] = output

    def context(self, session: Session | None, more: Mapping[str, Any], key: str = "") -> Context:
        """The context of a block; ``key`` makes outside calls of it recognisable to their peers."""
        values = {**self.values, **more} if more else self.values
        if key:
            values = {**values, "@key": Key(key)}
        return self.parts.context(session if session is not None else _NO_ROWS, values)

    async def compute(self, value: Compute, more: Mapping[str, Any]) -> Any:
        """A value of the program, which may read rows."""
        return await value(self.context(self.parts.database.reading(), more))

    # -- writing ---------------------------------------------------------------------------------------------------

    def next(self) -> int:
        """The place of a step in the order of endings."""
        self.seq += 1
        return self.seq

    def keep(self, record: Record) -> None:
        """Remembers a record, to be written with the next write."""
        self.records[record.name] = record
        self.pending[record.name] = record

    def opening(self) -> Change | None:
        """The change that the first write makes of an execution that does not run yet."""
        if self.status not in ("pending", "waiting"):
            return None
        return Change(status="running", started_at=self.started_at, deadline_ms=self.deadline_ms)

    def _taken(self) -> tuple[Record, ...]:
        taken = tuple(self.pending.values())
        self.pending = {}
        return taken

    async def flush(self, *, force: bool = False) -> None:
        """Writes what is kept; without ``force`` only when there is something."""
        change = self.opening()
        if not (self.pending or (force and change is not None)):
            return
        await self._written(Write(self.claim, self.execution.id, self._taken(), change))
        if change is not None:
            self.status = "running"
        if len(self.records) > _MOST_KEPT:
            self._forget()

    def _forget(self) -> None:
        """Keeps in memory no items that have ended and are written."""
        ended = (name for name, record in self.records.items() if item_of(name) and record.status in SETTLED_STEPS)
        gone = [name for name in ended if name not in self.pending]
        for name in gone:
            del self.records[name]
        self.whole = self.whole and not gone

    async def settle_writes(self) -> None:
        """Returns when everything that has been kept so far is written, also what another branch is about to write."""
        await self._written(Write(self.claim, self.execution.id, self._taken(), self.opening()))
        self.status = "running"

    async def relieve(self) -> None:
        """Writes what is kept when it has become much."""
        if len(self.pending) >= _FLUSH_AT:
            await self.flush()

    async def _written(self, write: Write) -> bool:
        return await self.parts.recorder.write(write)

    async def settle(self, change: Change | None, settle: int) -> bool:
        """Writes what is kept with a change of the execution and gives the activation back; true when there is news instead.

        Nothing else of the run is under way then, so that it can be said of all items which have ended.
        """
        ended = tuple((name, found.stored(self.seq)) for name, found in self._settled.items() if found.changed)
        again = await self._written(Write(self.claim, self.execution.id, self._taken(), change, settle, ended))
        if not again and change is not None:
            self.status = change.status
        return again

    def transaction(self) -> AbstractAsyncContextManager[Session]:
        """A transaction under the fence, with what is kept; a block, its rows and its record commit in it together."""
        return self._transaction()

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Session]:
        parts, kept, change = self.parts, dict(self.pending), self.opening()
        async with parts.database.transaction() as session:
            self.again = await parts.dispatcher.hold(session, self.claim)
            await parts.store.save(session, self.execution.id, tuple(kept.values()), change)
            yield session
            parts.faults("before-commit")
        self.committed(kept, change)

    def block(self) -> Block:
        """A transaction for a block of the program, which may take long; its ``save`` writes the record, and proves the fence."""
        return Block(self)

    def committed(self, kept: Mapping[str, Record], change: Change | None) -> None:
        """Notes what a transaction has written."""
        self.parts.faults("after-commit")
        for name, record in kept.items():
            if self.pending.get(name) is record:
                del self.pending[name]
        if change is not None:
            self.status = "running"

    async def seen(self, session: Session) -> None:
        """Notes that the news of an offer are known: what is read after this transaction has them."""
        store = self.parts.store
        await session.execute(store.sql.seen, (store.listed([self.claim.id]),))

    def written(self, record: Record) -> None:
        """Remembers a record that a transaction has written."""
        self.records[record.name] = record
        self.pending.pop(record.name, None)

    def must_be_ours(self) -> None:
        """Asks before an effect outside, which knows no fence; raises LeaseLost when the lease is nearly over: somebody else begins it."""
        if not self.parts.dispatcher.may_begin():
            raise LeaseLost

    async def save(self, session: Session, record: Record) -> None:
        """Writes a record in a transaction that is open."""
        await self.parts.store.save(session, self.execution.id, (record,))

    def ended(self, record: Record, output: Any, status: str = "done", **changes: Any) -> Record:
        """A record as it is when its step has ended."""
        seq, now = self.next(), self.parts.clock()
        return msgspec.structs.replace(record, status=status, seq=seq, output=recorded(output), due_ms=None, finished_at=now, **changes)

    def expired(self) -> bool:
        """Whether the whole run has taken longer than it may."""
        return self.deadline_ms is not None and self.parts.now_ms() >= self.deadline_ms

    def left(self) -> float | None:
        """Seconds that the run may still take."""
        return None if self.deadline_ms is None else max(self.deadline_ms - self.parts.now_ms(), 0) / 1000

    @property
    def now(self) -> datetime.datetime:
        """The program's time."""
        return self.parts.clock()


class Block:
    """An open transaction in which a block of the program runs.

    Nothing is locked before the block has ended: its lease is renewed meanwhile, and whoever took the work over in spite of that
    makes ``save`` fail.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._transaction = run.parts.database.transaction(idle_limit=IDLE_LIMIT)
        self._kept: dict[str, Record] = {}
        self._opening: Change | None = None

    async def __aenter__(self) -> Block:
        self.session = await self._transaction.__aenter__()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None:
            self._run.parts.faults("before-commit")
        await self._transaction.__aexit__(kind, error, trace)
        if kind is None:
            self._run.committed(self._kept, self._opening)

    async def save(self, record: Record) -> None:
        """Writes what is kept and the record of the block, under the fence.

        :raises LeaseLost: the execution is somebody else's, or the step has ended already
        """
        run, store = self._run, self._run.parts.store
        run.parts.faults("in-block")
        self._kept, self._opening = dict(run.pending), run.opening()
        before = tuple(kept for kept in self._kept.values() if kept.name != record.name)
        await store.save(self.session, run.execution.id, before, self._opening)
        values = (*store.step_values(run.execution.id, record), run.claim.id, run.claim.fence)
        if not await self.session.execute(store.sql.save_fenced, values):
            raise LeaseLost
