"""A program as it was checked, with the lines of its files for positions, and what its names refer to."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
from lsprotocol import types as lsp

from codeai.analysis.observing import Observing, Seen
from codeai.analysis.reporter import Reporter
from codeai.analysis.scope import Scope, Variable
from codeai.analysis.symbols import Symbols
from codeai.language.parser import Parsed, parse_module
from codeai.language.source import SourceFile, Sources
from codeai.language.spellings.outline import Outline
from codeai.language.tree.module import Module
from codeai.language.tree.node import Node
from codeai.lsp.belonging import Home
from codeai.lsp.documents import Document
from codeai.lsp.lines import Normal
from codeai.lsp.names.declared import Declared, Key, declared_by
from codeai.lsp.names.finding import Use
from codeai.lsp.names.uses import uses_in
from codeai.lsp.names.values import Values
from codeai.lsp.parses import ROOM, Parses
from codeai.server.loading import Files, Loaded, LoadError, load_files

_TRIES: Final = 3  # files may vanish between finding and reading them


class Buffers(Files):
    """Open documents before the disk.

    :param parses: the trees of the check before
    :param look: asked before a text is parsed; it may raise to end the work
    """

    def __init__(self, documents: Mapping[Path, Document], parses: Parses | None = None, look: Callable[[], None] | None = None) -> None:
        self._documents = documents
        self._parses = parses
        self._look = look

    def sources(self) -> Sources:
        """Files have room to grow, so that the trees of the others are those of the check before."""
        return Sources(ROOM)

    def parse(self, file: SourceFile, outline: Outline | None = None) -> Parsed:
        """The tree of a text, made anew where the text is another."""
        if self._look is not None:
            self._look()
        return self._parses.of(file, outline) if self._parses is not None else parse_module(file, outline)

    def content(self, file: Path) -> bytes:
        """The text of the document, else of the file."""
        found = self._documents.get(file)
        return found.text.encode("utf-8", "replace") if found is not None else file.read_bytes()

    def matching(self, folder: Path, pattern: str) -> list[Path]:
        """Files that are there, and documents that are not saved yet."""
        try:
            there = {file for file in folder.glob(pattern) if file.is_file()}
        except (OSError, ValueError, NotImplementedError):
            there = set()
        new = (path for path, document in self._documents.items() if document.file and path not in there and path.is_relative_to(folder))
        return sorted(there.union(path for path in new if _matches(path.relative_to(folder), pattern)))


def _matches(path: Path, pattern: str) -> bool:
    parts = Path(pattern).parts
    return len(parts) == len(path.parts) and all(map(fnmatch.fnmatchcase, path.parts, parts))


class Checked(msgspec.Struct, frozen=True):
    """A checked program. ``lines`` are those of each file, by its path; what is read of a broken program may be partial."""

    home: Home
    loaded: Loaded
    lines: dict[Path, Normal]
    seen: dict[Node, Seen]
    kept: dict[str, Any] = {}

    @property
    def _by_name(self) -> dict[str, tuple[Path, Normal]]:
        if "names" not in self.kept:
            self.kept["names"] = {str(path): (path, lines) for path, lines in self.lines.items()}
        found: dict[str, tuple[Path, Normal]] = self.kept["names"]
        return found

    @property
    def declared(self) -> dict[Key, Declared]:
        """What the program declares."""
        if "declared" not in self.kept:
            self.kept["declared"] = declared_by(self.loaded.modules)
        found: dict[Key, Declared] = self.kept["declared"]
        return found

    @property
    def values(self) -> Values:
        """What expressions refer to."""
        return Values(self.loaded.symbols, self.seen, self.declared)

    @property
    def uses(self) -> list[Use]:
        """All names that refer to a declaration, in the order of the text; found when somebody asks."""
        if "uses" not in self.kept:
            self.kept["uses"] = uses_in(self.loaded.modules, self.values)
        found: list[Use] = self.kept["uses"]
        return found

    @property
    def variables(self) -> dict[int, Variable]:
        """The variables of all blocks, by the offsets at which they are declared."""
        if "variables" not in self.kept:
            self.kept["variables"] = dict(_variables(seen.scope for seen in self.seen.values()))
        found: dict[int, Variable] = self.kept["variables"]
        return found

    def use_at(self, offset: int) -> Use | None:
        """The use at an offset, or just before it; of those around it the smallest."""
        around = [use for use in self.uses if use.start <= offset <= use.end]
        return min(around, key=lambda use: (use.end - use.start, use.start != offset), default=None)

    def file(self, path: Path) -> SourceFile | None:
        """The text of a path as it was checked."""
        return next((file for file in self.loaded.sources.files if file.path == str(path)), None)

    def module(self, path: Path) -> Module | None:
        """The tree of a path."""
        return next((module for module in self.loaded.modules if module.path == str(path)), None)

    def place(self, start: int, end: int) -> tuple[Path, lsp.Range]:
        """The file and range of a stretch of the program."""
        file = self.loaded.sources.file_at(start)
        path, lines = self._by_name[file.path]
        return path, lines.range(start - file.base, end - file.base)

    def offset(self, path: Path, position: lsp.Position) -> int:
        """The offset, in the space of the program, of a position; -1 in a file that is not of the program."""
        file = self.file(path)
        return -1 if file is None else file.base + self.lines[path].offset(position)

    def stretch(self, path: Path, wanted: lsp.Range) -> tuple[int, int]:
        """The offsets of a range."""
        return self.offset(path, wanted.start), self.offset(path, wanted.end)


def _variables(scopes: Iterable[Scope]) -> Iterator[tuple[int, Variable]]:
    known: set[int] = set()
    for inner in scopes:
        scope: Scope | None = inner
        while scope is not None and id(scope) not in known:
            known.add(id(scope))
            yield from ((variable.node.start, variable) for variable in scope.variables.values() if variable.node is not None)
            scope = scope.parent


class Abandoned(Exception):
    """Nobody wants to know any more."""


def check(
    home: Home,
    documents: Mapping[Path, Document],
    encoding: str,
    wanted: Callable[[], bool] = lambda: True,
    parses: Parses | None = None,
) -> Checked:
    """Reads and checks a program. What cannot be read is left out: it may be gone, or in the middle of being written.

    :param wanted: whether somebody still wants to know
    :param parses: the trees of the check before, which are used where they are still right; those of this one are kept there
    :raises Abandoned: nobody does
    """

    def look() -> None:
        if not wanted():
            raise Abandoned

    reading = Buffers(documents, parses, look)
    files = [file for file in home.files if file in documents or file.is_file()]
    seen: dict[Node, Seen] = {}
    loaded = _load(files, home.folder, reading, seen, look)
    if parses is not None:
        parses.forget_others(loaded.sources)
    lines = {Path(file.path): Normal(_original(Path(file.path), file, documents), encoding) for file in loaded.sources.files}
    return Checked(home, loaded, lines, seen)


def _load(files: list[Path], folder: Path, reading: Files, seen: dict[Node, Seen], look: Callable[[], None]) -> Loaded:
    def observing(symbols: Symbols, reporter: Reporter) -> Observing:
        return Observing(symbols, reporter, seen, look)

    for _ in range(_TRIES):
        try:
            return load_files(files, folder, reading, observing)
        except LoadError:
            files = [file for file in files if _readable(file, reading)]
    return load_files([], folder, reading, observing)


def _readable(file: Path, reading: Files) -> bool:
    try:
        reading.content(file)
    except OSError:
        return False
    return True


def _original(path: Path, file: SourceFile, documents: Mapping[Path, Document]) -> str:
    """The text as the editor has it, where it is open; else as it was read, which has the same lines."""
    document = documents.get(path)
    return document.text if document is not None and file.text else file.text
