"""How wide text is on a screen: tabs, combining marks, characters that take two cells, and what must not reach a terminal."""

from __future__ import annotations

import unicodedata
from typing import Final

TAB: Final = 4


def cells(text: str, at: int = 0) -> list[tuple[str, int]]:
    """Each character as it is shown, with the number of cells that it takes.

    :param at: the cell in which the text begins, since a tab goes to the next multiple of four
    """
    found: list[tuple[str, int]] = []
    for character in text:
        shown, width = character, 1
        if character == "\t":
            width = TAB - at % TAB
            shown = " " * width
        elif not character.isascii():
            shown, width = _foreign(character)
        elif not character.isprintable():
            shown = "�"
        found.append((shown, width))
        at += width
    return found


def plain(text: str) -> str:
    """A text in one line as it may be printed: what a terminal would obey, or would not show, is written as an escape.

    Messages quote names and texts of programs, which may hold anything.
    """
    return text if text.isprintable() else "".join(map(_escaped, text))


def _escaped(character: str) -> str:
    if character.isprintable() or unicodedata.category(character) in ("Zs", "Co", "Cn"):
        return character
    if character == "\n":
        return "\\n"
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _foreign(character: str) -> tuple[str, int]:
    """Combining marks take no cell, East Asian wide characters two; controls and direction marks would deceive the reader."""
    category = unicodedata.category(character)
    if category in ("Mn", "Me"):
        return character, 0
    if category in ("Cc", "Cf", "Cs", "Zl", "Zp"):
        return "�", 1
    return character, 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1
