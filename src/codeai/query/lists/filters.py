"""The conditions of a list: parents in the path, ``filter`` lines, query parameters. Absent ones leave the statement."""

from __future__ import annotations

import msgspec

from codeai.language import types as t
from codeai.model import expression as ir
from codeai.model.endpoint import ConditionalFilter, ParameterFilter, PathSource
from codeai.query.compiler import Compiler
from codeai.query.errors import InvalidValue
from codeai.query.expressions import comparisons
from codeai.query.scope import Range
from codeai.query.sql import Bind, Writer
from codeai.query.truth import NEVER, Test, Truth, all_of, any_of
from codeai.query.values import Value


class Filter(msgspec.Struct, frozen=True):
    """A query parameter: when it is sent, when its field may be used, and what it says."""

    parameter: str
    sent: Truth
    shown: Truth | None
    condition: Truth

    def refuse_hidden(self, writer: Writer) -> None:
        """Raises for a parameter that was sent though the caller may never see its field."""
        if self.shown is not None and writer.settled(self.sent) is not NEVER and writer.settled(self.shown) is NEVER:
            raise InvalidValue(self.parameter, "unknown_field", f"unknown field '{self.parameter}'")


def provided(compiler: Compiler, name: str) -> Truth:
    """Whether the client sent a query parameter."""
    return compiler.guard(compiler.inputs.slot(ir.Provided(type=t.Bool(), place="query", name=name)))


def by_source(compiler: Compiler, row: Range, source: PathSource) -> Truth:
    """``post_id`` in the path: the rows that point there."""
    field = row.entity.field(source.field)
    assert field is not None
    left = ir.FieldValue(type=field.type, row=ir.RangeRow(type=t.Row(row.entity.name), alias="r0"), field=field.name)
    right = ir.RequestValue(type=compiler.model.plain(field.stored_type), place="path", name=source.parameter)
    return comparisons.equality(compiler, left, right)


def by_line(compiler: Compiler, line: ConditionalFilter) -> Truth:
    """A line of ``filter``; one with ``if provided`` holds when its parameters were not sent."""
    missing = [provided(compiler, name).inverted() for name in line.if_provided]
    return any_of([*missing, compiler.truth(line.condition)])


def by_parameter(compiler: Compiler, row: Range, filter_: ParameterFilter, type_: t.Type) -> Filter:
    """A generated filter: equality, any of a list, at least, at most.

    :param type_: the type as which the parameter is decoded
    """
    field = row.entity.field(filter_.field)
    assert field is not None
    left = ir.FieldValue(type=field.type, row=ir.RangeRow(type=t.Row(row.entity.name), alias="r0"), field=field.name)
    right = ir.RequestValue(type=type_, place="query", name=filter_.parameter)
    if filter_.operator != "equals":
        condition = comparisons.ordering(compiler, ">=" if filter_.operator == "minimum" else "<=", left, right)
    elif isinstance(type_, t.List):
        condition = _any_of(compiler, compiler.value(left), left, right)
    else:
        condition = comparisons.equality(compiler, left, right)
    sent = provided(compiler, filter_.parameter)
    shown = compiler.model.policies.shown(compiler, row, field.name)
    return Filter(filter_.parameter, sent, shown, any_of([sent.inverted(), condition]))


def _any_of(compiler: Compiler, value: Value, left: ir.Expression, right: ir.Expression) -> Truth:
    """Membership; a list of one is an equality, which keeps the order of an index."""
    slot = compiler.inputs.slot(right)
    one = compiler.guard(slot, "single")
    convert = compiler.dialect.first_driver(value)
    equal = Test((*comparisons.collated(compiler, value), " = ", Bind(slot, compiler.dialect.cast(value.type), convert)), nullable=True)
    return any_of([all_of([one, equal]), all_of([one.inverted(), comparisons.membership(compiler, left, right)])])
