"""Which rule decides whether a caller may do something with a row: the policies of an entity, asked one by one.

The conditions are those of ``policies``, compiled as for every statement: what depends on the caller alone is settled by the
guards; with a row the database answers the rest, in one ``SELECT`` that has a column per rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from codeai.language import types as t
from codeai.model import expression as ir
from codeai.model.entity import Action, Entity
from codeai.query.compiler import Compiler, Model
from codeai.query.errors import RowNotFound
from codeai.query.expressions import comparisons
from codeai.query.inputs import Inputs
from codeai.query.policies import RuleKind
from codeai.query.scope import Access, NewRowRange, Range
from codeai.query.select import Joins, Select
from codeai.query.sql import Given, Sql, Writer, joined
from codeai.query.statement import Statement, switches
from codeai.query.truth import ALWAYS, Always, AsValue, Truth, all_of
from codeai.storage.codecs import codec
from codeai.storage.interface import Session


class Answer(msgspec.Struct, frozen=True):
    """What became of one rule; ``applies`` None: the row decides."""

    kind: RuleKind
    source: str
    at: int
    applies: bool | None


class Verdict(msgspec.Struct, frozen=True):
    """Whether the action is allowed, and whether the row can be seen at all; None: the row decides."""

    allowed: bool | None
    visible: bool | None
    rules: tuple[Answer, ...]


class VerdictPlan:
    """The question about one action on an entity.

    :param key: the key of a stored row, in value form; None for no row
    :param row: the fields of a row that need not be stored, in value form
    """

    def __init__(
        self, model: Model, entity: Entity, action: Action, *, key: object = None, row: Mapping[str, object] | None = None
    ) -> None:
        self._inputs = Inputs()
        self._compiler = compiler = Compiler(model, self._inputs)
        self._entity = entity
        self._joins = Joins()
        self._asks_row = key is not None or row is not None
        access = Access(deleted=not self._asks_row)  # without a row nobody asks about deleted ones
        self._table: Sql = ()
        self._where: Truth = ALWAYS
        if row is not None:
            range_: Range = NewRowRange(compiler, entity, access, _columns(model, entity, row))
        else:
            stored = compiler.table(entity, access, self._joins)
            self._table = (f"{model.table(entity)} {stored.alias}",)
            range_ = stored
            if key is not None:
                self._where = _with_key(compiler, stored, key)
        self._rules = model.policies.rules(compiler, range_, action)
        allowed = model.policies.allowed(compiler, range_, action)
        visible = ALWAYS if action == "create" else compiler.visible(range_)
        self._truths = [all_of([visible, allowed]), visible, *(rule.applies for rule in self._rules)]
        self._statement: Statement[bool] = Statement(compiler, self._build)

    @property
    def values(self) -> tuple[ir.Expression, ...]:
        """What the host evaluates."""
        return self._inputs.expressions

    def without_row(self, values: Sequence[Any]) -> Verdict:
        """What is known of the caller alone; nothing is asked of the database."""
        known = switches(self._compiler.guards)(values)
        settled = [truth.settled(known) for truth in self._truths]
        return self._verdict([truth.value if isinstance(truth, Always) else None for truth in settled])

    async def run(self, session: Session, values: Sequence[Any]) -> Verdict:
        """The answer for the row.

        :raises RowNotFound: no row is stored under the key
        """
        if not self._asks_row:
            return self.without_row(values)
        statement = self._statement.pick(values)
        record = await session.fetch_row(statement.text, statement.values(values))
        if record is None:
            raise RowNotFound(self._entity.name)
        return self._verdict([bool(record[at]) for at in range(len(self._truths))])

    def _verdict(self, found: Sequence[bool | None]) -> Verdict:
        rules = zip(self._rules, found[2:], strict=True)
        return Verdict(found[0], found[1], tuple(Answer(rule.kind, rule.source, rule.at, applies) for rule, applies in rules))

    def _build(self, writer: Writer) -> bool:
        columns = joined([(AsValue(truth),) for truth in self._truths], ", ")
        if self._table:
            Select(columns, self._table, self._joins, self._where).write(writer)
        else:
            writer.write(("SELECT ", writer.captured(columns)))
        return True


def _columns(model: Model, entity: Entity, row: Mapping[str, object]) -> dict[str, Sql]:
    """The fields of a row as they would be stored."""
    found: dict[str, Sql] = {}
    for field in entity.fields:
        type_ = model.plain(field.stored_type)
        value, convert = row.get(field.name), codec(type_, model.dialect.name).to_driver
        stored = value if convert is None or value is None else convert(value)
        found[field.name] = ("NULL",) if stored is None else (Given(stored, model.dialect.cast(type_)),)
    return found


def _with_key(compiler: Compiler, row: Range, key: object) -> Truth:
    field = row.entity.primary_field
    type_ = compiler.model.plain(field.stored_type)
    compiler.ranges["@asked"] = row.as_system()
    own = ir.FieldValue(type=field.type, row=ir.RangeRow(type=t.Row(row.entity.name), alias="@asked"), field=field.name)
    return comparisons.equality(compiler, own, ir.Constant(type=type_, value=key))
