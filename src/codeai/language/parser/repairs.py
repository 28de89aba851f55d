"""One mistake that the parser stumbles over several times, found by trying the changes that would mend it.

A doubled or lost bracket, a word too many or two tokens in the wrong order leave the parser in the wrong place, and it complains of
what follows, too. So where a declaration has several errors, its text is parsed again with the token at the first of them left out,
exchanged with its neighbour, or with what was expected put in. What leaves the fewest errors, and makes no other ones, is what was
meant: the first error is told in its own words, those that it caused are not, and the tree is that of the mended text.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from itertools import islice, pairwise
from typing import Final

import msgspec

from codeai.language.diagnostics import Diagnostic, Severity
from codeai.language.lexer import END, NAME, Tokens, tokenize
from codeai.language.parser.braces import mend_braces
from codeai.language.parser.cursor import Cursor
from codeai.language.parser.declarations import Parser
from codeai.language.parser.foreign_files import prepared
from codeai.language.parser.statements import END_OF_STATEMENT
from codeai.language.source import SourceFile
from codeai.language.spellings.outline import Outline
from codeai.language.tree.declarations import Declaration
from codeai.language.tree.module import Module

_REPAIRS: Final = 3  # in one declaration
_DECLARATIONS: Final = 20  # that are tried in one file
_LONGEST: Final = 2_500  # tokens of a declaration that is tried, which is parsed about ten times
_BRACKETS: Final = ("'}'", "')'", "']'", "'{'", "'('", "'['", "':'", "'='", "'in'", "'at'")

_Change = Callable[[Tokens], None]


class _Region(msgspec.Struct):
    """A stretch of a file with whole declarations, as it is parsed with some changes."""

    file: SourceFile
    start: int
    end: int
    known: Outline
    changes: list[_Change] = []

    def parsed(self, change: _Change | None = None, *, layout: bool = True) -> tuple[Module, list[Diagnostic]]:
        """The declarations and findings.

        :param layout: whether braces are put in where the layout of the text misses them
        """
        base = self.file.base
        tokens = tokenize(self.file.text, base, self.start - base, self.end - base)
        parser = Parser(self.file, tokens)
        parser.known = self.known
        prepared(parser)
        for one in (*self.changes, *([change] if change is not None else [])):
            one(tokens)
        if layout:
            mend_braces(parser)
        return parser.module(), parser.diagnostics


def repaired(file: SourceFile, module: Module, found: list[Diagnostic], known: Callable[[], Outline]) -> tuple[Module, list[Diagnostic]]:
    """The module and its findings, without those that another one has caused.

    :param known: what the program declares, which is asked only when a declaration is tried
    """
    errors = sorted(one.primary.start for one in found for _ in range(1 + (END_OF_STATEMENT in one.expected)) if _counts(one))
    if len(errors) < 2:
        return module, found
    declarations, gaps = list(module.declarations), list(module.gaps)
    regions = list(islice(_regions(file, errors), _DECLARATIONS))
    outline = known() if regions else Outline()
    for start, end in regions:
        mended = _mended(_Region(file, start, end, outline))
        if mended is not None:
            inside, findings = mended
            declarations = [one for one in declarations if not start <= one.start < end]
            declarations[_place(declarations, start) : _place(declarations, start)] = inside.declarations
            gaps = [one for one in gaps if not start <= one.start < end] + list(inside.gaps)
            found = [one for one in found if not start <= one.primary.start < end and one.primary.start != end] + findings
    return msgspec.structs.replace(module, declarations=tuple(declarations), gaps=tuple(gaps)), found


def _place(declarations: list[Declaration], start: int) -> int:
    return sum(one.start < start for one in declarations)


def _regions(file: SourceFile, errors: list[int]) -> Iterator[tuple[int, int]]:
    """The stretches from one beginning of a declaration to the next that have several errors."""
    cursor = Cursor(file, tokenize(file.text, file.base))
    begins = [0]
    for at in range(1, len(cursor.kinds)):
        cursor.i = at
        if cursor.kinds[at] == END or (cursor.kinds[at] == NAME and cursor.breaks[at] and cursor.declaration_begins()):
            begins.append(at)
    for begin, end in pairwise(begins):
        start, stop = cursor.starts[begin], cursor.starts[end]
        last = stop if cursor.kinds[end] != END else stop + 1
        if end - begin <= _LONGEST and bisect_left(errors, last) - bisect_left(errors, start) > 1:
            yield start, stop


def _counts(found: Diagnostic) -> bool:
    """Whether a finding says that the text is none of this language, beyond its characters."""
    return found.severity is Severity.ERROR and "CAI0010" <= found.code < "CAI0030"


def _mended(region: _Region) -> tuple[Module, list[Diagnostic]] | None:
    """The module of the region as they were meant, and its findings; None where nothing helps."""
    module, found = region.parsed()
    broken = module.gaps
    told: list[Diagnostic] = []
    for _ in range(_REPAIRS):
        errors = list(filter(_counts, found))
        alone = len(errors) == 1 and END_OF_STATEMENT in errors[0].expected  # a word too many, which may belong to what is before
        worthy = len(errors) > 1 or alone
        tried = [(*region.parsed(change), change, error) for error, change in _attempts(region, errors)] if worthy else []
        kept = {(one.code, one.primary.start) for one in errors}
        better = [one for one in tried if all((each.code, each.primary.start) in kept for each in filter(_counts, one[1]))]
        best = min(better, key=lambda one: _errors(one[1]), default=None)
        if best is None or _errors(best[1]) >= max(len(errors) - 1, 1):
            break
        module, found, change, error = best
        region.changes.append(change)
        told.append(error)
    guessed = tuple(gap for gap in broken if any(gap.start <= error.primary.start <= gap.end for error in told))
    return (msgspec.structs.replace(module, gaps=(*module.gaps, *guessed)), [*told, *found]) if told else None


def _errors(found: list[Diagnostic]) -> int:
    return sum(map(_counts, found))


def _attempts(region: _Region, found: list[Diagnostic]) -> Iterator[tuple[Diagnostic, _Change]]:
    """Changes at the first error; where a brace was put in, also at the first one without it."""
    first = min(found, key=lambda one: one.primary.start)
    errors = [first]
    if any(one.code in ("CAI0025", "CAI0026") for one in found):
        errors += [min(filter(_counts, region.parsed(layout=False)[1]), key=lambda one: one.primary.start, default=first)]
    for error in errors:
        yield from ((error, change) for change in _changes(error))


def _changes(error: Diagnostic) -> Iterator[_Change]:
    """What may mend an error: something is too much, missing, or in the wrong order there."""
    place = error.primary.start
    for text in error.expected if len(error.expected) < 3 else ():
        if text in _BRACKETS:
            yield lambda tokens, text=text: _insert(tokens, _index(tokens, place), text.strip("'"))  # type: ignore[misc]  # of a default
    for ahead in (0, -1):
        yield lambda tokens, ahead=ahead: _remove(tokens, _index(tokens, place) + ahead)  # type: ignore[misc]  # of a default
    for ahead in (0, -1, 1, -2):
        yield lambda tokens, ahead=ahead: _exchange(tokens, _index(tokens, place) + ahead)  # type: ignore[misc]  # of a default


def _index(tokens: Tokens, place: int) -> int:
    return next(at for at, (kind, start) in enumerate(zip(tokens.kinds, tokens.starts, strict=True)) if start >= place or kind == END)


def _remove(tokens: Tokens, at: int) -> None:
    if 0 <= at < len(tokens.kinds) - 1:
        broken = tokens.breaks[at]
        for of in (tokens.kinds, tokens.texts, tokens.starts, tokens.ends, tokens.breaks):
            del of[at]
        tokens.breaks[at] = tokens.breaks[at] or broken


def _insert(tokens: Tokens, at: int, text: str) -> None:
    place = tokens.ends[at - 1] if at else tokens.starts[0]
    tokens.kinds.insert(at, text if not text.isalpha() else NAME)
    tokens.texts.insert(at, text)
    tokens.starts.insert(at, place)
    tokens.ends.insert(at, place)
    tokens.breaks.insert(at, False)


def _exchange(tokens: Tokens, at: int) -> None:
    """Exchanges two tokens, which stand where the other one stood."""
    if at >= 0 and at + 1 < len(tokens.kinds) - 1:
        for of in (tokens.kinds, tokens.texts):
            of[at], of[at + 1] = of[at + 1], of[at]
