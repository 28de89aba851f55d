"""Where secrets would leave: values that still are, or hold, what a secret field or the environment keeps (language page, section 5).

What is made of a secret, as a hash of it, is none any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from codeai.analysis.translation import parts
from codeai.language import types as t
from codeai.model import expression as ir
from codeai.model.entity import Field

FieldOf = Callable[[str, str], Field | None]
_CARRYING = (ir.RecordOf, ir.ListOf, ir.Interpolate, ir.Convert, ir.Conditional)
_PASSING = ("map", "filter", "first", "last", "find", "sort", "unique", "join", "upper", "lower", "trim", "to_string", "to_json", "merge")


def secrets_in(value: ir.Expression, field_of: FieldOf) -> Iterator[tuple[int, str]]:
    """The secrets that a value shows, each with its place and what messages call it.

    :param field_of: the field of an entity by its name
    """
    if isinstance(value, ir.EnvironmentValue) and value.secret:
        yield value.at, f"'{value.name}'"
    elif isinstance(value, ir.FieldValue):
        row = t.required(value.row.type)
        field = field_of(row.entity, value.field) if isinstance(row, t.Row) else None
        if field is not None and not field.readable:
            yield value.at, f"'{value.field}'"
    elif isinstance(value, ir.Selection):
        for column in value.columns or ():
            yield from secrets_in(column.value, field_of)
    elif isinstance(value, ir.LambdaOf):
        yield from secrets_in(value.body, field_of)
    elif isinstance(value, ir.Binary) and value.operator in ("+", "??"):
        yield from secrets_in(value.left, field_of)
        yield from secrets_in(value.right, field_of)
    elif isinstance(value, ir.Call) and value.function in ("filter", "find", "sort"):
        yield from secrets_in(value.arguments[0], field_of)
    elif isinstance(value, _CARRYING) or (isinstance(value, ir.Call) and value.function in _PASSING):
        for part in parts(value):
            yield from secrets_in(part, field_of)
