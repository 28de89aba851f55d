"""Source texts and positions in them.

All files of one program share a single space of offsets, in the manner of Go's ``token.FileSet`` and rustc's source map: each
file has a base, and one integer names a file and a place in it. Tree nodes therefore carry two integers only; line and column
are computed when a person has to see them. Reading files is not done here (see ``codeai.language`` callers).
"""

from __future__ import annotations

import string
from bisect import bisect_right
from typing import Final

import msgspec


class Location(msgspec.Struct, frozen=True):
    """A place as a person reads it: ``line`` and ``column`` count from 1 (columns in code points), ``offset`` from 0 in the file."""

    path: str
    line: int
    column: int
    offset: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


_AT_THE_LEFT: Final = frozenset(string.ascii_letters + "@")


class SourceFile:
    """One text: its path as messages show it, its characters, and the offset at which it begins in the program."""

    __slots__ = ("_beginnings", "_line_starts", "base", "path", "text")

    def __init__(self, path: str, text: str, base: int = 0) -> None:
        self.path = path
        self.text = text
        self.base = base
        self._line_starts: list[int] | None = None
        self._beginnings: list[int] | None = None

    @property
    def end(self) -> int:
        """The offset just behind the last character, in the space of the program."""
        return self.base + len(self.text)

    @property
    def line_starts(self) -> list[int]:
        """Offsets (in the file) at which the lines begin; the first is 0."""
        if self._line_starts is None:
            starts = [0]
            find = self.text.find
            at = find("\n")
            while at >= 0:
                starts.append(at + 1)
                at = find("\n", at + 1)
            self._line_starts = starts
        return self._line_starts

    @property
    def beginnings(self) -> list[int]:
        """Where declarations begin, in the space of the program: the offsets of lines with a letter at the very left."""
        if self._beginnings is None:
            text = self.text
            begins = (start for start in self.line_starts if start < len(text) and text[start] in _AT_THE_LEFT)
            self._beginnings = [self.base + start for start in begins]
        return self._beginnings

    def locate(self, offset: int) -> Location:
        """The location of an offset of the program's space that lies in this file."""
        local = min(max(offset - self.base, 0), len(self.text))
        line = bisect_right(self.line_starts, local)
        return Location(self.path, line, local - self.line_starts[line - 1] + 1, local)

    def line_text(self, line: int) -> str:
        """The text of a line (counted from 1) without its line end."""
        starts = self.line_starts
        stop = starts[line] if line < len(starts) else len(self.text)
        return self.text[starts[line - 1] : stop].rstrip("\r\n")


class Sources:
    """The files of one program, in the order in which they were added.

    :param room: how many offsets each file has for itself, so that one that grows does not move those after it; none by default
    """

    def __init__(self, room: int = 0) -> None:
        self.files: list[SourceFile] = []
        self._room = room

    def add(self, path: str, text: str) -> SourceFile:
        """Append a text and give it its place in the space of offsets."""
        base = max(self.files[-1].end + 1, len(self.files) * self._room) if self.files else 0
        file = SourceFile(path, text, base)
        self.files.append(file)
        return file

    def file_at(self, offset: int) -> SourceFile:
        """The file in which an offset lies."""
        at = bisect_right(self.files, offset, key=lambda file: file.base) - 1
        return self.files[max(at, 0)]

    def locate(self, offset: int) -> Location:
        """The file, line and column of an offset."""
        return self.file_at(offset).locate(offset)

    def line_at(self, offset: int) -> tuple[int, int]:
        """The file of an offset, by its base, and the line in it."""
        file = self.file_at(offset)
        return file.base, bisect_right(file.line_starts, offset - file.base)

    def text(self, start: int, end: int) -> str:
        """The characters between two offsets of one file."""
        file = self.file_at(start)
        return file.text[start - file.base : end - file.base]
