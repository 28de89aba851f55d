"""Characters that nobody sees, in texts and comments, by which a program reads otherwise than it is (Trojan Source, CVE-2021-42574).

Marks that turn the direction of writing can show a comment as code, or code as a comment; marks without width make two texts look
equal that are not. Text from right to left needs none of them. What scripts and emoji are joined with is left alone between such
letters. Outside of texts and comments these characters are unexpected ones, which the lexer reports.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Final, NamedTuple

from codeai.language.diagnostics import Diagnostic, DiagnosticClass, Edit, Severity, Span
from codeai.language.lexer import RAW, STRING, Tokens
from codeai.language.source import SourceFile

_FLAG: Final = "\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f"  # England and its kin are written with tags
_TAGS: Final = "\U000e0000-\U000e007f"
_MARK: Final = re.compile(
    rf"{_FLAG}|([\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff{_TAGS}]|(?<=[\0-\x7f])[\u200c\u200d])"
)
_COMMENT: Final = "comment"
_NOTE: Final = "it is not shown where programs are read, so that the text may seem to say something else"


class _Mark(NamedTuple):
    """A mark, and the text or comment that holds it: its kind and where it begins."""

    at: int
    character: str
    kind: str
    holder: int


def invisible(file: SourceFile, tokens: Tokens, found: Iterable[Diagnostic]) -> list[Diagnostic]:
    """A warning for each text and comment that holds such characters.

    :param tokens: those of the file
    :param found: what is known of the file already; where the text is wrong already, nothing more is said
    """
    if file.text.isascii():
        return []
    reported = [one.primary for one in found if one.severity is Severity.ERROR]
    marks = [mark for mark in _marks(file, tokens) if not any(span.start <= mark.at < span.end for span in reported)]
    return [_warning(list(inside)) for _, inside in groupby(marks, key=lambda mark: mark.holder)]


def _marks(file: SourceFile, tokens: Tokens) -> Iterator[_Mark]:
    comments = [comment.start for comment in tokens.comments]
    for match in _MARK.finditer(file.text):
        at = file.base + match.start()
        token = bisect_right(tokens.starts, at) - 1
        comment = bisect_right(comments, at) - 1
        if match[1] is None:
            continue
        if comment >= 0 and at < tokens.comments[comment].end:
            yield _Mark(at, match[1], _COMMENT, comments[comment])
        elif token >= 0 and at < tokens.ends[token] and tokens.kinds[token] in (STRING, RAW):
            yield _Mark(at, match[1], tokens.kinds[token], tokens.starts[token])


def _warning(marks: list[_Mark]) -> Diagnostic:
    first = marks[0]
    kind = first.kind
    others = f" and {len(marks) - 1} more" if len(marks) > 1 else ""
    name = unicodedata.name(first.character, "a tag").lower()
    place = "comment" if kind == _COMMENT else "text"
    instead = _escape(first.character) if kind == STRING else ""
    return Diagnostic(
        "CAI0008",
        DiagnosticClass.SYNTAX,
        f"invisible '{name}' (U+{ord(first.character):04X}){others} in a {place}",
        Span(first.at, first.at + 1),
        severity=Severity.WARNING,
        secondary=tuple(Span(mark.at, mark.at + 1) for mark in marks[1:4]),
        help=f"write it as '{instead}' if it is meant, or take it out" if instead else "take it out",
        note=_NOTE,
        edits=tuple(Edit(mark.at, mark.at + 1, _escape(mark.character) if kind == STRING else "", safe=kind != RAW) for mark in marks),
    )


def _escape(character: str) -> str:
    r"""The character as texts can say it (``\u202e``), beyond four digits in two halves."""
    units = character.encode("utf-16-be").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
