"""``codeai events``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import click

from codeai.cli.groups import Commands
from codeai.cli.many import one_or_many
from codeai.cli.remote import Remote, remote
from codeai.cli.tables import print_list, print_one, table_of

EVENTS: Final = ("id", "name", "at", "actor", "key", "payload")
DELIVERIES: Final = ("id", "kind", "target", "event", "status", "attempts", "created_at", "finished_at", "error")
ATTEMPTS: Final = ("number", "at", "duration_ms", "status", "answer", "error")
WHICH: Final = (
    click.Option(["--kind"], help="All dead letters of a kind: handler, workflow, webhook, kafka, slack or email."),
    click.Option(["--target"], help="All to one target."),
    click.Option(["--event"], help="All of one event, as in order.placed."),
    click.Option(["--since"], help="All that were made at or after an instant."),
    click.Option(["--until"], help="All that were made before an instant."),
)
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


def _redeliver(server: Remote, item: str, options: Mapping[str, Any]) -> None:
    print_one(server, server.send("POST", f"/dead-letters/{item}/replay", options))


_redelivering = one_or_many(
    "redeliver",
    "Deliver once more to the one target of a delivery or dead letter, or all dead letters of a kind, target, event or time.",
    "/dead-letters/replay",
    WHICH,
    _redeliver,
)
_redelivering.params.append(click.Option(["--force"], is_flag=True, default=None, help="Start workflows although their event has before."))
command.add_command(_redelivering)


@command.command("deliveries", help="List the deliveries of one outbound webhook, newest first.")
@click.argument("webhook")
@click.option("--status", default=None, help="pending, delivered, dead or replayed.")
@click.option("--since", default=None, help="Made at or after an instant.")
@click.option("--until", default=None, help="Made before an instant.")
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True, help="At most so many.")
@click.option("--cursor", default="", help="The page behind a cursor.")
@remote
def deliveries(server: Remote, webhook: str, **filters: Any) -> None:
    """Lists deliveries."""
    print_list(server, server.get(f"/webhooks/{quote(webhook, safe='')}/deliveries", **filters), DELIVERIES)


@command.command("attempts", help="Show a delivery with what its target answered each time.")
@click.argument("id")
@remote
def attempts(server: Remote, id: str) -> None:
    """Shows one delivery."""
    found = server.get(f"/webhooks/deliveries/{id}")
    if server.as_json:
        print_one(server, found)
    else:
        print_one(server, found["delivery"], table_of(found["attempts"], ATTEMPTS))


@command.command("disable", help="Send nothing to an outbound webhook; what is due becomes a dead letter.")
@click.argument("webhook")
@click.option("--reason", default="disabled by an operator", show_default=True, help="For those who wonder later.")
@remote
def disable(server: Remote, webhook: str, reason: str) -> None:
    """Disables one."""
    print_one(server, server.send("PATCH", f"/webhooks/{quote(webhook, safe='')}", {"enabled": False, "reason": reason}))


@command.command("enable", help="Send to an outbound webhook again that its receiver (410) or an operator has disabled.")
@click.argument("webhook")
@remote
def enable(server: Remote, webhook: str) -> None:
    """Enables one."""
    print_one(server, server.send("PATCH", f"/webhooks/{quote(webhook, safe='')}", {"enabled": True}))


@command.command("webhooks", help="List the outbound webhooks of the program.")
@remote
def webhooks(server: Remote) -> None:
    """Lists webhooks."""
    print_list(server, server.get("/webhooks"), WEBHOOKS)
