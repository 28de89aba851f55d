"""Workflows and jobs compiled: what each step evaluates, and what is known of it beforehand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

import msgspec

from codeai.durable.rows import EntityRows
from codeai.durable.values import Restore, restorer, shaper
from codeai.evaluate.context import Context
from codeai.evaluate.errors import NotCompilable
from codeai.evaluate.program import Evaluator, Host
from codeai.language import types as t
from codeai.model import expression as ir
from codeai.model import statement as s
from codeai.model.application import Application
from codeai.model.endpoint import InputField
from codeai.model.event import Retry
from codeai.model.storing import parts
from codeai.model.workflow import Group, Job, Outcome, Step, Work, Workflow

Value = Callable[[Context], Any]
Compute = Callable[[Context], Awaitable[Any]]
STEP_SECONDS: Final = 60.0
_QUERIES: Final = (ir.Selection, ir.UpdateRows, ir.DeleteRows, ir.CreateRow, ir.ChangeRow, ir.RemoveRow)
_OUTSIDE: Final = (ir.CallOperation, ir.CallActivity, s.Sleep)
_INSIDE: Final = (*_QUERIES, s.Emit, s.Send, ir.StartRun)  # a message leaves by a delivery, which is a row of ours
_MATCHED: Final = (t.Uuid, t.String, t.Text, t.Email, t.Enum, t.Int)


class WorkPlan(msgspec.Struct, frozen=True):
    """One thing that a step does.

    ``reach`` says how far it goes: ``pure`` evaluates only, ``rows`` needs a transaction, ``outside`` has effects beyond it.
    """

    kind: str
    reach: str
    run: Compute
    restore: Restore
    event: str | None = None
    match: tuple[str, Compute] | None = None
    conditional: bool = True
    awaits: bool = False


class BlockPlan(msgspec.Struct, frozen=True):
    """What is done beside the steps: a compensation, or what follows a failure or an end. ``outside`` has effects beyond the database."""

    run: Compute
    outside: bool


class OutcomePlan(msgspec.Struct, frozen=True):
    """What follows a failure."""

    action: str
    message: Compute | None = None
    block: BlockPlan | None = None


class StepPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A step; ``is_read`` says whether something uses its result, ``limit`` how many seconds the blocks beside it may take."""

    name: str
    works: tuple[WorkPlan, ...]
    restore: Restore
    when: Compute | None = None
    item: str | None = None
    items: Compute | None = None
    restore_item: Restore
    shown_item: Restore | None = None
    parallel: Compute | None = None
    is_read: bool = True
    alias: str | None = None
    fields: tuple[str, ...] = ()
    timeout: float | None = None
    own_timeout: bool = False
    limit: float = STEP_SECONDS
    retry: Retry | None = None
    compensate: BlockPlan | None = None
    on_fail: OutcomePlan | None = None
    on_timeout: OutcomePlan | None = None


class GroupPlan(msgspec.Struct, frozen=True):
    """Steps side by side."""

    nodes: tuple[StepPlan | GroupPlan, ...]


class RunPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow or job."""

    name: str
    kind: str
    version: str
    nodes: tuple[StepPlan | GroupPlan, ...]
    steps: dict[str, StepPlan]
    repeated: tuple[str, ...]
    event: bool
    restore: Restore
    input: tuple[InputField, ...]
    defaults: dict[str, Value]
    key: Compute | None = None
    wanted: Compute | None = None  # whether an event of its trigger starts it
    on_duplicate: str = "return"
    once: bool = False
    timeout: int | None = None
    retry: Retry = Retry()
    concurrency: int | None = None
    queue: str = "default"
    priority: int = 5
    on_complete: BlockPlan | None = None
    on_fail: BlockPlan | None = None


class Compiler:
    """Makes plans with the evaluator of a program.

    :param application: the program whose functions the plans call
    """

    def __init__(self, application: Application, evaluator: Evaluator) -> None:
        self._evaluator = evaluator
        self._read: frozenset[str] | None = None
        self._functions = {function.name: function for function in application.functions}
        self._rows = EntityRows(application.entities)

    def plan(self, run: Workflow | Job, version: str) -> RunPlan:
        """The plan of a workflow or job.

        :raises NotCompilable: the evaluator cannot make it
        """
        self._read = _read(run)
        nodes = tuple(self._node(node) for node in run.steps)
        steps = {step.name: step for step in _steps(nodes)}
        workflow = run if isinstance(run, Workflow) else None
        name = run.name
        type_ = run.trigger_type if isinstance(run, Workflow) else run.input_type
        return RunPlan(
            name=name,
            kind="workflow" if workflow is not None else "job",
            version=version,
            nodes=nodes,
            steps=steps,
            repeated=tuple(step.name for step in steps.values() if step.items is not None),
            event=workflow is not None and workflow.trigger.kind == "event",
            restore=restorer(type_, self._rows),
            input=run.input,
            defaults={field.name: self._evaluator.value(field.default) for field in run.input if field.default is not None},
            key=self._value(run.key, f"{name} key") if run.key is not None else None,
            wanted=self._value(workflow.trigger.where, f"{name} trigger") if workflow is not None and workflow.trigger.where else None,
            on_duplicate=run.on_duplicate if isinstance(run, Workflow) else "queue" if run.overlap == "queue" else "return",
            once=workflow is not None and workflow.once,
            timeout=run.timeout,
            retry=run.retry,
            concurrency=run.concurrency,
            queue=run.queue if isinstance(run, Job) else "default",
            priority=run.priority if isinstance(run, Job) else 5,
            on_complete=self._beside(run.on_complete, f"{name} on_complete", _returned(run.on_complete)) if run.on_complete else None,
            on_fail=self._beside(run.on_fail, f"{name} on_fail") if run.on_fail else None,
        )

    # -- steps -----------------------------------------------------------------------------------------------------

    def _node(self, node: Step | Group) -> StepPlan | GroupPlan:
        if isinstance(node, Group):
            return GroupPlan(tuple(self._node(part) for part in node.steps))
        return self._step(node)

    def _step(self, step: Step) -> StepPlan:
        name = step.name
        output = t.required(step.output)
        each = output.item if step.items is not None and isinstance(output, t.List) else output
        items = t.required(step.items.type) if step.items is not None else None
        plain = t.required(output)
        waits = all(work.kind in ("wait", "sleep") or work.awaits for work in step.works)
        seconds = step.timeout / 1000 if step.timeout is not None else None if waits else STEP_SECONDS
        return StepPlan(
            name=name,
            works=tuple(self._work(work, name) for work in step.works),
            restore=restorer(each, self._rows),
            when=self._value(step.when, f"{name} when") if step.when is not None else None,
            item=step.item,
            items=self._value(step.items, f"{name} items") if step.items is not None else None,
            shown_item=shaper(items.item if isinstance(items, t.List) else t.Json(), self._rows.readable),
            restore_item=restorer(items.item if isinstance(items, t.List) else t.Json(), self._rows),
            parallel=self._value(step.parallel, f"{name} parallel") if step.parallel is not None else None,
            is_read=self._read is None or name in self._read or step.alias is not None,
            alias=step.alias,
            fields=tuple(field.name for field in plain.fields) if isinstance(plain, t.Record) else (),
            timeout=seconds,
            limit=STEP_SECONDS if waits or seconds is None else seconds,
            own_timeout=step.timeout is not None,
            retry=step.retry,
            compensate=self._beside(step.compensate, f"{name} compensate") if step.compensate is not None else None,
            on_fail=self._outcome(step.on_fail, name),
            on_timeout=self._outcome(step.on_timeout, name),
        )

    def _work(self, work: Work, name: str) -> WorkPlan:
        label = f"{name} {work.kind}"
        body: s.Block = work.body
        if not body and work.value is not None:
            body = (s.Return(value=work.value),)
        reach = "outside" if work.kind in ("call", "activity") else self._reach(body)
        match = self._match(work, name) if work.kind == "wait" and work.value is not None else None
        restore = restorer(work.output, self._rows)
        run = self._block(body, label)
        if not work.awaits:  # what such a work gives is the output of its child, not what starting it returns
            run = self._shaped(run, work.output)
        return WorkPlan(work.kind, reach, run, restore, work.event, match, work.value is not None, work.awaits)

    def _shaped(self, run: Compute, type_: t.Type) -> Compute:
        """What computes a result without what its type does not name."""
        shape = shaper(type_, self._rows.readable)
        if shape is None:
            return run

        async def shaped(context: Context) -> Any:
            return shape(await run(context))

        return shaped

    def _outcome(self, outcome: Outcome | None, name: str) -> OutcomePlan | None:
        if outcome is None:
            return None
        message = self._value(outcome.message, f"{name} message") if outcome.message is not None else None
        return OutcomePlan(outcome.action, message, self._beside(outcome.body, f"{name} on_fail") if outcome.action == "block" else None)

    def _beside(self, body: s.Block, label: str, returned: t.Type | None = None) -> BlockPlan:
        """A block beside the steps; what it returns is kept in the form of ``returned``."""
        run = self._block(body, label)
        return BlockPlan(self._shaped(run, returned) if returned is not None else run, self._reach(body) == "outside")

    def _match(self, work: Work, name: str) -> tuple[str, Compute] | None:
        """The equality of a field of the event with a value that is known beforehand, if the condition begins with one."""
        assert work.value is not None
        for condition in _conjuncts(work.value):
            if not (isinstance(condition, ir.Binary) and condition.operator == "=="):
                continue
            for field, value in ((condition.left, condition.right), (condition.right, condition.left)):
                if isinstance(field, ir.Member) and _is_event(field.target) and not any(_is_event(part) for part in parts(value)):
                    if isinstance(t.required(field.type), _MATCHED) and isinstance(t.required(value.type), type(t.required(field.type))):
                        return field.name, self._value(value, f"{name} match")
        return None

    # -- evaluating ------------------------------------------------------------------------------------------------

    def _reach(self, body: s.Block) -> str:
        found = "pure"
        for part in self._parts(body):
            if isinstance(part, _OUTSIDE):
                return "outside"
            if isinstance(part, _INSIDE):
                found = "rows"
        return found

    def _parts(self, body: s.Block) -> Iterable[msgspec.Struct]:
        """Everything in a block and in the functions that it calls, but types."""
        waiting: list[s.Block] = [body]
        seen: set[str] = set()
        while waiting:
            for part in parts(waiting.pop(), without=(t.Type,)):
                yield part
                if isinstance(part, ir.CallFunction) and part.function not in seen:
                    seen.add(part.function)
                    function = self._functions[part.function]
                    if function.source is not None:
                        yield ir.CallActivity(type=t.Json(), source=function.source)
                    waiting.append(function.body)

    def _block(self, body: s.Block, label: str) -> Compute:
        host: Host = self._evaluator.block(body, label)

        async def run(context: Context) -> Any:
            return (await host(context)).value

        return run

    def _value(self, expression: ir.Expression, label: str) -> Compute:
        try:
            plain = self._evaluator.value(expression)
        except NotCompilable:
            return self._block((s.Return(value=expression),), label)

        async def run(context: Context) -> Any:
            return plain(context)

        return run


def _read(run: Workflow | Job) -> frozenset[str] | None:
    """The steps whose results a definition reads, the last one among them, which gives its output; None when it may be any."""
    found: set[str] = {node.name for node in run.steps[-1:] if isinstance(node, Step)}
    bare = 0
    for part in parts(run, without=(t.Type,)):
        if isinstance(part, ir.HostValue) and part.name == "steps":
            bare += 1
        elif isinstance(part, ir.Member) and isinstance(part.target, ir.HostValue) and part.target.name == "steps":
            bare -= 1
            found.add(part.name)
    return None if bare else frozenset(found)


def _returned(body: s.Block) -> t.Type:
    """The type of what a block returns first."""
    found = (part.value.type for part in parts(body, without=(t.Type,)) if isinstance(part, s.Return) and part.value is not None)
    return next(found, t.Null())


def _steps(nodes: tuple[StepPlan | GroupPlan, ...]) -> Iterable[StepPlan]:
    for node in nodes:
        if isinstance(node, GroupPlan):
            yield from _steps(node.nodes)
        else:
            yield node


def _conjuncts(condition: ir.Expression) -> Iterable[ir.Expression]:
    if isinstance(condition, ir.Binary) and condition.operator == "and":
        yield from _conjuncts(condition.left)
        yield from _conjuncts(condition.right)
    else:
        yield condition


def _is_event(node: object) -> bool:
    return isinstance(node, ir.HostValue) and node.name == "event"
