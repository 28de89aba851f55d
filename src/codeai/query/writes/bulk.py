"""``update E set … where …`` and ``delete E where …``: one statement for all rows that the caller may change."""

from __future__ import annotations

from codeai.language import types as t
from codeai.model import expression as ir
from codeai.query.compiler import Compiler, Model
from codeai.query.constraints import explained
from codeai.query.errors import CompilerError
from codeai.query.inputs import Inputs
from codeai.query.scope import Access, NewRowRange
from codeai.query.sql import Sql, Writer
from codeai.query.statement import Statement
from codeai.query.truth import NEVER, Truth, all_of
from codeai.query.writes.references import referenced
from codeai.query.writes.rows import Values
from codeai.storage.errors import CheckViolation, ForeignKeyViolation
from codeai.storage.interface import Session

_NOW = ir.Call(type=t.Timestamp(), function="now", arguments=())


class BulkPlan:
    """A write to many rows; its result is their number."""

    def __init__(self, model: Model, node: ir.UpdateRows | ir.DeleteRows) -> None:
        self._model = model
        self._entity = entity = model.entity(node.entity)
        if entity.audited:
            raise CompilerError(f"'{entity.name}' is audited: change its rows one by one", hint="select them and loop", at=node.at)
        self._inputs = Inputs()
        self._compiler = compiler = Compiler(model, self._inputs)
        self._row = row = compiler.table(entity, Access(system=node.as_system, deleted=node.with_deleted), None)
        compiler.ranges[node.alias] = row
        self._assignments = self._changes(node)
        parts: list[Truth] = [compiler.truth(node.where)] if node.where is not None else []
        parts.append(compiler.visible(row))
        if not node.as_system:
            action = "update" if isinstance(node, ir.UpdateRows) else "delete"
            parts.append(model.policies.allowed(compiler, row, action))  # type: ignore[arg-type]  # one of the actions
            if action == "update":
                columns = {field.name: row.column(field.name) for field in entity.fields} | dict(self._assignments)
                parts.append(model.policies.allowed(compiler, NewRowRange(compiler, entity, row.access, columns), "update"))
        self._where = all_of(parts)
        self._statement: Statement[bool] = Statement(compiler, self._build)

    def _changes(self, node: ir.UpdateRows | ir.DeleteRows) -> list[tuple[str, Sql]]:
        entity, compiler = self._entity, self._compiler
        now = ir.Entry("", _NOW)
        if isinstance(node, ir.UpdateRows):
            entries = [*node.assignments, *(ir.Entry(field.name, now.value) for field in entity.fields if field.auto_update)]
        else:
            soft = entity.soft_delete_field
            entries = [ir.Entry(soft.name, now.value)] if soft is not None else []
        found: list[tuple[str, Sql]] = []
        for entry in entries:
            field = entity.field(entry.name)
            assert field is not None
            type_ = self._model.plain(field.stored_type)
            value = compiler.value(entry.value)
            found.append((entry.name, self._model.dialect.stored(value, type_)))
        return found

    def _build(self, writer: Writer) -> bool | None:
        where = writer.settled(self._where)
        if where is NEVER:
            return None
        if self._assignments:
            self._set(writer)
        else:
            writer.add(f"DELETE FROM {self._table}")
        writer.add(f" WHERE {writer.condition(where)}")
        return True

    @property
    def _table(self) -> str:
        return f"{self._model.table(self._entity)} AS {self._row.alias}"

    def _set(self, writer: Writer) -> None:
        """``UPDATE … SET …`` without its condition."""
        writer.add(f"UPDATE {self._table} SET ")
        for at, (name, sql) in enumerate(self._assignments):
            writer.add(f"{', ' if at else ''}{self._model.dialect.quote(name)} = ")
            writer.write(sql)

    @property
    def values(self) -> tuple[ir.Expression, ...]:
        """See ``evaluate.expressions.Plan``."""
        return self._inputs.expressions

    async def run(self, session: Session, values: Values) -> int:
        """The number of rows that were changed."""
        statement = self._statement.pick(values)
        if statement.layout is None:
            return 0
        try:
            return await session.execute(statement.text, statement.values(values))
        except CheckViolation as error:
            raise explained(error, self._entity) from error
        except ForeignKeyViolation as error:
            raise (error if self._assignments else referenced(error)) from error
