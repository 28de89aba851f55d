"""One mistake, one finding: what other findings of a broken text merely follow from the first one.

Where a text does not parse, its tree lacks something, and complaints about what is lacking are echoes: names that the broken
declaration would have declared, and the meaning of the broken clause or statement.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

import msgspec

from codeai.language.diagnostics import Diagnostic, Severity, Span
from codeai.language.source import SourceFile, Sources

_BEGINNING: Final = re.compile(r"^[A-Za-z@]", re.MULTILINE)
_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_QUOTED: Final = re.compile(r"'([^']*)'")
_NAMES: Final = ("CAI01", "CAI0201", "CAI0306", "CAI0506")  # codes about what is missing somewhere
_STRUCTURE: Final = ("CAI0002", "CAI0003", "CAI0010", "CAI0011", "CAI0014", "CAI0025", "CAI0026")  # behind these the tree lacks much
_DECLARED: Final = re.compile(r"^[a-z]+ (\w+)|\b(\w+)(?=\s*[:{])|\b(?:let|var|for|operation|function) (\w+)")
_NAMELESS: Final = re.compile(r"(?:entity|type|enum|model)\s*\{")
# What a line names, wherever it breaks: a variable, the head of a block, or its first word.
_NAMING: Final = re.compile(r"\s*(?:(?:let|var|const|val)\s+[^=]*|[\w-]+(?: [\w-]+)? \{|\w+)")
_LETTERS: Final = re.compile(r"[A-Za-z_]+")
_UNKNOWN_OPERATION: Final = "CAI0122"
_UNKNOWN_ENTITY: Final = "CAI0104"
_UNNAMED: Final = re.compile(r"\s*(?:let|var)\s+(?:=|null\b|true\b|false\b)")
_UNDEFINED: Final = "CAI0101"
_RETURNS: Final = "CAI0506"
_UNTERMINATED: Final = "CAI0002"


def without_echoes(syntax: Sequence[Diagnostic], semantic: Sequence[Diagnostic], sources: Sources) -> list[Diagnostic]:
    """The findings about the meaning that stand on their own, given those about the text."""
    semantic = _once_for_each_variable(semantic, sources)
    if not any(found.severity is Severity.ERROR for found in syntax):
        return semantic
    errors = [found for found in syntax if found.code in _STRUCTURE]
    broken = _extents(errors, sources)
    words = {word for start, end in broken for match in _DECLARED.findall(sources.text(start, end)) for word in match if word}
    lines = [_line_text(found, sources) for found in syntax if found.severity is Severity.ERROR]
    words |= {word for line in lines if (named := _NAMING.match(line)) for word in _LETTERS.findall(named[0])}
    nameless = any(_NAMELESS.match(line) for line in lines)
    lacking = (_RETURNS, _UNDEFINED) if any(_UNNAMED.match(line) for line in lines) else (_RETURNS,)
    behind = [_behind(error, sources) for error in errors]
    return [
        found
        for found in semantic
        if found.severity is Severity.ERROR
        and not _is_echo(found, behind, words)
        and not (nameless and found.code == _UNKNOWN_ENTITY)
        and not (found.code in lacking and any(start <= found.primary.start < end for start, end in broken))
    ]


def _once_for_each_variable(findings: Sequence[Diagnostic], sources: Sources) -> list[Diagnostic]:
    """The findings, where an undefined variable is one in each declaration: its other places are told, and mended, with the first."""
    undefined = [found for found in findings if found.code == _UNDEFINED]
    if len(undefined) < 2:
        return list(findings)
    begins: dict[int, list[int]] = {}
    first: dict[tuple[int, int, str], Diagnostic] = {}
    others: dict[int, list[Diagnostic]] = {}
    for found in sorted(undefined, key=lambda one: one.primary.start):
        file = sources.file_at(found.primary.start)
        begin = bisect_right(begins.setdefault(file.base, _beginnings(file)), found.primary.start)
        told = first.setdefault((file.base, begin, found.message), found)
        others.setdefault(id(told), []).append(found)
    return [_with_places(found, others[id(found)][1:]) if id(found) in others else found for found in findings if _stays(found, others)]


def _stays(found: Diagnostic, others: dict[int, list[Diagnostic]]) -> bool:
    return found.code != _UNDEFINED or id(found) in others


def _with_places(found: Diagnostic, others: list[Diagnostic]) -> Diagnostic:
    if not others:
        return found
    places = tuple(Span(other.primary.start, other.primary.end, "and here") for other in others)
    edits = tuple(edit for one in (found, *others) for edit in one.edits)
    return msgspec.structs.replace(found, secondary=(*found.secondary, *places), edits=edits)


def _line_text(found: Diagnostic, sources: Sources) -> str:
    file = sources.file_at(found.primary.start)
    return file.line_text(file.locate(found.primary.start).line)


def _behind(error: Diagnostic, sources: Sources) -> tuple[int, int]:
    """The line of an error, and what stands deeper below it: the clause or statement that is broken."""
    file = sources.file_at(error.primary.start)
    line = file.locate(error.primary.start).line
    start = file.base + file.line_starts[line - 1]
    indent = _indent(file.line_text(line))
    last = line
    while last < len(file.line_starts) and (not file.line_text(last + 1).strip() or _indent(file.line_text(last + 1)) > indent):
        last += 1
    return start, file.base + file.line_starts[last] if last < len(file.line_starts) else file.end + 1


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())


def _is_echo(found: Diagnostic, behind: list[tuple[int, int]], words: set[str]) -> bool:
    at = found.primary.start
    if any(start <= at < end for start, end in behind):
        return True
    if not found.code.startswith(_NAMES):
        return False
    names = _QUOTED.findall(found.message)
    return any(word in words for name in names[: 2 if found.code == _UNKNOWN_OPERATION else 1] for word in _WORD.findall(name))


def first_of_each_line(syntax: Sequence[Diagnostic], sources: Sources) -> list[Diagnostic]:
    """The findings about the text without those that share their line with a string that does not end: its quotes are shifted."""
    lines = {_line(found, sources) for found in syntax if found.code == _UNTERMINATED}
    return [found for found in syntax if found.code == _UNTERMINATED or not lines or _line(found, sources) not in lines]


def _line(found: Diagnostic, sources: Sources) -> tuple[str, int]:
    place = sources.locate(found.primary.start)
    return place.path, place.line


def _extents(errors: Sequence[Diagnostic], sources: Sources) -> list[tuple[int, int]]:
    """The declarations in which errors stand: from one line that begins at the very left to the next."""
    found: list[tuple[int, int]] = []
    starts: dict[int, list[int]] = {}
    for error in errors:
        file = sources.file_at(error.primary.start)
        begins = starts.setdefault(file.base, _beginnings(file))
        before = [begin for begin in begins if begin <= error.primary.start]
        after = [begin for begin in begins if begin > error.primary.start]
        extent = (before[-1] if before else file.base, after[0] if after else file.end)
        if extent not in found:
            found.append(extent)
    return found


def _beginnings(file: SourceFile) -> list[int]:
    return [file.base + match.start() for match in _BEGINNING.finditer(file.text)]
