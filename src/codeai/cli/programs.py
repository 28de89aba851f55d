"""Loading a program for a command, with its findings shown."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from codeai.cli.main import fail, needed
from codeai.language.rendering.brief import brief
from codeai.server.loading import Loaded, LoadError, load_program


def loaded(path: Path | None) -> Loaded:
    """The program at a path; ends the command with 2 when it cannot be read."""
    try:
        return load_program(path)
    except LoadError as error:
        fail(str(error), 2)
        raise AssertionError from error


def valid_program(path: Path | None) -> Loaded:
    """A program without errors; shows its findings and ends the command with 1 otherwise."""
    needed(path)
    program = loaded(path)
    click.echo(brief(program.diagnostics, program.sources, colour=sys.stderr.isatty()), err=True, nl=False)
    if not program.valid:
        sys.exit(1)
    return program
