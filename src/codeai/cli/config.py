"""``codeai config``."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

import click

from codeai.cli.groups import Commands
from codeai.cli.main import fail
from codeai.cli.options import program_path, server_options
from codeai.cli.programs import loaded


@click.group("config", cls=Commands, help="Show the settings of a server.")
def command() -> None:
    """The commands about settings."""


@command.command("show", help="Show the settings with which 'codeai server' would start the program in FILE or folder; secrets are masked.")
@click.argument("words", nargs=-1, metavar="[FILE]", type=click.Path())
@click.option("--origins", is_flag=True, help="Say where each comes from: a flag, a variable, a file, the program, or the default.")
@click.option("--output", type=click.Choice(["text", "json"]), default="text", help="For people, or for programs.")
@server_options
def show(words: tuple[str, ...], origins: bool, output: str, **flags: Any) -> None:
    """Prints the settings, one per line: a flag beats the environment, which beats the program's config, which beats the default."""
    from codeai.server.settings import SettingError, read_with_origins
    from codeai.server.shown import shown_settings
    from codeai.server.wiring.program_settings import program_settings

    program = loaded(program_path(words, "show"))
    try:
        found, places = read_with_origins(os.environ, flags, program_settings(program.application, program.sources, os.environ))
    except SettingError as error:
        fail(str(error))
        return
    values = shown_settings(found)
    places = {name: places.get(field, "default") for name, (field, _) in values.items()}
    shown = {name: value for name, (_, value) in values.items()}
    if output == "json":
        click.echo(json.dumps({name: {"value": shown[name], "origin": places[name]} for name in shown} if origins else shown, indent=2))
    else:
        click.echo("\n".join(_lines(shown, places if origins else None)))


def _lines(values: Mapping[str, str | None], origins: Mapping[str, str] | None) -> list[str]:
    width = max(map(len, values)) + 2
    texts = {name: "-" if value is None else value for name, value in values.items()}
    if origins is None:
        return [f"{name:{width}}{text}" for name, text in texts.items()]
    second = min(max(map(len, texts.values())), 50) + 2
    return [f"{name:{width}}{text:{second}}{origins[name]}" for name, text in texts.items()]
