"""Numbers, times and durations: ``+ - * / %``, the sign, ``??``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codeai.language import types as t
from codeai.model import expression as ir
from codeai.query.values import NUMERIC, Value, is_text

if TYPE_CHECKING:
    from codeai.query.compiler import Compiler


def arithmetic(compiler: Compiler, node: ir.Binary) -> Value:
    """An operation on two values; null with a null."""
    left, right = compiler.value(node.left), compiler.value(node.right)
    if isinstance(left.type, t.Null) or isinstance(right.type, t.Null):
        return Value(("NULL",), compiler.model.plain(node.type), True)
    if isinstance(left.type, NUMERIC) and isinstance(right.type, NUMERIC):
        return compiler.dialect.arithmetic(node.operator, left, right)
    if node.operator == "+" and is_text(left.type) and is_text(right.type):
        return Value(("(", *left.sql, " || ", *right.sql, ")"), t.String(), left.nullable or right.nullable)
    if isinstance(left.type, t.Timestamp) and isinstance(right.type, t.Timestamp):
        return compiler.dialect.difference(left, right)
    if isinstance(left.type, t.Duration) and isinstance(right.type, t.Timestamp | t.Date):
        left, right = right, left
    if isinstance(left.type, t.Timestamp | t.Date) and isinstance(right.type, t.Duration):
        return compiler.dialect.shifted(node.operator, left, right)
    if isinstance(left.type, t.Duration):
        return compiler.dialect.arithmetic(node.operator, left, right)
    raise compiler.unsupported(node, f"'{node.operator}' on {left.type} and {right.type}")


def negation(compiler: Compiler, node: ir.Unary) -> Value:
    """Unary minus."""
    return compiler.dialect.negated(compiler.value(node.operand))


def coalesce(compiler: Compiler, node: ir.Binary) -> Value:
    """``left ?? right``."""
    left, right = compiler.value(node.left), compiler.value(node.right)
    if isinstance(right.type, t.Null):
        return left
    left, right = compiler.dialect.meet(left, right)
    return Value(("coalesce(", *left.sql, ", ", *right.sql, ")"), left.type, right.nullable, left.scale)
