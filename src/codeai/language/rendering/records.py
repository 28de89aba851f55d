"""Findings as plain data, for programs that read JSON. Lines and columns count from 1, columns and offsets in characters."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from codeai.language.diagnostics import Diagnostic, Severity, Span
from codeai.language.source import Location, Sources


class Place(msgspec.Struct, frozen=True):
    """A stretch of a file, the end exclusive."""

    file: str
    start: Location
    end: Location
    label: str = ""


class Change(msgspec.Struct, frozen=True):
    """A replacement that mends the program; ``safe`` ones are applied by ``--fix``."""

    place: Place
    replacement: str
    safe: bool


class Record(msgspec.Struct, frozen=True, rename={"kind": "class"}):
    """A finding with its places resolved."""

    code: str
    kind: str
    severity: Severity
    message: str
    place: Place
    secondary: tuple[Place, ...]
    expected: tuple[str, ...]
    help: str
    note: str
    edits: tuple[Change, ...]


class Report(msgspec.Struct, frozen=True):
    """All findings of a program."""

    valid: bool
    errors: int
    warnings: int
    diagnostics: tuple[Record, ...]


def record(found: Diagnostic, sources: Sources) -> Record:
    """One finding as data."""

    def place(span: Span) -> Place:
        start = sources.locate(span.start)
        end = sources.file_at(span.start).locate(max(span.start, span.end))
        return Place(start.path, start, end, span.label)

    return Record(
        code=found.code,
        kind=str(found.kind),
        severity=found.severity,
        message=found.message,
        place=place(found.primary),
        secondary=tuple(place(span) for span in found.secondary),
        expected=found.expected,
        help=found.help,
        note=found.note,
        edits=tuple(Change(place(Span(edit.start, edit.end)), edit.replacement, edit.safe) for edit in found.edits),
    )


def json_text(diagnostics: Iterable[Diagnostic], sources: Sources, *, strict: bool = False) -> str:
    """All findings as one JSON document.

    :param strict: whether warnings make the program invalid
    """
    found = tuple(record(item, sources) for item in diagnostics)
    errors = sum(item.severity is Severity.ERROR for item in found)
    warnings = sum(item.severity is Severity.WARNING for item in found)
    report = Report(not errors and not (strict and warnings), errors, warnings, found)
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode()
