"""What a step does, one kind at a time. Each gives the record as it is afterwards, or says that it goes on later."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import msgspec

from codeai.durable import children, waiting
from codeai.durable.failures import MAX_OUTPUT, CancelledByHand, StepFailure, described
from codeai.durable.interrupting import Interrupted
from codeai.durable.outcomes import Parked
from codeai.durable.plans import StepPlan, WorkPlan
from codeai.durable.records import Record
from codeai.durable.run import Run
from codeai.durable.slow import shown_when_slow
from codeai.durable.values import recorded
from codeai.evaluate.context import Context
from codeai.storage.codecs import encode_json

Performed = Record | Parked


async def perform(run: Run, plan: StepPlan, record: Record, more: Mapping[str, Any]) -> Performed:
    """Does the next work of a step."""
    work = plan.works[record.position]
    try:
        return await (_KINDS.get(work.kind) or _REACHES[work.reach])(run, plan, work, record, more)
    except Interrupted:
        error = {**described(CancelledByHand("the execution was cancelled while it ran"), record.name)}
        run.keep(msgspec.structs.replace(record, status="failed", attempt=record.attempt + 1, error=error, finished_at=run.now))
        await run.flush()
        raise


def _after(run: Run, plan: StepPlan, record: Record, output: Any) -> Record:
    """The record after a work: of the last one it is the end of the step."""
    position = record.position + 1
    if position == len(plan.works):
        return run.ended(record, output, position=position, error=None)
    return msgspec.structs.replace(record, position=position, error=None, due_ms=None, status="running", output=recorded(output))


def _key(run: Run, record: Record) -> str:
    """The idempotency key of a work: the first one of a step has that of the step."""
    key = f"{run.execution.id}/{record.name}"
    return f"{key}/{record.position}" if record.position else key


async def _limited(run: Run, plan: StepPlan, work: WorkPlan, context: Context) -> Any:
    """Does what may take so long, and is cut short when somebody cancels the execution."""
    seconds, left = plan.timeout, run.left()
    if left is not None and (seconds is None or left < seconds):
        seconds = left
    with run.parts.interrupts.allowed(run.execution.id):
        try:
            async with asyncio.timeout(seconds) as limit:
                return await work.run(context)
        except TimeoutError:
            if not limit.expired():
                raise  # of something within
            own = seconds == plan.timeout  # else it is what is left of the time of all
            raise TimeoutError(f"it took longer than {seconds:g} s" if own else "the workflow took too long") from None


async def _pure(run: Run, plan: StepPlan, work: WorkPlan, record: Record, more: Mapping[str, Any]) -> Performed:
    output = await work.run(run.context(None, more))
    after = _after(run, plan, record, output)
    _check_size(after)
    run.keep(after)
    return after


async def _in_transaction(run: Run, plan: StepPlan, work: WorkPlan, record: Record, more: Mapping[str, Any]) -> Performed:
    async with run.block() as block:
        # Not around the commit: whether one that is cut short has happened, nobody knows.
        output = await _limited(run, plan, work, run.context(block.session, more, _key(run, record)))
        after = _after(run, plan, record, output)
        _check_size(after)
        await block.save(after)
    run.parts.recorder.on_step(after.status)
    run.written(after)
    return after


async def _outside(run: Run, plan: StepPlan, work: WorkPlan, record: Record, more: Mapping[str, Any]) -> Performed:
    """An effect outside: everything before it is written first, and its result at once."""
    if run.pending or run.status != "running":
        run.keep(msgspec.structs.replace(record, status="running"))
        await run.flush(force=True)
    run.must_be_ours()
    run.parts.faults("before-effect")
    async with shown_when_slow(run, record):
        output = await _limited(run, plan, work, run.context(run.parts.database.writing(), more, _key(run, record)))
    run.parts.faults("after-effect")
    after = _after(run, plan, record, output)
    _check_size(after)
    run.keep(after)
    await run.flush()
    return after


def _check_size(record: Record) -> None:
    """Outputs have a limit, so that one step cannot make its execution unreadable."""
    if isinstance(record.output, str | list | dict) and len(record.output) > 0 and len(encode_json(record.output)) > MAX_OUTPUT:
        raise StepFailure("output_too_large", f"the output is larger than {MAX_OUTPUT // 2**20} MiB", retryable=False)


async def _check(run: Run, plan: StepPlan, work: WorkPlan, record: Record, more: Mapping[str, Any]) -> Performed:
    if not await work.run(run.context(run.parts.database.reading(), more)):
        raise StepFailure("check_failed", f"the check of step '{plan.name}' does not hold", retryable=plan.retry is not None)
    after = _after(run, plan, record, True)
    run.keep(after)
    return after


async def _query(run: Run, plan: StepPlan, work: WorkPlan, record: Record, more: Mapping[str, Any]) -> Performed:
    output = await _limited(run, plan, work, run.context(run.parts.database.reading(), more))
    after = _after(run, plan, record, output)
    _check_size(after)
    run.keep(after)
    return after


async def _sleep(run: Run, plan: StepPlan, work: WorkPlan, record: Record, more: Mapping[str, Any]) -> Performed:
    now = run.parts.now_ms()
    if record.status != "waiting" or record.due_ms is None:
        length = await work.run(run.context(None, more))
        milliseconds = int(length.total_seconds() * 1000) if length is not None else 0
        record = msgspec.structs.replace(record, status="waiting", due_ms=now + max(milliseconds, 0))
    assert record.due_ms is not None
    if record.due_ms > now:
        run.keep(record)
        return Parked(record.due_ms)
    after = _after(run, plan, record, None)
    run.keep(after)
    return after


async def _wait(run: Run, plan: StepPlan, work: WorkPlan, record: Record, more: Mapping[str, Any]) -> Performed:
    if record.status != "waiting":
        due = record.due_ms if record.status == "running" else None
        if due is None and plan.own_timeout and plan.timeout is not None:
            due = run.parts.now_ms() + int(plan.timeout * 1000)
        # It is not "waiting" in the records before it has looked back: a process that dies between leaves that to the next one.
        await waiting.begin(run, work, msgspec.structs.replace(record, status="running", due_ms=due), more)
        await waiting.recall(run, work, more)
        record = msgspec.structs.replace(record, status="waiting", due_ms=due)
        run.keep(record)
    found = await waiting.look(run, work, more)
    while found is not None:
        number, payload = found
        after = _after(run, plan, record, payload)
        if await waiting.take(run, number, after):
            return after
        found = await waiting.look(run, work, more)  # another branch was faster
    if record.due_ms is not None and record.due_ms <= run.parts.now_ms():
        await waiting.give_up(run, record)
        raise TimeoutError(f"'{work.event}' did not come in time")
    return Parked(record.due_ms)


async def _start(run: Run, plan: StepPlan, work: WorkPlan, record: Record, more: Mapping[str, Any]) -> Performed:
    if not work.awaits:
        return await _REACHES[work.reach](run, plan, work, record, more)
    if record.status != "waiting":
        due = run.parts.now_ms() + int(plan.timeout * 1000) if plan.own_timeout and plan.timeout is not None else None
        record = await children.begin(run, work, msgspec.structs.replace(record, due_ms=due), more, _key(run, record))
    ended, output = await children.outcome(run, work, record)
    if ended:
        after = _after(run, plan, record, output)
        await children.take(run, after)
        return after
    if record.due_ms is not None and record.due_ms <= run.parts.now_ms():
        await children.forget(run, record)
        raise TimeoutError("the workflow that it started has not ended in time")
    return Parked(record.due_ms)


_Perform = Callable[[Run, StepPlan, WorkPlan, Record, Mapping[str, Any]], Awaitable[Performed]]
_KINDS: Final[Mapping[str, _Perform]] = {"check": _check, "query": _query, "sleep": _sleep, "wait": _wait, "start": _start}
_REACHES: Final[Mapping[str, _Perform]] = {"pure": _pure, "rows": _in_transaction, "outside": _outside}
