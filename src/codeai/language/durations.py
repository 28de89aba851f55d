"""How long ``1h30m`` and ``7.days`` are."""

from __future__ import annotations

import re
from typing import Final

MILLISECONDS: Final = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
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
