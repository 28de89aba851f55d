"""Groups and aggregates: what one row for many can say, and what has an order (language page, section 4)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from codeai.analysis.arguments import ORDERED
from codeai.analysis.conversions import NUMERIC, TEXTUAL
from codeai.analysis.translation import parts
from codeai.language import types as t
from codeai.model import expression as ir

ORDERLY: Final = "numbers, texts and times have one"
COUNTED: Final = "what is no number can be counted, and texts and times have 'min' and 'max'"
_UNKNOWN: Final = (t.Unknown, t.Null)
_EXTREMES: Final = (*NUMERIC, *TEXTUAL, t.Uuid, t.Ref, t.Date, t.Timestamp, t.Time, t.Duration)  # what both databases compare
_SORTED: Final = (*ORDERED, t.Bool, t.Ref)
_OF_ROWS: Final = (ir.FieldValue, ir.ComputedValue, ir.RelatedRow, ir.RelatedRows)


def is_aggregate(value: ir.Expression) -> bool:
    """Whether a column has one value for many rows."""
    if isinstance(value, ir.Call):
        return _is_aggregate_call(value) or any(map(is_aggregate, value.arguments))
    if isinstance(value, ir.Binary):
        return is_aggregate(value.left) or is_aggregate(value.right)
    return isinstance(value, ir.Convert) and is_aggregate(value.operand)


def _is_aggregate_call(value: ir.Expression) -> bool:
    if not isinstance(value, ir.Call):
        return False
    return value.function in ("count", "sum", "avg") or (value.function in ("min", "max") and len(value.arguments) == 1)


def aggregate_problem(name: str, type_: t.Type) -> str | None:
    """What is wrong with aggregating values of a type, or None."""
    plain = t.required(type_)
    if name in ("sum", "avg") and not isinstance(plain, (*NUMERIC, *_UNKNOWN)):
        return f"'{name}' needs numbers, got {plain}"
    if name in ("min", "max") and not isinstance(plain, (*_EXTREMES, *_UNKNOWN)):
        return f"'{name}' needs numbers, texts or times, got {plain}"
    return None


def sorts(type_: t.Type) -> bool:
    """Whether rows can be ordered by values of a type."""
    return isinstance(t.required(type_), (*_SORTED, *_UNKNOWN))


def ungrouped(value: ir.Expression, grouping: Sequence[ir.Expression], aliases: Collection[str]) -> str | None:
    """A field in a value that has many values in one group, since it is neither aggregated nor among what makes the group.

    :param aliases: those of the rows that are grouped; other rows in range are the same for all of them
    """
    return next(_free(value, grouping, aliases), None)


def _free(value: ir.Expression, grouping: Sequence[ir.Expression], aliases: Collection[str]) -> Iterator[str]:
    if isinstance(value, ir.Selection) or _is_aggregate_call(value) or any(_same(value, key) for key in grouping):
        return
    if isinstance(value, _OF_ROWS):
        path = _path(value)
        if path is not None and path[0] in aliases:
            yield ".".join(path[1:])
        return
    for part in parts(value):
        yield from _free(part, grouping, aliases)


def _path(value: ir.Expression) -> tuple[str, ...] | None:
    """The alias of a row and the names from there, or None where it comes from elsewhere."""
    if isinstance(value, ir.RangeRow):
        return (value.alias,)
    if not isinstance(value, _OF_ROWS):
        return None
    before = _path(value.row)
    return None if before is None else (*before, value.relation if isinstance(value, ir.RelatedRow | ir.RelatedRows) else value.field)


def _same(left: object, right: object) -> bool:
    """Whether two resolved values are the same, wherever they stand."""
    if type(left) is not type(right):
        return False
    if isinstance(left, tuple) and isinstance(right, tuple):
        return len(left) == len(right) and all(map(_same, left, right))
    if isinstance(left, ir.Expression | ir.Entry):
        return all(_same(getattr(left, name), getattr(right, name)) for name in left.__struct_fields__ if name not in ("at", "type"))
    return left == right
