"""How long ``1h30m`` and ``7.days`` are."""

from __future__ import annotations

import re
from typing import Final

from codeai.language.suggestions import nearest

MILLISECONDS: Final = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
# How people write units that the language writes with a letter.
UNITS: Final = {
    **dict.fromkeys(("millisecond", "milliseconds", "msec", "msecs", "millis"), "ms"),
    **dict.fromkeys(("second", "seconds", "sec", "secs"), "s"),
    **dict.fromkeys(("minute", "minutes", "min", "mins"), "m"),
    **dict.fromkeys(("hour", "hours", "hr", "hrs"), "h"),
    **dict.fromkeys(("day", "days"), "d"),
    **dict.fromkeys(("week", "weeks"), "w"),
}
_COUNTED: Final = re.compile(r"\s*([0-9]{1,9})\s*([A-Za-z]{2,20})\s*")
_LONGEST: Final = 10_000 * 366 * 86_400_000
_LONGEST_TEXT: Final = 100
_PART: Final = re.compile(r"([0-9]+)(ms|[smhdw])")


def duration_milliseconds(text: str) -> int | None:
    """The length of ``1h30m`` or ``7.days`` in milliseconds, None for other text and for more than 10,000 years."""
    found = _milliseconds(text) if len(text) <= _LONGEST_TEXT else None
    return None if found is None or found > _LONGEST else found


def _milliseconds(text: str) -> int | None:
    number, dot, word = text.partition(".")
    if dot and number.isdigit() and number.isascii():
        unit = "ms" if word.startswith("milli") else word[:1]
        return int(number) * MILLISECONDS[unit] if unit in MILLISECONDS else None
    if not re.fullmatch(r"(?:[0-9]+(?:ms|[smhdw]))+", text):
        return None
    return sum(int(count) * MILLISECONDS[unit] for count, unit in _PART.findall(text))


_UNITS: Final = (("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1))


def duration_text(milliseconds: int) -> str:
    """The shortest spelling of a duration in one unit, else in several: ``90m`` stays, ``7.days`` is ``7d``."""
    for unit, length in _UNITS:
        if milliseconds and milliseconds % length == 0:
            return f"{milliseconds // length}{unit}"
    return f"{milliseconds}ms"


def intended(text: str) -> str | None:
    """What ``30 seconds``, ``30sec`` or ``5 mintes`` is in the language (``30s``), None where that is not clear."""
    found = _COUNTED.fullmatch(text)
    if found is None:
        return None
    word = found[2].lower()
    near = nearest(word, UNITS) if word not in UNITS else None
    unit = UNITS.get(word) or (UNITS[near.name] if near is not None else None)
    return f"{found[1]}{unit}" if unit is not None else None
