"""Positions of editors (a line, and units of the agreed encoding in it) and offsets of ours, in both directions.

The specification ends lines at a line feed, a carriage return, or both together, and at nothing else; units are those of UTF-16
unless both sides agree on UTF-8 or UTF-32.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from typing import Final

from lsprotocol.types import Position, PositionEncodingKind, Range

_ENDS: Final = re.compile(r"\r\n|\r|\n")
_ENDS_OF_NORMAL: Final = re.compile(r"[\r\n]")
_MARK: Final = "\ufeff"


def _utf16(text: str) -> int:
    return len(text) if text.isascii() else len(text) + sum(character > "\uffff" for character in text)


def _utf8(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


_UNITS: Final[dict[str, Callable[[str], int]]] = {
    PositionEncodingKind.Utf8.value: _utf8,
    PositionEncodingKind.Utf16.value: _utf16,
    PositionEncodingKind.Utf32.value: len,
}


class Lines:
    """A text by its lines.

    :param text: the text as an editor has it
    :param encoding: the agreed units of positions
    """

    def __init__(self, text: str, encoding: str = PositionEncodingKind.Utf16.value, *, _ends: re.Pattern[str] = _ENDS) -> None:
        self.text = text
        self.encoding = encoding
        self._units = _UNITS[encoding]
        self._starts = [0]
        self._stops: list[int] = []  # where each line ends, its line end excluded
        for found in _ends.finditer(text):
            self._stops.append(found.start())
            self._starts.append(found.end())
        self._stops.append(len(text))

    def offset(self, position: Position) -> int:
        """The offset of a position; what lies behind the end of a line or of the text is that end."""
        if position.line >= len(self._starts):
            return len(self.text)
        start, stop = self._starts[position.line], self._stops[position.line]
        wanted = max(position.character, 0)
        line = self.text[start:stop]
        if self._units is len or line.isascii():
            return min(start + wanted, stop)
        units = 0
        for at, character in enumerate(line):
            units += self._units(character)
            if units > wanted:
                return start + at
        return stop

    def position(self, offset: int) -> Position:
        """The position of an offset."""
        offset = min(max(offset, 0), len(self.text))
        line = bisect_right(self._starts, offset) - 1
        start = self._starts[line]
        return Position(line, self._units(self.text[start : min(offset, self._stops[line])]))

    def range(self, start: int, end: int) -> Range:
        """The range between two offsets."""
        return Range(self.position(start), self.position(max(start, end)))

    def whole(self) -> Range:
        """The range of the whole text."""
        return self.range(0, len(self.text))


class Normal(Lines):
    """The lines of a text as the compiler reads it: without byte order mark and the carriage returns before line feeds.

    Positions are those in the text as the editor has it.

    :param original: the text as the editor has it
    """

    def __init__(self, original: str, encoding: str = PositionEncodingKind.Utf16.value) -> None:
        self.original = original
        self._mark = _UNITS[encoding](_MARK) if original.startswith(_MARK) else 0
        super().__init__(original.removeprefix(_MARK).replace("\r\n", "\n"), encoding, _ends=_ENDS_OF_NORMAL)

    def offset(self, position: Position) -> int:
        """See ``Lines``."""
        moved = Position(0, max(position.character - self._mark, 0)) if self._mark and position.line == 0 else position
        return super().offset(moved)

    def position(self, offset: int) -> Position:
        """See ``Lines``."""
        found = super().position(offset)
        return Position(0, found.character + self._mark) if self._mark and found.line == 0 else found
