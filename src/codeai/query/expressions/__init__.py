"""Every resolved expression that may stand in SQL, a module per noun. ``compiled`` is the table of values, ``logic`` that of conditions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from codeai.language import types as t
from codeai.model import expression as ir
from codeai.query.expressions import arithmetic, calls, rows, structures, subqueries
from codeai.query.truth import AsValue
from codeai.query.values import Value

if TYPE_CHECKING:
    from codeai.query.compiler import Compiler

_VALUES: dict[type[ir.Expression], Callable[[Compiler, Any], Value]] = {
    ir.FieldValue: rows.field_value,
    ir.ComputedValue: rows.computed_value,
    ir.RelatedRow: rows.key_of,
    ir.RangeRow: rows.key_of,
    ir.Local: rows.local,
    ir.Unary: arithmetic.negation,
    ir.Conditional: structures.conditional,
    ir.Convert: structures.conversion,
    ir.Interpolate: structures.interpolation,
    ir.Member: structures.member,
    ir.Item: structures.item,
    ir.Call: calls.call,
    ir.Selection: subqueries.scalar,
}
_CONDITIONS = ("and", "or", "==", "!=", "<", "<=", ">", ">=", "in", "not_in", "contains", "starts_with", "ends_with", "matches")


def compiled(compiler: Compiler, node: ir.Expression) -> Value:
    """An expression as a value in SQL.

    :raises CompilerError: no database computes it
    """
    if not compiler.depends(node):
        return compiler.bound(node)
    if isinstance(node, ir.CallFunction):
        return compiled(compiler, compiler.model.written_out(node))
    if _is_condition(node):
        return Value((AsValue(compiler.truth(node)),), t.Bool(), False)
    if isinstance(node, ir.Binary):
        return arithmetic.coalesce(compiler, node) if node.operator == "??" else arithmetic.arithmetic(compiler, node)
    method = _VALUES.get(type(node))
    if method is None:
        raise compiler.unsupported(node, f"'{type(node).__name__}'")
    return method(compiler, node)


def _is_condition(node: ir.Expression) -> bool:
    if isinstance(node, ir.Binary):
        return node.operator in _CONDITIONS
    if isinstance(node, ir.Unary):
        return node.operator == "not"
    if isinstance(node, ir.Selection):
        return node.kind == "exists"
    if isinstance(node, ir.Call):
        return calls.is_condition(node)
    return isinstance(node, ir.IsNull | ir.Between)
