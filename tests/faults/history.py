"""What a database has recorded of durable work, and what must hold of it whatever was killed: the checker of the kill matrices.

It knows nothing of the product but the columns of its tables, and is itself tested on forged histories.
"""

import datetime
import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

SETTLED = frozenset({"done", "skipped", "failed", "continued"})


@dataclass(frozen=True)
class Change:
    """A row of a step or of a delivery as it was written, in the order of writing.

    ``fence`` is that of whoever had the claim at this moment, ``process`` who wrote.
    """

    kind: str  # step, delivery
    subject: str  # the execution or the delivery
    name: str
    status: str
    fence: int | None
    process: str | None = None
    seq: int = 0
    output: str | None = None
    compensation: str = "none"
    attempt: int = 0  # of the compensation


@dataclass(frozen=True)
class Execution:
    id: str
    workflow: str
    status: str
    origin: str | None = None  # the event or tick that started it
    tick: str | None = None


@dataclass(frozen=True)
class Event:
    id: str
    name: str
    relayed: bool = True


@dataclass(frozen=True)
class Delivery:
    id: str
    event: str
    kind: str
    target: str
    status: str


@dataclass(frozen=True)
class Mail:
    execution: str
    event: str
    taken_by: str | None  # the step


@dataclass
class History:
    """All that was found.

    :ivar targets: to whom an event of a name must be delivered, as (kind, target)
    :ivar period: of the schedule whose ticks are looked at
    """

    changes: list[Change] = field(default_factory=list)
    executions: list[Execution] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    mailbox: list[Mail] = field(default_factory=list)
    activations: list[str] = field(default_factory=list)
    targets: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    period: datetime.timedelta = datetime.timedelta(seconds=10)

    def steps(self) -> dict[tuple[str, str], list[Change]]:
        """What was written of each step."""
        found = defaultdict[tuple[str, str], list[Change]](list)
        for change in self.changes:
            if change.kind == "step":
                found[change.subject, change.name].append(change)
        return found


def violations(history: History) -> list[str]:
    """What is not as it must be, in words."""
    return [
        *_each_step_once(history),
        *_each_compensation_once(history),
        *_compensations_in_reverse(history),
        *_one_writer(history),
        *_no_event_lost(history),
        *_each_delivery_once(history),
        *_none_twice_into_a_workflow(history),
        *_each_tick_once(history),
        *_nothing_left(history),
    ]


def _each_step_once(history: History) -> Iterator[str]:
    """A step that has ended stays as it was recorded; only its compensation is written behind that. No two end at one place."""
    places = Counter[tuple[str, int]]()
    for (execution, name), changes in history.steps().items():
        ended = list(itertools.dropwhile(lambda change: change.status not in SETTLED, changes))
        if ended:
            places[execution, ended[0].seq] += 1
        for before, after in itertools.pairwise(ended):
            if (after.status, after.seq, after.output) != (before.status, before.seq, before.output):
                yield f"step '{name}' of {execution} was recorded as {before.status}, then as {after.status}"
            elif (after.compensation, after.attempt) == (before.compensation, before.attempt):
                yield f"step '{name}' of {execution} was recorded twice"
    yield from (f"{count} steps of {execution} ended at place {seq}" for (execution, seq), count in places.items() if count > 1)


def _each_compensation_once(history: History) -> Iterator[str]:
    for (execution, name), changes in history.steps().items():
        stages = [stage for stage, _ in itertools.groupby(change.compensation for change in changes)]
        if stages.count("done") > 1:
            yield f"step '{name}' of {execution} was compensated twice"
        if "done" in stages[:-1]:
            yield f"step '{name}' of {execution} was compensated, and then no more"
        if "done" in stages and "done" not in [change.status for change in changes]:
            yield f"step '{name}' of {execution} was compensated without having been done"


