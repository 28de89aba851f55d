"""Plans of selections: compiled once, run with values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

from codeai.language import types as t
from codeai.model import expression as ir
from codeai.query.compiler import Compiler, Model
from codeai.query.derived import derived_outputs
from codeai.query.errors import RowNotFound, TooManyRows
from codeai.query.inputs import Inputs
from codeai.query.loads import Load, loads, owner_keys, tree
from codeai.query.rows import Form, Layout, Output, computed_outputs, stored_outputs, write_columns
from codeai.query.scope import Access, TableRange
from codeai.query.searching import matches
from codeai.query.select import Joins, Select
from codeai.query.sql import Bind, Sql, Writer, joined
from codeai.query.statement import Statement
from codeai.query.truth import ALWAYS, NEVER, Truth, all_of
from codeai.storage.errors import ValueOutOfRange
from codeai.storage.interface import Session

DEFAULT_LIMIT: Final = 1_000


class StatementPlan(Protocol):
    """A compiled statement. The host evaluates ``values`` in order and passes the results to ``run``."""

    @property
    def values(self) -> tuple[ir.Expression, ...]:
        """What the host evaluates."""

    async def run(self, session: Session, values: Sequence[Any]) -> Any:
        """Sends the statement and reads its result.

        :param values: the values of ``values``, in value form
        :raises QueryError: RowNotFound, TooManyRows …
        :raises StorageError: what the database refuses
        """


def count_of(value: Any) -> int:
    """A limit or offset: not negative."""
    if value < 0:
        raise ValueOutOfRange("a limit or offset must not be negative")
    return int(value)


class SelectionPlan:
    """The plan of a ``Selection``.

    :param form: ``values`` for programs, ``json`` for results that are encoded as they are
    """

    def __init__(self, model: Model, node: ir.Selection, *, form: Form = "values", inputs: Inputs | None = None) -> None:
        self.node = node
        self._inputs = inputs = Inputs() if inputs is None else inputs
        self._form: Form = form
        self._entity = entity = model.entity(node.entity)
        self._compiler = compiler = Compiler(model, inputs)
        self._access = Access(system=node.as_system, deleted=node.with_deleted)
        self._joins = Joins()
        self._row = row = compiler.table(entity, self._access, self._joins)
        compiler.ranges[node.alias] = row
        self._tables = self._joined(node)
        self._where = self._condition(node, row)
        self._outputs = self._columns(node, row)
        self._group = joined([compiler.value(part).sql for part in node.group_by], ", ")
        compiler.aggregating = node.columns is not None
        self._having = compiler.truth(node.having) if node.having is not None else ALWAYS
        self._order = self._terms(node, row)
        compiler.aggregating = False
        self._tail = self._limits(node)
        wanted = tree(node.loads, node.implied) if node.columns is None else tree(())
        self._expanded = wanted.expanded
        self._keys = [(name, row.column(name)) for name in owner_keys(entity, wanted)]
        self._loads: list[Load] = loads(model, inputs, entity, wanted, self._access, form)
        self._statement: Statement[Layout] = Statement(compiler, self._build)

    @property
    def values(self) -> tuple[ir.Expression, ...]:
        """See ``StatementPlan``."""
        return self._inputs.expressions

    # -- building --------------------------------------------------------------------------------------------------

    def _joined(self, node: ir.Selection) -> list[str]:
        """The tables of ``join`` clauses; their conditions are part of ``where``."""
        found: list[str] = []
        for join in node.joins:
            entity = self._compiler.model.entity(join.entity)
            row = self._compiler.table(entity, self._access, self._joins)
            self._compiler.ranges[join.alias] = row
            found.append(f" CROSS JOIN {self._compiler.model.table(entity)} {row.alias}")
        return found

    def _condition(self, node: ir.Selection, row: TableRange) -> Truth:
        compiler = self._compiler
        parts: list[Truth] = []
        if node.where is not None:
            parts.append(compiler.truth(node.where))
        for join in node.joins:
            parts.append(compiler.truth(join.condition))
            parts.append(compiler.visible(compiler.ranges[join.alias]))
        if node.search is not None:
            slot = compiler.inputs.slot(node.search)
            parts.append(matches(compiler, row, slot))
        parts.append(compiler.visible(row))
        return all_of(parts)

    def _columns(self, node: ir.Selection, row: TableRange) -> list[Output]:
        compiler = self._compiler
        if node.kind == "exists":
            return []
        if node.columns is None:
            found = stored_outputs(compiler, row, everything=self._form == "values")
            return [*found, *(computed_outputs if self._form == "json" else derived_outputs)(compiler, row)]
        compiler.aggregating = True
        outputs = [Output(column.name, compiler.value(column.value)) for column in node.columns]
        compiler.aggregating = False
        return outputs

    def _terms(self, node: ir.Selection, row: TableRange) -> Sql:
        compiler = self._compiler
        if node.kind in ("exists", "get", "aggregate"):
            return ()
        terms = [compiler.dialect.order_term(compiler.value(term.value), descending=term.descending) for term in node.order_by]
        if node.kind == "first" and node.columns is None:
            terms.append(row.column(self._entity.primary))
        return joined(terms, ", ")

    def _limits(self, node: ir.Selection) -> Sql:
        compiler = self._compiler
        if node.kind in ("first", "get", "exists"):
            return (" LIMIT 1", *self._lock(node))
        if node.kind == "aggregate":
            return ()
        sql: list[Any] = []
        if node.limit is None:
            sql.append(f" LIMIT {DEFAULT_LIMIT + 1}")
        else:
            limit = Bind(compiler.inputs.slot(node.limit), compiler.dialect.cast(t.Int()), count_of)
            sql += [" LIMIT coalesce(", limit, f", {DEFAULT_LIMIT + 1})"] if t.is_nullable(node.limit.type) else [" LIMIT ", limit]
        if node.offset is not None:
            offset = Bind(compiler.inputs.slot(node.offset), compiler.dialect.cast(t.Int()), count_of)
            sql += [" OFFSET coalesce(", offset, ", 0)"]
        return (*sql, *self._lock(node))

    def _lock(self, node: ir.Selection) -> Sql:
        if not node.for_update or not self._compiler.dialect.for_update:
            return ()
        return (f"{self._compiler.dialect.for_update}{self._row.alias}",)

    def _build(self, writer: Writer) -> Layout | None:
        if writer.settled(self._where) is NEVER and self.node.kind != "aggregate":
            return None
        layout = Layout(self._form, [load.relation.name for load in self._loads], self._expanded)
        columns = write_columns(writer, self._compiler, self._outputs, layout, self._keys)
        table: Sql = (f"{self._compiler.model.table(self._entity)} {self._row.alias}", *self._tables)
        Select(columns, table, self._joins, self._where, group=self._group, having=self._having, order=self._order, tail=self._tail).write(
            writer
        )
        return layout.finished()

    # -- running ---------------------------------------------------------------------------------------------------

    async def run(self, session: Session, values: Sequence[Any]) -> Any:
        """See ``StatementPlan``."""
        statement = self._statement.pick(values)
        layout = statement.layout
        if layout is None:
            return self._nothing()
        if self.node.kind == "rows":
            return await self._rows(session, values, layout, await session.fetch(statement.text, statement.values(values)))
        record = await session.fetch_row(statement.text, statement.values(values))
        if self.node.kind == "exists":
            return record is not None
        if record is None:
            return self._nothing()
        if self.node.kind == "aggregate":
            row = layout.read(record)
            return row["value"] if self.node.scalar else row
        return (await self._rows(session, values, layout, [record]))[0]

    def _nothing(self) -> Any:
        if self.node.kind == "get":
            raise RowNotFound(self._entity.name)
        return {"rows": [], "exists": False}.get(self.node.kind)

    async def _rows(self, session: Session, values: Sequence[Any], layout: Layout, records: Sequence[Any]) -> list[Any]:
        if len(records) > DEFAULT_LIMIT and self.node.kind == "rows" and not self._limited(values):
            raise TooManyRows(self._entity.name, DEFAULT_LIMIT)
        read = layout.read
        rows = [read(record) for record in records]
        for load in self._loads:
            await load.run(session, values, layout, records, rows, self._entity.primary)
        return rows

    def _limited(self, values: Sequence[Any]) -> bool:
        return self.node.limit is not None and values[self._inputs.slot(self.node.limit)] is not None
