"""``codeai schedules``."""

from __future__ import annotations

from typing import Final

import click

from codeai.cli.actions import add_actions
from codeai.cli.groups import Commands
from codeai.cli.remote import Remote, remote
from codeai.cli.tables import print_list, print_one, table_of

COLUMNS: Final = ("name", "kind", "status", "schedule", "timezone", "next_run", "last_run", "last_status", "missed", "skipped")


@click.group("schedules", cls=Commands, help="Look at schedules, and act on them.")
def command() -> None:
    """Look at schedules."""


@command.command("list", help="List the schedules of jobs and workflows.")
@click.option("--status", type=click.Choice(["active", "paused", "removed"]), default=None, help="In one state.")
@remote
def list_(server: Remote, status: str | None) -> None:
    """Lists."""
    print_list(server, server.get("/admin/schedules", status=status), COLUMNS)


@command.command("show", help="Show a schedule with its last ticks.")
@click.argument("name")
@remote
def show(server: Remote, name: str) -> None:
    """Shows one."""
    found = server.get(f"/admin/schedules/{name}")
    if server.as_json:
        print_one(server, found)
    else:
        print_one(server, {key: value for key, value in found.items() if key != "ticks"}, table_of(found["ticks"], _TICKS))


_TICKS: Final = ("at", "outcome", "execution_id", "status", "error")


add_actions(
    command,
    "/admin/schedules/{item}/{action}",
    "NAME",
    {
        "pause": "Let a schedule rest.",
        "resume": "Go on with the first tick from now.",
        "trigger": "Start a run now, beside the schedule.",
    },
)


@command.command("backfill", help="Start the runs of ticks that did not run, after SINCE and up to UNTIL.")
@click.argument("name")
@click.option("--since", required=True, help="An instant, as in 2027-01-01T00:00:00Z.")
@click.option("--until", default=None, help="An instant; now by default.")
@remote
def backfill(server: Remote, name: str, since: str, until: str | None) -> None:
    """Fills a time."""
    body = {"since": since, **({"until": until} if until is not None else {})}
    print_one(server, server.send("POST", f"/admin/schedules/{name}/backfill", body))
