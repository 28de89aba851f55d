"""The interpreter: walks the plan of a run over its records."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from codeai.durable import waiting, works
from codeai.durable.blocks import performed
from codeai.durable.dispatch.protocol import LeaseLost
from codeai.durable.failures import delay_ms, described, retryable
from codeai.durable.outcomes import GO, Broken, Outcome, Parked, together
from codeai.durable.plans import GroupPlan, OutcomePlan, StepPlan
from codeai.durable.records import SETTLED_STEPS, Record
from codeai.durable.run import Run
from codeai.durable.values import recorded
from codeai.observability.spans import spanned
from codeai.storage.errors import DatabaseUnavailable

_NOTHING: Final[Mapping[str, Any]] = {}
MOST_ITEMS: Final = 100_000


async def sequence(run: Run, nodes: Sequence[StepPlan | GroupPlan]) -> Outcome:
    """Runs nodes one after another, until one does not go on."""
    for node in nodes:
        outcome = await (group(run, node) if isinstance(node, GroupPlan) else step(run, node))
        if outcome is not GO:
            return outcome
    return GO


async def group(run: Run, plan: GroupPlan) -> Outcome:
    """Runs branches side by side; all come to their end, also when one fails."""
    return together(await _side_by_side([sequence(run, (node,)) for node in plan.nodes]))


async def _side_by_side(branches: list[Any]) -> list[Any]:
    try:
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(branch) for branch in branches]
    except* (LeaseLost, DatabaseUnavailable) as errors:
        raise _first(errors) from None
    return [task.result() for task in running]


def _first(group_: BaseExceptionGroup[Any]) -> BaseException:
    found: BaseException = group_
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found


async def step(run: Run, plan: StepPlan) -> Outcome:
    """Runs a step, or each item of it."""
    record = run.records.get(plan.name)
    if record is not None and record.status in SETTLED_STEPS:
        run.publish(plan, record, _output(run, plan, record))
        return GO
    if record is not None and record.status == "failed":
        return _broken(record)
    if record is None and plan.when is not None:
        try:
            wanted = await run.compute(plan.when, _NOTHING)
        except (LeaseLost, DatabaseUnavailable):
            raise
        except Exception as error:
            return await _failed(run, plan, Record(name=plan.name, started_at=run.now), error, _NOTHING)
        if not wanted:
            skipped = Record(name=plan.name, status="skipped", seq=run.next(), finished_at=run.now)
            run.keep(skipped)
            run.publish(plan, skipped, None)
            return GO
    return await (_each(run, plan, record) if plan.items is not None else _leaf(run, plan, plan.name, record, _NOTHING))


def _output(run: Run, plan: StepPlan, record: Record) -> Any:
    """The output of a settled step; of a repeated one the list of its items' outputs."""
    if plan.items is None or record.status == "skipped" or record.inputs is None:
        return plan.restore(record.output)
    found = (run.records.get(f"{plan.name}[{index}]") for index in range(len(record.inputs["items"])))
    return [plan.restore(part.output) if part is not None else None for part in found]


def _broken(record: Record) -> Broken:
    error = dict(record.error or {})
    return Broken(error, error.pop("then", "fail"))


def publish_settled(run: Run) -> None:
    """Shows all results that are recorded, for what comes after the steps."""
    for plan in run.plan.steps.values():
        record = run.records.get(plan.name)
        if record is not None and record.status in SETTLED_STEPS:
            run.publish(plan, record, _output(run, plan, record))


# -- one step, or one item of it -------------------------------------------------------------------------------------


async def _leaf(run: Run, plan: StepPlan, name: str, record: Record | None, more: Mapping[str, Any]) -> Outcome:
    if record is None:
        record = Record(name=name, started_at=run.now, inputs=recorded(dict(more)) if more else None)
    if run.expired():
        return await _over(run, plan, record)
    if record.status == "retrying" and record.due_ms is not None and record.due_ms > run.parts.now_ms():
        return Parked(record.due_ms)
    try:
        while record.position < len(plan.works):
            found = await spanned(f"step {record.name}", works.perform(run, plan, record, more), {"codeai.attempt": record.attempt})
            if isinstance(found, Parked):
                return found
            record = found
    except (LeaseLost, DatabaseUnavailable, asyncio.CancelledError):
        raise
    except Exception as error:
        return await _failed(run, plan, run.records.get(name, record), error, more)
    if name == plan.name:
        run.publish(plan, record, plan.restore(record.output))
    await run.relieve()
    return GO


async def _over(run: Run, plan: StepPlan, record: Record) -> Outcome:
    if record.status == "waiting":
        await waiting.give_up(run, record)
    error = described(TimeoutError("the workflow took too long"), plan.name)
    run.keep(msgspec.structs.replace(record, status="failed", error={**error, "then": "fail"}, finished_at=run.now, seq=run.next()))
    return Broken(error)


async def _failed(run: Run, plan: StepPlan, record: Record, error: Exception, more: Mapping[str, Any]) -> Outcome:
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
            record = await performed(run, block, more, key, plan.timeout, lambda output: _handled(run, failed, output, error))
            return _continued(run, plan, record, keep=False)
        if outcome.message is not None:
            error = {**error, "message": str(await run.compute(outcome.message, more))}
    except (LeaseLost, DatabaseUnavailable):
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


# -- items -----------------------------------------------------------------------------------------------------------


async def _each(run: Run, plan: StepPlan, record: Record | None) -> Outcome:
    """Runs a step for each item, so many at a time; the list is recorded before the first one runs."""
    try:
        if record is None or record.inputs is None:
            record = await _listed(run, plan, record)
        limit = 1
        if plan.parallel is not None:
            limit = max(1, int(await run.compute(plan.parallel, _NOTHING) or 1))
    except (LeaseLost, DatabaseUnavailable):
        raise
    except Exception as error:
        return await _failed(run, plan, record or Record(name=plan.name, started_at=run.now), error, _NOTHING)
    items = record.inputs["items"]
    outcome = await _items(run, plan, items, limit)
    if outcome is GO:
        done = msgspec.structs.replace(record, status="done", seq=run.next(), finished_at=run.now)
        run.keep(done)
        run.publish(plan, done, _output(run, plan, done))
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
    opened = msgspec.structs.replace(opened, status="running", inputs={"items": recorded(items)})
    run.keep(opened)
    return opened


async def _items(run: Run, plan: StepPlan, items: list[Any], limit: int) -> Outcome:
    """Runs the items that have not ended; after the failure of one, those under way come to their end and no other begins."""
    numbers = iter(range(len(items)))
    broken = [_broken(record) for record in run.records.values() if record.status == "failed" and record.name.startswith(f"{plan.name}[")]

    async def lane() -> Outcome:
        for index in numbers:
            record = run.records.get(f"{plan.name}[{index}]")
            if (record is None and broken) or (record is not None and record.status == "failed"):
                continue
            outcome = await _item(run, plan, items[index], index)
            if isinstance(outcome, Broken):
                broken.append(outcome)
            elif outcome is not GO:
                return outcome
        return GO

    outcomes = await _side_by_side([lane() for _ in range(min(limit, len(items)))]) if limit > 1 else [await lane()]
    return together([*outcomes, *broken])


async def _item(run: Run, plan: StepPlan, item: Any, index: int) -> Outcome:
    name = f"{plan.name}[{index}]"
    record = run.records.get(name)
    if record is not None and record.status in SETTLED_STEPS:
        return GO
    return await _leaf(run, plan, name, record, {plan.item or "item": plan.restore_item(item), "index": index})
