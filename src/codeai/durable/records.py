"""An execution and what is recorded of its steps, as they are kept in memory while it is worked on."""

from __future__ import annotations

import datetime
from typing import Any, Final, Literal

import msgspec

from codeai.durable.settled import Settled

Status = Literal["pending", "running", "waiting", "completed", "failed", "cancelling", "cancelled", "compensating", "compensated"]
StepStatus = Literal["running", "retrying", "waiting", "done", "skipped", "failed", "continued"]
FINISHED: Final = frozenset({"completed", "failed", "cancelled", "compensated"})
SETTLED_STEPS: Final = frozenset({"done", "skipped", "continued"})


class Execution(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``executions``, with the status of its definition. A ``fresh`` one has no records yet, a ``queued`` one no key."""

    id: str
    workflow_id: str
    kind: str
    version: str
    status: str
    compensation: str
    key: str | None
    input: Any
    output: Any
    error: dict[str, Any] | None
    attempt: int
    queue: str
    priority: int
    actor: str | None
    deadline_ms: int | None
    created_at: datetime.datetime
    started_at: datetime.datetime | None
    finished_at: datetime.datetime | None = None
    definition: str | None = None
    fresh: bool = False
    queued: bool = False


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """Why nobody gets on with an execution: how many attempts have failed in a row, how often the database has refused besides."""

    attempts: int
    refusals: int
    cause: str
    next_at: datetime.datetime | None


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a step (or of one item of it, ``name[i]``); ``settled`` are the items that had ended when its run paused."""

    name: str
    status: StepStatus = "running"
    seq: int = 0
    position: int = 0
    attempt: int = 0
    inputs: Any = None
    output: Any = None
    error: dict[str, Any] | None = None
    due_ms: int | None = None
    started_at: datetime.datetime | None = None
    finished_at: datetime.datetime | None = None
    compensation: str = "none"
    compensation_attempt: int = 0
    compensation_error: dict[str, Any] | None = None
    compensated_at: datetime.datetime | None = None
    settled: Settled | None = None


def item_of(name: str) -> str | None:
    """The step to which an item belongs, by the name of its record (``name[i]``); None for a step itself."""
    return name.partition("[")[0] if name.endswith("]") else None


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """How an execution changes; what is None stays, except that ``output`` and ``error`` are written whenever it ends."""

    status: str
    compensation: str | None = None
    output: Any = None
    error: dict[str, Any] | None = None
    started_at: datetime.datetime | None = None
    finished_at: datetime.datetime | None = None
    deadline_ms: int | None = None
    frees_key: bool = False
