"""``codeai version``."""

from __future__ import annotations

import json
import platform

import click

from codeai import __version__


@click.command("version", help="Show the version of CodeAI, Python and the platform.")
@click.option("--output", type=click.Choice(["text", "json"]), default="text", help="For people, or for programs.")
def command(output: str) -> None:
    """Prints the version."""
    facts = {"version": __version__, "python": platform.python_version(), "platform": f"{platform.system()} {platform.machine()}"}
    if output == "json":
        click.echo(json.dumps(facts))
    else:
        click.echo(f"codeai {facts['version']}\nPython {facts['python']}\n{facts['platform']}")
