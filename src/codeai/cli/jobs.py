"""``codeai jobs``."""

from __future__ import annotations

from typing import Any, Final

import click

from codeai.cli.groups import Commands
from codeai.cli.remote import Remote, json_object, remote
from codeai.cli.tables import print_json, print_list, print_one

COLUMNS: Final = ("id", "name", "status", "queue", "priority", "attempt", "scheduled_for", "created_at", "finished_at", "error")
QUEUES: Final = ("name", "weight", "paused", "concurrency", "rate", "ready", "running", "later")


@click.group("jobs", cls=Commands, help="Look at runs of jobs and at queues, and act on them.")
def command() -> None:
    """Look at jobs."""


@command.command("list", help="List runs of jobs, newest first.")
@click.option(
    "--status",
    type=click.Choice(["pending", "scheduled", "running", "completed", "failed", "cancelled"]),
    default=None,
    help="In one state.",
)
@click.option("--queue", default=None, help="Of one queue.")
@click.option("--name", default=None, help="Of one job.")
@click.option("--since", default=None, help="Created at or after an instant.")
@click.option("--until", default=None, help="Created before an instant.")
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True, help="At most so many.")
@click.option("--cursor", default="", help="The page behind a cursor.")
@remote
def list_(server: Remote, **filters: Any) -> None:
    """Lists."""
    print_list(server, server.get("/admin/jobs", **filters), COLUMNS)


@command.command("show", help="Show a run.")
@click.argument("id")
@remote
def show(server: Remote, id: str) -> None:
    """Shows one."""
    print_one(server, server.get(f"/admin/jobs/{id}"))


@command.command("enqueue", help="Run JOB, now or later.")
@click.argument("job")
@click.option("--input", "given", default="{}", help="Its input, a JSON object or @file.")
@click.option("--queue", default=None, help="Instead of the queue that the job names.")
@click.option("--delay", default=None, help="It begins so much later, as in 30s.")
@click.option("--priority", type=click.IntRange(0, 100), default=None, help="Lower runs first.")
@click.option("--key", default=None, help="At most one unfinished run has a key.")
@click.option("--debounce", default=None, help="It begins when no other request with the key has come for so long.")
@remote
def enqueue(server: Remote, job: str, given: str, **options: Any) -> None:
    """Enqueues one."""
    body = {"job": job, "input": json_object(given, "--input"), **{name: value for name, value in options.items() if value is not None}}
    print_one(server, server.send("POST", "/admin/jobs", body))


@command.command("cancel", help="Cancel a run that has not ended.")
@click.argument("id")
@remote
def cancel(server: Remote, id: str) -> None:
    """Cancels one."""
    server.send("DELETE", f"/admin/jobs/{id}")
    print_one(server, server.get(f"/admin/jobs/{id}"))


@command.command("retry", help="Go on with a failed run.")
@click.argument("id")
@remote
def retry(server: Remote, id: str) -> None:
    """Retries one."""
    print_one(server, server.send("POST", f"/admin/jobs/{id}/retry"))


@command.command("purge", help="Remove runs that ended long ago.")
@click.option("--status", type=click.Choice(["completed", "failed", "cancelled"]), required=True, help="In one state.")
@click.option("--older-than", default="24h", show_default=True, help="Ended more than so long ago.")
@remote
def purge(server: Remote, status: str, older_than: str) -> None:
    """Purges."""
    found = server.send("POST", "/admin/jobs/purge", status=status, older_than=older_than)
    if server.as_json:
        print_json(found)
    else:
        click.echo(f"removed {found['purged']}")


@command.command("queues", help="List the queues with how much lies in each.")
@remote
def queues(server: Remote) -> None:
    """Lists queues."""
    print_list(server, server.get("/admin/queues"), QUEUES)


@command.command("queue", help="Change the queue NAME while the server runs; 'none' takes a limit away.")
@click.argument("name")
@click.option("--weight", default=None, help="Its share, beside the weights of others.")
@click.option("--concurrency", default=None, help="How many of its runs go on at a time, over all processes.")
@click.option("--rate", default=None, help="How many may begin, as in '10 per 1m'.")
@click.option("--pause/--resume", "paused", default=None, help="Whether anything of it begins.")
@remote
def queue(server: Remote, name: str, weight: str | None, concurrency: str | None, rate: str | None, paused: bool | None) -> None:
    """Changes one queue."""
    body: dict[str, Any] = {key: _whole(key, text) for key, text in (("weight", weight), ("concurrency", concurrency)) if text is not None}
    if rate is not None:
        body["rate"] = None if rate == "none" else rate
    if paused is not None:
        body["paused"] = paused
    print_one(server, server.send("PATCH", f"/admin/queues/{name}", body))


def _whole(key: str, text: str) -> int | None:
    if text == "none":
        return None
    if not text.isdigit():
        raise click.UsageError(f"--{key} is a whole number or 'none'")
    return int(text)
