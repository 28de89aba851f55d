"""Functions, aggregates and search on SQLite."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from codeai.language import types as t
from codeai.model.entity import Entity
from codeai.model.moments import strftime_of
from codeai.query.dialects.base import WHITESPACE
from codeai.query.dialects.sqlite.conversions import Conversions
from codeai.query.sql import Bind, Sql
from codeai.query.values import Value, call
from codeai.storage.codecs import check_text
from codeai.storage.fulltext import index_table, row_number

_WORD: Final = re.compile(r"\w+")


def search_words(text: str) -> str:
    """A search as FTS5 reads it: every word in quotation marks, all of them wanted."""
    return " ".join(f'"{word}"' for word in _WORD.findall(check_text(text))) or '""'


class SQLite(Conversions):
    """SQLite 3.38 and later: its functions, aggregates and search on top of the rest."""

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
        return (alias, f".{row_number(entity)} IN (SELECT rowid FROM ", index, " WHERE ", index, " MATCH ", *words, ")")
