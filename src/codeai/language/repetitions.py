"""One mistake, one finding, where the text parses: a name that is declared wrongly is unknown wherever it is used.

Findings about the same unknown name are one: its other places are told, and mended, with the first. What merely lies around a
mistake (a value that nobody uses now, a name that is no longer used) is not told while there is an error.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

import msgspec

from codeai.language.diagnostics import Diagnostic, Severity, Span
from codeai.language.source import Sources
from codeai.language.spellings.outline import event_key
from codeai.language.suggestions import nearest

_QUOTED: Final = re.compile(r"'([^']*)'")
_MEANT: Final = re.compile(r"did you mean '([^']*)'")
_UNDEFINED: Final = "CAI0101"
_OF_FIELDS: Final = ("CAI0105", "CAI0106")
_UNKNOWN_EVENT: Final = "CAI0120"
_INPUT: Final = re.compile(r"^unknown field .* input$|'trigger\.")
_OF_FIELD: Final = ("CAI0201", "CAI0202", "CAI0205")
_MISSING: Final = "CAI0325"
_MISMATCH: Final = "CAI0301"
_REFERENCE: Final = re.compile(r"expected ref\((\w+)\)")
_NEVER_USED: Final = ("CAI0131", "CAI0135")
# What something is, that nothing declares or that something must have: told once, however often it is missed.
UNKNOWN: Final = frozenset(
    (
        *(_UNDEFINED, "CAI0104", *_OF_FIELDS, "CAI0107", "CAI0108", "CAI0109", "CAI0110", "CAI0113", "CAI0116", "CAI0120", "CAI0121"),
        *("CAI0122", "CAI0124", "CAI0128", "CAI0129", "CAI0130", "CAI0132", "CAI0134", "CAI0201", "CAI0306", "CAI0307", "CAI0325"),
        *("CAI0519",),
    )
)
# Warnings about what lies idle: what uses it may be what is broken.
_IDLE: Final = ("CAI0133", "CAI0340", "CAI0344")
_NOT_DERIVED: Final = "CAI0509"
_UNANSWERED: Final = "CAI0519"
_SETTING: Final = "CAI0107"
_FUNCTION: Final = "CAI0110"
# Words of older steps, which take names as they are.
_STEPS: Final = (
    "find",
    "findOne",
    "create",
    "insert",
    "update",
    "patch",
    "delete",
    "validate",
    "authorize",
    "emit",
    "call",
    "check",
    "query",
)
# What belongs to the declaration in which it is missed.
_OF_ONE: Final = re.compile(r"of the request|in record|in the result|^type '")
_OF_OPERANDS: Final = (_UNDEFINED, "CAI0303", "CAI0344")
_WORDS: Final = re.compile(r"\w+")
_SPACE: Final = re.compile(r"[ \t]*")


def without_repetitions(findings: Sequence[Diagnostic], sources: Sources) -> list[Diagnostic]:
    """The findings about the meaning of a program, each mistake once."""
    in_order = sorted(findings, key=lambda one: one.primary.start)
    places = _Places(sources)
    in_order = _without_idle(_without_neighbours(in_order, sources), places)
    in_order = _without_consequences(in_order, places)
    if sum(one.code in UNKNOWN for one in in_order) < 2:
        return in_order
    keys = _Keys(in_order, places)
    groups: dict[object, list[Diagnostic]] = {}
    for one in in_order:
        groups.setdefault(keys.key(one), []).append(one)
    return [_with_places(first, others) for first, *others in groups.values()]


def _without_neighbours(in_order: list[Diagnostic], sources: Sources) -> list[Diagnostic]:
    """Leaves out errors right behind another one: about the words behind an unknown one, and the argument of a misspelt function."""
    found: list[Diagnostic] = []
    end = inside = -1
    for one in in_order:
        begin = one.primary.start
        near = 0 <= end <= begin and begin - end < 80 and _SPACE.fullmatch(sources.text(end, begin))
        if one.code in _OF_OPERANDS and (near or begin < inside):
            continue
        found.append(one)
        if one.severity is Severity.ERROR:
            end = one.primary.end
        if one.code == _FUNCTION and (meant_by(one) or nearest(_name(one), _STEPS) is not None):
            inside = _closing(sources.text(end, sources.file_at(end).end)) + end
    return found


def _closing(text: str) -> int:
    """Where the parentheses close with which a text begins, on its first line."""
    depth = 0
    for at, character in enumerate(text[:200]):
        depth += (character == "(") - (character == ")")
        if depth <= 0 or character == "\n":
            return at
    return 0


def _without_idle(in_order: list[Diagnostic], places: _Places) -> list[Diagnostic]:
    """Leaves out warnings about what lies idle in a declaration with an error, and about a name that another finding suggests."""
    errors = [one for one in in_order if one.severity is Severity.ERROR]
    broken = {places.declaration(one.primary.start)[0] for one in errors}
    texts = [places.declaration(begin)[1] for begin in broken]
    mentioned = {word for text in texts for word in _WORDS.findall(text)}
    lines = {places.line(one.primary.start) for one in errors}
    answering = any(re.match(r"endpoint|resource", text) for text in texts)
    meant = {meant_by(one) for one in in_order}

    def beside(one: Diagnostic) -> bool:
        return places.line(one.primary.start) in lines or mentioned.issuperset(_WORDS.findall(_name(one)))

    return [
        one
        for one in in_order
        if not (one.code in _IDLE and places.declaration(one.primary.start)[0] in broken)
        and not (one.code in _NEVER_USED and not meant_by(one) and (_name(one) in meant or beside(one)))
        and not (one.code == _UNANSWERED and answering)
        and not (one.code == _NOT_DERIVED and errors)
    ]


def _without_consequences(in_order: list[Diagnostic], places: _Places) -> list[Diagnostic]:
    """Leaves out what follows from an unknown event (the input of what it triggers), and from a field with a mistake in it."""
    triggered = {places.declaration(one.primary.start)[0] for one in in_order if one.code == _UNKNOWN_EVENT}
    fields = {places.first_word(one.primary.start) for one in in_order if one.code in _OF_FIELD and one.severity is Severity.ERROR}
    faulty = {places.head(one.primary.start) for one in in_order if one.code in _OF_FIELD and one.severity is Severity.ERROR}
    return [
        one
        for one in in_order
        if not (_INPUT.search(one.message) and places.declaration(one.primary.start)[0] in triggered)
        and not (one.code == _MISSING and fields.intersection(_QUOTED.findall(one.message)))
        and not (one.code == _MISMATCH and (row := _REFERENCE.search(one.message)) and row[1] in faulty)
    ]


class _Places:
    """Where findings stand: in which declaration, in which line."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def declaration(self, at: int) -> tuple[int, str]:
        """The offset and text of the declaration around a place."""
        file = self._sources.file_at(at)
        begins = file.beginnings
        index = bisect_right(begins, at)
        begin = begins[index - 1] if index else file.base
        return begin, self._sources.text(begin, begins[index] if index < len(begins) else file.end)

    def head(self, at: int) -> str:
        """The name of the declaration around a place."""
        words = re.findall(r"\w+", self.declaration(at)[1][:200])
        return words[1] if len(words) > 1 else ""

    def first_word(self, at: int) -> str:
        """The word with which the line of a place begins."""
        file = self._sources.file_at(at)
        return re.sub(r"^\W*(\w*).*", r"\1", file.line_text(file.locate(at).line), flags=re.DOTALL)

    def line(self, at: int) -> tuple[int, int]:
        """The file and line of a place."""
        file = self._sources.file_at(at)
        return file.base, file.locate(at).line


