"""Values of settings in older forms: quoted durations, seconds, lists in one text, ``"$NAME"``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from codeai.language.durations import duration_milliseconds
from codeai.language.tree import expressions as ex

if TYPE_CHECKING:
    from codeai.language.parser.cursor import Cursor

DURATIONS: Final = frozenset(
    (
        *("timeout", "window", "ttl", "delay", "cache", "initial_interval", "max_interval", "reset_after", "connect_timeout"),
        *("max_age", "interval", "every", "sleep", "catch_up_window"),
    )
)
LISTS: Final = frozenset(("origins", "methods", "headers", "expose", "roles", "permissions", "scopes", "types", "fields", "vary"))
SECRETS: Final = frozenset(("token", "password", "secret", "api_key", "key", "keys", "client_secret", "value", "username"))
_VARIABLE: Final = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?")


def duration(p: Cursor, value: ex.Expression, *, seconds: bool = False) -> ex.Expression:
    """A duration that stands in quotes; with ``seconds`` also a number of them."""
    if isinstance(value, ex.StringLiteral):
        milliseconds = duration_milliseconds(value.value.strip())
        if milliseconds is not None:
            return ex.DurationLiteral(value.start, value.end, milliseconds)
    if seconds and isinstance(value, ex.IntLiteral):
        p.older(value.start, value.end, f"{value.value}s")
        return ex.DurationLiteral(value.start, value.end, value.value * 1000)
    return value


def listed(p: Cursor, value: ex.Expression) -> ex.Expression:
    """``"GET, POST"`` as a list of texts."""
    if not isinstance(value, ex.StringLiteral) or "," not in value.value:
        return value
    parts = [part.strip() for part in value.value.split(",") if part.strip()]
    shown = ", ".join(f'"{part}"' for part in parts)
    p.older(value.start, value.end, f"[{shown}]")
    return ex.ListLiteral(value.start, value.end, tuple(ex.StringLiteral(value.start, value.end, part) for part in parts))


def environment(p: Cursor, value: ex.Expression, function: str = "secret") -> ex.Expression:
    """``"$NAME"`` and ``"Bearer $NAME"`` read the environment: ``secret(NAME)``, and text around it."""
    if not isinstance(value, ex.StringLiteral) or _VARIABLE.search(value.value) is None:
        return value
    start, end = value.start, value.end
    parts: list[ex.Expression] = []
    at = 0
    for found in _VARIABLE.finditer(value.value):
        if found.start() > at:
            parts.append(ex.StringLiteral(start, end, value.value[at : found.start()]))
        name = ex.Argument(start, end, None, ex.Name(start, end, found[1]))
        parts.append(ex.Call(start, end, ex.Name(start, end, function), (name,)))
        at = found.end()
        p.older(start, end, f"{function}({found[1]})")
    if at < len(value.value):
        parts.append(ex.StringLiteral(start, end, value.value[at:]))
    return parts[0] if len(parts) == 1 else ex.Interpolation(start, end, tuple(parts))


def setting(p: Cursor, key: str, value: ex.Expression, *, seconds: bool = False) -> ex.Expression:
    """The value of a setting, by what its key expects."""
    if key in DURATIONS:
        return duration(p, value, seconds=seconds)
    if key in LISTS:
        return listed(p, value)
    return environment(p, value) if key in SECRETS else value
