"""Arithmetic on SQLite by functions of ours: exact decimals, and overflow that is an error instead of a float."""

from __future__ import annotations

from codeai.language import types as t
from codeai.query.dialects.sqlite.comparisons import Comparisons
from codeai.query.sql import Sql
from codeai.query.values import Value, call


class Arithmetic(Comparisons):
    """Numbers, moments and durations."""

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
