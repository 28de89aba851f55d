"""The interpreter: walks the plan of a run over its records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from codeai.durable.failures import BLAMELESS
from codeai.durable.leaf import failed, held_back, leaf
from codeai.durable.outcomes import GO, Outcome, side_by_side, together
from codeai.durable.plans import Compute, GroupPlan, StepPlan
from codeai.durable.records import SETTLED_STEPS, Record
from codeai.durable.repeating import broken, each, result
from codeai.durable.run import Run

_NOTHING: Final[Mapping[str, Any]] = {}
_UNDECIDED: Final = -1


async def sequence(run: Run, nodes: Sequence[StepPlan | GroupPlan]) -> Outcome:
    """Runs nodes one after another, until one does not go on."""
    for node in nodes:
        outcome = await (group(run, node) if isinstance(node, GroupPlan) else step(run, node))
        if outcome is not GO:
            return outcome
    return GO


async def group(run: Run, plan: GroupPlan) -> Outcome:
    """Runs branches side by side; all come to their end, also when one fails."""
    return together(await side_by_side([sequence(run, (node,)) for node in plan.nodes]))


async def step(run: Run, plan: StepPlan) -> Outcome:
    """Runs a step, or each item of it."""
    record = run.records.get(plan.name)
    if record is not None and record.status in SETTLED_STEPS:
        run.publish(plan, record, await result(run, plan, record))
        return GO
    if record is not None and record.status == "failed":
        return broken(record)
    if plan.when is not None and (record is None or record.position == _UNDECIDED):
        undecided = record or Record(name=plan.name, position=_UNDECIDED, started_at=run.now)
        decided = await _decided(run, plan, plan.when, undecided)
        if decided is not None:
            return decided
        record = record and msgspec.structs.replace(record, position=0, status="running", due_ms=None)
    return await (each(run, plan, record) if plan.items is not None else leaf(run, plan, plan.name, record, _NOTHING))


async def _decided(run: Run, plan: StepPlan, when: Compute, record: Record) -> Outcome | None:
    """How a step ends whose condition does not hold, or cannot be had; None when it is to run.

    Until its condition is known, its record has a place of its own, so that a later try asks again.
    """
    held = await held_back(run, plan, record) if record.attempt else None
    if held is not None:
        return held
    try:
        wanted = await run.compute(when, _NOTHING)
    except BLAMELESS:
        raise
    except Exception as error:
        return await failed(run, plan, record, error, _NOTHING)
    if wanted:
        return None
    skipped = Record(name=plan.name, status="skipped", seq=run.next(), finished_at=run.now)
    run.keep(skipped)
    run.publish(plan, skipped, None)
    return GO


async def publish_settled(run: Run) -> None:
    """Shows all results that are recorded, for what comes after the steps."""
    for plan in run.plan.steps.values():
        record = run.records.get(plan.name)
        if record is not None and record.status in SETTLED_STEPS:
            run.publish(plan, record, await result(run, plan, record))
