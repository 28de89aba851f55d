"""One step, or one item of a step that is repeated: its works, its tries, and what follows when it fails for good."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

from codeai.durable import waiting, works
from codeai.durable.blocks import performed
from codeai.durable.failures import BLAMELESS, delay_ms, described, retryable
from codeai.durable.outcomes import GO, Broken, Outcome, Parked
from codeai.durable.plans import OutcomePlan, StepPlan
from codeai.durable.records import Record
from codeai.durable.run import Run
from codeai.durable.values import carrying
from codeai.observability.spans import SPANS, spanned


async def leaf(run: Run, plan: StepPlan, name: str, record: Record | None, more: Mapping[str, Any]) -> Outcome:
    """Does what is left of a step (or an item, ``name[i]``).

    :param more: what it sees beside the values of the run
    """
    if record is None:
        record = Record(name=name, started_at=run.now, inputs=carrying(dict(more)) if more else None)
    held = await held_back(run, plan, record)
    if held is not None:
        return held
    try:
        while record.position < len(plan.works):
            work = works.perform(run, plan, record, more)
            if SPANS.get() is not None:
                work = spanned(f"step {record.name}", work, {"codeai.attempt": record.attempt})
            found = await work
            if isinstance(found, Parked):
                return found
            record = found
    except (*BLAMELESS, asyncio.CancelledError):
        raise
    except Exception as error:
        return await failed(run, plan, run.records.get(name, record), error, more)
    if name == plan.name:
        run.publish(plan, record, plan.restore(record.output))
    await run.relieve()
    return GO


async def held_back(run: Run, plan: StepPlan, record: Record) -> Outcome | None:
    """Why a step does not go on now: its run has taken too long, or it is between two tries. None when it does."""
    if run.expired():
        return await _over(run, plan, record)
    if record.status == "retrying" and record.due_ms is not None and record.due_ms > run.parts.now_ms():
        return Parked(record.due_ms)
    return None


async def _over(run: Run, plan: StepPlan, record: Record) -> Outcome:
    if record.status == "waiting":
        await waiting.give_up(run, record)
    error = described(TimeoutError("the workflow took too long"), plan.name)
    run.keep(msgspec.structs.replace(record, status="failed", error={**error, "then": "fail"}, finished_at=run.now, seq=run.next()))
    return Broken(error)


async def failed(run: Run, plan: StepPlan, record: Record, error: Exception, more: Mapping[str, Any]) -> Outcome:
    """Tries again later, or ends the step as it says."""
    attempt = record.attempt + 1
    policy = plan.retry or run.plan.retry
    found = described(error, record.name)
    waited = isinstance(error, TimeoutError) and record.status == "waiting"
    if not waited and retryable(error, declared=plan.retry is not None) and attempt <= policy.times:
        due = run.parts.now_ms() + delay_ms(policy, attempt, getattr(error, "after", None))
        run.keep(msgspec.structs.replace(record, status="retrying", attempt=attempt, error=found, due_ms=due))
        return Parked(due)
    record = msgspec.structs.replace(record, attempt=attempt, error=found)
    outcome = plan.on_timeout if isinstance(error, TimeoutError) and plan.on_timeout is not None else plan.on_fail
    return await _after_failure(run, plan, record, outcome, {**more, "error": found})


async def _after_failure(run: Run, plan: StepPlan, record: Record, outcome: OutcomePlan | None, more: Mapping[str, Any]) -> Outcome:
    error: dict[str, Any] = more["error"]
    if outcome is None:
        return _given_up(run, record, error, "fail")
    try:
        if outcome.action == "continue":
            return _continued(run, plan, msgspec.structs.replace(run.ended(record, None, "continued"), error=error))
        if outcome.action == "block":
            assert outcome.block is not None
            key = f"{run.execution.id}/{record.name}/on_fail"
            failed, block = record, outcome.block
            record = await performed(run, block, more, key, plan.limit, lambda output: _handled(run, failed, output, error))
            return _continued(run, plan, record, keep=False)
        if outcome.message is not None:
            error = {**error, "message": str(await run.compute(outcome.message, more))}
    except BLAMELESS:
        raise
    except Exception as second:
        return _given_up(run, record, described(second, record.name), "fail")
    return _given_up(run, record, error, outcome.action)


def _handled(run: Run, record: Record, output: Any, error: dict[str, Any]) -> Record:
    return msgspec.structs.replace(run.ended(record, output, "continued"), error=error)


def _continued(run: Run, plan: StepPlan, record: Record, *, keep: bool = True) -> Outcome:
    if keep:
        run.keep(record)
    if record.name == plan.name:
        run.publish(plan, record, plan.restore(record.output))
    return GO


def _given_up(run: Run, record: Record, error: dict[str, Any], then: str) -> Broken:
    ended = msgspec.structs.replace(
        record, status="failed", error={**error, "then": then}, due_ms=None, seq=run.next(), finished_at=run.now
    )
    run.keep(ended)
    return Broken(error, then)
