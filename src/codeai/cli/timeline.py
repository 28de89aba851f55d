"""An execution while it runs, as a timeline that is drawn again and again; outside of terminals a line per change."""

from __future__ import annotations

import datetime
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from codeai.cli.remote import Remote
from codeai.cli.steps import all_steps, few_steps
from codeai.cli.tables import cell, console, print_json

FINISHED: Final = ("completed", "failed", "cancelled", "compensated")
_MARKS: Final = {
    **dict.fromkeys(("done", "completed"), ("✔", "green")),
    **dict.fromkeys(("failed",), ("✘", "red")),
    **dict.fromkeys(("running",), ("▶", "cyan")),
    **dict.fromkeys(("waiting", "retrying"), ("◷", "cyan")),
    **dict.fromkeys(("skipped", "continued"), ("↷", "yellow")),
}
_BAR: Final = 32


def follow(server: Remote, id_: str, every: float) -> int:
    """Shows an execution until it has ended.

    :param every: seconds between two looks
    :returns: the exit code: 0 when it has completed, else 1
    """
    screen = console()
    if server.as_json:
        execution, _ = _until_ended(server, id_, every)
        print_json({**execution, "steps": all_steps(server, execution["id"])})
    elif screen.is_terminal:
        with Live(console=screen, auto_refresh=False) as live:
            execution, _ = _until_ended(server, id_, every, lambda *state: live.update(drawn(*state), refresh=True))
    else:
        seen: set[str] = set()
        execution, _ = _until_ended(server, id_, every, lambda *state: _print_news(screen.print, seen, *state))
    return 0 if execution["status"] == "completed" else 1


def _until_ended(server: Remote, id_: str, every: float, show: Any = lambda *state: None) -> tuple[Any, Any]:
    while True:
        execution = server.get(f"/executions/{quote(id_, safe='')}")
        steps = few_steps(server, execution["id"])
        show(execution, steps)
        if execution["status"] in FINISHED:
            return execution, steps
        time.sleep(every)


def _print_news(show: Any, seen: set[str], execution: Mapping[str, Any], steps: Sequence[Mapping[str, Any]]) -> None:
    """A line for each state that was not seen before."""
    for step in steps:
        undone = step["compensation"]["status"]
        for line in (f"{step['name']}: {step['status']}", f"{step['name']}: compensation {undone}" if undone != "none" else ""):
            if line and line not in seen:
                seen.add(line)
                items = cell("items", step["items"]) if step.get("items") else ""
                show(Text(f"{line} ({items})" if items else line))
    trouble = execution.get("trouble")
    for line in (f"{execution['workflow_id']}: {execution['status']}", f"trouble: {trouble['cause']}" if trouble else ""):
        if line and line not in seen:
            seen.add(line)
            show(Text(line))


def drawn(execution: Mapping[str, Any], steps: Sequence[Mapping[str, Any]]) -> RenderableType:
    """The timeline: a row per step with a bar where it lies between the beginning and now."""
    now = _instant(execution["finished_at"]) or datetime.datetime.now(datetime.UTC)
    begun = [found for found in (_instant(step["started_at"]) for step in steps) if found is not None]
    start = min([*begun, _instant(execution["created_at"]) or now])
    head = Text.assemble((f"{execution['workflow_id']} ", "bold"), (execution["id"], "dim"), "  ", cell("status", execution["status"]))
    head.append(f"  {_seconds(now - start)}", style="dim")
    table = Table(box=None, show_header=False, pad_edge=False)
    for step in steps:
        mark, colour = _MARKS.get(step["status"], ("·", ""))
        table.add_row(Text(mark, style=colour), Text(step["name"]), *_progress(step, start, now, colour), _remark(step))
    trouble = execution.get("trouble")
    wrong = [Text(f"work on it fails: {trouble['cause']}", style="red")] if trouble else []
    return Group(head, table, *wrong, *([cell("error", execution["error"])] if execution["error"] else []))


def _progress(step: Mapping[str, Any], start: datetime.datetime, now: datetime.datetime, colour: str) -> tuple[Text, Text]:
    begun, ended = _instant(step["started_at"]), _instant(step["finished_at"]) or now
    if begun is None:
        return Text(" " * _BAR), Text("")
    whole = max((now - start).total_seconds(), 0.001)
    first = min(int((begun - start).total_seconds() / whole * _BAR), _BAR - 1)
    last = max(min(round((ended - start).total_seconds() / whole * _BAR), _BAR), first + 1)
    bar = Text(" " * first + "━" * (last - first) + " " * (_BAR - last), style=colour)
    return bar, Text(_seconds(ended - begun), style="dim")


def _remark(step: Mapping[str, Any]) -> Text:
    undone = step["compensation"]["status"]
    found = Text(f"↩ {undone} " if undone not in ("none", "copied") else "", style="yellow")
    if step.get("items"):
        found.append(f"{cell('items', step['items'])} ")
    if step["attempts"] > 1:
        found.append(f"attempt {step['attempts']} ", style="dim")
    due = _instant(step.get("due_at"))
    if due is not None:
        found.append(f"until {due:%Y-%m-%d %H:%M:%SZ} ", style="dim")
    if step["error"]:
        found.append(str(step["error"].get("message", "")), style="red")
    return found


def _seconds(length: datetime.timedelta) -> str:
    seconds = max(length.total_seconds(), 0)
    if seconds < 60:
        return f"{seconds:.1f}s"
    minutes, seconds = divmod(int(seconds), 60)
    return f"{minutes}m{seconds:02d}s" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02d}m"


def _instant(text: str | None) -> datetime.datetime | None:
    return datetime.datetime.fromisoformat(text) if text else None
