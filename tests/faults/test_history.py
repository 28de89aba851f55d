"""The checker of the kill matrices finds each kind of wrong in histories that were forged, and nothing in a good one."""

import dataclasses
from collections.abc import Callable

import pytest
from history import Change, Delivery, Event, Execution, History, Mail, violations


def change(name: str, status: str, seq: int = 0, fence: int = 1, process: str = "p", **more: object) -> Change:
    return Change("step", "x", name, status, fence, process, seq, **more)  # type: ignore[arg-type]  # fields of it


def good() -> History:
    """An execution that two processes have worked on, one after the other, and that was undone; what has started it; and three ticks."""
    return History(
        changes=[
            change("a", "running"),
            change("a", "done", 1, output="7"),
            change("b", "done", 2),
            change("c", "running"),
            change("c", "failed", 3, fence=2, process="q"),
            change("b", "done", 2, fence=2, process="q", compensation="running"),
            change("b", "done", 2, fence=2, process="q", compensation="running", attempt=1),
            change("b", "done", 2, fence=2, process="q", compensation="done", attempt=1),
            change("a", "done", 1, fence=2, process="q", output="7", compensation="done"),
            Change("delivery", "d", "flow", "delivered", 1, "p"),
        ],
        executions=[
            Execution("x", "flow", "compensated", origin="event:e"),
            *(Execution(f"t{at}", "tick", "completed", f"tick:{at}", f"2026-11-26T04:00:{at}+00:00") for at in (10, 20, 30)),
        ],
        events=[Event("e", "placed"), Event("f", "paid")],
        deliveries=[Delivery("d", "e", "workflow", "flow", "delivered")],
        mailbox=[Mail("x", "f", "c"), Mail("x", "g", None)],
        targets={"placed": {("workflow", "flow")}},
    )


def test_a_good_history_has_no_violation() -> None:
    assert violations(good()) == []


def written(*more: Change) -> Callable[[History], None]:
    return lambda history: history.changes.extend(more)


def step(at: int, **fields: object) -> Callable[[History], None]:
    def forge(history: History) -> None:
        history.changes[at] = dataclasses.replace(history.changes[at], **fields)  # type: ignore[arg-type]  # fields of it

    return forge


def swapped(first: int, second: int) -> Callable[[History], None]:
    def forge(history: History) -> None:
        changes = history.changes
        changes[first], changes[second] = changes[second], changes[first]

    return forge


def also(name: str, value: object) -> Callable[[History], None]:
    return lambda history: getattr(history, name).append(value)


def instead(name: str, value: object, at: int = 0) -> Callable[[History], None]:
    return lambda history: getattr(history, name).__setitem__(at, value)


UNDONE = change("a", "done", 1, fence=2, process="q", output="7", compensation="done")
FORGED: dict[str, tuple[Callable[[History], None], str]] = {
    "a step runs again and ends otherwise": (
        written(dataclasses.replace(UNDONE, output="8")),
        "step 'a' of x was recorded as done, then as done",
    ),
    "a step that has ended begins again": (
        written(dataclasses.replace(UNDONE, status="running")),
        "step 'a' of x was recorded as done, then as running",
    ),
    "a step is recorded twice": (written(UNDONE), "step 'a' of x was recorded twice"),
    "two steps end at one place": (step(2, seq=1), "2 steps of x ended at place 1"),
    "a step is compensated twice": (
        written(
            dataclasses.replace(UNDONE, compensation="running", attempt=1),
            dataclasses.replace(UNDONE, attempt=1),
        ),
        "step 'a' of x was compensated twice",
    ),
    "a compensation is taken back": (
        written(dataclasses.replace(UNDONE, compensation="none", attempt=1)),
        "step 'a' of x was compensated, and then no more",
    ),
    "a step is compensated that never was done": (
        written(change("z", "failed", 9, fence=2, process="q", compensation="done")),
        "step 'z' of x was compensated without having been done",
    ),
    "compensations go forward": (swapped(5, 8), "x was compensated in the order a, b"),
    "somebody writes without a claim": (step(4, fence=None), "'c' of x was written by 'q', and nobody had the claim"),
    "somebody who has lost the claim writes on": (
        written(change("d", "done", 4, fence=2, process="p")),
        "'d' of x was written by 'p' while 'q' had the claim 2",
    ),
    "an older claim writes behind a newer one": (
        written(change("d", "done", 4, fence=1)),
        "'d' of x was written under the claim 1 after a later one",
    ),
    "an event reaches nobody": (also("events", Event("h", "placed")), "event h was never for workflow 'flow'"),
    "an event is delivered twice": (
        also("deliveries", Delivery("d2", "e", "workflow", "flow", "delivered")),
        "event e was twice for workflow 'flow'",
    ),
    "an event stays in the outbox": (instead("events", Event("f", "paid", relayed=False), 1), "event f waits to be relayed"),
    "a delivery does not end": (
        instead("deliveries", Delivery("d", "e", "workflow", "flow", "pending")),
        "the delivery of e to workflow 'flow' is pending",
    ),
    "a delivery belongs to nothing": (
        also("deliveries", Delivery("d2", "lost", "handler", "placed#1", "delivered")),
        "event lost is told of, and does not exist",
    ),
    "a delivery is settled twice": (written(Change("delivery", "d", "flow", "delivered", 1, "p")), "delivery d was settled 2 times"),
    "an event starts a workflow twice": (
        also("executions", Execution("y", "flow", "completed", origin="event:e")),
        "event:e started 'flow' 2 times",
    ),
    "an event starts no workflow": (
        instead("executions", Execution("x", "flow", "compensated", origin="event:other")),
        "event e has started no 'flow'",
    ),
    "an event comes twice into a mailbox": (also("mailbox", Mail("x", "f", None)), "f came 2 times into the mailbox of x"),
    "a wait takes two events": (also("mailbox", Mail("x", "h", "c")), "step 'c' of x took 2 events"),
    "a tick runs twice": (
        also("executions", Execution("t", "tick", "completed", "tick:again", "2026-11-26T04:00:20+00:00")),
        "'tick' ran twice for 2026-11-26 04:00:20+00:00",
    ),
    "a tick is lost": (
        also("executions", Execution("t", "tick", "completed", "tick:50", "2026-11-26T04:00:50+00:00")),
        "'tick' did not run between 2026-11-26 04:00:30+00:00 and 2026-11-26 04:00:50+00:00",
    ),
    "work is left": (also("activations", "execution x"), "activation execution x is left"),
    "an execution does not end": (instead("executions", Execution("t1", "tick", "running", "tick:10"), 1), "tick t1 is running"),
}


@pytest.mark.parametrize("case", FORGED)
def test_what_is_wrong_is_found(case: str) -> None:
    forge, said = FORGED[case]
    history = good()
    forge(history)
    assert said in violations(history)
