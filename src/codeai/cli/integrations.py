"""``codeai integrations``."""

from __future__ import annotations

from typing import Final

import click

from codeai.cli.actions import add_actions
from codeai.cli.groups import Commands
from codeai.cli.remote import Remote, remote
from codeai.cli.tables import print_list

COLUMNS: Final = ("name", "state", "failures", "probes", "successes", "retry_after", "base_url")


@click.group("integrations", cls=Commands, help="Look at integrations, and close their circuit breakers.")
def command() -> None:
    """Look at integrations."""


@command.command("list", help="List the integrations of the program with the states of their breakers.")
@remote
def list_(server: Remote) -> None:
    """Lists."""
    print_list(server, server.get("/integrations"), COLUMNS)


add_actions(
    command, "/integrations/{item}/breaker/{action}", "NAME", {"reset": "Close the circuit breaker of an integration, in all processes."}
)
