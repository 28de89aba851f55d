"""The lines of a program that a finding is about, with its places marked, in the manner of rustc.

A place within a line is underlined; one over several lines has a bar at its left. Several places of one line share the row of
marks: the last label stands behind it, the others below, each on a row of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from codeai.language.diagnostics import Span
from codeai.language.rendering.columns import cells, plain
from codeai.language.source import SourceFile, Sources

Paint = Callable[[str, str], str]

PRIMARY: Final = "primary"
SECONDARY: Final = "secondary"
GUTTER: Final = "gutter"
_WIDEST: Final = 140


class Mark(msgspec.Struct, frozen=True):
    """A place within a line: columns (characters from 0, end exclusive), label and style."""

    start: int
    end: int
    label: str
    style: str

    @property
    def sign(self) -> str:
        """What underlines it."""
        return "^" if self.style == PRIMARY else "-"


class Bar(msgspec.Struct, frozen=True):
    """A place over several lines (counted from 1), and the columns at which it begins and ends."""

    first: int
    last: int
    start: int
    end: int
    label: str
    style: str


def excerpt(primary: Span, secondary: tuple[Span, ...], sources: Sources, paint: Paint) -> list[str]:
    """The rows of the excerpts, the file of the primary place first.

    :param paint: gives a text its colour by style (``primary``, ``secondary``, ``gutter``)
    """
    files = list(dict.fromkeys(sources.file_at(span.start) for span in (primary, *secondary)))
    rows: list[str] = []
    shown = [_File(file, primary, tuple(span for span in secondary if sources.file_at(span.start) is file), paint) for file in files]
    width = max(file.gutter for file in shown)
    for number, file in enumerate(shown):
        rows.extend(file.rows(width, "-->" if number == 0 else ":::"))
    return rows


class _File:
    """The excerpt of one file."""

    def __init__(self, file: SourceFile, primary: Span, secondary: tuple[Span, ...], paint: Paint) -> None:
        self.file = file
        self.paint = paint
        self.marks: dict[int, list[Mark]] = {}
        self.bars: list[Bar] = []
        own = file.base <= primary.start <= file.end
        self.first = primary if own else secondary[0]
        for span in (*([primary] if own else []), *secondary):
            self._place(span, PRIMARY if span is primary else SECONDARY)
        self.gutter = len(str(max([*self.marks, *(bar.last for bar in self.bars)])))

    def _place(self, span: Span, style: str) -> None:
        start, end = self.file.locate(span.start), self.file.locate(max(span.start, span.end))
        label = plain(span.label)
        if end.line > start.line and end.column == 1:  # the line end belongs to the line before
            end = self.file.locate(span.end - 1)
        if end.line > start.line and not self.bars:
            self.bars.append(Bar(start.line, end.line, start.column - 1, max(end.column - 1, 1), label, style))
            return
        stop = end.column - 1 if end.line == start.line else len(self.file.line_text(start.line))
        mark = Mark(start.column - 1, max(stop, start.column), label, style)
        self.marks.setdefault(start.line, []).append(mark)

    def rows(self, width: int, arrow: str) -> list[str]:
        place = self.file.locate(self.first.start)
        blank = self.paint(" " * width + " |", GUTTER)
        found = [f"{self.paint(' ' * width + arrow, GUTTER)} {plain(str(place))}", blank]
        before = 0
        for line in self._lines():
            if before and line > before + 1:
                found.append(self.paint("...", GUTTER) + self._margin(before + 1))
            found.extend(self._line(line, width, blank))
            before = line
        return [row.rstrip() for row in found]

    def _lines(self) -> list[int]:
        wanted = set(self.marks)
        for bar in self.bars:
            wanted |= {bar.first, bar.last} if bar.last - bar.first > 3 else set(range(bar.first, bar.last + 1))
        wanted |= {line + 1 for line in wanted if line + 2 in wanted}  # no gap of a single line
        return sorted(wanted)

    def _margin(self, line: int) -> str:
        """The bar beside a line, when the excerpt has one."""
        if not self.bars:
            return ""
        bar = self.bars[0]
        return " " + (self.paint("|", bar.style) if bar.first < line <= bar.last else " ")

    def _line(self, line: int, width: int, blank: str) -> list[str]:
        text = self.file.line_text(line)
        marks = sorted(self.marks.get(line, ()), key=lambda mark: mark.start)
        window = _Window(text, marks)
        number = self.paint(f"{line:>{width}} |", GUTTER)
        margin, bar = self._margin(line), self.bars[0] if self.bars else None
        opens = bar is not None and bar.first == line
        slash = bar is not None and opens and not text[: bar.start].strip()
        if bar is not None and slash:
            margin = " " + self.paint("/", bar.style)
        found = [f"{number}{margin} {window.shown}"]
        below = self._margin(line) if not slash or bar is None else " " + self.paint("|", bar.style)
        found.extend(f"{blank}{below} {row}" for row in _mark_rows(marks, window, self.paint))
        if bar is not None and opens and not slash:
            found.append(f"{blank} {self.paint(' ' + '_' * (window.cell(bar.start) + 1) + '^', bar.style)}")
        if bar is not None and bar.last == line:
            label = f" {bar.label}" if bar.label else ""
            foot = "|" + "_" * window.cell(bar.end) + ("^" if bar.style == PRIMARY else "-")
            found.append(f"{blank} {self.paint(foot + label, bar.style)}")
        return found


class _Window:
    """A line as it is shown: cut to the neighbourhood of its marks when it is long."""

    def __init__(self, text: str, marks: list[Mark]) -> None:
        parts = cells(text)
        self._starts = [0]
        for _, size in parts:
            self._starts.append(self._starts[-1] + size)
        self._from = 0
        if self._starts[-1] > _WIDEST and marks:
            self._from = max(0, min(self._starts[min(marks[0].start, len(parts))] - 40, self._starts[-1] - _WIDEST))
        first = next(at for at, cell in enumerate(self._starts) if cell >= self._from)
        self._from = self._starts[first]
        last = max(at for at, cell in enumerate(self._starts) if cell - self._from <= _WIDEST)
        self._lead = 1 if first else 0
        self._end = self._starts[last] - self._from + self._lead
        self.shown = "…" * self._lead + "".join(shown for shown, _ in parts[first:last]) + ("…" if last < len(parts) else "")

    def cell(self, column: int) -> int:
        """The cell at which a character is shown."""
        inside = min(column, len(self._starts) - 1)
        at = self._starts[inside] + (column - inside) - self._from + self._lead
        return max(0, min(at, self._end))


def _mark_rows(marks: list[Mark], window: _Window, paint: Paint) -> list[str]:
    """The row of marks, and the rows of the labels that do not fit behind it."""
    if not marks:
        return []
    row: dict[int, tuple[str, str]] = {}
    for mark in sorted(marks, key=lambda mark: mark.style == PRIMARY):
        begin = window.cell(mark.start)
        for at in range(begin, max(window.cell(mark.end), begin + 1)):
            row[at] = (mark.sign, mark.style)
    last = marks[-1]
    inline = last.label if max(row) < window.cell(last.end) + 1 else ""
    found = [_painted(row, paint) + (paint(f" {inline}", last.style) if inline else "")]
    waiting = [mark for mark in marks if mark.label and (mark is not last or not inline)]
    if waiting:
        found.append(_painted({window.cell(mark.start): ("|", mark.style) for mark in waiting}, paint))
    while waiting:
        mark = waiting.pop()
        lead = {window.cell(other.start): ("|", other.style) for other in waiting if window.cell(other.start) < window.cell(mark.start)}
        head = _painted(lead, paint)
        gap = window.cell(mark.start) - (max(lead) + 1 if lead else 0)
        found.append(head + " " * gap + paint(mark.label, mark.style))
    return found


def _painted(row: dict[int, tuple[str, str]], paint: Paint) -> str:
    """A row of signs by cell, neighbours of one style painted together."""
    text, at = "", 0
    run, style = "", ""
    for cell in sorted(row):
        sign, own = row[cell]
        if run and (cell > at or own != style):
            text += paint(run, style)
            run = ""
        text += " " * (cell - at)
        run, style, at = run + sign, own, cell + 1
    return text + (paint(run, style) if run else "")
