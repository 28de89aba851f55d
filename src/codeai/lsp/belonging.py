"""Which program a file belongs to.

In this order: the folder's, where it has an ``app.cai``; one of this or an outer folder that imports the file; all files of the folder,
where no two of them declare the same; else the file is a program of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from codeai.server.loading import Files

_IMPORT: Final = re.compile(r"""^[ \t]*import[ \t]+["']([^"'\n]+)["']""", re.MULTILINE)
_DECLARED: Final = re.compile(
    r"^(?:(?:entity|model|type|enum|role|auth|event|integration|webhook|workflow|job|middleware|function|resource)[ \t]+[\w.\"]+"
    r"|extern[ \t]+function[ \t]+\w+|endpoint[ \t]+\w+[ \t]+[^\s{]+|test[ \t]+\"[^\"\n]*\"|config\b)",
    re.MULTILINE,
)
_OUTER: Final = 8  # folders that are looked into from the inside outwards


class Home(msgspec.Struct, frozen=True):
    """A program: the files it begins with, and its folder."""

    files: tuple[Path, ...]
    folder: Path


def home_of(path: Path, reading: Files, roots: Sequence[Path] = ()) -> Home:
    """The program of a file.

    :param reading: where files and folders come from
    :param roots: the folders of the workspace, beyond which nothing is looked for
    """
    if not path.is_absolute():
        return Home((path,), roots[0] if roots else Path.cwd())
    for folder in _outwards(path, roots):
        together = reading.matching(folder, "*.cai")
        if folder / "app.cai" in together:
            if folder == path.parent and path in together:
                return Home(tuple(together), folder)
            programs = [tuple(together)]
        else:
            programs = [(file,) for file in together if file != path]
        for program in programs:
            if path in _closure(program, reading):
                return Home(program, folder)
    beside = tuple(reading.matching(path.parent, "*.cai"))
    return Home(beside if path in beside and _distinct(beside, reading) else (path,), path.parent)


def _outwards(path: Path, roots: Sequence[Path]) -> Iterator[Path]:
    for count, folder in enumerate(path.parents):
        yield folder
        if folder in roots or count >= _OUTER or not any(folder.is_relative_to(root) for root in roots):
            return


def _closure(files: Sequence[Path], reading: Files) -> set[Path]:
    """The files of a program with what they import, and what that imports."""
    found: set[Path] = set()
    waiting = list(files)
    while waiting:
        file = waiting.pop()
        if file in found:
            continue
        found.add(file)
        for pattern in _IMPORT.findall(_text(file, reading)):
            if not (pattern.startswith("/") or ".." in Path(pattern).parts):
                waiting.extend(reading.matching(file.parent, pattern))
    return found


def _distinct(files: Sequence[Path], reading: Files) -> bool:
    """Whether no two of the files declare the same."""
    seen: set[str] = set()
    for file in files:
        declared = {" ".join(found.split()) for found in _DECLARED.findall(_text(file, reading))}
        if declared & seen:
            return False
        seen |= declared
    return True


def _text(file: Path, reading: Files) -> str:
    try:
        return reading.content(file).decode("utf-8-sig", "replace")
    except OSError:
        return ""
