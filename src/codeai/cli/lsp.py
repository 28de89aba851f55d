"""``codeai lsp``: the language server, for editors."""

from __future__ import annotations

import os
import sys

import click

_HELP = """Serve an editor: the language server, over standard input and output.

Editors start it by themselves; see 'Editors' in the manual.
"""


@click.command("lsp", help=_HELP)
@click.option("--stdio", is_flag=True, help="Standard input and output, which is what it speaks anyway; editors may say so.")
@click.option("--verbose", is_flag=True, help="Log messages to standard error.")
def command(stdio: bool, verbose: bool) -> None:
    """Runs the language server."""
    import logging

    from codeai.lsp.handlers import serve

    logging.basicConfig(stream=sys.stderr, level=logging.DEBUG if verbose else logging.ERROR)
    with os.fdopen(os.dup(1), "wb") as output:
        os.dup2(2, 1)  # whatever prints does not disturb the protocol
        code = serve(output)
    sys.exit(code)
