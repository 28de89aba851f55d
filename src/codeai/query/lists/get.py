"""One row by its key: the shortest way from a request to a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from codeai.language import types as t
from codeai.model import expression as ir
from codeai.model.endpoint import GetRow
from codeai.query.compiler import Compiler, Model
from codeai.query.errors import RowNotFound
from codeai.query.expressions import comparisons
from codeai.query.inputs import Inputs
from codeai.query.lists.filters import by_line, by_source
from codeai.query.rows import Layout, computed_outputs, stored_outputs, write_columns
from codeai.query.scope import Access
from codeai.query.select import Joins, Select
from codeai.query.sql import Sql, Writer
from codeai.query.statement import Statement
from codeai.query.truth import NEVER, all_of
from codeai.storage.interface import Record, RowAtOnce, Session


class GetPlan:
    """The plan of a ``GetRow``: ``run`` gives a struct that the JSON encoder takes.

    :param types: the types of path parameters, where they differ from those of their fields
    :param lock: the row stays as it is read until the end of the transaction
    """

    def __init__(self, model: Model, action: GetRow, types: Mapping[str, t.Type] | None = None, *, lock: bool = False) -> None:
        self._inputs = Inputs()
        self._entity = entity = model.entity(action.entity)
        self._compiler = compiler = Compiler(model, self._inputs)
        self._joins = Joins()
        self._row = row = compiler.table(entity, Access(), self._joins)
        compiler.ranges["r0"] = row
        field = entity.field(action.field)
        assert field is not None
        type_ = (types or {}).get(action.parameter, compiler.model.plain(field.stored_type))
        key = ir.RequestValue(type=type_, place="path", name=action.parameter)
        own = ir.FieldValue(type=field.type, row=ir.RangeRow(type=t.Row(entity.name), alias="r0"), field=field.name)
        conditions = [comparisons.equality(compiler, own, key)]
        conditions += [by_source(compiler, row, source) for source in action.sources]
        conditions += [by_line(compiler, line) for line in action.filters]
        self._where = all_of([*conditions, compiler.visible(row)])
        self._outputs = [*stored_outputs(compiler, row, everything=False), *computed_outputs(compiler, row)]
        locking = compiler.dialect.for_update if lock else ""
        self._tail: Sql = (f"{locking}{row.alias}",) if locking else ()
        self._statement: Statement[Layout] = Statement(compiler, self._build)

    @property
    def values(self) -> tuple[ir.Expression, ...]:
        """What the host evaluates."""
        return self._inputs.expressions

    def _build(self, writer: Writer) -> Layout | None:
        if writer.settled(self._where) is NEVER:
            return None
        layout = Layout("json")
        columns = write_columns(writer, self._compiler, self._outputs, layout)
        table = (f"{self._compiler.model.table(self._entity)} {self._row.alias}",)
        Select(columns, table, self._joins, self._where, tail=self._tail).write(writer)
        return layout.finished()

    async def run(self, session: Session, values: Sequence[Any]) -> Any:
        """Reads the row.

        :raises RowNotFound: there is none that the caller may read
        """
        statement = self._statement.pick(values)
        if statement.layout is None:
            raise RowNotFound(self._entity.name)
        return self._shown(statement.layout, await session.fetch_row(statement.text, statement.values(values)))

    def at_once(self, fetch: RowAtOnce, values: Sequence[Any]) -> Any:
        """Reads the row where that takes no waiting (see ``run``)."""
        statement = self._statement.pick(values)
        if statement.layout is None:
            raise RowNotFound(self._entity.name)
        return self._shown(statement.layout, fetch(statement.text, statement.values(values)))

    def settled(self, fetch: RowAtOnce) -> Callable[[Sequence[Any]], Any] | None:
        """``at_once`` as one function, where the statement is the same for all values; None where it is not."""
        statement, name = self._statement.settled(), self._entity.name
        if statement is None or statement.layout is None:
            return None
        text, bind, read = statement.text, statement.bind, statement.layout.read

        def row(values: Sequence[Any]) -> Any:
            record = fetch(text, values if bind is None else bind(values))
            if record is None:
                raise RowNotFound(name)
            return read(record)

        return row

    def _shown(self, layout: Layout, record: Record | None) -> Any:
        if record is None:
            raise RowNotFound(self._entity.name)
        return layout.read(record)
