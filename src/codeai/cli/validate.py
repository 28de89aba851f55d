"""``codeai validate``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
import msgspec

from codeai.cli.programs import counts, loaded, show


@click.command("validate", help="Check the program in FILE or folder. Exit 0: valid, 1: invalid, 2: not readable.")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--strict", is_flag=True, help="Warnings are errors.")
@click.option("--format", "style", type=click.Choice(["text", "concise", "json"]), default="text")
def command(file: Path | None, strict: bool, style: str) -> None:
    """Checks a program."""
    program = loaded(file)
    errors, warnings = counts(program)
    if style == "json":
        found = [
            {**msgspec.to_builtins(item), "location": msgspec.to_builtins(program.sources.locate(item.primary.start))}
            for item in program.diagnostics
        ]
        click.echo(json.dumps({"valid": program.valid, "diagnostics": found}, indent=2))
    else:
        show(program, style)
        click.echo(f"{errors} errors, {warnings} warnings" if errors or warnings else "valid")
    sys.exit(1 if errors or (strict and warnings) else 0)
