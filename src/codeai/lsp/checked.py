"""A program as it was checked, with the lines of its files for positions, and what its names refer to."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
from lsprotocol import types as lsp

from codeai.language.source import SourceFile
from codeai.language.tree.module import Module
from codeai.lsp.belonging import Home
from codeai.lsp.documents import Document
from codeai.lsp.lines import Normal
from codeai.server.loading import Files, Loaded, LoadError, load_files

_TRIES: Final = 3  # files may vanish between finding and reading them


class Buffers(Files):
    """Open documents before the disk."""

    def __init__(self, documents: Mapping[Path, Document]) -> None:
        self._documents = documents

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

    def file(self, path: Path) -> SourceFile | None:
        """The text of a path as it was checked."""
        return next((file for file in self.loaded.sources.files if file.path == str(path)), None)

    def module(self, path: Path) -> Module | None:
        """The tree of a path."""
        return next((module for module in self.loaded.modules if module.path == str(path)), None)

    def place(self, start: int, end: int) -> tuple[Path, lsp.Range]:
        """The file and range of a stretch of the program."""
        file = self.loaded.sources.file_at(start)
        path = Path(file.path)
        return path, self.lines[path].range(start - file.base, end - file.base)

    def offset(self, path: Path, position: lsp.Position) -> int:
        """The offset, in the space of the program, of a position; -1 in a file that is not of the program."""
        file = self.file(path)
        return -1 if file is None else file.base + self.lines[path].offset(position)

    def stretch(self, path: Path, wanted: lsp.Range) -> tuple[int, int]:
        """The offsets of a range."""
        return self.offset(path, wanted.start), self.offset(path, wanted.end)


def check(home: Home, documents: Mapping[Path, Document], encoding: str) -> Checked:
    """Reads and checks a program. What cannot be read is left out: it may be gone, or in the middle of being written."""
    reading = Buffers(documents)
    files = [file for file in home.files if file in documents or file.is_file()]
    loaded = _load(files, home.folder, reading)
    lines = {Path(file.path): Normal(_original(Path(file.path), file, documents), encoding) for file in loaded.sources.files}
    return Checked(home, loaded, lines)


def _load(files: list[Path], folder: Path, reading: Files) -> Loaded:
    for _ in range(_TRIES):
        try:
            return load_files(files, folder, reading)
        except LoadError:
            files = [file for file in files if _readable(file, reading)]
    return load_files([], folder, reading)


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
