"""What a setting may be: kinds of values, checked where the program writes them out; what the environment gives is checked at the start."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import msgspec

from codeai.language.durations import duration_milliseconds, intended
from codeai.language.tree import expressions as ex
from codeai.language.tree.node import Node

_LITERALS: Final = (
    *(ex.StringLiteral, ex.IntLiteral, ex.DecimalLiteral, ex.BooleanLiteral, ex.DurationLiteral, ex.SizeLiteral),
    *(ex.NullLiteral, ex.ListLiteral, ex.MapLiteral, ex.Name, ex.Unary),
)
TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2
_ORIGIN: Final = re.compile(r"\*|null|[a-z][a-z0-9+.-]*://(\*\.)?[^/?#\s*]+/?", re.IGNORECASE)
_PATH: Final = re.compile(r"(/?[A-Za-z0-9._~!$&'()*+,;=:@%-]+)*/?")
_SIZE: Final = re.compile(r"[0-9]+(b|kb|mb|gb)?", re.IGNORECASE)
_FUNCTION: Final = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", re.ASCII)


class Kind(msgspec.Struct, frozen=True):
    """One kind: what it is called in messages, and whether a literal is of it. ``words`` are all there are, for suggestions."""

    wanted: str
    fits: Callable[[ex.Expression], bool]
    words: tuple[str, ...] = ()
    list_: bool = False


class Misfit(msgspec.Struct, frozen=True):
    """A value that is of another kind: its place, what it should be, and what it may be meant to be."""

    node: Node
    wanted: str
    advice: str = ""
    word: str = ""


def misfit(kind: Kind, node: ex.Expression) -> Misfit | None:
    """What is wrong with a value; None when nothing is, or when it is only known at the start."""
    if not isinstance(node, _LITERALS):
        return None
    if kind.list_ and isinstance(node, ex.ListLiteral):
        if not node.items:
            return Misfit(node, kind.wanted)
        return next((found for item in node.items if (found := misfit(msgspec.structs.replace(kind, list_=False), item))), None)
    return None if kind.fits(node) else Misfit(node, kind.wanted, _advice(kind, node), _word(node) or "")


def _advice(kind: Kind, node: ex.Expression) -> str:
    if kind is not DURATION:
        return ""
    if isinstance(node, ex.IntLiteral):
        return f"give it a unit: {node.value}s, {node.value}m or {node.value}h"
    meant = intended(node.value) if isinstance(node, ex.StringLiteral) else None
    return f"did you mean '{meant}'?" if meant is not None else ""


def _word(node: ex.Expression) -> str | None:
    return node.text if isinstance(node, ex.Name) else node.value if isinstance(node, ex.StringLiteral) else None


def whole(low: int, high: int, *, text: bool = False) -> Kind:
    """A whole number within bounds; where the environment may say it as well, a ``text`` will do."""

    def fits(node: ex.Expression) -> bool:
        if text and isinstance(node, ex.StringLiteral):
            return node.value.isascii() and node.value.isdigit() and low <= int(node.value) <= high
        return isinstance(node, ex.IntLiteral) and low <= node.value <= high

    return Kind(f"a number from {low:,} to {high:,}", fits)


def choice(*words: str) -> Kind:
    """One of several words, quoted or not."""
    return Kind(", ".join(words), lambda node: _word(node) in words, words)


def matching(wanted: str, pattern: re.Pattern[str], *, many: bool = False) -> Kind:
    """A text of that form."""
    return Kind(wanted, lambda node: isinstance(node, ex.StringLiteral) and pattern.fullmatch(node.value) is not None, list_=many)


def _is_duration(node: ex.Expression) -> bool:
    if isinstance(node, ex.StringLiteral):
        return bool(duration_milliseconds(node.value))
    return isinstance(node, ex.DurationLiteral) and node.milliseconds > 0


def _is_size(node: ex.Expression) -> bool:
    if isinstance(node, ex.StringLiteral):
        return _SIZE.fullmatch(node.value) is not None
    return isinstance(node, ex.SizeLiteral | ex.IntLiteral)


TEXT: Final = Kind("a text", lambda node: bool(_word(node)))
TEXTS: Final = Kind('texts, as in ["a", "b"]', lambda node: isinstance(node, ex.StringLiteral) and bool(node.value), list_=True)
_FLAGS: Final = ("true", "false", "1", "0")


def by_environment(kind: Kind) -> Kind:
    """The kind of what the environment says, which is always a text."""
    return Kind(FLAG.wanted, lambda node: _word(node) in _FLAGS) if kind is FLAG else kind


FLAG: Final = Kind("true or false", lambda node: isinstance(node, ex.BooleanLiteral))
DURATION: Final = Kind("a duration above zero, as in 5s", _is_duration)
SIZE: Final = Kind("a size, as in 10mb", _is_size)
PORT: Final = whole(1, 65_535, text=True)
HEADER: Final = matching("the name of a header", TOKEN)
HEADERS: Final = matching('names of headers, as in ["X-Name"]', TOKEN, many=True)
ORIGINS: Final = matching('origins, as in ["https://app.example.com"]', _ORIGIN, many=True)
METHODS: Final = Kind(
    'methods, as in ["GET", "POST"]',
    lambda node: (_word(node) or "").upper() in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "*"),
    list_=True,
)
DATABASE: Final = matching(
    "an address, as in postgresql://user@host/name", re.compile(r"(postgres(ql)?|mongodb(\+srv)?)://[^\s]*|sqlite:(//)?/*[^/\s][^\s]*|\$.+")
)
REDIS: Final = matching("an address, as in redis://localhost:6379/0", re.compile(r"rediss?://[^\s/]+(/[0-9]*)?(\?[^\s]*)?|unix:/[^\s]+"))
PATH: Final = matching('a path, as in "/api"', _PATH)
FUNCTION: Final = matching('a function, as in "headers.stamp"', _FUNCTION)
USERS: Final = matching('users, as in ["name:password"]', re.compile(r"[^:,]+:.+(,[^:,]+:.+)*", re.DOTALL), many=True)
CORS: Final = {
    "origins": ORIGINS,
    "methods": METHODS,
    "headers": matching('names of headers, as in ["X-Name"]', re.compile(rf"\*|{TOKEN.pattern}"), many=True),
    "expose": HEADERS,
    "credentials": FLAG,
    "max_age": DURATION,
}
