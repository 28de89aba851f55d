"""Guards of endpoints in older forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codeai.language.tree import expressions as ex
from codeai.language.tree.node import Identifier

if TYPE_CHECKING:
    from codeai.language.parser.cursor import Cursor


def public(p: Cursor, names: tuple[Identifier, ...]) -> tuple[Identifier, ...]:
    """``auth: none`` is ``auth: public``."""
    first = names[0] if names else None
    if first is None or first.text != "none":
        return names
    p.older(first.start, first.end, "public")
    return (Identifier(first.start, first.end, "public"), *names[1:])


def annotation(p: Cursor, name: str, value: ex.Expression) -> ex.Expression:
    """``@rate_limit(100)``: a bare number is per minute and user."""
    if name != "rate_limit" or not isinstance(value, ex.IntLiteral):
        return value
    text = f"{value.value} per 1m by user"
    p.older(value.start, value.end, f'"{text}"')
    return ex.StringLiteral(value.start, value.end, text)
