"""Tables and sheets of what the control API answers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from codeai.cli.remote import Remote

_COLOURS: Final = {
    **dict.fromkeys(("completed", "done", "active", "delivered", "closed", "started"), "green"),
    **dict.fromkeys(("failed", "dead", "open", "removed"), "red"),
    **dict.fromkeys(("running", "waiting", "compensating", "cancelling", "retrying", "half-open"), "cyan"),
    **dict.fromkeys(("paused", "pending", "scheduled", "skipped"), "yellow"),
}
_STATES: Final = ("status", "state", "compensation", "last_status")
_COUNTS: Final = ("executions", "deliveries", "items")
Columns = Sequence[str]


def console() -> Console:
    """Where tables go: as wide as the terminal, or as wide as they need in a file."""
    found = Console(highlight=False)
    return found if found.is_terminal else Console(highlight=False, width=240)


def print_list(remote: Remote, document: Mapping[str, Any], columns: Columns) -> None:
    """Prints a page: the columns that are asked for, or all of it as JSON."""
    if remote.as_json:
        print_json(document)
        return
    rows = document["data"]
    console().print(table_of(rows, columns) if rows else Text("nothing", style="dim"))
    if document.get("hint"):
        Console(stderr=True, highlight=False, soft_wrap=True).print(Text(str(document["hint"])))
    pagination = document["pagination"]
    if pagination.get("next_cursor"):
        console().print(f"more with --cursor {pagination['next_cursor']}", style="dim", soft_wrap=True)


def print_one(remote: Remote, row: Mapping[str, Any], *more: Any) -> None:
    """Prints one thing: a member a line, then whatever else there is; or the thing alone as JSON."""
    if remote.as_json:
        print_json(row)
        return
    sheet = Table(box=None, show_header=False, pad_edge=False)
    sheet.add_column(style="bold")
    sheet.add_column(overflow="fold")
    for name, value in row.items():
        if value is not None:
            sheet.add_row(name.replace("_", " "), cell(name, value))
    console().print(sheet)
    for part in more:
        console().print(part)


def print_json(value: Any) -> None:
    """Prints JSON that programs read."""
    print(json.dumps(value, indent=2, ensure_ascii=False))  # noqa: T201  # the result of the command


def table_of(rows: Sequence[Mapping[str, Any]], columns: Columns) -> Table:
    """Rows as a table."""
    found = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        found.add_column(name.replace("_", " "), overflow="fold", no_wrap=name in ("id", "status"))
    for row in rows:
        found.add_row(*(cell(name, row.get(name)) for name in columns))
    return found


def cell(name: str, value: Any) -> Text:
    """A value for people. What comes from a server is text, never markup."""
    if value is None:
        return Text("")
    if name in _STATES and isinstance(value, str):
        return Text(value, style=_COLOURS.get(value, ""))
    if isinstance(value, Mapping) and name == "error":
        step = f"{value['step']}: " if value.get("step") else ""
        return Text(f"{step}{value.get('message', '')}", style="red")
    if name in _COUNTS and isinstance(value, Mapping):
        return Text(", ".join(f"{number} {status}" for status, number in value.items()))
    if name.endswith(("_at", "_run", "_for")) or name in ("at", "time", "next_attempt"):
        return Text(str(value).replace("T", " ").partition(".")[0].removesuffix("Z") + "Z")
    if isinstance(value, Mapping | list):
        return Text(json.dumps(value, ensure_ascii=False))
    return Text(str(value))
