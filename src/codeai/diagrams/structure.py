"""A workflow as boxes that follow each other or stand side by side; renderings know nothing of the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from codeai.diagrams.wording import statement_words, undo_words, work_words
from codeai.jobs.timetable import shown
from codeai.language.durations import duration_text
from codeai.model.event import Retry
from codeai.model.statement import Block
from codeai.model.workflow import Group, Job, Step, Workflow

_FAILURES: Final = {
    "rollback": "a failure rolls back",
    "continue": "a failure is passed over",
    "fail": "a failure ends it",
    "block": "a failure is handled",
}
Texts = Mapping[str, Mapping[str, str]]  # what the author wrote, by step and clause: {"approve": {"when": "trigger.total > 1000"}}


class Box(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happens. ``lines`` say what, ``notes`` under which rules, ``undo`` what takes it back."""

    id: str
    kind: Literal["start", "step", "done", "failed"]
    title: str
    lines: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    undo: str = ""


class Chain(msgspec.Struct, frozen=True):
    """Parts one after the other."""

    parts: tuple[Box | Chain | Fork, ...]


class Fork(msgspec.Struct, frozen=True):
    """Parts side by side: all begin together, and what follows waits for each."""

    branches: tuple[Box | Chain | Fork, ...]


Part = Box | Chain | Fork


class Diagram(msgspec.Struct, frozen=True):
    """The picture of one workflow or job."""

    title: str
    start: Box
    body: Chain
    done: Box
    failed: Box

    def boxes(self) -> tuple[Box, ...]:
        """The boxes of the body, from top to bottom."""
        return tuple(_boxes(self.body))


def _boxes(part: Part) -> list[Box]:
    if isinstance(part, Box):
        return [part]
    parts = part.parts if isinstance(part, Chain) else part.branches
    return [box for inner in parts for box in _boxes(inner)]


def diagram(run: Workflow | Job, texts: Texts | None = None) -> Diagram:
    """The picture of a workflow or job.

    :param texts: conditions and lists as the author wrote them; without them the picture says only that there are some
    """
    body = Chain(tuple(_part(item, texts or {}) for item in run.steps))
    done = Box(id="completed", kind="done", title="completed", lines=_ending(run.on_complete))
    failed = Box(id="failed", kind="failed", title="failed", lines=_ending(run.on_fail))
    return Diagram(run.name, _start(run), body, done, failed)


def _start(run: Workflow | Job) -> Box:
    notes = [f"at most {run.concurrency} at a time"] if run.concurrency else []
    notes += ["one per key"] if run.key is not None else []
    notes += [f"timeout {duration_text(run.timeout)}"] if run.timeout else []
    if isinstance(run, Job):
        title = shown(run.schedule) if run.schedule is not None else "when asked for"
        zone = run.schedule.timezone if run.schedule is not None else ""
        return Box(id="start", kind="start", title=title, lines=(zone,) if zone else (), notes=(f"queue {run.queue}", *notes))
    trigger = run.trigger
    if trigger.kind == "schedule" and trigger.schedule is not None:
        return Box(id="start", kind="start", title=shown(trigger.schedule), lines=(trigger.schedule.timezone,), notes=tuple(notes))
    if trigger.kind == "event":
        condition = ("if a condition holds",) if trigger.where is not None else ()
        return Box(id="start", kind="start", title=f"on {trigger.event}", lines=condition, notes=tuple(notes))
    fields = ", ".join(field.name for field in run.input)
    return Box(id="start", kind="start", title="when started", lines=(f"with {fields}",) if fields else (), notes=tuple(notes))


def _ending(body: Block) -> tuple[str, ...]:
    return tuple(statement_words(statement) for statement in body)


def _part(item: Step | Group, texts: Texts) -> Part:
    if isinstance(item, Group):
        return Fork(tuple(_part(step, texts) for step in item.steps))
    written = texts.get(item.name, {})
    return Box(
        id=item.name,
        kind="step",
        title=item.name,
        lines=tuple(words for work in item.works for words in work_words(work)),
        notes=tuple(_notes(item, written)),
        undo=undo_words(item.compensate) if item.compensate is not None else "",
    )


def _notes(step: Step, written: Mapping[str, str]) -> list[str]:
    found: list[str] = []
    if step.when is not None:
        found.append("when " + written.get("when", "a condition holds"))
    if step.items is not None:
        side = f", {written.get('parallel', 'several')} at a time" if step.parallel is not None else ""
        found.append(f"for each {step.item} in {written.get('for_each', 'a list')}{side}")
    if step.timeout is not None:
        found.append(f"timeout {duration_text(step.timeout)}" + (f", then {step.on_timeout.action}" if step.on_timeout is not None else ""))
    if step.retry is not None:
        found.append(_retry(step.retry))
    if step.on_fail is not None:
        found.append(_FAILURES[step.on_fail.action])
    return found


def _retry(retry: Retry) -> str:
    return f"tried again {retry.times} times" if retry.times != 1 else "tried again once"