def _name(found: Diagnostic) -> str:
    quoted = _QUOTED.search(found.message)
    return quoted[1] if quoted else found.message


def meant_by(found: Diagnostic) -> str:
    """The name that a finding suggests, '' for none."""
    suggested = _MEANT.match(found.help)
    return suggested[1] if suggested else ""


class _Keys:
    """What makes two findings one."""

    def __init__(self, findings: Sequence[Diagnostic], places: _Places) -> None:
        self._places = places
        self._fields = {_name(one): (one.code, one.message, 0) for one in findings if one.code in _OF_FIELDS and not meant_by(one)}

    def key(self, found: Diagnostic) -> object:
        """Equal for findings about the same name; another one for each finding that stands for itself."""
        if found.code not in UNKNOWN:
            return id(found)
        name, meant = _name(found), meant_by(found)
        if found.code == _SETTING:
            return found.code, ".".join(name.split(".")[:2])
        if found.code == _UNDEFINED:
            begin, text = self._places.declaration(found.primary.start)
            if meant and not _declares(text, meant):  # a field, or what is declared beside this declaration
                return name, meant
            return self._fields[name] if not meant and name in self._fields else (found.code, found.message, begin)
        if found.code == _UNKNOWN_EVENT:
            return found.code, event_key(name)
        begin = self._places.declaration(found.primary.start)[0] if _OF_ONE.search(found.message) else 0
        if meant and found.code in _OF_FIELDS and not begin:
            return name, meant
        return found.code, found.message, begin


def _declares(text: str, name: str) -> bool:
    """Whether a text declares a variable or parameter of that name."""
    word = re.escape(name)
    return re.search(rf"\b(?:let|var|for)\s+{word}\b|\b{word}\s*=>|[(,]\s*{word}\s*[:,)]", text) is not None


def _with_places(found: Diagnostic, others: list[Diagnostic]) -> Diagnostic:
    if not others:
        return found
    places = tuple(Span(other.primary.start, other.primary.end, "and here") for other in others)
    edits = tuple(edit for one in (found, *others) for edit in one.edits)
    return msgspec.structs.replace(found, secondary=(*found.secondary, *places), edits=edits)
