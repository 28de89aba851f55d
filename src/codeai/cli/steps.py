"""The steps of an execution, asked of a server: all of them for programs, so many as a screen bears for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.text import Text

from codeai.cli.remote import Remote
from codeai.cli.tables import table_of

_PAGE: Final = 1_000
_MANY: Final = 200  # records: items of more are counted
_BAD: Final = 20  # items that failed and are shown in spite of that
_COLUMNS: Final = ("name", "status", "input", "items", "attempts", "started_at", "finished_at", "due_at", "compensation", "error")
_SELDOM: Final = ("input", "items", "due_at", "compensation")
Step = Mapping[str, Any]


def all_steps(server: Remote, id_: str) -> list[Step]:
    """Every record."""
    found, page = list[Step](), 1
    while True:
        answer = server.get(f"/executions/{id_}/steps", limit=_PAGE, page=page)
        found += answer["data"]
        if not answer["pagination"]["has_next"]:
            return found
        page += 1


def few_steps(server: Remote, id_: str) -> list[Step]:
    """The records where they are few; else those of steps, with how many items are in which state, and some items that failed."""
    answer = server.get(f"/executions/{id_}/steps", limit=_MANY)
    if not answer["pagination"]["has_next"]:
        return list(answer["data"])
    steps = server.get(f"/executions/{id_}/steps", limit=_PAGE, items="false")["data"]
    failed = server.get(f"/executions/{id_}/steps", limit=_BAD, status="failed")["data"]
    known = {step["name"] for step in steps}
    return [*steps, *(step for step in failed if step["name"] not in known)]


def shown_steps(steps: Sequence[Step]) -> RenderableType:
    """A table of steps, without columns that say nothing; below it, why some could not be undone."""
    undone = [step["compensation"] for step in steps]
    rows = [{**step, "compensation": None if one["status"] == "none" else one["status"]} for step, one in zip(steps, undone, strict=True)]
    columns = tuple(name for name in _COLUMNS if name not in _SELDOM or any(row.get(name) for row in rows))
    failed = [(step["name"], one["error"]) for step, one in zip(steps, undone, strict=True) if one["error"]]
    notes = [Text(f"{name} is not undone: {error.get('message', '')}", style="red") for name, error in failed]
    return Group(table_of(rows, columns), *notes)
