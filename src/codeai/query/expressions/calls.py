"""Built-in functions, and the aggregates of selections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from codeai.language import types as t
from codeai.model import expression as ir
from codeai.query.expressions import comparisons, subqueries
from codeai.query.sql import Sql
from codeai.query.truth import Truth
from codeai.query.values import NUMERIC, Value, is_text
from codeai.query.values import call as called

if TYPE_CHECKING:
    from codeai.query.compiler import Compiler

AGGREGATES: Final = ("count", "sum", "avg", "min", "max")
_CONDITIONS: Final = ("any", "all", "contains", "starts_with", "ends_with")
_TEXTS: Final = ("lower", "upper", "trim", "trim_left", "trim_right", "replace")
_TIMES: Final = ("add_days", "add_hours", "add_months", "diff_days")
_WORDED: Final = ("start_of", "end_of", "format_date")  # a unit or a pattern is part of the text of the query


def is_aggregate(node: Any) -> bool:
    """Whether a call in a column, ``having`` or ``order by`` goes over the rows of a group."""
    if not isinstance(node, ir.Call) or node.function not in AGGREGATES or len(node.arguments) > 1:
        return False
    return not node.arguments or not isinstance(t.required(node.arguments[0].type), t.List)


def is_condition(node: ir.Call) -> bool:
    """Whether a built-in is true or false."""
    return node.function in _CONDITIONS


def condition(compiler: Compiler, node: ir.Call) -> Truth:
    """A built-in that is true or false."""
    if node.function in ("any", "all"):
        return subqueries.quantified(compiler, node)
    return comparisons.text_test(compiler, node.function, node.arguments[0], node.arguments[1])


def call(compiler: Compiler, node: ir.Call) -> Value:
    """A built-in with arguments that depend on rows."""
    name, arguments = node.function, node.arguments
    if compiler.aggregating and is_aggregate(node):
        return aggregate(compiler, node)
    if name == "length":
        return _length(compiler, node)
    if name in AGGREGATES and isinstance(t.required(arguments[0].type), t.List):
        return subqueries.folded(compiler, node)
    if name in ("min", "max"):
        return _extreme(compiler, node)
    if name in ("abs", "ceil", "floor", "round"):
        return _number(compiler, node)
    if name == "to_string":
        value = compiler.value(arguments[0])
        return Value(("coalesce(", *compiler.dialect.shown(value), ", '')"), t.String(), False)
    if name in _WORDED:
        return _worded(compiler, node)
    if name in _TEXTS or name in _TIMES:
        values = [compiler.value(argument) for argument in arguments]
        type_ = compiler.model.plain(node.type)
        result = t.Int() if name == "diff_days" else t.Timestamp() if name == "add_hours" else values[0].type
        mixed = name == "diff_days" and type(values[0].type) is not type(values[1].type)
        if mixed or name == "add_hours":
            days = [isinstance(value.type, t.Date) for value in values]
            values = [
                compiler.dialect.converted(v, t.Timestamp(), lenient=False) if day else v for v, day in zip(values, days, strict=True)
            ]
        return Value(compiler.dialect.function(name, values, type_), result, any(value.nullable for value in values))
    raise compiler.unsupported(node, f"'{name}'")


def _worded(compiler: Compiler, node: ir.Call) -> Value:
    moment, word = compiler.value(node.arguments[0]), node.arguments[1]
    if not isinstance(word, ir.Constant) or not isinstance(word.value, str):
        raise compiler.unsupported(node, f"'{node.function}' with what is not a constant")
    if node.function == "format_date":
        return Value(compiler.dialect.dated(moment, word.value), t.Text(), moment.nullable)
    return moment.replaced(compiler.dialect.bounded(node.function, moment, word.value))


def _timestamp(compiler: Compiler, value: Value) -> Value:
    """A date as its first moment."""
    return compiler.dialect.converted(value, t.Timestamp(), lenient=False) if isinstance(value.type, t.Date) else value


def _length(compiler: Compiler, node: ir.Call) -> Value:
    """The number of characters, elements or rows; 0 of null."""
    argument = node.arguments[0]
    if subqueries.is_rows(compiler, argument):
        return subqueries.folded(compiler, ir.Call(type=t.Int(), function="count", arguments=(argument,), at=node.at))
    value = compiler.value(argument)
    if is_text(value.type):
        sql: Sql = called("length", value.sql)
    elif isinstance(value.type, t.List):
        sql = compiler.dialect.list_length(value)
    else:
        raise compiler.unsupported(node, f"the length of {value.type}")
    return Value(("coalesce(", *sql, ", 0)") if value.nullable else sql, t.Int(), False)


def _extreme(compiler: Compiler, node: ir.Call) -> Value:
    values = [_of_kind(compiler, compiler.value(argument), compiler.model.plain(node.type)) for argument in node.arguments]
    first = values[0]
    for at in range(1, len(values)):
        first, values[at] = compiler.dialect.meet(first, values[at])
    values = [compiler.dialect.meet(value, first)[0] for value in values]
    sql = compiler.dialect.largest(node.function, [compiler.dialect.ordered(value) for value in values])
    return Value(sql, first.type, all(value.nullable for value in values), first.scale)


def _of_kind(compiler: Compiler, value: Value, type_: t.Type) -> Value:
    """A number among numbers of a wider kind, as one of them: SQLite orders its kinds of values before the values."""
    wider = isinstance(value.type, NUMERIC) and isinstance(type_, NUMERIC) and type(value.type) is not type(type_)
    return compiler.dialect.converted(value, type_, lenient=False) if wider else value


def _number(compiler: Compiler, node: ir.Call) -> Value:
    value = compiler.value(node.arguments[0])
    if not isinstance(value.type, NUMERIC):
        raise compiler.unsupported(node, f"'{node.function}' of {value.type}")
    if node.function == "abs":
        negative = compiler.dialect.negated(value)
        return value.replaced(
            ("(CASE WHEN ", *_sign(compiler, value), " < 0 THEN ", *negative.sql, " ELSE ", *value.sql, " END)"), scale=value.scale
        )
    if node.function != "round":
        return compiler.dialect.whole(node.function, value)
    places = node.arguments[1] if len(node.arguments) > 1 else ir.Constant(type=t.Int(), value=0)
    if not isinstance(places, ir.Constant) or not isinstance(places.value, int):
        raise compiler.unsupported(node, "'round' to a number of places that is not a constant")
    return compiler.dialect.rounded(value, places.value)


def _sign(compiler: Compiler, value: Value) -> Sql:
    """A number as it compares with 0 in SQL."""
    if compiler.dialect.name == "sqlite" and isinstance(value.type, t.Decimal) and value.scale is None:
        return ("CAST(", *value.sql, " AS REAL)")
    return value.sql


def aggregate(compiler: Compiler, node: ir.Call) -> Value:
    """``count(*)``, ``sum(e)`` … over the rows of a group."""
    if not node.arguments:
        return Value(("count(*)",), t.Int(), False)
    compiler.aggregating = False
    try:
        value = compiler.value(node.arguments[0])
    finally:
        compiler.aggregating = True
    return compiler.dialect.aggregate(node.function, value, compiler.model.plain(node.type))
