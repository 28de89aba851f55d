"""Commands that have a server do one thing with one item, and print what it answers: ``codeai executions retry ID``."""

from __future__ import annotations

from collections.abc import Mapping

import click

from codeai.cli.remote import Remote, remote
from codeai.cli.tables import print_one


def add_actions(group: click.Group, path: str, argument: str, actions: Mapping[str, str]) -> None:
    """Adds a command per action to a group.

    :param path: of the control API, with ``{item}`` and ``{action}``
    :param argument: how the help calls the item
    :param actions: the help of each by its name
    """
    for name, text in actions.items():
        group.add_command(_command(path, argument, name, text))


def _command(path: str, argument: str, action: str, text: str) -> click.Command:
    @click.command(action, help=text)
    @click.argument("item", metavar=argument)
    @remote
    def act(server: Remote, item: str) -> None:
        print_one(server, server.send("POST", path.format(item=item, action=action)))

    return act
