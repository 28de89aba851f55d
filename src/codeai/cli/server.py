"""``codeai server``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from codeai.cli.options import program_path, server_options


@click.command("server", help="Serve the program in FILE or folder; 'codeai server start' is the same.")
@click.argument("words", nargs=-1, metavar="[FILE]", type=click.Path())
@server_options
@click.option("--watch", "follow", is_flag=True, help="Begin anew whenever the program changes (development only).")
def command(words: tuple[str, ...], follow: bool, **flags: Any) -> None:
    """Serves a program."""
    path = program_path(words, "start")
    if follow:
        sys.exit(_follow(path, flags))
    from codeai.server.start import serve

    sys.exit(serve(path, flags))


def _follow(path: Path | None, flags: dict[str, Any]) -> int:
    from codeai.cli.following import Follower
    from codeai.cli.main import fail
    from codeai.server.settings import SettingError, read_settings

    try:
        settings = read_settings(os.environ, flags)
    except SettingError as error:
        fail(str(error))
    if not settings.development:
        fail("--watch is for development, and CODEAI_ENV is 'production'; start without it, and deploy a changed program anew")
    given = [part for name, value in flags.items() if value is not None for part in (f"--{name.replace('_', '-')}", str(value))]
    return Follower(path, [sys.executable, "-m", "codeai", "server", *given, *(["--", str(path)] if path is not None else [])]).run()
