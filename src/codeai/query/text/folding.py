"""Constant folding: what query text computes from constants and the clock is computed here, so that only values are bound."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Context, Decimal, DecimalException
from typing import Any, Final

from codeai.language import types as t
from codeai.model import expression as ir
from codeai.model.traversal import rebuilt
from codeai.query.errors import CompilerError

_EXACT: Final = Context(prec=80, rounding=ROUND_HALF_EVEN)
_LIMIT: Final = 2**63
_OPERATIONS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
}


def folded(node: ir.Expression, now: datetime.datetime | None) -> ir.Expression:
    """The expression with its constant parts computed.

    :param now: the time of the request; without it ``now()`` and ``today()`` are not known
    :raises CompilerError: the result of a constant part is out of range
    """

    def fold(part: Any) -> Any:
        if isinstance(part, ir.Call) and part.function in ("now", "today") and now is not None:
            return ir.Constant(type=part.type, value=now if part.function == "now" else now.date(), at=part.at)
        if isinstance(part, ir.Binary) and isinstance(part.left, ir.Constant) and isinstance(part.right, ir.Constant):
            return _binary(part, part.left.value, part.right.value)
        if isinstance(part, ir.Convert) and isinstance(part.operand, ir.Constant):
            return _converted(part, part.operand)
        return part

    found: ir.Expression = rebuilt(node, fold)
    return found


def _binary(node: ir.Binary, left: Any, right: Any) -> ir.Expression:
    operation = _OPERATIONS.get(node.operator)
    if operation is None or left is None or right is None or isinstance(left, bool | str | list):
        return node
    try:
        if isinstance(left, Decimal) and isinstance(right, Decimal):
            value: Any = {"+": _EXACT.add, "-": _EXACT.subtract, "*": _EXACT.multiply}[node.operator](left, right)
        else:
            value = operation(left, right)
    except (OverflowError, DecimalException, TypeError):
        raise CompilerError("the value is out of range", at=node.at) from None
    if isinstance(value, int) and not -_LIMIT <= value < _LIMIT:
        raise CompilerError("the value is out of range", at=node.at)
    return ir.Constant(type=t.required(node.type), value=value, at=node.at)


def _converted(node: ir.Convert, operand: ir.Constant) -> ir.Expression:
    """A conversion between types of one kind, such as int to decimal or date to timestamp."""
    target, value = t.required(node.type), operand.value
    if isinstance(target, t.Decimal) and isinstance(value, int):
        return ir.Constant(type=target, value=Decimal(value), at=node.at)
    if isinstance(target, t.Float) and isinstance(value, int | Decimal):
        return ir.Constant(type=target, value=float(value), at=node.at)
    if isinstance(target, t.Timestamp) and type(value) is datetime.date:
        moment = datetime.datetime(value.year, value.month, value.day, tzinfo=datetime.UTC)
        return ir.Constant(type=target, value=moment, at=node.at)
    if isinstance(target, t.Date) and isinstance(value, datetime.datetime):
        return ir.Constant(type=target, value=value.date(), at=node.at)
    if isinstance(target, t.Json) and (value is None or isinstance(value, str | int | Decimal | bool)):
        return ir.Constant(type=target, value=value, at=node.at)
    return node
