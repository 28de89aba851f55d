"""From the text of a setting to its value, and back for people; one reader per kind of value."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

import msgspec

from codeai.language.durations import duration_milliseconds
from codeai.language.suggestions import suggest

_SIZES: Final = {"b": 1, "kb": 1024, "mb": 1024**2, "gb": 1024**3}


class Reader(msgspec.Struct, frozen=True):
    """A kind of value.

    ``read`` makes a value of a text; its ValueError says what was expected. ``wanted`` says so in documentation, and ``show``
    makes a text that ``read`` understands.
    """

    wanted: str
    read: Callable[[str], Any]
    show: Callable[[Any], str] = str


def _integer(value: str) -> int:
    if not re.fullmatch(r"-?[0-9]+", value):
        raise ValueError("a whole number")
    return int(value)


def _seconds(value: str) -> float:
    milliseconds = duration_milliseconds(value)
    if milliseconds is None:
        raise ValueError("a duration, as in 30s")
    return milliseconds / 1000


def _limit(value: str) -> float:
    found = _seconds(value)
    if found <= 0:
        raise ValueError("a duration above zero, as in 30s")
    return found


def _shown_seconds(value: float) -> str:
    milliseconds = round(value * 1000)
    for unit, length in (("h", 3_600_000), ("m", 60_000), ("s", 1000)):
        if milliseconds and milliseconds % length == 0:
            return f"{milliseconds // length}{unit}"
    return f"{milliseconds}ms" if milliseconds else "0s"


def _bytes(value: str) -> int:
    found = re.fullmatch(r"([0-9]+)(b|kb|mb|gb)?", value.lower())
    if not found:
        raise ValueError("a size, as in 1mb")
    return int(found.group(1)) * _SIZES[found.group(2) or "b"]


def _shown_bytes(value: int) -> str:
    unit = next((unit for unit in ("gb", "mb", "kb") if value and value % _SIZES[unit] == 0), "b")
    return f"{value // _SIZES[unit]}{unit}"


def _flag(value: str) -> bool:
    if value.lower() not in ("true", "false", "1", "0"):
        raise ValueError("true or false")
    return value.lower() in ("true", "1")


def _port(value: str) -> int:
    found = _integer(value)
    if not 0 < found < 65536:
        raise ValueError("a port from 1 to 65535")
    return found


def _heap_tracing(value: str) -> float | str:
    if value in ("always", "off"):
        return value if value == "always" else 0.0
    try:
        return _seconds(value)
    except ValueError:
        raise ValueError("a duration, as in 10m, or always or off") from None


def _shown_heap_tracing(value: float | str) -> str:
    return value if isinstance(value, str) else _shown_seconds(value) if value else "off"


def one_of(*allowed: str) -> Reader:
    """One of some words."""

    def read(value: str) -> str:
        if value not in allowed:
            near = next((word for word in allowed if value.lower().startswith(word)), None) or suggest(value, allowed)
            raise ValueError(" or ".join(allowed) + (f"; did you mean {near}?" if near else ""))
        return value

    return Reader(", ".join(allowed), read)


def count(least: int) -> Reader:
    """A whole number of at least ``least``."""

    def read(value: str) -> int:
        found = _integer(value)
        if found < least:
            raise ValueError(f"a whole number of at least {least}")
        return found

    return Reader("number", read)


TEXT: Final = Reader("text", str)
PATH: Final = Reader("path", str)
DURATION: Final = Reader("duration", _seconds, _shown_seconds)
LIMIT: Final = Reader("duration above zero", _limit, _shown_seconds)
SIZE: Final = Reader("size", _bytes, _shown_bytes)
FLAG: Final = Reader("true, false", _flag, lambda value: str(value).lower())
PORT: Final = Reader("port", _port)
HEAP_TRACING: Final = Reader("duration, always, off", _heap_tracing, _shown_heap_tracing)
