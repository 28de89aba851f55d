"""Comparisons, order and lists on SQLite, where decimals are scaled integers or text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any, Final

from codeai.language import types as t
from codeai.query.dialects.base import Dialect, pattern
from codeai.query.errors import CompilerError
from codeai.query.sql import Bind, Given, Sql
from codeai.query.values import Value, call
from codeai.storage.codecs import SCALED_DIGITS, Codec, Conversion, check_text, codec, encode_json, scale_of
from codeai.storage.interface import Dialect as DialectName

_LIMIT: Final = 2**63 - 1


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


class Comparisons(Dialect):
    """What is bound, compared and ordered."""

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
