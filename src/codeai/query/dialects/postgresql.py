"""PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from codeai.language import types as t
from codeai.model.entity import Entity
from codeai.model.moments import pieces
from codeai.query.dialects.base import WHITESPACE, Dialect, pattern
from codeai.query.errors import CompilerError
from codeai.query.sql import Bind, Given, Sql
from codeai.query.values import STRUCTURED, Value, call, is_text
from codeai.storage.codecs import check_text, native_array
from codeai.storage.fulltext import vector_expression
from codeai.storage.interface import Dialect as DialectName

_CASTS: Final[dict[type[t.Type], str]] = {
    t.Uuid: "uuid",
    t.Int: "bigint",
    t.Float: "double precision",
    t.Decimal: "numeric",
    t.Bool: "boolean",
    t.Timestamp: "timestamptz",
    t.Date: "date",
    t.Time: "time",
    t.Duration: "interval",
    t.Bytes: "bytea",
}
_UTC: Final = " AT TIME ZONE 'UTC'"
_PARTS: Final = {"HH": "HH24", "mm": "MI", "ss": "SS"}  # of a date in to_char; the others are called as ours


def escaped(text: str) -> str:
    """A text in which nothing is special to LIKE."""
    return check_text(text).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


_LIKE: Final[dict[str, Callable[[str], str]]] = {
    "contains": lambda text: f"%{escaped(text)}%",
    "starts_with": lambda text: f"{escaped(text)}%",
    "ends_with": lambda text: f"%{escaped(text)}",
    "matches": lambda text: pattern(text).postgresql,
}


class PostgreSQL(Dialect):
    """PostgreSQL 13 and later, with the functions of ``storage.postgresql.functions``."""

    name: DialectName = "postgresql"
    for_update = " FOR UPDATE OF "

    def cast(self, type_: t.Type) -> str:
        """See ``Dialect``."""
        type_ = t.required(type_)
        if isinstance(type_, t.List):
            return f"{self.cast(type_.item)}[]" if native_array(type_) else "jsonb"
        if isinstance(type_, STRUCTURED):
            return "jsonb"
        return _CASTS.get(type(type_), "text")

    # -- comparisons and order -------------------------------------------------------------------------------------

    def order_term(self, value: Value, *, descending: bool, nulls_first: bool = False) -> Sql:
        """See ``Dialect``. PostgreSQL takes null for the largest value."""
        words = " DESC" if descending else ""
        if value.nullable and nulls_first is not descending:
            words += " NULLS FIRST" if nulls_first else " NULLS LAST"
        return (*self.ordered(value), words)

    def same(self, left: Sql, right: Sql) -> Sql:
        """See ``Dialect``."""
        return (*left, " IS NOT DISTINCT FROM ", *right)

    def distinct(self, left: Sql, right: Sql) -> Sql:
        """See ``Dialect``."""
        return (*left, " IS DISTINCT FROM ", *right)

    def ordered(self, value: Value) -> Sql:
        """See ``Dialect``. Columns hold ``varchar[]``, which compares with no ``text[]`` by itself."""
        if isinstance(value.type, t.List) and native_array(value.type):
            return ("(", *value.sql, f")::{self.cast(value.type)}")
        return (*value.sql, ' COLLATE "C"') if is_text(value.type) else value.sql

    def bound_list(self, slot: int, value: Value) -> Sql:
        """See ``Dialect``."""
        type_ = t.List(value.type)
        convert = self.driver(value.type)
        if convert is None:
            return (Bind(slot, self.cast(type_)),)
        return (Bind(slot, self.cast(type_), lambda items: [None if item is None else convert(item) for item in items]),)

    def given_list(self, value: Value, constants: Sequence[object]) -> Sql:
        """See ``Dialect``."""
        convert = self.driver(value.type)
        driven = [constant if convert is None else convert(constant) for constant in constants]
        return (Given(driven, self.cast(t.List(value.type))),)

    def member(self, value: Value, items: Sql) -> Sql:
        """See ``Dialect``."""
        return (*value.sql, " = ANY(", *items, ")")

    def holds(self, items: Value, item: Value) -> Sql:
        """See ``Dialect``."""
        if isinstance(items.type, t.List) and native_array(items.type):
            return (*item.sql, " = ANY(", *items.sql, ")")
        return (*items.sql, " @> ", *call("to_jsonb", item.sql))

    def elements(self, items: Value, alias: str) -> tuple[Sql, Value]:
        """See ``Dialect``."""
        inner = t.required(items.type.item) if isinstance(items.type, t.List) else t.Json()
        function = "unnest" if isinstance(items.type, t.List) and native_array(items.type) else "jsonb_array_elements"
        return (*call(function, items.sql), f" AS {alias}(value)"), Value((f"{alias}.value",), inner)

    def list_length(self, items: Value) -> Sql:
        """See ``Dialect``."""
        if isinstance(items.type, t.List) and native_array(items.type):
            return call("cardinality", items.sql)
        return call("jsonb_array_length", items.sql)

    def bound_text_test(self, operator: str, text: Sql, slot: int | None, constant: str | None) -> Sql:
        """See ``Dialect``."""
        convert = _LIKE[operator]
        value = Bind(slot, "text", convert) if slot is not None else Given(convert(constant or ""), "text")
        return (*text, " ~ " if operator == "matches" else " LIKE ", value)

    def text_test(self, operator: str, text: Sql, part: Sql) -> Sql:
        """See ``Dialect``."""
        if operator == "contains":
            return ("position(", *part, " in ", *text, ") > 0")
        if operator == "starts_with":
            return call("starts_with", text, part)
        if operator == "ends_with":
            return ("right(", *text, ", length(", *part, ")) = ", *part)
        raise CompilerError("a pattern cannot come from a row", hint="'matches' takes a constant or a value of the request")

    # -- arithmetic ------------------------------------------------------------------------------------------------

    def arithmetic(self, operator: str, left: Value, right: Value) -> Value:
        """See ``Dialect``."""
        nullable = left.nullable or right.nullable
        if operator == "/" and not isinstance(left.type, t.Float):
            numbers = (("(", *side.sql, ")::numeric") if isinstance(side.type, t.Int) else side.sql for side in (left, right))
            return Value(call("codeai_divide", *numbers), t.Decimal(), nullable)
        return Value(("(", *left.sql, f" {operator} ", *right.sql, ")"), _result(left.type), nullable)

    def shifted(self, operator: str, moment: Value, duration: Value) -> Value:
        """See ``Dialect``."""
        nullable = moment.nullable or duration.nullable
        sum_: Sql = ("(", *moment.sql, f" {operator} ", *duration.sql, ")")
        return Value((*sum_, "::date") if isinstance(moment.type, t.Date) else sum_, moment.type, nullable)

    def difference(self, left: Value, right: Value) -> Value:
        """See ``Dialect``. Durations count milliseconds, as they do on SQLite."""
        sql: Sql = ("date_trunc('milliseconds', ", *left.sql, " - ", *right.sql, ")")
        return Value(sql, t.Duration(), left.nullable or right.nullable)

    def negated(self, value: Value) -> Value:
        """See ``Dialect``."""
        return value.replaced(("(- ", *value.sql, ")"))

    def rounded(self, value: Value, places: int) -> Value:
        """See ``Dialect``."""
        if isinstance(value.type, t.Int):
            if places >= 0:
                return value
            return value.replaced(("(", *call("codeai_round", (*value.sql, "::numeric"), (str(places),)), ")::bigint"))
        if isinstance(value.type, t.Float):
            inner = call("codeai_round", (*value.sql, "::numeric"), (str(places),))
            return value.replaced((*inner, "::double precision"))
        return value.replaced(call("codeai_round", value.sql, (str(places),)), t.Decimal())

    def whole(self, function: str, value: Value) -> Value:
        """See ``Dialect``."""
        return value if isinstance(value.type, t.Int) else value.replaced((*call(function, value.sql), "::bigint"), t.Int())

    def stored(self, value: Value, type_: t.Type) -> Sql:
        """See ``Dialect``."""
        if isinstance(type_, t.Decimal) and type_.scale is not None:
            return call("codeai_round", value.sql, (str(type_.scale),))
        return value.sql

    # -- conversions -----------------------------------------------------------------------------------------------

    def converted(self, value: Value, type_: t.Type, *, lenient: bool) -> Value:
        """See ``Dialect``."""
        source, cast = value.type, self.cast(type_)
        if isinstance(type_, t.Json):
            return value.replaced(value.sql if isinstance(source, STRUCTURED) else call("to_jsonb", value.sql), type_)
        if isinstance(source, t.Json):
            return self._from_json(value, type_)
        if isinstance(source, t.Date) and isinstance(type_, t.Timestamp):
            return value.replaced(("(", *value.sql, "::timestamp", _UTC, ")"), type_)
        if isinstance(source, t.Timestamp) and isinstance(type_, t.Date):
            return value.replaced(("(", *value.sql, _UTC, ")::date"), type_)
        if is_text(source) and is_text(type_):
            return value.replaced(value.sql, type_)
        if is_text(source):
            return self._from_text(value, type_, lenient=lenient)
        if is_text(type_):
            return value.replaced(self.shown(value), type_)
        if isinstance(source, t.Decimal) and isinstance(type_, t.Int):
            return value.replaced((*call("trunc", value.sql), "::bigint"), type_)
        if isinstance(source, t.Float) and isinstance(type_, t.Int):
            return value.replaced((*call("trunc", value.sql), "::bigint"), type_)
        return value.replaced(("(", *value.sql, f")::{cast}"), type_)

    def _from_text(self, value: Value, type_: t.Type, *, lenient: bool) -> Value:
        cast = self.cast(type_)
        plain: Sql = ("(", *value.sql, f")::{cast}")
        if not lenient:
            return value.replaced(plain, type_)
        if not isinstance(type_, t.Uuid):
            raise CompilerError(f"a text of a row cannot be read as {type_} in a query", hint="compare fields of one type")
        pattern = "'^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'"
        return Value(("(CASE WHEN ", *value.sql, f" ~ {pattern} THEN ", *plain, " END)"), type_, True)

    def _from_json(self, value: Value, type_: t.Type) -> Value:
        kind = "number" if isinstance(type_, t.Int | t.Decimal | t.Float) else "boolean" if isinstance(type_, t.Bool) else "string"
        if not (is_text(type_) or kind != "string"):
            raise CompilerError(f"json cannot be read as {type_} in a query", hint="compare it with a string, number or bool")
        text: Sql = ("(", *value.sql, " #>> '{}')")
        cast = "" if is_text(type_) else f"::{self.cast(type_)}"
        whole: Sql = ()
        if isinstance(type_, t.Int):
            whole, cast = (" AND ", *text, "::numeric % 1 = 0"), "::numeric::bigint"
        sql: Sql = ("(CASE WHEN jsonb_typeof(", *value.sql, f") = '{kind}'", *whole, " THEN ", *text, cast, " END)")
        return Value(sql, type_, True)

    def shown(self, value: Value) -> Sql:
        """See ``Dialect``."""
        if is_text(value.type):
            return value.sql
        if isinstance(value.type, t.Timestamp):
            format_ = """'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'"""
            return ("replace(to_char(", *value.sql, f"{_UTC}, {format_}), '.000000Z', 'Z')")
        if isinstance(value.type, t.Float):
            return call("codeai_float_text", value.sql)
        if isinstance(value.type, t.Date):
            return ("to_char(", *value.sql, ", 'YYYY-MM-DD')")
        return ("(", *value.sql, ")::text")

    def path(self, value: Value, names: Sequence[str]) -> Value:
        """See ``Dialect``."""
        steps: Sql = (Given(list(names), "text[]"),)
        return Value(("nullif(", *value.sql, " #> ", *steps, ", 'null'::jsonb)"), t.Json(), True)

    # -- functions -------------------------------------------------------------------------------------------------

    def function(self, name: str, arguments: Sequence[Value], type_: t.Type) -> Sql:
        """See ``Dialect``."""
        first = arguments[0]
        if name in ("trim", "trim_left", "trim_right"):
            target = {"trim": "btrim", "trim_left": "ltrim", "trim_right": "rtrim"}[name]
            return call(target, first.sql, self.text(WHITESPACE))
        if name in ("add_days", "add_hours", "add_months"):
            return self._added(name, first, arguments[1])
        if name == "diff_days":
            if isinstance(first.type, t.Date):
                return ("(", *arguments[1].sql, " - ", *first.sql, ")::bigint")
            return ("floor(extract(epoch FROM ", *arguments[1].sql, " - ", *first.sql, ") / 86400)::bigint")
        return super().function(name, arguments, type_)

    def _added(self, name: str, moment: Value, amount: Value) -> Sql:
        unit = name.removeprefix("add_")
        interval: Sql = (f"make_interval({unit} => (", *amount.sql, ")::int)")
        if isinstance(moment.type, t.Date):
            return ("(", *moment.sql, " + ", *interval, ")::date")
        return ("((", *moment.sql, _UTC, " + ", *interval, f"){_UTC})")

    def bounded(self, name: str, moment: Value, unit: str) -> Sql:
        """See ``Dialect``."""
        dated = isinstance(moment.type, t.Date)
        unit = "day" if dated and unit == "hour" else unit
        start: Sql = (f"date_trunc('{unit}', ", *moment.sql, "::timestamp)" if dated else f"{_UTC})")
        if name == "end_of":
            start = ("(", *start, f" + interval '1 {unit}' - interval '1 {'day' if dated else 'microsecond'}')")
        return (*start, "::date") if dated else ("(", *start, f"{_UTC})")

    def dated(self, moment: Value, pattern: str) -> Sql:
        """See ``Dialect``. What is no part of a date stands in quotation marks."""
        format_ = "".join(_PARTS.get(piece, piece) if part else _quoted(piece) for part, piece in pieces(pattern))
        zone = "::timestamp" if isinstance(moment.type, t.Date) else _UTC
        return ("to_char(", *moment.sql, f"{zone}, ", *self.text(format_ or '""'), ")")

    def largest(self, name: str, arguments: Sequence[Sql]) -> Sql:
        """See ``Dialect``."""
        return call("least" if name == "min" else "greatest", *arguments)

    def aggregate(self, name: str, value: Value, type_: t.Type) -> Value:
        """See ``Dialect``."""
        source = value.type
        if name == "count":
            return Value(call("count", value.sql), t.Int(), False)
        if name == "sum":
            cast = "::bigint" if isinstance(source, t.Int) else ""
            return Value(("coalesce(", *call("sum", value.sql), f", 0){cast}"), type_, False)
        if name == "avg":
            if isinstance(source, t.Float):
                return Value(call("avg", value.sql), type_, True)
            return Value(("codeai_divide(sum(", *value.sql, ")::numeric, nullif(count(", *value.sql, "), 0)::numeric)"), type_, True)
        if isinstance(source, t.Uuid):
            return Value((f"{name}((", *value.sql, ')::text COLLATE "C")::uuid'), type_, True)
        if isinstance(source, t.Bool):
            return Value(call("bool_and" if name == "min" else "bool_or", value.sql), type_, True)
        return Value(call(name, self.ordered(value)), type_, True)

    def search(self, entity: Entity, alias: str, slot: int, fields: tuple[str, ...] = ()) -> Sql:
        """See ``Dialect``."""
        return (vector_expression(entity, f"{alias}.", fields), " @@ plainto_tsquery('simple', ", Bind(slot, "text", check_text), ")")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _result(type_: t.Type) -> t.Type:
    return t.Decimal() if isinstance(type_, t.Decimal) else type_
