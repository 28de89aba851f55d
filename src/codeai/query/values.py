"""A value in SQL: its text, its type, and how SQLite holds it."""

from __future__ import annotations

import msgspec

from codeai.language import types as t
from codeai.query.sql import Node, Sql

TEXTUAL = (t.String, t.Text, t.Email, t.Url, t.Enum)
NUMERIC = (t.Int, t.Decimal, t.Float)
STRUCTURED = (t.Json, t.Map, t.Record)


class Value(msgspec.Struct, frozen=True):
    """An expression in SQL. ``sql`` stands as an operand without further parentheses.

    ``scale`` matters for decimals on SQLite: the places by which the integer is scaled; None stands for text with the
    collation ``DECIMAL``. ``type`` is without nullability.
    """

    sql: Sql
    type: t.Type
    nullable: bool = True
    scale: int | None = None

    def replaced(self, sql: Sql, type_: t.Type | None = None, *, nullable: bool | None = None, scale: int | None = None) -> Value:
        """Another text, with the nullability of this value unless it is given."""
        return Value(sql, self.type if type_ is None else type_, self.nullable if nullable is None else nullable, scale)


NULL = Value(("NULL",), t.Null(), True)


def is_text(type_: t.Type) -> bool:
    """Whether values of the type are strings."""
    return isinstance(type_, TEXTUAL)


def call(function: str, *arguments: Sql) -> Sql:
    """``function(a, b)``."""
    found: list[str | Node] = [function, "("]
    for at, argument in enumerate(arguments):
        if at:
            found.append(", ")
        found.extend(argument)
    found.append(")")
    return tuple(found)
