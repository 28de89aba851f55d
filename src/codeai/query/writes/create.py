"""New rows: one statement, with the policy on the new row as its condition."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from codeai.language import types as t
from codeai.model import expression as ir
from codeai.model.entity import Entity
from codeai.query.compiler import Compiler, Model
from codeai.query.constraints import explained
from codeai.query.derived import Asked, derivation
from codeai.query.errors import NotAllowed
from codeai.query.inputs import Inputs
from codeai.query.scope import Access, NewRowRange
from codeai.query.sql import Bind, Sql, Writer, extra, joined
from codeai.query.statement import KEPT, Statement
from codeai.query.truth import ALWAYS, NEVER, Truth
from codeai.query.writes.audit import Audit
from codeai.query.writes.companions import Companion, Watch, together, told, write
from codeai.query.writes.references import named
from codeai.query.writes.rows import Given, Row, RowMaker, Values, picker
from codeai.query.writes.together import one_of_many
from codeai.storage.codecs import codec
from codeai.storage.errors import CheckViolation, ForeignKeyViolation
from codeai.storage.interface import Record, Session


class Insert:
    """Inserts rows of one entity.

    :param system: policies are passed
    :param asked: conditions of the operation that need other rows (see ``Derivation``)
    """

    def __init__(self, model: Model, entity: Entity, inputs: Inputs, *, system: bool, asked: Asked = ()) -> None:
        self._model = model
        self._entity = entity
        self.maker = RowMaker(model, entity, inputs)
        self._audit = Audit(model, entity, inputs) if entity.audited else None
        companions = model.companions.get(entity.name)
        self._watch = Watch(companions, model.dialect.name, inputs) if companions is not None else None
        self._numbers = [field.name for field in entity.fields if field.auto and isinstance(field.type, t.Int)]
        self._names = [field.name for field in entity.fields if field.name not in self._numbers]
        self._stored = picker(self._names)
        self._compiler = compiler = Compiler(model, inputs)
        self._parameters: list[Sql] = []
        columns: dict[str, Sql] = dict.fromkeys(self._numbers, ("NULL",))
        for at, name in enumerate(self._names):
            field = entity.field(name)
            assert field is not None
            type_ = model.plain(field.stored_type)
            columns[name] = (Bind(extra(at), model.dialect.cast(type_), codec(type_, model.dialect.name).to_driver),)
            self._parameters.append(columns[name])
        access = Access(system=system)
        row = NewRowRange(compiler, entity, access, columns)
        self._derivation = derivation(model, entity, inputs, access, asked)
        self._allowed: Truth = ALWAYS if system else model.policies.allowed(compiler, row, "create")
        self._statement: Statement[bool] = Statement(compiler, self._build)
        self._texts: dict[tuple[str, ...], str] = {}

    def alone(self, *, accompanied: bool = False) -> bool:
        """Whether a row takes one statement, which then needs no transaction around it.

        :param accompanied: there may be companions of an operation besides those of the entity
        """
        return self._audit is None and self._derivation is None and (self._joins or not (accompanied or self._watch is not None))

    @property
    def _joins(self) -> bool:
        """Whether companions are written by the statement of the row, whose key must be known before."""
        return not self._numbers

    def _build(self, writer: Writer) -> bool | None:
        allowed = writer.settled(self._allowed)
        if allowed is NEVER:
            return None
        quote, table = self._model.dialect.quote, self._model.table(self._entity)
        counted = self._counted()
        writer.add(f"INSERT INTO {table} ({', '.join(map(quote, (*self._names, *counted)))}) ")
        values = joined([*self._parameters, *((f"(SELECT coalesce(max({quote(name)}), 0) + 1 FROM {table})",) for name in counted)], ", ")
        if allowed is ALWAYS:
            writer.add("VALUES (")
            writer.write(values)
            writer.add(")")
        else:
            writer.add("SELECT ")
            writer.write(values)
            writer.add(f" WHERE {writer.condition(allowed)}")
        writer.add(f" RETURNING {', '.join(map(quote, self._numbers or [self._entity.primary]))}")
        return True

    def _counted(self) -> list[str]:
        """The numbers that the statement counts itself: SQLite gives them to its primary key only, and has one writer at a time."""
        if self._model.dialect.name == "postgresql":
            return []
        return [name for name in self._numbers if name != self._entity.primary]

    async def run(
        self,
        session: Session,
        values: Values,
        given: Mapping[str, Any],
        beside: Callable[[Row], Sequence[Companion]] | None = None,
    ) -> Row:
        """Inserts a row and returns it.

        :param beside: the companions that the operation gives to a row
        :raises InvalidFields: values break the rules of their fields
        :raises NotAllowed: the policy forbids this row
        """
        row = self.maker.created(values, given)
        statement = self._statement.pick(values)
        if statement.layout is None:
            raise NotAllowed("create", self._entity.name)
        bound = statement.values((*values, *self._stored(row)))
        companions = self._companions(values, row, beside) if self._joins else ()
        try:
            found = await self._sent(session, statement.text, bound, companions)
        except ForeignKeyViolation as error:
            raise await named(error, session, self._model, self._entity, row) from error
        except CheckViolation as error:
            raise explained(error, self._entity) from error
        if found is None:
            raise NotAllowed("create", self._entity.name)
        row.update(zip(self._numbers, found, strict=False))
        if self._audit is not None:
            await self._audit.write(session, values, "create", None, row)
        if not self._joins:
            await write(session, self._model.dialect.name, self._companions(values, row, beside))
        if self._derivation is not None:
            await self._derivation.complete(session, values, row)
        return row

    def _companions(self, values: Values, row: Row, beside: Callable[[Row], Sequence[Companion]] | None) -> Sequence[Companion]:
        watched = self._watch.of(values, None, row) if self._watch is not None else ()
        return watched if beside is None else (*watched, *beside(row))

    async def _sent(self, session: Session, text: str, bound: Sequence[Any], companions: Sequence[Companion]) -> Record | None:
        key = (text, *[companion.table.name for companion in companions])
        sent = self._texts.get(key)
        if sent is None:
            if len(self._texts) >= KEPT:
                self._texts.clear()
            sent = self._texts[key] = self._text(text, len(bound), companions)
        if not companions:
            return await session.fetch_row(sent, bound)
        found = await session.fetch_row(sent, (*bound, *(value for companion in companions for value in companion.values)))
        told(session, companions)
        return found

    def _text(self, text: str, width: int, companions: Sequence[Companion]) -> str:
        """What is sent for a row with its companions; one of many where nothing but itself decides whether and how it is written."""
        whole = together(text, width, companions, self._model.dialect.name) if companions else text
        if self._numbers or self._allowed is not ALWAYS or self._compiler.guards:
            return whole
        return one_of_many(self._model, self._entity, self._names, companions, whole)


class CreatePlan:
    """``create E { … }`` and ``create E from record``."""

    def __init__(self, model: Model, node: ir.CreateRow) -> None:
        inputs = Inputs()
        self._insert = Insert(model, model.entity(node.entity), inputs, system=node.as_system)
        self._given = Given(self._insert.maker, inputs, node.values, node.source, new=True)
        self._inputs = inputs

    @property
    def values(self) -> tuple[ir.Expression, ...]:
        """See ``evaluate.expressions.Plan``."""
        return self._inputs.expressions

    async def run(self, session: Session, values: Values) -> Row:
        """The stored row."""
        return await self._insert.run(session, values, self._given.of(values))
