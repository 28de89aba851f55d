"""``codeai fmt``: programs in the canonical form."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import click
import msgspec

from codeai.language.diagnostics import Severity
from codeai.language.formatter import format_module
from codeai.language.parser import declared_in, parse_module
from codeai.language.rendering.text import rich
from codeai.language.source import Sources
from codeai.server.replacing import write_atomically

_MARK: Final = "\ufeff"


@click.command("fmt", help="Bring programs into the canonical form. '-' reads standard input and writes standard output.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path, allow_dash=True))
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when a file would change.")
@click.option("--diff", "show_diff", is_flag=True, help="Write nothing; show what would change.")
def command(paths: tuple[Path, ...], check: bool, show_diff: bool) -> None:
    """Formats files, the .cai files of folders, or standard input. Exit codes: 0 done, 1 would change or broken, 2 not readable."""
    named = frozenset(path.resolve() for path in paths or (Path(),))
    worst = 0
    for path in _files(paths or (Path(),)):
        worst = max(worst, _format(path, named, check=check, show_diff=show_diff))
    sys.exit(worst)


class _Written(msgspec.Struct, frozen=True):
    """A text, apart from what editors of different systems do to it: how its first line ends, and the mark before it."""

    text: str
    end: str
    mark: str

    def canonical(self, text: str) -> str:
        """Another text with the line ends and the mark of this one."""
        return self.mark + (text if self.end == "\n" else text.replace("\n", self.end))


def _written(content: str) -> _Written:
    mark = _MARK if content.startswith(_MARK) else ""
    first = content.partition("\n")[0]
    end = "\r\n" if first.endswith("\r") and len(first) < len(content) else "\n"
    return _Written(content.removeprefix(_MARK).replace("\r\n", "\n"), end, mark)


def _format(path: Path, named: frozenset[Path], *, check: bool, show_diff: bool) -> int:
    """Formats one file, or says what would change.

    :returns: 1 when it is broken or would change, 2 when it cannot be read or written
    """
    stdin = str(path) == "-"
    try:
        content = (sys.stdin.buffer.read() if stdin else path.read_bytes()).decode()
    except (OSError, UnicodeDecodeError) as error:
        click.echo(f"cannot read '{path}': {error.strerror if isinstance(error, OSError) else error}", err=True)
        return 2
    written = _written(content)
    result = _formatted(written.text, "<stdin>" if stdin else str(path), [] if stdin else _beside(path, named))
    if result is None:
        return 1
    result = written.canonical(result)
    if show_diff:
        click.echo("".join(_difference(content, result, str(path))).encode(), nl=False)
    elif check:
        if result != content:
            click.echo(f"would change {path}")
    elif stdin:
        click.echo(result.encode(), nl=False)
    elif result != content:
        return _write(path, result)
    return int(result != content and (check or show_diff))


def _write(path: Path, text: str) -> int:
    try:
        write_atomically(path, text.encode())
    except OSError as error:
        click.echo(f"cannot write '{path}': {error.strerror}", err=True)
        return 2
    click.echo(f"formatted {path}")
    return 0


def _difference(before: str, after: str, name: str) -> Iterator[str]:
    """What ``diff -u`` would print, so that ``patch`` understands it."""
    old, new = ([f"{line}\n" for line in text.split("\n")] for text in (before, after))
    for lines in (old, new):
        lines[-1:] = [lines[-1][:-1]] if lines[-1] != "\n" else []
    for line in difflib.unified_diff(old, new, name, f"{name} (formatted)"):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


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
    file = sources.add(name, text)
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
