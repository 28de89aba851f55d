"""``codeai events``."""

from __future__ import annotations

from typing import Any, Final

import click

from codeai.cli.groups import Commands
from codeai.cli.remote import Remote, remote
from codeai.cli.tables import print_list, print_one, table_of

EVENTS: Final = ("id", "name", "at", "actor", "key", "payload")
DELIVERIES: Final = ("id", "kind", "target", "event", "status", "attempts", "created_at", "finished_at", "error")
WEBHOOKS: Final = ("name", "url", "enabled", "signed", "events", "deliveries")


@click.group("events", cls=Commands, help="Look at events and their deliveries, and repeat them.")
def command() -> None:
    """Look at events."""


@command.command("list", help="List events, newest first.")
@click.option("--name", default=None, help="Of one name, as in order.placed.")
@click.option("--key", default=None, help="With one key.")
@click.option("--since", default=None, help="At or after an instant.")
@click.option("--until", default=None, help="Before an instant.")
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True, help="At most so many.")
@click.option("--cursor", default="", help="The page behind a cursor.")
@remote
def list_(server: Remote, **filters: Any) -> None:
    """Lists."""
    print_list(server, server.get("/events", **filters), EVENTS)


@command.command("show", help="Show an event with its deliveries.")
@click.argument("id")
@remote
def show(server: Remote, id: str) -> None:
    """Shows one."""
    found = server.get(f"/events/{id}")
    if server.as_json:
        print_one(server, found)
    else:
        print_one(server, found["event"], table_of(found["deliveries"], DELIVERIES))


@command.command("replay", help="Deliver an event once more to all who hear it.")
@click.argument("id")
@click.option("--force", is_flag=True, help="Start workflows again, too.")
@remote
def replay(server: Remote, id: str, force: bool) -> None:
    """Replays one."""
    found = server.send("POST", f"/events/{id}/replay", {"force": force})
    print_list(server, {**found, "pagination": {}}, DELIVERIES)


@command.command("dead-letters", help="List deliveries that were given up.")
@click.option("--kind", default=None, help="handler, workflow, webhook, kafka, slack or email.")
@click.option("--target", default=None, help="To one target.")
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True, help="At most so many.")
@click.option("--cursor", default="", help="The page behind a cursor.")
@remote
def dead_letters(server: Remote, **filters: Any) -> None:
    """Lists dead letters."""
    print_list(server, server.get("/dead-letters", **filters), DELIVERIES)


@command.command("redeliver", help="Deliver once more to the one target of a delivery or dead letter.")
@click.argument("id")
@click.option("--force", is_flag=True, help="Start a workflow although the event has started it before.")
@remote
def redeliver(server: Remote, id: str, force: bool) -> None:
    """Replays one delivery."""
    print_one(server, server.send("POST", f"/dead-letters/{id}/replay", {"force": force}))


@command.command("webhooks", help="List the outbound webhooks of the program.")
@remote
def webhooks(server: Remote) -> None:
    """Lists webhooks."""
    print_list(server, server.get("/webhooks"), WEBHOOKS)
