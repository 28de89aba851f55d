"""One mistake, one finding, where the text parses: a name that is declared wrongly is unknown wherever it is used.

Findings about the same unknown name are one: its other places are told, and mended, with the first. What merely lies around a
mistake (a value that nobody uses now, a name that is no longer used) is not told while there is an error.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from codeai.language.diagnostics import HERE, PROGRAM, SETTING, Diagnostic, Severity, Span
from codeai.language.regions import Regions
from codeai.language.source import Sources
from codeai.language.spellings.outline import event_key

_NEVER_USED: Final = ("CAI0131", "CAI0135")
_IDLE: Final = ("CAI0133", "CAI0340", "CAI0344")  # what uses it may be what is broken
_NOT_DERIVED: Final = "CAI0509"
_UNANSWERED: Final = "CAI0519"
_OF_OPERANDS: Final = ("CAI0101", "CAI0110", "CAI0126", "CAI0303", "CAI0344")
_WORDS: Final = re.compile(r"\w+")


def without_repetitions(findings: Sequence[Diagnostic], regions: Regions, sources: Sources) -> list[Diagnostic]:
    """The findings about the meaning of a program, each mistake once."""
    in_order = _without_neighbours(sorted(findings, key=lambda one: one.primary.start), sources)
    in_order = _without_idle(in_order, regions, sources)
    keys = _Keys(in_order, regions)
    groups: dict[object, list[Diagnostic]] = {}
    for one in in_order:
        groups.setdefault(keys.key(one), []).append(one)
    return [_with_places(first, others) for first, *others in groups.values()]


def _without_neighbours(in_order: list[Diagnostic], sources: Sources) -> list[Diagnostic]:
    """Leaves out errors about the words right behind an unknown one."""
    found: list[Diagnostic] = []
    end = -1
    for one in in_order:
        begin = one.primary.start
        near = 0 <= end <= begin < end + 80 and not sources.text(end, begin).strip(" \t")
        if near and one.code in _OF_OPERANDS:
            continue
        found.append(one)
        if one.severity is Severity.ERROR:
            end = one.primary.end
    return found


def _without_idle(in_order: list[Diagnostic], regions: Regions, sources: Sources) -> list[Diagnostic]:
    """Leaves out what may only be idle because of an error: in the declaration with the error, and what is mentioned or meant there."""
    broken = {regions.at(one.primary.start) for one in in_order if one.severity is Severity.ERROR}
    mentioned = {word for start, end in broken for word in _WORDS.findall(sources.text(start, end))}
    meant = {one.subject.meant for one in in_order if one.subject is not None}
    lines = {sources.line_at(one.primary.start) for one in in_order if one.severity is Severity.ERROR}
    answering = any(sources.text(start, start + 8) in ("endpoint", "resource") for start, _ in broken)

    def idle(one: Diagnostic) -> bool:
        if one.code in _NEVER_USED and one.subject is not None and not one.subject.meant:
            words = _WORDS.findall(one.subject.name)
            return one.subject.name in meant or mentioned.issuperset(words) or sources.line_at(one.primary.start) in lines
        if one.code in _IDLE:
            return regions.at(one.primary.start) in broken
        return (one.code == _NOT_DERIVED and bool(broken)) or (one.code == _UNANSWERED and answering)

    return [one for one in in_order if not idle(one)]


class _Keys:
    """What makes two findings one."""

    def __init__(self, findings: Sequence[Diagnostic], regions: Regions) -> None:
        self._regions = regions
        about = [one.subject for one in findings if one.subject is not None]
        self._members = {one.name: (one.name, one.owner) for one in about if one.owner not in (HERE, PROGRAM) and not one.meant}

    def key(self, found: Diagnostic) -> object:
        """Equal for findings about the same name; another one for each finding that stands for itself."""
        about = found.subject
        if about is None or found.code in _NEVER_USED:
            return id(found)
        begin = self._regions.at(found.primary.start)[0] if about.owner == HERE else 0
        if not about.name:
            return found.code, about.owner, about.lacking, begin
        if about.owner == HERE:  # or it is a field of the rows in range
            return (about.name, begin) if about.meant else self._members.get(about.name, (about.name, begin))
        if about.owner.startswith(SETTING):
            return about.owner
        return event_key(about.name), about.meant or about.owner


def _with_places(found: Diagnostic, others: list[Diagnostic]) -> Diagnostic:
    if not others:
        return found
    places = tuple(Span(other.primary.start, other.primary.end, "and here") for other in others)
    edits = tuple(edit for one in (found, *others) for edit in one.edits)
    return msgspec.structs.replace(found, secondary=(*found.secondary, *places), edits=edits)
