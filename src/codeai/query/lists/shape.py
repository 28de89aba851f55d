"""The statement of a list for one kind of request: sort, page or cursor, search, expansion. Shapes are kept by their plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from codeai.language import types as t
from codeai.query.compiler import Compiler
from codeai.query.lists.cursor import Cursor, beyond
from codeai.query.lists.filters import Filter
from codeai.query.lists.order import Order
from codeai.query.lists.sorting import Term
from codeai.query.loads import Load
from codeai.query.rows import Layout, Output, write_columns
from codeai.query.scope import TableRange
from codeai.query.searching import matches
from codeai.query.select import Joins, Select
from codeai.query.sql import Bind, Sql, Writer, extra, joined
from codeai.query.statement import Statement
from codeai.query.truth import ALWAYS, NEVER, Always, Truth, all_of
from codeai.query.values import Value

# The extras that every list statement has, in this order; the parts of a cursor follow.
LIMIT, OFFSET, SEARCH, KEY = range(4)


class Base(msgspec.Struct, frozen=True):
    """What all shapes of a list share: compiled once."""

    compiler: Compiler
    row: TableRange
    joins: Joins
    where: Truth
    filters: tuple[Filter, ...]
    outputs: tuple[Output, ...]


class Asked(msgspec.Struct, frozen=True):
    """What distinguishes shapes."""

    order: Order
    direction: str = "next"
    nulls: tuple[bool, ...] | None = None
    by_cursor: bool = False
    search: bool = False
    expand: tuple[tuple[str, ...], ...] = ()

    @property
    def key(self) -> object:
        """By what a shape is kept."""
        return (self.order.names, self.direction, self.nulls, self.by_cursor, self.search, self.expand)


class Shape:
    """A statement with what is needed to run it.

    :param condition: query text, beside the conditions of the list
    :param refused: raises the error about a sort field that the caller may not see
    :param width: how many values the host passes
    """

    def __init__(
        self, base: Base, asked: Asked, loads: list[Load], refused: Callable[[str], Exception], *, condition: Truth = ALWAYS, width: int
    ) -> None:
        self.asked = asked
        self.loads = loads
        self._base = base
        self._refused = refused
        compiler = base.compiler
        self._sort = [_sort_value(compiler, base.row, term) for term in asked.order.terms]
        parts = [base.where, condition]
        if asked.search:
            parts.insert(0, matches(compiler, base.row, extra(SEARCH)))
        self._plain = all_of(parts)
        if asked.nulls is not None:
            place = Cursor("next" if asked.direction == "next" else "previous", tuple(None if null else 0 for null in asked.nulls))
            parts.append(beyond(compiler, self._sort, asked.order.terms, place, KEY))
        self._where = all_of(parts)
        self.types = [value.type for value in self._sort]
        self.readers = [compiler.dialect.reader(value).from_driver for value in self._sort]
        self.statement: Statement[Layout] = Statement(compiler, self._build, width)
        self.counting: Statement[bool] = Statement(compiler, self._build_count, width)

    def _build(self, writer: Writer) -> Layout | None:
        base = self._base
        self._refuse_hidden(writer)
        if writer.settled(self._where) is NEVER:
            return None
        compiler = base.compiler
        layout = Layout("json", [load.relation.name for load in self.loads])
        keys: list[tuple[str, Sql]] = []
        if self.asked.by_cursor:
            keys += [(term.field.name, value.sql) for term, value in zip(self.asked.order.terms, self._sort, strict=True)]
        elif any(load.relation.kind == "many" for load in self.loads):
            keys.append((base.row.entity.primary, base.row.column(base.row.entity.primary)))
        columns = write_columns(writer, compiler, base.outputs, layout, keys)
        self._select(columns, self._where, order=self._order(), tail=self._tail()).write(writer)
        return layout.finished()

    def _select(self, columns: Sql, where: Truth, *, order: Sql = (), tail: Sql = ()) -> Select:
        table: Sql = (f"{self._base.compiler.model.table(self._base.row.entity)} {self._base.row.alias}",)
        return Select(columns, table, self._base.joins, where, order=order, tail=tail)

    def _refuse_hidden(self, writer: Writer) -> None:
        for filter_ in self._base.filters:
            filter_.refuse_hidden(writer)
        policies = self._base.compiler.model.policies
        for term in self.asked.order.terms:
            shown = policies.shown(self._base.compiler, self._base.row, term.field.name)
            settled = writer.settled(shown) if shown is not None else ALWAYS
            if isinstance(settled, Always) and not settled.value:
                raise self._refused(term.field.name)

    def _build_count(self, writer: Writer) -> bool | None:
        self._refuse_hidden(writer)
        if writer.settled(self._plain) is NEVER:
            return None
        self._select(("count(*)",), self._plain).write(writer)
        return True

    def _order(self) -> Sql:
        backwards = self.asked.direction == "previous"
        dialect = self._base.compiler.dialect
        terms = [
            dialect.order_term(value, descending=term.descending is not backwards, nulls_first=backwards)
            for term, value in zip(self.asked.order.terms, self._sort, strict=True)
        ]
        return joined(terms, ", ")

    def _tail(self) -> Sql:
        cast = self._base.compiler.dialect.cast(t.Int())
        limit: Sql = (" LIMIT ", Bind(extra(LIMIT), cast))
        return limit if self.asked.by_cursor else (*limit, " OFFSET ", Bind(extra(OFFSET), cast))

    def sort_key(self, layout: Layout, record: Sequence[Any]) -> list[Any]:
        """The place of a row in the order, in value form."""
        found: list[Any] = []
        for term, read in zip(self.asked.order.terms, self.readers, strict=True):
            part = record[layout.keys[term.field.name]]
            found.append(part if part is None or read is None else read(part))
        return found


def _sort_value(compiler: Compiler, row: TableRange, term: Term) -> Value:
    return compiler.field(row, term.field)
