"""Joins: which conditions lead from rows of one entity to those of another (language page, section 4)."""

from __future__ import annotations

from codeai.analysis.symbols import Symbols
from codeai.language import types as t
from codeai.model import expression as ir


def is_broken(value: ir.Expression) -> bool:
    """Whether something in a condition is not known, of which there is a finding already."""
    if isinstance(t.required(value.type), t.Unknown):
        return True
    if isinstance(value, ir.Binary):
        return is_broken(value.left) or is_broken(value.right)
    return isinstance(value, ir.Convert) and is_broken(value.operand)


def joins_by_key(condition: ir.Expression, symbols: Symbols) -> bool:
    """Whether rows meet by a key: some part that must hold sets a key of one entity equal to a field of another.

    Without that, each row of one meets many of the other, which is never meant and grows with the product of both.
    """
    if not isinstance(condition, ir.Binary):
        return False
    if condition.operator == "and":
        return joins_by_key(condition.left, symbols) or joins_by_key(condition.right, symbols)
    left, right = _plain(condition.left), _plain(condition.right)
    if condition.operator != "==" or not isinstance(left, ir.FieldValue) or not isinstance(right, ir.FieldValue):
        return False
    return _alias(left.row) != _alias(right.row) and (_is_key(left, symbols) or _is_key(right, symbols))


def _plain(value: ir.Expression) -> ir.Expression:
    return value.operand if isinstance(value, ir.Convert) else value


def _alias(row: ir.Expression) -> str:
    """The range from which a row comes, also by relations."""
    while isinstance(row, ir.RelatedRow):
        row = row.row
    return row.alias if isinstance(row, ir.RangeRow) else ""


def _is_key(value: ir.FieldValue, symbols: Symbols) -> bool:
    row = t.required(value.row.type)
    entity = symbols.entities.get(row.entity) if isinstance(row, t.Row) else None
    if entity is None:
        return True
    field = entity.fields.get(value.field)
    return value.field == entity.primary or entity.is_reference(value.field) or (field is not None and field.unique)
