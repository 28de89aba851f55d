"""Patterns of ``matches`` and ``pattern(…)``: one small language of regular expressions that means the same everywhere.

Allowed is what both databases and Python read alike and match without exponential search: literals, classes, groups,
alternatives, anchors and counted repetition. References back, look-around and repetition of what repeats already are not.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import msgspec

MAX_LENGTH: Final = 500
MAX_COUNT: Final = 255
_UNBOUNDED: Final = 4
_CLASSES: Final = {"d": "0-9", "w": "A-Za-z0-9_", "s": " \\t\\n\\r\\f\\v"}
_CONTROLS: Final = "tnrfv"
_COUNT: Final = re.compile(r"\{([0-9]{1,3})(,([0-9]{0,3}))?\}")


class PatternError(ValueError):
    """A pattern that cannot be used; the text says why."""


class Portable(msgspec.Struct, frozen=True):
    """A pattern in the syntax of each engine. It is searched for: it matches anywhere unless it is anchored."""

    python: str
    postgresql: str


@lru_cache(maxsize=512)
def portable(pattern: str) -> Portable:
    """Checks a pattern and writes it for each engine.

    :raises PatternError: it is malformed, too long, or needs more than the common syntax
    """
    if len(pattern) > MAX_LENGTH:
        raise PatternError(f"a pattern has at most {MAX_LENGTH} characters")
    reader = _Reader(pattern)
    python = reader.alternatives()
    if reader.at < len(pattern):
        raise PatternError(f"unexpected '{pattern[reader.at]}' in the pattern")
    try:
        re.compile(python)
    except (re.error, OverflowError, RecursionError) as error:
        raise PatternError(f"malformed pattern: {error}") from None
    return Portable(python, python)


class _Reader:
    """Reads a pattern from left to right and writes it anew."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0
        self.unbounded = 0

    def _peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def alternatives(self) -> str:
        """Sequences separated by bars, up to the end or a closing parenthesis."""
        parts = [self._sequence()]
        while self._peek() == "|":
            self.at += 1
            parts.append(self._sequence())
        return "|".join(parts)

    def _sequence(self) -> str:
        found: list[str] = []
        while self._peek() not in ("", "|", ")"):
            before = self.unbounded
            item, quantifiable = self._item()
            repetition = self._repetition()
            if repetition:
                if not quantifiable:
                    raise PatternError("nothing to repeat")
                self._count(repetition, repeats=self.unbounded > before)
            found.append(item + repetition)
        return "".join(found)

    def _count(self, repetition: str, *, repeats: bool) -> None:
        if repetition == "?":
            return
        if repeats:
            raise PatternError("a pattern must not repeat what repeats already")
        if repetition in ("*", "+") or repetition.endswith(",}") or len(repetition) > 3:
            self.unbounded += 1
            if self.unbounded > _UNBOUNDED:
                raise PatternError(f"a pattern repeats at most {_UNBOUNDED} parts")

    def _item(self) -> tuple[str, bool]:
        character = self._peek()
        self.at += 1
        if character == "(":
            return self._group(), True
        if character == "[":
            return self._class(), True
        if character == "\\":
            return self._escape()
        if character == "^":
            return "^", False
        if character == "$":
            return "\\Z", False
        if character == ".":
            return "[^\\n]", True
        if character in "*+?{":
            raise PatternError("nothing to repeat")
        return _literal(character), True

    def _group(self) -> str:
        if self._peek() == "?":
            if self.text[self.at : self.at + 2] != "?:":
                raise PatternError("a group of this kind does not work everywhere; use (…) or (?:…)")
            self.at += 2
        self.depth += 1
        if self.depth > 20:
            raise PatternError("a pattern has too many nested groups")
        inner = self.alternatives()
        if self._peek() != ")":
            raise PatternError("a group is not closed")
        self.at += 1
        self.depth -= 1
        return f"(?:{inner})"

    def _escape(self) -> tuple[str, bool]:
        character = self._peek()
        self.at += 1
        if character in _CLASSES:
            return f"[{_CLASSES[character]}]", True
        if character.lower() in _CLASSES:
            return f"[^{_CLASSES[character.lower()]}]", True
        if character and character in _CONTROLS:
            return f"\\{character}", True
        if not character or character.isalnum():
            raise PatternError(f"'\\{character}' does not work everywhere")
        return _literal(character), True

    def _class(self) -> str:
        negated = self._peek() == "^"
        self.at += negated
        parts: list[str] = []
        while self._peek() != "]" or not parts:
            if not self._peek():
                raise PatternError("a character class is not closed")
            parts.append(self._class_part())
        self.at += 1
        return f"[{'^' if negated else ''}{''.join(parts)}]"

    def _class_part(self) -> str:
        low = self._class_member()
        if len(low) > 2 or self._peek() != "-" or self.text[self.at + 1 : self.at + 2] in ("]", ""):
            return low
        self.at += 1
        high = self._class_member()
        if len(high) > 2 or _code(low) > _code(high):
            raise PatternError("a range in a character class runs backwards")
        return f"{low}-{high}"

    def _class_member(self) -> str:
        character = self._peek()
        self.at += 1
        if character != "\\":
            return _member(character)
        escaped = self._peek()
        self.at += 1
        if escaped in _CLASSES:
            return _CLASSES[escaped]
        if escaped and escaped in _CONTROLS:
            return f"\\{escaped}"
        if not escaped or escaped.isalnum():
            raise PatternError(f"'\\{escaped}' does not work everywhere in a character class")
        return _member(escaped)

    def _repetition(self) -> str:
        character = self._peek()
        found = character if character and character in "*+?" else ""
        if character == "{":
            match = _COUNT.match(self.text, self.at)
            if match is None:
                raise PatternError("a '{' that counts nothing is written '\\{'")
            if int(match[1]) > MAX_COUNT or int(match[3] or 0) > MAX_COUNT:
                raise PatternError(f"a pattern counts to {MAX_COUNT} at most")
            found = match[0]
        self.at += len(found)
        if found and self._peek() and self._peek() in "*+?{":
            raise PatternError("a pattern must not repeat what repeats already")
        return found


def _literal(character: str) -> str:
    return f"\\{character}" if character in r"\.^$*+?{}[]()|" else character


def _member(character: str) -> str:
    return f"\\{character}" if character in r"\]^[-" else character


def _code(member: str) -> int:
    controls = {"\\t": 9, "\\n": 10, "\\v": 11, "\\f": 12, "\\r": 13}
    return controls.get(member, ord(member[-1]))
