"""Slips of the hand that would otherwise be read as something else: a word twice, a value that is missing before the next line.

Each is reported where it is, and the parser goes on as if it were mended, so that nothing that follows is misunderstood.
"""

from __future__ import annotations

from typing import Final

from codeai.language.diagnostics import Edit
from codeai.language.lexer import DECIMAL, DURATION, END, INTEGER, NAME, RAW, STRING
from codeai.language.operators import CONTINUING_WORDS, NO_OPERANDS, STATEMENT_WORDS, TYPE_WORDS
from codeai.language.parser.cursor import Cursor
from codeai.language.parser.reporting import ParseFailure

# What follows the second of two equal words, when the first one is too many.
BEHIND_KEYWORDS: Final = (NAME, STRING, RAW, INTEGER, DECIMAL, DURATION, ":", "{", "[")
BEHIND_OPERANDS: Final = (".", "(")


def doubled(p: Cursor, behind: tuple[str, ...] = BEHIND_KEYWORDS) -> None:
    """Reports a name that stands twice, one behind the other on a line, and steps over the first one.

    :param behind: the kinds of tokens behind the second one that tell that it is not meant otherwise
    """
    word = p.texts[p.i]
    if p.text_at(1) != word or p.kinds[p.i] != NAME or p.kind_at(1) != NAME or p.breaks[p.i + 1]:
        return
    if p.kind_at(2) not in behind or p.breaks_at(2) or p.text_at(2) in NO_OPERANDS or p.text_at(2) in CONTINUING_WORDS:
        return
    start, end = p.starts[p.i + 1], p.ends[p.i + 1]
    edits = (Edit(p.ends[p.i], end, ""),)
    p.report(f"'{word}' stands here twice", "CAI0010", start, end, help_text="leave one of them out", edits=edits)
    p.i += 1


def doubled_field(p: Cursor) -> None:
    """Reports the name of a field that stands twice (``date date`` is a field with its type)."""
    if p.texts[p.i] not in TYPE_WORDS:
        doubled(p, (NAME, ":"))


def statement_instead(p: Cursor) -> None:
    """Refuses a statement where a value should be, as behind an operator at the end of a line."""
    word = p.texts[p.i]
    if word not in STATEMENT_WORDS or word in p.host.declared or p.breaks_at(1) or p.kind_at(2) == ":" or _of_settings(p, word):
        return
    following = p.text_at(1)
    if p.kind_at(1) != NAME or following in NO_OPERANDS or following in CONTINUING_WORDS or following == "from":
        return
    place = (p.previous_end, p.previous_end) if p.breaks[p.i] else (p.start, p.ends[p.i])
    p.report(f"expected an expression, got '{word}'", "CAI0010", *place, expected=("an expression",))
    raise ParseFailure


def _of_settings(p: Cursor, word: str) -> bool:
    """Whether a word is a value before a setting with a block of its own (``base_url: let  circuit_breaker { … }``)."""
    return word in ("let", "var") and p.kind_at(2) == "{"


def value_missing(p: Cursor, key_end: int, behind: tuple[str, ...] = (":",)) -> bool:
    """Reports a key without its value, where the next line has a key of its own or the block ends.

    :param behind: what a key has behind it
    """
    if p.kinds[p.i] == "}":
        ends = True
    else:
        ahead = 1
        while p.kind_at(ahead) == "-" and p.kind_at(ahead + 1) == NAME:
            ahead += 2
        ends = p.breaks[p.i] and p.kinds[p.i] in (NAME, STRING) and p.kind_at(ahead) in behind and not p.breaks_at(ahead)
    if ends:
        p.report(f"expected a value, got '{p.texts[p.i]}'", "CAI0010", key_end - 1, key_end, expected=("a value",))
    return ends


def name_missing(p: Cursor) -> bool:
    """Reports a dot at the end of a line before what cannot be the member."""
    if not p.breaks_at(1) or p.kind_at(1) == END:
        return False
    if p.text_at(1) not in STATEMENT_WORDS and p.kind_at(2) not in (":", "=", NAME, STRING):
        return False
    p.report(f"expected identifier, got '{p.text_at(1)}'", "CAI0010", p.start, p.ends[p.i], expected=("identifier",))
    p.i += 1
    return True
