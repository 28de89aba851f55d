"""``codeai fmt``: programs in the canonical form."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from codeai.cli.fixing import write_atomically
from codeai.language.diagnostics import Severity
from codeai.language.formatter import format_module
from codeai.language.parser import declared_in, parse_module
from codeai.language.rendering.text import rich
from codeai.language.source import Sources


@click.command("fmt", help="Bring programs into the canonical form. '-' reads standard input and writes standard output.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path, allow_dash=True))
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when a file would change.")
@click.option("--diff", "show_diff", is_flag=True, help="Write nothing; show what would change.")
def command(paths: tuple[Path, ...], check: bool, show_diff: bool) -> None:
    """Formats files, the .cai files of folders, or standard input. Exit codes: 0 done, 1 would change or broken, 2 not readable."""
    changed = broken = False
    named = frozenset(path.resolve() for path in paths or (Path(),))
    for path in _files(paths or (Path(),)):
        stdin = str(path) == "-"
        try:
            text = sys.stdin.read() if stdin else path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            click.echo(f"cannot read '{path}': {error}", err=True)
            sys.exit(2)
        result = _formatted(text, "<stdin>" if stdin else str(path), [] if stdin else _beside(path, named))
        if result is None:
            broken = True
            continue
        differs = result != text
        changed = changed or differs
        if show_diff:
            lines = difflib.unified_diff(text.splitlines(True), result.splitlines(True), str(path), f"{path} (formatted)")
            click.echo("".join(lines), nl=False)
        elif check:
            if differs:
                click.echo(f"would change {path}")
        elif stdin:
            click.echo(result, nl=False)
        elif differs:
            _write(path, result)
            click.echo(f"formatted {path}")
    sys.exit(1 if broken or (changed and (check or show_diff)) else 0)


def _write(path: Path, text: str) -> None:
    try:
        write_atomically(path, text)
    except OSError as error:
        click.echo(f"cannot write '{path}': {error.strerror}", err=True)
        sys.exit(2)


def _files(paths: tuple[Path, ...]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        found.extend(sorted(path.glob("*.cai")) if path.is_dir() else [path])
    if not found:
        click.echo("no .cai files here", err=True)
        sys.exit(2)
    return found


def _beside(path: Path, named: frozenset[Path]) -> list[Path]:
    """The other files of the program: those of a folder that was named, or that has an app.cai (acceptance T10)."""
    folder = path.parent
    together = folder.resolve() in named or (folder / "app.cai").exists()
    return [file for file in sorted(folder.glob("*.cai")) if file.resolve() != path.resolve()] if together else []


def _formatted(text: str, name: str, beside: Sequence[Path]) -> str | None:
    sources = Sources()
    file = sources.add(name, text.replace("\r\n", "\n"))
    parsed, known = parse_module(file), None
    if parsed.incomplete and beside:  # an older name in quotes may be declared in another file
        others = [sources.add(str(path), path.read_text(encoding="utf-8-sig", errors="replace")) for path in beside]
        known = declared_in([file, *others])
        parsed = parse_module(file, known)
    errors = [found for found in parsed.diagnostics if found.severity is Severity.ERROR]
    for found in errors:
        click.echo(rich(found, sources, colour=sys.stderr.isatty()) + "\n", err=True)
    if errors:
        return None
    formatted = format_module(parsed.module, file, known)
    for declaration in formatted.kept:
        place = sources.locate(declaration.start)
        click.echo(f"{place.path}:{place.line}: left as it is written: its canonical form would say something else", err=True)
    return formatted.text
