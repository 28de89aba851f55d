"""One mistake, one finding: what other findings of a broken text merely follow from the first one.

Where a text does not parse, its tree has a gap, and what the gap would have declared is unknown, not undefined: complaints that a name is
not there are echoes where the gap has that name, and so is all that is said of the inside of the gap itself.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import Final

from codeai.language.diagnostics import HERE, Diagnostic, Severity, Span, Subject
from codeai.language.parser.statements import END_OF_STATEMENT
from codeai.language.regions import Regions
from codeai.language.repetitions import without_repetitions
from codeai.language.source import Sources
from codeai.language.spellings.outline import event_key
from codeai.language.tree.module import Gap, Module

# Declarations whose insides are names that others use.
_DECLARING: Final = frozenset(
    (
        *("entity", "model", "type", "enum", "event", "config", "database", "collection", "role", "auth", "middleware", "integration"),
        *("webhook", "function", "extern", "workflow", "job", ""),
    )
)
# What is not found where the name of a declaration is lost.
_OF_KIND: Final = {
    **dict.fromkeys(("entity", "model", "database", "collection"), ("CAI0104", "CAI0105", "CAI0201", "CAI0519")),
    **dict.fromkeys(("type", "enum"), ("CAI0201", "CAI0307", "CAI0101")),
    **dict.fromkeys(("workflow", "job"), ("CAI0124",)),
    **dict.fromkeys(("function", "extern"), ("CAI0110",)),
    "event": ("CAI0120",),
    "middleware": ("CAI0128",),
    "webhook": ("CAI0129",),
    "role": ("CAI0109",),
    "auth": ("CAI0116",),
    "integration": ("CAI0121", "CAI0122"),
}


_LOST: Final = ("CAI0002", "CAI0003", "CAI0010", "CAI0011", "CAI0014", "CAI0025", "CAI0026")  # where the parser has lost its place
_UNTERMINATED: Final = "CAI0002"
_MENDED: Final = ("CAI0010", "CAI0037")
_OF_PARSER: Final = "CAI0010"  # the first code that is not of the lexer
_OF_NAMES: Final = ("CAI0033", "CAI0036")
_NEAR: Final = 8  # characters
_WITHOUT_NAMES: Final = {"endpoint": "CAI0519", "resource": "CAI0519", "role": "CAI0134"}  # they declare addresses and permissions


def without_echoes(
    syntax: Sequence[Diagnostic], semantic: Sequence[Diagnostic], modules: Sequence[Module], sources: Sources
) -> list[Diagnostic]:
    """The findings about the meaning that stand on their own, given those about the text and the trees with their gaps."""
    regions = Regions(modules)
    if not any(found.severity is Severity.ERROR for found in syntax):
        return without_repetitions(semantic, regions, sources)
    unknown = _Unknown(syntax, [gap for module in modules for gap in module.gaps], regions, sources)
    return without_repetitions(
        [found for found in semantic if found.severity is Severity.ERROR and not unknown.explains(found)], regions, sources
    )


class _Unknown:
    """What gaps of the tree leave unknown."""

    def __init__(self, syntax: Sequence[Diagnostic], gaps: Sequence[Gap], regions: Regions, sources: Sources) -> None:
        self._sources = sources
        self._regions = regions
        self._places = sorted(found.primary.start for found in syntax if found.severity is Severity.ERROR)
        self._torn = {sources.line_at(found.primary.start) for found in syntax if END_OF_STATEMENT in found.expected}
        self._gaps = _Stretches((gap.start, gap.end) for gap in gaps)
        self._anywhere: set[str] = set()
        self._here: dict[int, set[str]] = {}
        for gap in gaps:
            begin = regions.at(gap.start)[0]
            self._here.setdefault(begin, set()).update(gap.words)
            if gap.keyword in _DECLARING:
                self._anywhere |= gap.words
                if gap.whole:
                    self._anywhere.add(event_key(gap.owner))
        self._nameless = {gap.owner for gap in gaps if gap.unnamed and not gap.whole}
        self._nameless_here = {regions.at(gap.start)[0] for gap in gaps if gap.unnamed}
        self._kinds = {
            code for gap in gaps if gap.whole and (gap.unnamed or gap.keyword == "event") for code in _OF_KIND.get(gap.keyword, ())
        }
        self._kinds |= {_WITHOUT_NAMES[gap.keyword] for gap in gaps if gap.keyword in _WITHOUT_NAMES}

    def explains(self, found: Diagnostic) -> bool:
        """Whether a finding only says what a gap has left out."""
        at, about = found.primary.start, found.subject
        if self._torn and self._sources.line_at(at) in self._torn:  # which is one statement, however it was read
            return True
        if found.code in self._kinds or self._is_read_otherwise(found.primary) or self._gaps.index(at) is not None or self._beside(found):
            return True
        return about is not None and self._may_declare(about, at)

    def _is_read_otherwise(self, place: Span) -> bool:
        """Whether an error of the text lies within a place, so that what is there was not read as it is written."""
        index = bisect_left(self._places, place.start)
        return index < len(self._places) and self._places[index] < max(place.end, place.start + 1)

    def _beside(self, found: Diagnostic) -> bool:
        """Whether a gap is within what a finding is about, or next to it with nothing but brackets and the like between them."""
        before, after = self._gaps.around(found.primary.start)
        if after is not None and after < found.primary.end:
            return True
        places = ((before, found.primary.start), (found.primary.end, after))
        return any(start is not None and end is not None and self._near(start, end) for start, end in places)

    def _near(self, start: int, end: int) -> bool:
        between, behind = self._sources.text(start, min(end, start + _NEAR)), self._sources.text(end, end + 1)
        if end - start > _NEAR or any(character.isalnum() or character == "\n" for character in between):
            return False
        return between != "  " or not behind.isalpha()  # which separate items

    def _may_declare(self, about: Subject, at: int) -> bool:
        here = self._here.get(self._regions.at(at)[0], set())
        if about.owner in self._nameless or (about.owner == HERE and self._regions.at(at)[0] in self._nameless_here):
            return True
        names = (*about.name.split("."), event_key(about.name), *about.lacking)
        return any(name in self._anywhere or name in here for name in names)


def first_of_each_gap(syntax: Sequence[Diagnostic], modules: Sequence[Module], sources: Sources) -> list[Diagnostic]:
    """The findings about the text without those that follow from another one: of their gap, or of their line, if the parser has lost its
    place there. Warnings about names wait for errors.
    """
    errors = [found for found in syntax if found.severity is Severity.ERROR]
    if not errors:
        return list(syntax)
    stretches = _Stretches((gap.start, gap.end) for module in modules for gap in module.gaps)
    whole = _Stretches((gap.start, gap.end) for module in modules for gap in module.gaps if gap.whole)
    taken: set[int] = set()
    lost: set[tuple[int, int]] = set()
    begun: set[tuple[int, int]] = set()
    kept: set[int] = set()
    for found in sorted(errors, key=lambda one: (one.code != _UNTERMINATED, one.primary.start)):
        line, gap = sources.line_at(found.primary.start), stretches.index(found.primary.start)
        mended = bool(found.edits) and found.code in _MENDED  # on the spot: the parser has not lost its place
        follows = (
            line in lost
            or (gap in taken and (found.code >= _OF_PARSER or whole.index(found.primary.start) is not None))
            or (line in begun and found.code in _LOST)
        )
        if follows and not mended:
            continue
        kept.add(id(found))
        if mended:
            continue
        if found.code in _LOST:
            lost.add(line)
        if found.code >= _OF_PARSER:
            begun.add(line)
            if gap is not None:
                taken.add(gap)
    return [found for found in syntax if id(found) in kept or not (found.severity is Severity.ERROR or found.code in _OF_NAMES)]


class _Stretches:
    """Whether a place lies in one of many stretches of the text."""

    def __init__(self, stretches: Iterable[tuple[int, int]]) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in sorted(stretches):
            if self._ends and start <= self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], end)
            else:
                self._starts.append(start)
                self._ends.append(end)

    def index(self, at: int) -> int | None:
        """Which of them holds a place."""
        index = bisect_right(self._starts, at) - 1
        return index if index >= 0 and at < self._ends[index] else None

    def around(self, at: int) -> tuple[int | None, int | None]:
        """Where the one before a place ends and the one behind it begins."""
        index = bisect_right(self._starts, at)
        return self._ends[index - 1] if index else None, self._starts[index] if index < len(self._starts) else None
