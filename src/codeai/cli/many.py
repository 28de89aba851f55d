"""Commands that do one thing with one item, or with all that options find: ``codeai executions retry --workflow Order``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from codeai.cli.remote import Remote, remote
from codeai.cli.tables import print_json

One = Callable[[Remote, str, Mapping[str, Any]], None]


def one_or_many(name: str, text: str, path: str, filters: Sequence[click.Option], one: One) -> click.Command:
    """A command for one item by its ID, or without one for all that its options find.

    :param path: where all are acted on, a page at a time (see ``control.many``)
    :param filters: the options that say which
    :param one: does it with one, given the options that are no filters
    """
    which = {option.name for option in filters}

    @click.command(name, help=text)
    @click.argument("item", metavar="[ID]", required=False)
    @remote
    def act(server: Remote, item: str | None, **options: Any) -> None:
        said = {name: value for name, value in options.items() if value is not None}
        more = {name: value for name, value in said.items() if name not in which}
        if item is not None and len(said) > len(more):
            raise click.UsageError("an ID and filters say different things: give one of both")
        if item is not None:
            one(server, item, more)
        elif len(said) == len(more):
            names = ", ".join(option.opts[0] for option in filters)
            raise click.UsageError(f"give an ID, or say which by {names}")
        else:
            _all(server, path, said)

    act.params[1:1] = filters
    return act


def _all(server: Remote, path: str, asked: Mapping[str, Any]) -> None:
    done, refused, after = list[str](), list[dict[str, str]](), None
    while True:
        body = {**asked, **({"after": after} if after is not None else {})}
        found = server.send("POST", path, body)
        done += found["done"]
        refused += found["refused"]
        after = found["next"]
        if after is None:
            break
    if server.as_json:
        print_json({"done": done, "refused": refused})
    else:
        click.echo(f"done {len(done)}, refused {len(refused)}")
        for each in refused:
            click.echo(f"{each['id']}: {each['message']}{'; ' if each['hint'] else ''}{each['hint']}", err=True)
    if refused:
        raise SystemExit(1)
