"""The group of commands. Nothing heavy is imported before a command is chosen."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import click

from codeai.cli.groups import Commands

_COMMANDS: Final = {
    "completion": "Print what lets a shell complete commands, options and files.",
    "config": "Show the settings of a server.",
    "db": "Fill or reset the database of a program.",
    "events": "Look at events and deliveries of a server.",
    "executions": "Look at executions of a server and act on them.",
    "explain": "Say what a diagnostic code means.",
    "diagnostics": "Collect what a bug report needs, secrets masked.",
    "fmt": "Bring programs into the canonical form.",
    "grammar": "Print the grammar of the language.",
    "integrations": "Look at integrations of a server and close their breakers.",
    "jobs": "Look at jobs and queues of a server and act on them.",
    "lsp": "Serve an editor.",
    "mcp": "Serve an agent.",
    "new": "Create a small program that runs at once.",
    "parse": "Show the syntax tree of a program.",
    "policy": "Say which rule lets a caller do something, or forbids it.",
    "query": "Ask the database of a program in the query language.",
    "run": "Run a script.",
    "schedules": "Look at schedules of a server and act on them.",
    "server": "Serve a program.",
    "test": "Run the test blocks of a program.",
    "token": "Issue a token for development.",
    "validate": "Check a program.",
    "version": "Show the version.",
    "workflow": "Look at workflows.",
}

_EPILOG: Final = """\b
Exit codes:
  0  done
  1  the program is invalid, a test failed, or a server refused
  2  wrong usage, or a file that cannot be read
  3  the surroundings are not as needed: settings, database, server
  4  a server gave up, since its workers died too often
"""


class _Commands(Commands):
    """Loads a command from the module of its name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def sentences(self, context: click.Context) -> Mapping[str, str]:
        return _COMMANDS

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"codeai.cli.{cmd_name}").command
        return command


def _version(context: click.Context, option: click.Parameter, given: bool) -> None:
    if given:
        context.invoke(importlib.import_module("codeai.cli.version").command)
        context.exit()


@click.group("codeai", cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]}, epilog=_EPILOG)
@click.option("--version", is_flag=True, expose_value=False, is_eager=True, callback=_version, help="Show the version and exit.")
def cli() -> None:
    """CodeAI: a language and a runtime for back ends."""


def main() -> None:
    """The entry point; the exit codes stand in ``_EPILOG``."""
    cli.main(prog_name="codeai", windows_expand_args=False)


def fail(message: str, code: int = 3) -> None:
    """Ends the command with a message on standard error."""
    click.echo(f"codeai: {message}", err=True)
    sys.exit(code)


def needed(path: Path | None) -> None:
    """Ends the command with 2 where it would work on an empty program: nobody means that, but for serving."""
    if path is None and not any(Path.cwd().glob("*.cai")):
        name = click.get_current_context().command_path
        fail(f"there is no program here; name its file or folder, as in '{name} shop'", 2)
