"""Loading a program for a command, with its findings shown."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from codeai.cli.main import fail
from codeai.language.diagnostics import Severity
from codeai.language.rendering.text import concise, rich
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
    program = loaded(path)
    show(program, "text")
    if not program.valid:
        sys.exit(1)
    return program


def show(program: Loaded, style: str) -> None:
    """Prints the findings, in the order of the text."""
    colour = sys.stderr.isatty()
    for found in sorted(program.diagnostics, key=lambda found: found.primary.start):
        line = concise(found, program.sources) if style == "concise" else rich(found, program.sources, colour=colour) + "\n"
        click.echo(line, err=True)


def counts(program: Loaded) -> tuple[int, int]:
    """The numbers of errors and warnings."""
    errors = sum(found.severity is Severity.ERROR for found in program.diagnostics)
    return errors, sum(found.severity is Severity.WARNING for found in program.diagnostics)
