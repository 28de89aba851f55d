"""Undoing finished steps, the last one first; each is recorded, so that nothing is undone twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

import msgspec

from codeai.durable.blocks import performed
from codeai.durable.failures import BLAMELESS, delay_ms, described
from codeai.durable.outcomes import GO, Broken, Outcome, Parked
from codeai.durable.plans import StepPlan
from codeai.durable.records import Record, item_of
from codeai.durable.run import Run
from codeai.durable.steps import publish_settled

_LAST: Final = 2**62  # behind every place in the order of endings


async def compensate(run: Run) -> Outcome:
    """Undoes what is still to be undone.

    :returns: that it is done, that it goes on later, or the failure that stopped it: what lies further back is not undone before
    """
    await publish_settled(run)
    async for record in _backwards(run):
        plan = run.plan.steps.get(item_of(record.name) or record.name)
        if plan is None or plan.compensate is None or record.status != "done" or record.compensation in ("done", "copied"):
            continue
        if plan.items is not None and record.name == plan.name:
            continue  # its items are undone, one by one
        if record.compensation == "running" and record.due_ms is not None and record.due_ms > run.parts.now_ms():
            return Parked(record.due_ms)
        outcome = await _undo(run, plan, record)
        if outcome is not GO:
            return outcome
    return GO


async def _backwards(run: Run) -> AsyncIterator[Record]:
    """All records, the one that ended last first; those of items in pages, where there may be many."""
    own = sorted((record for record in run.records.values() if run.whole or item_of(record.name) is None), key=lambda record: record.seq)
    if not run.whole and any(run.plan.steps[name].compensate is not None for name in run.plan.repeated):
        before = _LAST
        while page := await run.parts.store.to_undo(run.execution.id, before):
            for record in page:
                while own and own[-1].seq > record.seq:
                    yield own.pop()
                yield record
                run.records.pop(record.name, None)  # it is written
            before = page[-1].seq
    while own:
        yield own.pop()


async def _undo(run: Run, plan: StepPlan, record: Record) -> Outcome:
    assert plan.compensate is not None
    more = _scope(run, plan, record)
    undone = msgspec.structs.replace(record, compensation="done", compensation_error=None, compensated_at=run.now, due_ms=None)
    run.parts.faults("before-compensation")
    key = f"{run.execution.id}/{record.name}/compensate"
    try:
        await performed(run, plan.compensate, more, key, plan.limit, lambda _: undone)
    except BLAMELESS:
        raise
    except Exception as error:
        return _not_undone(run, plan, record, error)
    run.parts.faults("after-compensation")
    return GO


def _not_undone(run: Run, plan: StepPlan, record: Record, error: Exception) -> Outcome:
    """Tried again as steps are; after that an operator decides."""
    policy = plan.retry or run.plan.retry
    attempt = record.compensation_attempt + 1
    found = described(error, record.name)
    tried = msgspec.structs.replace(record, compensation_attempt=attempt, compensation_error=found)
    if attempt <= policy.times:
        due = run.parts.now_ms() + delay_ms(policy, attempt)
        run.keep(msgspec.structs.replace(tried, compensation="running", due_ms=due))
        return Parked(due)
    run.keep(msgspec.structs.replace(tried, compensation="failed", due_ms=None))
    return Broken(found)


def _scope(run: Run, plan: StepPlan, record: Record) -> dict[str, Any]:
    """What a compensation sees beside the values of the run: its item, and the result of its step."""
    more: dict[str, Any] = {"result": plan.restore(record.output)}
    if plan.items is not None and isinstance(record.inputs, dict):
        item = plan.item or "item"
        more |= {item: plan.restore_item(record.inputs.get(item)), "index": record.inputs.get("index")}
    return more
