"""The picture of an execution in a terminal."""

import io
from typing import Any

from rich.console import Console

from codeai.cli.timeline import drawn

EXECUTION: dict[str, Any] = {
    "id": "01a216e5-c4bc-72a2-b891-f3941d34dc36",
    "workflow_id": "Order",
    "status": "running",
    "created_at": "2026-11-26T08:00:00Z",
    "finished_at": None,
    "error": None,
}
UNTOUCHED = {"status": "none", "attempts": 0, "error": None, "finished_at": None}
DONE: dict[str, Any] = {
    "name": "reserve",
    "status": "done",
    "attempts": 1,
    "started_at": "2026-11-26T08:00:00Z",
    "finished_at": "2026-11-26T08:00:30Z",
    "error": None,
    "compensation": UNTOUCHED,
}


def lines(execution: dict[str, Any], *steps: dict[str, Any]) -> list[str]:
    console = Console(width=160, file=io.StringIO())
    with console.capture() as captured:
        console.print(drawn(execution, steps))
    return [line.rstrip() for line in captured.get().splitlines()]


def test_each_step_has_a_bar_where_it_lies_in_time() -> None:
    late = {**DONE, "name": "charge", "started_at": "2026-11-26T08:00:30Z", "finished_at": "2026-11-26T08:01:00Z", "attempts": 2}
    head, first, second = lines({**EXECUTION, "status": "completed", "finished_at": "2026-11-26T08:01:00Z"}, DONE, late)
    assert head.startswith("Order 01a216e5") and head.endswith("completed  1m00s")
    assert first.count("━") == second.count("━") == 16
    assert first.index("━") + 16 == second.index("━")
    assert first.startswith("✔  reserve") and second.endswith("30.0s  attempt 2")


def test_what_failed_and_what_was_undone_says_so() -> None:
    failed = {**DONE, "name": "charge", "status": "failed", "error": {"message": "no money"}}
    undone = {**DONE, "compensation": {**UNTOUCHED, "status": "done"}}
    error = {"step": "charge", "message": "no money"}
    ended = {**EXECUTION, "status": "compensated", "finished_at": "2026-11-26T08:01:00Z", "error": error}
    _, first, second, last = lines(ended, undone, failed)
    assert first.endswith("↩ done")
    assert second.startswith("✘  charge") and second.endswith("no money")
    assert last == "charge: no money"


def test_work_that_fails_for_no_fault_of_a_step_says_why() -> None:
    trouble = {"attempts": 3, "refusals": 0, "cause": "not recorded: [red]no room[/red]", "next_at": None}
    assert lines({**EXECUTION, "trouble": trouble}, DONE)[-1] == "work on it fails: not recorded: [red]no room[/red]"


def test_what_waits_says_until_when_and_many_items_are_counted() -> None:
    retrying = {**DONE, "status": "retrying", "finished_at": None, "due_at": "2026-11-26T09:00:00Z", "error": {"message": "away"}}
    repeated = {**DONE, "name": "each", "items": {"done": 730, "running": 10}, "due_at": None}
    _, first, second = lines(EXECUTION, retrying, repeated)
    assert first.endswith("until 2026-11-26 09:00:00Z away")
    assert second.endswith("730 done, 10 running")
