"""Characters that no token of the language has: what is meant by them."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# What is typed for it here.
_SIGNS: Final = {
    **dict.fromkeys("\N{EN DASH}\N{EM DASH}\N{MINUS SIGN}\N{HYPHEN}\N{NON-BREAKING HYPHEN}", "-"),
    "\N{MULTIPLICATION SIGN}": "*",
    "\N{DIVISION SIGN}": "/",
    "\N{LESS-THAN OR EQUAL TO}": "<=",
    "\N{GREATER-THAN OR EQUAL TO}": ">=",
    "\N{NOT EQUAL TO}": "!=",
    "\N{RIGHTWARDS ARROW}": "->",
    "\N{RIGHTWARDS DOUBLE ARROW}": "=>",
    "\N{LOGICAL AND}": "and",
    "\N{LOGICAL OR}": "or",
    "\N{NOT SIGN}": "not",
    "&": "and",
}
_OPERATORS: Final = "()[]{}<>=+*/%!?:;,.|"  # which East Asian keyboards type in another width
QUOTES: Final = (
    "\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}\N{DOUBLE LOW-9 QUOTATION MARK}«»"
    "\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}\N{SINGLE LOW-9 QUOTATION MARK}`"
)
_WORDS: Final = {
    **dict.fromkeys(QUOTES, 'texts stand in "…"'),
    "`": 'texts stand in "…"; what is to be put in, in braces: "{name}"',
    "$": 'variables have no sign before them; what is put into a text stands in braces: "{name}"',
    "^": "a power is written as a product: 'a * a'",
    "\\": "a line goes on behind an operator, a comma or within brackets",
}
_WORD: Final = re.compile(r"[\w\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]+")
_OF_NAMES: Final = "names have the letters a to z, digits and '_'"


def written(text: str) -> tuple[str, str]:
    """A text in quotes of other languages, as it is read, which is as long, and as it must be written; empty where no edit would do.

    :param text: with its quotes; in those of templates, ``${name}`` is what is put in
    """
    inner = text[1:-1]
    if text[0] != "`":
        return f'"{inner}"', "" if '"' in inner else f'"{inner}"'
    read = re.sub(r"(?<!\$)\{(?=[A-Za-z_(])", "(", inner).replace("${", " {")
    read = f'"{read}"'
    if "\n" in inner:
        return read, "" if "${" in inner or '"""' in inner else f'"""{inner}"""'
    pieces = re.split(r"(\$\{[^{}]*\})", inner)
    for at, piece in enumerate(pieces):
        if at % 2:
            pieces[at] = piece[1:].replace('"', "'")
        else:
            pieces[at] = re.sub(r"\{(?=[A-Za-z_(])", r"\\{", piece.replace("\\`", "`").replace('"', '\\"'))
    return read, f'"{"".join(pieces)}"'


def invisible(character: str) -> bool:
    """Whether nobody sees a character: marks of direction, and those without width."""
    return unicodedata.category(character) == "Cf"


def word_end(text: str, at: int, stop: int) -> int:
    """The offset behind the word with the letter at ``at``, which is none of ours; ``at`` where no word is."""
    letter = text[at]
    if letter.isascii() or not (letter.isalpha() or invisible(letter) or unicodedata.category(letter) == "Mn"):
        return at
    found = _WORD.match(text, at, stop)
    return found.end() if found is not None else at


def meant(character: str, *, word: bool) -> tuple[str, str]:
    """What to do about a character: in words, and what is typed instead, where that is known.

    :param word: whether it stands in a word
    """
    narrow = unicodedata.normalize("NFKC", character)
    sign = _SIGNS.get(character) or (narrow if narrow in _OPERATORS else "")
    if sign:
        return f"write '{sign}'", sign
    if word:
        name = unicodedata.name(character, "").lower()
        if invisible(character):
            return f"take it out; it is '{name}', which is not shown" if name else "take it out; it is not shown", ""
        return _OF_NAMES + (f"; this is '{name}'" if name else ""), ""
    return _WORDS.get(character, ""), ""
