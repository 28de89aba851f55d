"""Steps that are repeated for each item of a list: what has begun, what has ended, and what they give together.

A turn loads of ten thousand items those that are under way and those that have ended since the last turn: which ended before is told by
the record of the step (``settled``), the list itself is kept by the process. Nothing of an item stays in memory once it is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from codeai.durable.failures import BLAMELESS
from codeai.durable.leaf import failed, held_back, leaf
from codeai.durable.outcomes import GO, Broken, Outcome, side_by_side, together
from codeai.durable.plans import StepPlan
from codeai.durable.records import Record, item_of
from codeai.durable.run import Run
from codeai.durable.values import carrying

_NOTHING: Final[Mapping[str, Any]] = {}
MOST_ITEMS: Final = 100_000


async def each(run: Run, plan: StepPlan, record: Record | None) -> Outcome:
    """Runs a step for each item, so many at a time; the list is recorded before the first one runs."""
    if record is None or record.status == "retrying":
        held = await held_back(run, plan, record or Record(name=plan.name, started_at=run.now))
        if held is not None:
            return held
    try:
        if record is None or record.inputs is None:
            record = await _listed(run, plan, record)
        items = record.inputs["items"]
        if items is None:
            items = await run.parts.lists.get(run.execution.id, plan.name)
            record = msgspec.structs.replace(record, inputs={"items": items})
        limit = 1
        if plan.parallel is not None:
            limit = max(1, int(await run.compute(plan.parallel, _NOTHING) or 1))
    except BLAMELESS:
        raise
    except Exception as error:
        return await failed(run, plan, record or Record(name=plan.name, started_at=run.now), error, _NOTHING)
    outcome = await _items(run, plan, items, limit)
    if outcome is GO:
        done = msgspec.structs.replace(record, status="done", seq=run.next(), finished_at=run.now)
        run.keep(done)
        run.publish(plan, done, await result(run, plan, done))
    elif isinstance(outcome, Broken):
        ended = {**outcome.error, "then": outcome.then}
        run.keep(msgspec.structs.replace(record, status="failed", error=ended, seq=run.next(), finished_at=run.now))
    return outcome


async def _listed(run: Run, plan: StepPlan, record: Record | None) -> Record:
    assert plan.items is not None
    items = await run.compute(plan.items, _NOTHING)
    if not isinstance(items, list | tuple):
        items = [] if items is None else list(items.values()) if isinstance(items, dict) else None
    if items is None or len(items) > MOST_ITEMS:
        raise ValueError("a step repeats over a list" if items is None else f"a step repeats over at most {MOST_ITEMS} items")
    opened = record or Record(name=plan.name, started_at=run.now)
    opened = msgspec.structs.replace(opened, status="running", inputs={"items": carrying(items)})
    run.keep(opened)
    run.parts.lists.put(run.execution.id, plan.name, opened.inputs["items"])
    return opened


async def _items(run: Run, plan: StepPlan, items: list[Any], limit: int) -> Outcome:
    """Runs the items that have not ended; after the failure of one, those under way come to their end and no other begins."""
    settled = run.settled_of(plan.name)
    numbers = settled.missing(len(items))
    failures = [broken(found) for found in run.records.values() if found.status == "failed" and item_of(found.name) == plan.name]

    async def lane() -> Outcome:
        for index in numbers:
            name = f"{plan.name}[{index}]"
            record = run.records.get(name)
            if (record is None and failures) or (record is not None and record.status == "failed"):
                continue
            outcome = await leaf(run, plan, name, record, {plan.item or "item": plan.restore_item(items[index]), "index": index})
            if isinstance(outcome, Broken):
                failures.append(outcome)
            elif outcome is not GO:
                return outcome
            else:
                settled.add(index)
        return GO

    outcomes = await side_by_side([lane() for _ in range(min(limit, len(items)))]) if limit > 1 else [await lane()]
    return together([*outcomes, *failures])


async def result(run: Run, plan: StepPlan, record: Record) -> Any:
    """The output of a settled step; of a repeated one the list of its items' outputs, where something reads it."""
    if plan.items is None or record.status != "done":
        return plan.restore(record.output)
    if not plan.is_read:
        return None
    if run.whole:
        found = [(part.name, part.output) for part in run.records.values() if item_of(part.name) == plan.name]
    else:
        await run.settle_writes()
        found = await run.parts.store.outputs(run.execution.id, plan.name)
    outputs = {int(name[len(plan.name) + 1 : -1]): output for name, output in found}
    return [plan.restore(outputs[index]) for index in sorted(outputs)]


def broken(record: Record) -> Broken:
    """How a step that has failed for good ends its sequence."""
    error = dict(record.error or {})
    return Broken(error, error.pop("then", "fail"))
