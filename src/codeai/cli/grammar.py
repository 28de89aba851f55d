"""``codeai grammar``."""

from __future__ import annotations

import click

from codeai.language import grammar


@click.command("grammar", help="Print the grammar of the canonical form, for constrained decoding and other tools.")
@click.option("--format", "style", type=click.Choice(["lark", "ebnf"]), default="lark", show_default=True, help="The notation.")
def command(style: str) -> None:
    """Writes the grammar to standard output."""
    click.echo(grammar.lark_text() if style == "lark" else grammar.ebnf(), nl=False)
