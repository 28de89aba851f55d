"""``codeai server``."""

from __future__ import annotations

import sys
from typing import Any

import click

from codeai.cli.options import program_path, server_options


@click.command("server", help="Serve the program in FILE or folder; 'codeai server start' is the same.")
@click.argument("words", nargs=-1, metavar="[FILE]", type=click.Path())
@server_options
def command(words: tuple[str, ...], **flags: Any) -> None:
    """Serves a program."""
    from codeai.server.start import serve

    sys.exit(serve(program_path(words, "start"), flags))
