"""``codeai validate``: all findings of a program in one run."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import click
import msgspec

from codeai.cli.main import fail, needed
from codeai.language.diagnostics import Diagnostic, Severity
from codeai.language.source import Sources
from codeai.server.fixing import fix, fixed_text
from codeai.server.loading import Loaded, LoadError, load_program, load_source

_HELP: Final = """Check the program in FILE or folder ('-' reads standard input); several files are one program.

Exit 0: valid, 1: invalid, 2: wrong usage or not readable.
"""


@click.command("validate", help=_HELP)
@click.argument("files", type=click.Path(path_type=Path, allow_dash=True), nargs=-1, metavar="[FILE]...")
@click.option("--strict", is_flag=True, help="Warnings are errors.")
@click.option("--fix", "mend", is_flag=True, help="Apply the safe edits; with '-' the mended text goes to standard output.")
@click.option("--watch", "follow", is_flag=True, help="Check again whenever a file changes.")
@click.option(
    "--format",
    "--output",
    "style",
    type=click.Choice(["text", "concise", "json", "sarif", "github"]),
    default="text",
    help="How findings are written.",
)
def command(files: tuple[Path, ...], strict: bool, mend: bool, follow: bool, style: str) -> None:
    """Checks a program."""
    stdin = Path("-") in files
    if stdin and len(files) > 1:
        raise click.UsageError("'-' is a program by itself")
    if (stdin or len(files) > 1) and follow:
        raise click.UsageError("--watch needs one file or folder")
    file = None if not files else files[0] if len(files) == 1 else files
    if file is None:
        needed(None)
    if follow and not isinstance(file, tuple):
        _watch(file, strict, style, mend)
        return
    gc.disable()  # the process ends before anything is worth collecting
    sys.exit(_stdin(strict, style, mend) if stdin else _once(file, strict, style, mend))


def _stdin(strict: bool, style: str, mend: bool) -> int:
    content = sys.stdin.buffer.read()
    if mend:
        content, count = fixed_text(content)
        program = load_source(content)
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
        return _report(program, strict, style, count, err=True)
    return _report(load_source(content), strict, style)


def _once(file: Path | Sequence[Path] | None, strict: bool, style: str, mend: bool) -> int:
    try:
        count = fix(file) if mend else 0
        program = load_program(file)
    except (LoadError, OSError) as error:
        fail(str(error), 2)
        raise AssertionError from error
    return _report(program, strict, style, count)


def _report(program: Loaded, strict: bool, style: str, fixed: int = 0, *, err: bool = False) -> int:
    """Prints the findings; returns the exit code."""
    found = sorted(program.diagnostics, key=lambda item: item.primary.start)
    if strict:
        found = [_raised(item) for item in found]
    errors = sum(item.severity is Severity.ERROR for item in found)
    warnings = sum(item.severity is Severity.WARNING for item in found)
    text = _RENDERINGS[style](found, program.sources)
    if text:
        click.echo(text, err=err)
    if style in ("text", "concise"):
        mended = f"{_counted(fixed, 'fix', 'fixes')} applied; " if fixed else ""
        told = f"{_counted(errors, 'error')}, {_counted(warnings, 'warning')}"
        click.echo(mended + (told if errors or warnings else "valid"), err=err)
    return 1 if errors else 0


def _raised(found: Diagnostic) -> Diagnostic:
    return msgspec.structs.replace(found, severity=Severity.ERROR) if found.severity is Severity.WARNING else found


def _counted(number: int, word: str, several: str = "") -> str:
    return f"{number} {word if number == 1 else several or word + 's'}"


def _watch(file: Path | None, strict: bool, style: str, mend: bool) -> None:
    from codeai.cli.watching import watch_program

    def check() -> None:
        try:
            count = fix(file) if mend else 0
            _report(load_program(file), strict, style, count)
        except (LoadError, OSError) as error:  # a file may be gone for a moment while an editor writes it
            click.echo(f"codeai: {error}", err=True)
        sys.stdout.flush()

    watch_program(file, check)


# -- renderings --------------------------------------------------------------------------------------------------------


def _text(found: Sequence[Diagnostic], sources: Sources) -> str:
    from codeai.language.rendering.text import rich

    colour = sys.stdout.isatty()
    return "".join(rich(item, sources, colour=colour) + "\n\n" for item in found).removesuffix("\n")


def _concise(found: Sequence[Diagnostic], sources: Sources) -> str:
    from codeai.language.rendering.concise import concise

    return "\n".join(concise(item, sources) for item in found)


def _json(found: Sequence[Diagnostic], sources: Sources) -> str:
    from codeai.language.rendering.records import json_text

    return json_text(found, sources)


def _sarif(found: Sequence[Diagnostic], sources: Sources) -> str:
    from codeai import __version__
    from codeai.language.rendering.sarif import sarif_text

    return sarif_text(found, sources, __version__)


def _github(found: Sequence[Diagnostic], sources: Sources) -> str:
    from codeai.language.rendering.github import annotation

    return "\n".join(annotation(item, sources) for item in found)


_RENDERINGS: Final[dict[str, Callable[[Sequence[Diagnostic], Sources], str]]] = {
    "text": _text,
    "concise": _concise,
    "json": _json,
    "sarif": _sarif,
    "github": _github,
}
