"""``and``, ``or``, ``not`` and everything else that is true or false."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from codeai.language import types as t
from codeai.model import expression as ir
from codeai.model.traversal import flattened
from codeai.query.expressions import calls, comparisons, rows, subqueries
from codeai.query.truth import ALWAYS, NEVER, Test, Truth, all_of, any_of

if TYPE_CHECKING:
    from codeai.query.compiler import Compiler

_ORDERING = ("<", "<=", ">", ">=")
_TEXTS = ("contains", "starts_with", "ends_with", "matches")


def truth(compiler: Compiler, node: ir.Expression) -> Truth:
    """An expression as a condition; what does not depend on rows becomes a guard."""
    if isinstance(node, ir.Constant):
        return ALWAYS if node.value is True else NEVER
    if not compiler.depends(node):
        return compiler.guard(compiler.inputs.slot(node))
    if isinstance(node, ir.CallFunction):
        return truth(compiler, compiler.model.written_out(node))
    if isinstance(node, ir.Binary):
        return _binary(compiler, node)
    if isinstance(node, ir.Unary) and node.operator == "not":
        return truth(compiler, node.operand).inverted()
    if isinstance(node, ir.IsNull):
        return is_null(compiler, node)
    if isinstance(node, ir.Between):
        low = comparisons.ordering(compiler, ">=", node.operand, node.low)
        return all_of([low, comparisons.ordering(compiler, "<=", node.operand, node.high)])
    if isinstance(node, ir.Conditional):
        condition = truth(compiler, node.condition)
        then, otherwise = truth(compiler, node.then), truth(compiler, node.otherwise)
        return any_of([all_of([condition, then]), all_of([condition.inverted(), otherwise])])
    if isinstance(node, ir.Selection) and node.kind == "exists":
        return subqueries.exists(compiler, node)
    if isinstance(node, ir.Call) and calls.is_condition(node):
        return calls.condition(compiler, node)
    return _tested(compiler, node)


def _tested(compiler: Compiler, node: ir.Expression) -> Truth:
    """A value of type bool (or json) as a condition."""
    value = compiler.value(node)
    if isinstance(value.type, t.Json):
        value = compiler.dialect.converted(value, t.Bool(), lenient=True)
    return Test(value.sql, nullable=value.nullable)


def _binary(compiler: Compiler, node: ir.Binary) -> Truth:
    operator = node.operator
    if operator in ("and", "or"):
        parts = _grouped(compiler, operator, flattened(operator, node))
        return all_of(parts) if operator == "and" else any_of(parts)
    if operator in ("==", "!="):
        same = comparisons.equality(compiler, node.left, node.right)
        return same if operator == "==" else same.inverted()
    if operator in _ORDERING:
        return comparisons.ordering(compiler, operator, node.left, node.right)
    if operator in ("in", "not_in"):
        found = comparisons.membership(compiler, node.left, node.right)
        return found if operator == "in" else found.inverted()
    if operator in _TEXTS:
        return comparisons.text_test(compiler, operator, node.left, node.right)
    return _tested(compiler, node)


def _grouped(compiler: Compiler, operator: str, operands: Sequence[ir.Expression]) -> list[Truth]:
    """The operands, with those that do not depend on rows joined into one guard: fewer combinations."""
    known = [part for part in operands if not compiler.depends(part)]
    parts: list[Truth] = []
    if known:
        together = known[0]
        for part in known[1:]:
            together = ir.Binary(type=t.Bool(), operator=operator, left=together, right=part)
        parts.append(truth(compiler, together))
    parts.extend(truth(compiler, part) for part in operands if part not in known)
    return parts


def is_null(compiler: Compiler, node: ir.IsNull) -> Truth:
    """``is null`` of a value or of the row behind a relation."""
    operand = node.operand
    if isinstance(operand, ir.RelatedRow | ir.RangeRow):
        value = rows.key_of(compiler, operand)
    else:
        value = compiler.value(operand)
    found: Truth = NEVER
    if value.nullable:
        found = Test((*value.sql, " IS NULL"), nullable=False, inverse=(*value.sql, " IS NOT NULL"))
    return found.inverted() if node.negated else found
