"""Fields of rows, computed fields, keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codeai.model import expression as ir
from codeai.query.truth import Choice, Test, all_of
from codeai.query.values import Value

if TYPE_CHECKING:
    from codeai.query.compiler import Compiler
    from codeai.query.scope import Range


def field_value(compiler: Compiler, node: ir.FieldValue) -> Value:
    """A stored field; of the row that a query finds, by a subquery."""
    if isinstance(node.row, ir.Selection):
        from codeai.query.expressions import subqueries

        return subqueries.field_of(compiler, node.row, node.field)
    row = compiler.range_of(node.row)
    field = row.entity.field(node.field)
    assert field is not None
    return compiler.field(row, field)


def computed_value(compiler: Compiler, node: ir.ComputedValue) -> Value:
    """A computed field: the entity's expression over this row; null where there is no row, or the caller may not see it."""
    row = compiler.range_of(node.row)
    return computed(compiler, row, node.field)


def computed(compiler: Compiler, row: Range, name: str) -> Value:
    """A computed field of a row by its name."""
    found = next(field for field in row.entity.computed if field.name == name)
    value: Value = compiler.with_self(row, found.value, "value")
    shown = compiler.model.policies.shown(compiler, row, name)
    conditions = [] if shown is None else [shown]
    if row.nullable:
        key = row.column(row.entity.primary)
        conditions.append(Test((*key, " IS NOT NULL"), nullable=False))
    if not conditions:
        return value
    return Value(("(", Choice(all_of(conditions), value.sql, ("NULL",)), ")"), value.type, True, value.scale)


def key_of(compiler: Compiler, node: ir.Expression) -> Value:
    """The key of a row that stands where a value is expected.

    The key of a related row is read from the related table, since a row that may not be seen is null.
    """
    row = compiler.range_of(node)
    return compiler.field(row, row.entity.primary_field)


def local(compiler: Compiler, node: ir.Local) -> Value:
    """A parameter of a lambda that ranges over rows or elements of a stored list."""
    if node.name in compiler.elements:
        return compiler.elements[node.name]
    return key_of(compiler, node)
