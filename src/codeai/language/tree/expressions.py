"""Expressions without queries."""

from __future__ import annotations

from codeai.language.tree.node import Identifier, Node


class Expression(Node, frozen=True, eq=False, gc=False):
    """Something with a value."""


class Missing(Expression, frozen=True, eq=False, gc=False):
    """Where an expression should stand; the parser has reported it."""


class Name(Expression, frozen=True, eq=False, gc=False):
    """A bare name."""

    text: str


class IntLiteral(Expression, frozen=True, eq=False, gc=False):
    """``42``, ``1_000``."""

    value: int


class DecimalLiteral(Expression, frozen=True, eq=False, gc=False):
    """``3.14``, ``1e6``; the digits as text, since the value is exact."""

    text: str


class StringLiteral(Expression, frozen=True, eq=False, gc=False):
    """A string without interpolation, escapes resolved."""

    value: str


class Interpolation(Expression, frozen=True, eq=False, gc=False):
    """A string with ``{…}`` parts."""

    parts: tuple[Expression, ...]


class BooleanLiteral(Expression, frozen=True, eq=False, gc=False):
    """``true`` or ``false``."""

    value: bool


class NullLiteral(Expression, frozen=True, eq=False, gc=False):
    """``null``."""


class DurationLiteral(Expression, frozen=True, eq=False, gc=False):
    """``30s``, ``1h30m``."""

    milliseconds: int


class SizeLiteral(Expression, frozen=True, eq=False, gc=False):
    """``10mb``, in bytes (powers of 1,024)."""

    size: int


class ListLiteral(Expression, frozen=True, eq=False, gc=False):
    """``[a, b]``."""

    items: tuple[Expression, ...]


class MapEntry(Node, frozen=True, eq=False, gc=False):
    """``key: value`` in a map."""

    key: Identifier
    value: Expression


class MapLiteral(Expression, frozen=True, eq=False, gc=False):
    """``{ key: value }``."""

    entries: tuple[MapEntry, ...]


class Member(Expression, frozen=True, eq=False, gc=False):
    """``target.name``."""

    target: Expression
    name: Identifier


class Index(Expression, frozen=True, eq=False, gc=False):
    """``target[index]``."""

    target: Expression
    index: Expression


class Argument(Node, frozen=True, eq=False, gc=False):
    """An argument of a call, by position or by name."""

    name: Identifier | None
    value: Expression


class Call(Expression, frozen=True, eq=False, gc=False):
    """``callee(arguments)``; a method call has a ``Member`` as its callee."""

    callee: Expression
    arguments: tuple[Argument, ...]


class Unary(Expression, frozen=True, eq=False, gc=False):
    """``not`` or ``-``."""

    operator: str
    operand: Expression


class Binary(Expression, frozen=True, eq=False, gc=False):
    """An operator between two operands, by its canonical name (``and``, ``==``, ``not_in`` …; ``=`` where a condition says it)."""

    operator: str
    left: Expression
    right: Expression


class IsNull(Expression, frozen=True, eq=False, gc=False):
    """``is null``, ``is not null``."""

    operand: Expression
    negated: bool


class Between(Expression, frozen=True, eq=False, gc=False):
    """``between low and high``."""

    operand: Expression
    low: Expression
    high: Expression


class Conditional(Expression, frozen=True, eq=False, gc=False):
    """``c ? a : b`` and ``if c then a else b``."""

    condition: Expression
    then: Expression
    otherwise: Expression


class Lambda(Expression, frozen=True, eq=False, gc=False):
    """``x => e``, ``(a, b) => e``."""

    parameters: tuple[Identifier, ...]
    body: Expression


class Conversion(Expression, frozen=True, eq=False, gc=False):
    """``e as T``."""

    operand: Expression
    type: Node


class Star(Expression, frozen=True, eq=False, gc=False):
    """``*`` in ``count(*)``."""


class Provided(Expression, frozen=True, eq=False, gc=False):
    """``… if provided`` behind a condition of a filter."""

    condition: Expression
