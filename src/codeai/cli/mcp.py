"""``codeai mcp``: the compiler and the manual for agents."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import click

from codeai.cli.main import fail

_HELP = """Serve an agent the compiler and the manual, over standard input and output (Model Context Protocol).

Agents start it by themselves, in the FOLDER of their programs (the current one by default); see 'Agents' in the manual. It writes no file.
"""


@click.command("mcp", help=_HELP)
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False), default=".")
def command(folder: Path) -> None:
    """Runs the server until its input ends."""
    if importlib.util.find_spec("mcp") is None:
        fail("the protocol's library is not installed; install it with: pip install 'codeai[mcp]'")
    import anyio

    from codeai.mcp.server import serving

    os.chdir(folder)  # what is said of programs names them as they are named in it
    anyio.run(serving(Path()).run_stdio_async)
