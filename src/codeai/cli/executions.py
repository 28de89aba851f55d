"""``codeai executions``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import click

from codeai.cli.groups import Commands
from codeai.cli.many import One, one_or_many
from codeai.cli.remote import Remote, json_object, remote
from codeai.cli.tables import print_list, print_one

COLUMNS: Final = ("id", "workflow_id", "status", "attempt", "key", "created_at", "finished_at", "error")
WHICH: Final = (
    click.Option(["--workflow", "workflow_id"], help="All of one workflow or job."),
    click.Option(["--since"], help="All that were created at or after an instant."),
    click.Option(["--until"], help="All that were created before an instant."),
)


@click.group("executions", cls=Commands, help="Look at executions of workflows and jobs, and act on them.")
def command() -> None:
    """Look at executions."""


@command.command("list", help="List executions, newest first.")
@click.option("--workflow", "workflow_id", default=None, help="Of one workflow or job.")
@click.option("--status", default=None, help="In one state, as in failed.")
@click.option("--kind", type=click.Choice(["workflow", "job"]), default=None, help="Of workflows, or of jobs.")
@click.option("--key", default=None, help="With one key.")
@click.option("--since", default=None, help="Created at or after an instant, as in 2027-01-01T00:00:00Z.")
@click.option("--until", default=None, help="Created before an instant.")
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True, help="At most so many.")
@click.option("--cursor", default="", help="The page behind a cursor.")
@remote
def list_(server: Remote, **filters: Any) -> None:
    """Lists."""
    print_list(server, server.get("/executions", **filters), COLUMNS)


@command.command("show", help="Show an execution with its steps.")
@click.argument("id")
@remote
def show(server: Remote, id: str) -> None:
    """Shows one."""
    from codeai.cli.steps import all_steps, few_steps, shown_steps

    execution = server.get(f"/executions/{quote(id, safe='')}")
    if server.as_json:
        print_one(server, {**execution, "steps": all_steps(server, execution["id"])})
    else:
        print_one(server, execution, shown_steps(few_steps(server, execution["id"])))


def _one(action: str) -> One:
    def act(server: Remote, item: str, options: Mapping[str, Any]) -> None:
        if options:
            raise click.UsageError("an ID says which; --waiting is for all of a workflow or time")
        print_one(server, server.send("POST", f"/executions/{quote(item, safe='')}/{action}"))

    return act


for _name, _text in {
    "retry": "Go on with a failed execution, or with all of a workflow or time: what failed runs again, what waits for a try is tried now.",
    "compensate": "Undo what an execution has done, in reverse order; or all that have failed of a workflow or time.",
    "cancel": "End an execution, or all of a workflow or time; calls under way are cut short.",
}.items():
    command.add_command(one_or_many(_name, _text, f"/executions/{_name}", WHICH, _one(_name)))
command.commands["retry"].params.append(
    click.Option(["--waiting"], is_flag=True, default=None, help="Of all, those that have not failed yet and wait for their next try.")
)


@command.command("signal", help="Give an execution an event that it waits for.")
@click.argument("id")
@click.argument("event")
@click.option("--payload", default="{}", help="Its payload, a JSON object or @file.")
@remote
def signal(server: Remote, id: str, event: str, payload: str) -> None:
    """Signals one."""
    body = {"event": event, "payload": json_object(payload, "--payload")}
    print_one(server, server.send("POST", f"/executions/{quote(id, safe='')}/signal", body))


@command.command("fork", help="Start a new execution that takes over what came before a step.")
@click.argument("id")
@click.option("--step", required=True, help="The step from which it runs anew.")
@remote
def fork(server: Remote, id: str, step: str) -> None:
    """Forks one."""
    print_one(server, server.send("POST", f"/executions/{quote(id, safe='')}/fork", {"step": step}))


@command.command("watch", help="Follow an execution until it has ended; exit code 1 when it has not completed.")
@click.argument("id")
@click.option("--every", type=click.FloatRange(0.1, 60), default=0.5, show_default=True, help="Seconds between two looks.")
@remote
def watch(server: Remote, id: str, every: float) -> None:
    """Watches one."""
    from codeai.cli.timeline import follow

    raise SystemExit(follow(server, id, every))
