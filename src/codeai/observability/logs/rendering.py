"""One record, one line: JSON for machines, text for people. Whatever a record holds, it cannot begin another line."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final, Protocol

import msgspec

_ENCODER: Final = msgspec.json.Encoder(enc_hook=str, decimal_format="string")


class Renderer(Protocol):
    """Makes a line of an event: ``time``, ``level``, ``msg``, then its fields."""

    def __call__(self, event: Mapping[str, Any]) -> bytes:
        """The line with its line feed."""


def as_json(event: Mapping[str, Any]) -> bytes:
    """A JSON object."""
    try:
        return _ENCODER.encode(event) + b"\n"
    except (UnicodeEncodeError, TypeError, ValueError, RecursionError):
        return _ENCODER.encode({_safe(str(name)): _safe(value) for name, value in event.items()}) + b"\n"


def as_text(event: Mapping[str, Any]) -> bytes:
    """``time level message key=value …`` (acceptance T4); a stack trace follows on indented lines."""
    fields = dict(event)
    moment, level, message = fields.pop("time", ""), fields.pop("level", ""), str(fields.pop("msg", ""))
    stack = fields.pop("exception", None)
    pairs = "".join(f" {_plain(name)}={_quoted(value)}" for name, value in fields.items())
    line = f"{moment} {level:5} {_plain(message)}{pairs}\n"
    if stack:
        line += "".join(f"    {_plain(part)}\n" for part in str(stack).splitlines())
    return line.encode("utf-8", "backslashreplace")


def _safe(value: Any) -> Any:
    if isinstance(value, int | float | bool) or value is None:
        return value
    return str(value).encode("utf-8", "backslashreplace").decode()


def _plain(text: str) -> str:
    return text if text.isprintable() else "".join(part if part.isprintable() else repr(part)[1:-1] for part in text)


def _quoted(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, dict | list | tuple):
        value = _ENCODER.encode(value).decode()
    text = _plain(str(value))
    if text and not any(sign in text for sign in ' "='):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class Stamps:
    """The present time as text (RFC 3339 in UTC with milliseconds); the seconds are rendered once each."""

    def __init__(self) -> None:
        self._second = -1
        self._text = ""

    def __call__(self, moment: float) -> str:
        """The text for seconds since the epoch."""
        second = int(moment)
        if second != self._second:
            self._text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
            self._second = second
        return f"{self._text}.{int((moment - second) * 1000):03}Z"
