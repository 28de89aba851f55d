"""SQLite, with the functions of ``storage.sqlite.functions``: exact decimals, and overflow that is an error instead of a float."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any, Final

from codeai.language import types as t
from codeai.model.entity import Entity
from codeai.model.moments import strftime_of
from codeai.query.dialects.base import WHITESPACE, Dialect, pattern
from codeai.query.errors import CompilerError
from codeai.query.sql import Bind, Given, Sql
from codeai.query.values import STRUCTURED, Value, call, is_text
from codeai.storage.codecs import SCALED_DIGITS, Codec, Conversion, check_text, codec, encode_json, scale_of
from codeai.storage.fulltext import index_table
from codeai.storage.interface import Dialect as DialectName

_LIMIT: Final = 2**63 - 1
_WORD: Final = re.compile(r"\w+")


def _clamped(value: Decimal) -> int:
    return max(-_LIMIT, min(_LIMIT, int(value)))


def fitted(operator: str, scale: int) -> Callable[[Any], int | None]:
    """The conversion of a bound decimal for ``column operator value``, where the column holds scaled integers.

    A value with more places than the column is rounded so that the comparison stays true to the number: ``price < 1.005``
    means ``price < 1.01`` for a column of two places. An equality that cannot hold compares with null.
    """

    def exact(value: Any) -> int | None:
        scaled = Decimal(value).scaleb(scale)
        return int(scaled) if scaled == scaled.to_integral_value() and abs(scaled) <= _LIMIT else None

    def up(value: Any) -> int:
        return _clamped(Decimal(value).scaleb(scale).to_integral_value(ROUND_CEILING))

    def down(value: Any) -> int:
        return _clamped(Decimal(value).scaleb(scale).to_integral_value(ROUND_FLOOR))

    return {"==": exact, "<": up, ">=": up, "<=": down, ">": down}[operator]


def decimal_from(value: Any) -> Decimal:
    """A decimal that SQLite gave as text, or as a number where its text looked like one."""
    return Decimal(value) if not isinstance(value, float) else Decimal(repr(value))


def search_words(text: str) -> str:
    """A search as FTS5 reads it: every word in quotation marks, all of them wanted."""
    return " ".join(f'"{word}"' for word in _WORD.findall(check_text(text))) or '""'


class SQLite(Dialect):
    """SQLite 3.38 and later."""

    name: DialectName = "sqlite"

    def cast(self, type_: t.Type) -> str:
        """See ``Dialect``."""
        return ""

    def scale(self, type_: t.Type) -> int | None:
        """See ``Dialect``."""
        return scale_of(t.required(type_))

    def given(self, value: object, type_: t.Type) -> Value:
        """See ``Dialect``; whole decimals stay integers, so that they can meet scaled columns."""
        if isinstance(type_, t.Decimal) and isinstance(value, Decimal) and type_.precision is None:
            _, digits, exponent = value.as_tuple()
            if isinstance(exponent, int) and len(digits) + max(exponent, 0) <= SCALED_DIGITS and -exponent <= SCALED_DIGITS:
                places = max(0, -exponent)
                return Value((Given(int(value.scaleb(places)), ""),), type_, False, places)
        return super().given(value, type_)

    def reader(self, value: Value) -> Codec:
        """See ``Dialect``; computed decimals have another scale than columns."""
        if not isinstance(value.type, t.Decimal):
            return codec(value.type, self.name)
        if value.scale is None:
            return Codec(None, decimal_from, decimal_from)
        if value.scale == scale_of(value.type):
            return codec(value.type, self.name)
        scale = value.scale
        return Codec(None, lambda number: Decimal(number).scaleb(-scale), lambda number: Decimal(number).scaleb(-scale))

    # -- comparisons and order -------------------------------------------------------------------------------------

    def order_term(self, value: Value, *, descending: bool, nulls_first: bool = False) -> Sql:
        """See ``Dialect``. SQLite takes null for the smallest value."""
        words = " DESC" if descending else ""
        if value.nullable and nulls_first is descending:
            words += " NULLS FIRST" if nulls_first else " NULLS LAST"
        return (*self.ordered(value), words)

    def same(self, left: Sql, right: Sql) -> Sql:
        """See ``Dialect``."""
        return (*left, " IS ", *right)

    def distinct(self, left: Sql, right: Sql) -> Sql:
        """See ``Dialect``."""
        return (*left, " IS NOT ", *right)

    def ordered(self, value: Value) -> Sql:
        """See ``Dialect``."""
        if isinstance(value.type, t.Decimal) and value.scale is None:
            return (*value.sql, " COLLATE DECIMAL")
        return value.sql

    def neutral(self, sql: Sql) -> Sql:
        """See ``Dialect``."""
        return (*sql, " COLLATE BINARY")

    def meet(self, left: Value, right: Value) -> tuple[Value, Value]:
        """See ``Dialect``: decimals of one scale, or both as text."""
        if not (isinstance(left.type, t.Decimal) or isinstance(right.type, t.Decimal)) or left.scale == right.scale:
            return left, right
        if left.scale is not None and right.scale is not None:
            low, high = (left, right) if left.scale < right.scale else (right, left)
            raised = self._raised(low, (high.scale or 0) - (low.scale or 0))
            if raised is not None:
                return (raised, high) if low is left else (high, raised)
        return self._textual(left), self._textual(right)

    def _raised(self, value: Value, places: int) -> Value | None:
        """A scaled decimal with more places, where it cannot overflow."""
        precision = value.type.precision if isinstance(value.type, t.Decimal) else None
        if precision is None or precision + places > SCALED_DIGITS:
            return None
        return value.replaced(("(", *value.sql, f" * {10**places})"), scale=(value.scale or 0) + places)

    def _textual(self, value: Value) -> Value:
        if value.scale is None and isinstance(value.type, t.Decimal):
            return value
        scale = value.scale if isinstance(value.type, t.Decimal) else 0
        return value.replaced(call("codeai_unscaled", value.sql, (str(scale or 0),)), t.Decimal(), scale=None)

    def compared_bound(self, column: Value, operator: str, slot: int, type_: t.Type) -> Sql | None:
        """See ``Dialect``."""
        if column.scale is None or not isinstance(column.type, t.Decimal):
            return None
        return (Bind(slot, "", fitted(operator, column.scale)),)

    def first_driver(self, value: Value) -> Conversion:
        """See ``Dialect``."""
        if value.scale is None or not isinstance(value.type, t.Decimal):
            return super().first_driver(value)
        exact = fitted("==", value.scale)
        return lambda items: exact(items[0])

    def decimal_constant(self, column: Value, operator: str, constant: Any) -> Sql | None:
        """See ``Dialect``."""
        if column.scale is None:
            return (Given(format(Decimal(constant), "f"), ""),)
        found = fitted(operator, column.scale)(constant)
        return None if found is None else (Given(found, ""),)

    def _driven(self, value: Value) -> Callable[[Any], Any]:
        """The conversion of an item that is compared with ``value`` into JSON."""
        if value.scale is not None and isinstance(value.type, t.Decimal):
            return fitted("==", value.scale)
        return codec(value.type, self.name).to_driver or (lambda item: item)

    def given_list(self, value: Value, constants: Sequence[object]) -> Sql:
        """See ``Dialect``: JSON text of driver values."""
        convert = self._driven(value)
        return (Given(encode_json([convert(constant) for constant in constants]), ""),)

    def bound_list(self, slot: int, value: Value) -> Sql:
        """See ``Dialect``: JSON text of driver values."""
        convert = self._driven(value)
        return (Bind(slot, "", lambda items: encode_json([convert(item) for item in items if item is not None])),)

    def member(self, value: Value, items: Sql) -> Sql:
        """See ``Dialect``."""
        return (*self.ordered(value), " IN (SELECT value FROM json_each(", *items, "))")

    def holds(self, items: Value, item: Value) -> Sql:
        """See ``Dialect``."""
        source, element = self.elements(items, "e")
        return ("EXISTS (SELECT 1 FROM ", *source, " WHERE ", *self.ordered(element), " = ", *self._as_element(item), ")")

    def _as_element(self, item: Value) -> Sql:
        return self._textual(item).sql if isinstance(item.type, t.Decimal) else item.sql

    def elements(self, items: Value, alias: str) -> tuple[Sql, Value]:
        """See ``Dialect``."""
        inner = t.required(items.type.item) if isinstance(items.type, t.List) else t.Json()
        source: Sql = (*call("json_each", items.sql), f" AS {alias}")
        if isinstance(inner, t.Json):  # json_each gives objects as JSON, but texts and numbers as they are
            raise CompilerError("a list of json has no element type for a query", hint="read the row and look at the list there")
        if isinstance(inner, t.Decimal):
            return source, Value((f"CAST({alias}.value AS TEXT)",), t.Decimal())
        return source, Value((f"{alias}.value",), inner)

    def list_length(self, items: Value) -> Sql:
        """See ``Dialect``."""
        return call("json_array_length", items.sql)

    def bound_text_test(self, operator: str, text: Sql, slot: int | None, constant: str | None) -> Sql:
        """See ``Dialect``."""
        convert = (lambda text: pattern(text).python) if operator == "matches" else check_text
        value = Bind(slot, "", convert) if slot is not None else Given(convert(constant or ""), "")
        return self.text_test(operator, text, (value,)) if operator != "matches" else call("codeai_matches", text, (value,))

    def text_test(self, operator: str, text: Sql, part: Sql) -> Sql:
        """See ``Dialect``."""
        if operator == "contains":
            return ("instr(", *text, ", ", *part, ") > 0")
        if operator == "starts_with":
            return ("substr(", *text, ", 1, length(", *part, ")) = ", *part)
        if operator == "ends_with":
            return call("codeai_ends_with", text, part)
        raise CompilerError("a pattern cannot come from a row", hint="'matches' takes a constant or a value of the request")

    # -- arithmetic ------------------------------------------------------------------------------------------------

    def arithmetic(self, operator: str, left: Value, right: Value) -> Value:
        """See ``Dialect``."""
        nullable = left.nullable or right.nullable
        if isinstance(left.type, t.Float):
            return Value(self._float(operator, left.sql, right.sql), t.Float(), nullable)
        if operator == "/":
            return Value(call("codeai_decimal_divide", self._textual(left).sql, self._textual(right).sql), t.Decimal(), nullable)
        if isinstance(left.type, t.Decimal) or isinstance(right.type, t.Decimal):
            return Value(
                call("codeai_decimal", (f"'{operator}'",), self._textual(left).sql, self._textual(right).sql), t.Decimal(), nullable
            )
        if operator == "%":
            return Value(call("codeai_modulo", left.sql, right.sql), left.type, nullable)
        return Value(call("codeai_int", (*left.sql, f" {operator} ", *right.sql)), left.type, nullable)

    def _float(self, operator: str, left: Sql, right: Sql) -> Sql:
        if operator in "/%":
            return call("codeai_float_divide" if operator == "/" else "codeai_float_modulo", left, right)
        return call("codeai_float", (*left, f" {operator} ", *right))

    def shifted(self, operator: str, moment: Value, duration: Value) -> Value:
        """See ``Dialect``."""
        amount: Sql = duration.sql if operator == "+" else ("-(", *duration.sql, ")")
        return Value(call("codeai_add_milliseconds", moment.sql, amount), moment.type, moment.nullable or duration.nullable)

    def difference(self, left: Value, right: Value) -> Value:
        """See ``Dialect``."""
        return Value(call("codeai_milliseconds_between", left.sql, right.sql), t.Duration(), left.nullable or right.nullable)

    def negated(self, value: Value) -> Value:
        """See ``Dialect``."""
        if isinstance(value.type, t.Decimal) and value.scale is None:
            return value.replaced(call("codeai_decimal", ("'-'",), ("'0'",), value.sql))
        function = "codeai_float" if isinstance(value.type, t.Float) else "codeai_int"
        return value.replaced(call(function, ("- ", *value.sql)), scale=value.scale)

    def rounded(self, value: Value, places: int) -> Value:
        """See ``Dialect``."""
        if isinstance(value.type, t.Int):
            return value if places >= 0 else value.replaced(call("codeai_int_round", value.sql, (str(places),)))
        if isinstance(value.type, t.Float):
            return value.replaced(call("codeai_float_round", value.sql, (str(places),)))
        return value.replaced(call("codeai_decimal_round", self._textual(value).sql, (str(places),)), t.Decimal())

    def whole(self, function: str, value: Value) -> Value:
        """See ``Dialect``."""
        if isinstance(value.type, t.Int):
            return value
        number = self._textual(value).sql if isinstance(value.type, t.Decimal) else value.sql
        return value.replaced(call(f"codeai_{function}", number), t.Int())

    def stored(self, value: Value, type_: t.Type) -> Sql:
        """See ``Dialect``."""
        scale = self.scale(type_)
        if not isinstance(type_, t.Decimal):
            return value.sql
        if scale is None:
            text = self._textual(value).sql
            return call("codeai_decimal_round", text, (str(type_.scale),)) if type_.scale is not None else text
        if value.scale == scale:
            return value.sql
        return call("codeai_scaled", self._textual(value).sql, (str(scale),))

    # -- conversions -----------------------------------------------------------------------------------------------

    def converted(self, value: Value, type_: t.Type, *, lenient: bool) -> Value:
        """See ``Dialect``."""
        source = value.type
        if isinstance(source, t.Int) and isinstance(type_, t.Decimal):
            return value.replaced(value.sql, type_, scale=0)
        if isinstance(source, t.Decimal) and isinstance(type_, t.Decimal):
            return value.replaced(value.sql, type_, scale=value.scale)
        if isinstance(type_, t.Float) and not isinstance(source, t.Json):
            number = self._textual(value).sql if isinstance(source, t.Decimal) else value.sql
            return value.replaced(("CAST(", *number, " AS REAL)"), type_)
        if isinstance(source, t.Decimal | t.Float) and isinstance(type_, t.Int):
            number = self._textual(value).sql if isinstance(source, t.Decimal) else value.sql
            return value.replaced(call("codeai_truncate", number), type_)
        if isinstance(source, t.Date) and isinstance(type_, t.Timestamp):
            return value.replaced(("(", *value.sql, " || 'T00:00:00.000000Z')"), type_)
        if isinstance(source, t.Timestamp) and isinstance(type_, t.Date):
            return value.replaced(("substr(", *value.sql, ", 1, 10)"), type_)
        if isinstance(type_, t.Json) and isinstance(source, STRUCTURED):
            return value.replaced(value.sql, type_)
        if isinstance(type_, t.Json) and is_text(source):
            return value.replaced(("iif(", *value.sql, " IS NULL, NULL, ", *call("json_quote", value.sql), ")"), type_)
        if isinstance(source, t.Json):
            return self._from_json(value, type_)
        if is_text(source) and is_text(type_):
            return value.replaced(value.sql, type_)
        if is_text(source) and isinstance(type_, t.Uuid):
            return value.replaced(("lower(", *value.sql, ")"), type_)
        if is_text(type_):
            return value.replaced(self.shown(value), type_)
        raise CompilerError(f"{source} cannot become {type_} in a query", hint="compute it before, with 'let'")

    def _from_json(self, value: Value, type_: t.Type) -> Value:
        kinds = {t.Int: "int", t.Decimal: "decimal", t.Float: "float", t.Bool: "bool"}
        kind = kinds.get(type(type_), "text" if is_text(type_) else "")
        if not kind:
            raise CompilerError(f"json cannot be read as {type_} in a query", hint="compare it with a string, number or bool")
        return Value(call("codeai_from_json", value.sql, (f"'{kind}'",)), type_, True)

    def shown(self, value: Value) -> Sql:
        """See ``Dialect``."""
        if is_text(value.type) or isinstance(value.type, t.Uuid | t.Date | t.Time):
            return value.sql
        if isinstance(value.type, t.Decimal):
            return self._textual(value).sql
        if isinstance(value.type, t.Bool):
            return (
                ("iif(", *value.sql, ", 'true', 'false')")
                if not value.nullable
                else ("CASE ", *value.sql, " WHEN 1 THEN 'true' WHEN 0 THEN 'false' END")
            )
        if isinstance(value.type, t.Timestamp):
            return ("replace(", *value.sql, ", '.000000Z', 'Z')")
        if isinstance(value.type, t.Float):
            return call("codeai_float_text", value.sql)
        return ("CAST(", *value.sql, " AS TEXT)")

    def path(self, value: Value, names: Sequence[str]) -> Value:
        """See ``Dialect``."""
        steps: Sql = (Given("$" + "".join(f'."{name}"' for name in names), ""),)
        return Value(("nullif(", *value.sql, " -> ", *steps, ", 'null')"), t.Json(), True)

    # -- functions -------------------------------------------------------------------------------------------------

    def function(self, name: str, arguments: Sequence[Value], type_: t.Type) -> Sql:
        """See ``Dialect``."""
        first = arguments[0].sql
        if name in ("trim", "trim_left", "trim_right"):
            target = {"trim": "trim", "trim_left": "ltrim", "trim_right": "rtrim"}[name]
            return call(target, first, self.text(WHITESPACE))
        if name in ("add_days", "add_hours"):
            unit = 86_400_000 if name == "add_days" else 3_600_000
            return call("codeai_add_milliseconds", first, ("(", *arguments[1].sql, f") * {unit}"))
        if name == "add_months":
            return call("codeai_add_months", first, arguments[1].sql)
        if name == "diff_days":
            return call("codeai_days_between", first, arguments[1].sql)
        return super().function(name, arguments, type_)

    def bounded(self, name: str, moment: Value, unit: str) -> Sql:
        """See ``Dialect``."""
        return call(f"codeai_{name}", moment.sql, self.text(unit))

    def dated(self, moment: Value, pattern: str) -> Sql:
        """See ``Dialect``."""
        return call("codeai_format_date", moment.sql, self.text(strftime_of(pattern)))

    def largest(self, name: str, arguments: Sequence[Sql]) -> Sql:
        """See ``Dialect``."""
        found = arguments[0]
        for other in arguments[1:]:
            found = (f"{name}(coalesce(", *found, ", ", *other, "), coalesce(", *other, ", ", *found, "))")
        return found

    def aggregate(self, name: str, value: Value, type_: t.Type) -> Value:
        """See ``Dialect``. Scaled decimals are summed in two halves, which cannot overflow."""
        decimal = isinstance(value.type, t.Decimal)
        if name == "count":
            return Value(call("count", value.sql), t.Int(), False)
        if name == "sum":
            if decimal:
                return Value(("coalesce(", *self._sum(value), ", '0')"), type_, False)
            if isinstance(value.type, t.Float):
                return Value(("coalesce(", *call("codeai_float", call("sum", value.sql)), ", 0.0)"), type_, False)
            return Value(("coalesce(", *call("sum", value.sql), ", 0)"), type_, False)
        if name == "avg":
            if isinstance(value.type, t.Float):
                return Value(call("avg", value.sql), type_, True)
            return Value(call("codeai_decimal_divide", self._sum(value), ("nullif(count(", *value.sql, "), 0)")), type_, True)
        return Value(call(name, self.ordered(value)), type_, True, value.scale)

    def _sum(self, value: Value) -> Sql:
        if isinstance(value.type, t.Decimal) and value.scale is None:
            return call("codeai_decimal_sum", value.sql)
        halves: Sql = ("sum((", *value.sql, ") >> 32), sum((", *value.sql, ") & 4294967295), ", str(value.scale or 0))
        return call("codeai_joined_sum", halves)

    def search(self, entity: Entity, alias: str, slot: int, fields: tuple[str, ...] = ()) -> Sql:
        """See ``Dialect``."""
        index = self.quote(index_table(entity))
        words: Sql = (Bind(slot, "", search_words),)
        if fields:
            columns = " ".join(map(self.quote, fields))
            words = (f"('{{{columns}}} : (' || ", *words, " || ')')")
        return (alias, ".rowid IN (SELECT rowid FROM ", index, " WHERE ", index, " MATCH ", *words, ")")
