"""What a fork takes over: the records before a step, if what they did is still there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from codeai.durable.plans import GroupPlan, StepPlan
from codeai.durable.records import Execution, Record
from codeai.durable.refusals import WrongState


def before(nodes: Sequence[StepPlan | GroupPlan], step: str) -> frozenset[str] | None:
    """The names of the steps before one; of a group the whole group is run again. None when there is no such step."""
    found: set[str] = set()
    for node in nodes:
        own = set(names((node,)))
        if step in own:
            return frozenset(found)
        found |= own
    return None


def nothing_undone(nodes: Sequence[StepPlan | GroupPlan], taken: frozenset[str], execution: Execution, records: Iterable[Record]) -> None:
    """What a fork takes over must still be there."""
    gone = {record.name.partition("[")[0] for record in records if record.compensation in ("done", "running", "failed")} & taken
    if gone:
        first = next(name for name in names(nodes) if name in gone)
        hint = f"step '{first}' was undone; fork from it, or from a step before it"
        raise WrongState("fork", execution.status, hint)
    if execution.status == "compensating" and taken:
        raise WrongState("fork", execution.status, "it is being undone; fork it when that has ended")


def names(nodes: Iterable[StepPlan | GroupPlan]) -> Iterable[str]:
    """The names of the steps, also of those in groups."""
    for node in nodes:
        if isinstance(node, GroupPlan):
            yield from names(node.nodes)
        else:
            yield node.name


def copied(record: Record) -> Record:
    """A record as a fork has it: it undoes nothing of it."""
    return msgspec.structs.replace(record, compensation="copied", compensation_attempt=0, compensation_error=None, compensated_at=None)
