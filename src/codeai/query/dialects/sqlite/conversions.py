"""Conversions of values on SQLite: to other types, to text, and into json."""

from __future__ import annotations

from collections.abc import Sequence

from codeai.language import types as t
from codeai.query.dialects.sqlite.arithmetic import Arithmetic
from codeai.query.errors import CompilerError
from codeai.query.sql import Given, Sql
from codeai.query.values import STRUCTURED, Value, call, is_text


class Conversions(Arithmetic):
    """Values as other types."""

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
