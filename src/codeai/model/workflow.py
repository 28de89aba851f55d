"""Workflows, jobs and their steps (language page, sections 9 and 10). Times are milliseconds."""

from __future__ import annotations

from typing import Literal

import msgspec

from codeai.language.types import Json, Type
from codeai.model.endpoint import InputField
from codeai.model.event import Retry
from codeai.model.expression import Expression
from codeai.model.statement import Block

WorkKind = Literal["do", "call", "activity", "action", "query", "emit", "send", "check", "wait", "sleep", "start"]


class Work(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One thing that a step does: a ``body``, or a ``value`` (a call, a condition, a duration); ``event`` of a wait.

    A start that ``awaits`` lasts until the workflow that it started has ended, and gives the output of that.
    """

    kind: WorkKind
    output: Type = Json()
    body: Block = ()
    value: Expression | None = None
    event: str | None = None
    awaits: bool = False
    at: int = -1


class Outcome(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What follows a failure or time-out of a step: ``rollback``, ``continue``, ``fail`` with a message, or a block."""

    action: Literal["rollback", "continue", "fail", "block"]
    message: Expression | None = None
    body: Block = ()


class Step(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A step. ``items`` repeats it for each ``item``, ``parallel`` of them at a time; ``output`` is the type of its result.

    Without a ``timeout`` of its own a step has 60 s, waiting and sleeping as long as they take.
    """

    name: str
    works: tuple[Work, ...]
    output: Type = Json()
    when: Expression | None = None
    item: str | None = None
    items: Expression | None = None
    parallel: Expression | None = None
    alias: str | None = None
    timeout: int | None = None
    retry: Retry | None = None
    compensate: Block | None = None
    on_fail: Outcome | None = None
    on_timeout: Outcome | None = None
    description: str = ""
    at: int = -1


class Group(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Steps (or groups) that run side by side."""

    steps: tuple[Step | Group, ...]
    at: int = -1


class Trigger(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What starts a workflow; ``event`` is a wire name, ``where`` a condition over ``trigger``."""

    kind: Literal["event", "schedule", "manual"] = "manual"
    event: str | None = None
    where: Expression | None = None
    schedule: Schedule | None = None


class Schedule(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """When something runs: a cron expression, an interval in milliseconds, or an instant (RFC 3339)."""

    kind: Literal["cron", "every", "at"]
    cron: str = ""
    every: int = 0
    at_time: str = ""
    timezone: str = "UTC"


class Workflow(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A workflow; ``input`` are the fields of a manual start, ``trigger_type`` what ``trigger`` and ``input`` hold."""

    name: str
    trigger: Trigger
    input: tuple[InputField, ...] = ()
    trigger_type: Type = Json()
    key: Expression | None = None
    timeout: int | None = None
    retry: Retry = Retry()
    concurrency: int | None = None
    on_duplicate: Literal["return", "reject", "queue"] = "return"
    once: bool = False
    steps: tuple[Step | Group, ...] = ()
    on_complete: Block = ()
    on_fail: Block = ()
    description: str = ""
    at: int = -1


class Job(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A job; without a schedule it is started by ``run``."""

    name: str
    schedule: Schedule | None = None
    input: tuple[InputField, ...] = ()
    input_type: Type = Json()
    queue: str = "default"
    priority: int = 5
    timeout: int | None = None
    retry: Retry = Retry()
    overlap: Literal["skip", "queue", "allow"] = "skip"
    catch_up: Literal["none", "latest", "all"] = "latest"
    key: Expression | None = None
    concurrency: int | None = None
    steps: tuple[Step | Group, ...] = ()
    on_complete: Block = ()
    on_fail: Block = ()
    description: str = ""
    at: int = -1
