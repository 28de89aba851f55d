"""Derived values of rows that programs hold: columns of what is selected, and a statement for rows that a write gave."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from codeai.language import types as t
from codeai.model import expression as ir
from codeai.model.derived import derived_fields, derived_rules
from codeai.model.entity import Entity
from codeai.query.compiler import Compiler, Model
from codeai.query.expressions.rows import computed
from codeai.query.inputs import Inputs
from codeai.query.rows import Layout, Output, write_columns
from codeai.query.scope import Access, Range
from codeai.query.select import Joins, Select
from codeai.query.sql import Bind, Writer, extra
from codeai.query.statement import Statement
from codeai.query.truth import AsValue, Test
from codeai.query.values import Value
from codeai.storage.codecs import codec
from codeai.storage.interface import Session

Asked = Sequence[tuple[str, ir.Expression]]


def derived_outputs(compiler: Compiler, row: Range) -> list[Output]:
    """The derived values of a row, as columns.

    Whether a rule hides is asked about the row itself, whoever reads it: a row that a block reads as the system may leave it.
    """
    found: list[Output] = []
    for field in derived_fields(row.entity):
        found.append(Output(field.name, computed(compiler, row, field.name), compiler.model.policies.shown(compiler, row, field.name)))
    for name, rule in derived_rules(row.entity):
        assert rule.unless is not None
        unless = compiler.with_self(row.as_system(), rule.unless)
        found.append(Output(name, Value((AsValue(unless),), t.Bool(), False)))
    return found


class Derivation:
    """Completes rows that were written with what they derive from others.

    :param access: as whom the rows were written
    :param asked: further conditions over a row, each with the name under which the row gets its answer
    """

    def __init__(self, model: Model, entity: Entity, inputs: Inputs, access: Access, asked: Asked) -> None:
        self._model = model
        self._entity = entity
        self._compiler = compiler = Compiler(model, inputs)
        self._joins = Joins()
        row = compiler.table(entity, access, self._joins)
        self._alias = row.alias
        self._outputs = derived_outputs(compiler, row)
        for name, condition in asked:
            self._outputs.append(Output(name, Value((AsValue(compiler.with_self(row, condition)),), t.Bool(), False)))
        type_ = model.plain(entity.primary_field.stored_type)
        key = Bind(extra(0), model.dialect.cast(type_), codec(type_, model.dialect.name).to_driver)
        self._where = Test((*row.column(entity.primary), " = ", key), nullable=False)
        self._statement: Statement[Layout] = Statement(compiler, self._build)

    def _build(self, writer: Writer) -> Layout:
        layout = Layout("values")
        columns = write_columns(writer, self._compiler, self._outputs, layout)
        Select(columns, (f"{self._model.table(self._entity)} {self._alias}",), self._joins, self._where).write(writer)
        return layout.finished()

    async def complete(self, session: Session, values: Sequence[Any], row: dict[str, Any]) -> None:
        """Adds the derived values to a row that is stored."""
        statement = self._statement.pick(values)
        record = await session.fetch_row(statement.text, statement.values((*values, row[self._entity.primary])))
        if record is not None and statement.layout is not None:
            row.update(statement.layout.read(record))


def derivation(model: Model, entity: Entity, inputs: Inputs, access: Access, asked: Asked = ()) -> Derivation | None:
    """What completes written rows of an entity; None where they derive nothing from others, and nothing is asked."""
    needed = derived_fields(entity) or derived_rules(entity) or asked
    return Derivation(model, entity, inputs, access, asked) if needed else None