def _compensations_in_reverse(history: History) -> Iterator[str]:
    done: dict[str, dict[str, int]] = defaultdict(dict)
    for change in history.changes:
        if change.kind == "step" and change.compensation == "done":
            done[change.subject].setdefault(change.name, change.seq)
    for execution, steps in done.items():
        if sorted(steps.values(), reverse=True) != list(steps.values()):
            yield f"{execution} was compensated in the order {', '.join(steps)}"


def _one_writer(history: History) -> Iterator[str]:
    """Who writes has the claim, claims only follow one another, and each is one process's."""
    fences: dict[str, int] = {}
    holders: dict[tuple[str, int], str | None] = {}
    for change in history.changes:
        if change.fence is None:
            yield f"'{change.name}' of {change.subject} was written by '{change.process}', and nobody had the claim"
            continue
        if change.fence < fences.get(change.subject, 0):
            yield f"'{change.name}' of {change.subject} was written under the claim {change.fence} after a later one"
        fences[change.subject] = change.fence
        holder = holders.setdefault((change.subject, change.fence), change.process)
        if holder != change.process:
            yield f"'{change.name}' of {change.subject} was written by '{change.process}' while '{holder}' had the claim {change.fence}"


def _no_event_lost(history: History) -> Iterator[str]:
    told = defaultdict[str, Counter[tuple[str, str]]](Counter)
    for delivery in history.deliveries:
        told[delivery.event][delivery.kind, delivery.target] += 1
        if delivery.status != "delivered":
            yield f"the delivery of {delivery.event} to {delivery.kind} '{delivery.target}' is {delivery.status}"
    for event in history.events:
        wanted = history.targets.get(event.name, set())
        yield from (f"event {event.id} was never for {kind} '{target}'" for kind, target in wanted - set(told[event.id]))
        yield from (f"event {event.id} was twice for {kind} '{target}'" for (kind, target), count in told[event.id].items() if count > 1)
        if not event.relayed:
            yield f"event {event.id} waits to be relayed"
    known = {event.id for event in history.events}
    yield from (f"event {event} is told of, and does not exist" for event in told if event not in known)


def _each_delivery_once(history: History) -> Iterator[str]:
    counts = Counter(change.subject for change in history.changes if (change.kind, change.status) == ("delivery", "delivered"))
    yield from (f"delivery {subject} was settled {count} times" for subject, count in counts.items() if count > 1)


def _none_twice_into_a_workflow(history: History) -> Iterator[str]:
    yield from _doubled("{1} started '{0}' {count} times", ((one.workflow, one.origin) for one in history.executions if one.origin))
    yield from _doubled("{1} came {count} times into the mailbox of {0}", ((mail.execution, mail.event) for mail in history.mailbox))
    taken = ((mail.execution, mail.taken_by) for mail in history.mailbox if mail.taken_by is not None)
    yield from _doubled("step '{1}' of {0} took {count} events", taken)
    known = {str(one.origin).rpartition(":")[2] for one in history.executions}
    for delivery in history.deliveries:
        if delivery.kind == "workflow" and delivery.status == "delivered" and delivery.event not in known:
            yield f"event {delivery.event} has started no '{delivery.target}'"


def _doubled(text: str, found: Iterable[tuple[object, object]]) -> Iterator[str]:
    yield from (text.format(*pair, count=count) for pair, count in Counter(found).items() if count > 1)


def _each_tick_once(history: History) -> Iterator[str]:
    ticks = defaultdict[str, list[datetime.datetime]](list)
    for execution in history.executions:
        if execution.tick is not None:
            ticks[execution.workflow].append(datetime.datetime.fromisoformat(execution.tick))
    for job, found in ticks.items():
        for before, after in itertools.pairwise(sorted(found)):
            if after == before:
                yield f"'{job}' ran twice for {after}"
            elif after - before != history.period:
                yield f"'{job}' did not run between {before} and {after}"


def _nothing_left(history: History) -> Iterator[str]:
    yield from (f"activation {activation} is left" for activation in history.activations)
    for execution in history.executions:
        if execution.status not in ("completed", "compensated"):
            yield f"{execution.workflow} {execution.id} is {execution.status}"
