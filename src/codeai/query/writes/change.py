"""Changes to one row, found by a field: one statement when all goes well, a second one to say why when nothing matched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from codeai.model import expression as ir
from codeai.model.entity import Action, Entity
from codeai.query.compiler import Compiler, Model
from codeai.query.constraints import explained
from codeai.query.derived import Asked, derivation
from codeai.query.errors import NotAllowed, RowNotFound
from codeai.query.inputs import Inputs
from codeai.query.scope import Access, NewRowRange, TableRange
from codeai.query.sql import Bind, Sql, Writer, extra
from codeai.query.statement import Statement
from codeai.query.truth import NEVER, Test, Truth, all_of
from codeai.query.writes.audit import Audit
from codeai.query.writes.companions import Watch
from codeai.query.writes.references import named, referenced
from codeai.query.writes.rows import Given, Row, RowMaker, Values
from codeai.storage.codecs import codec
from codeai.storage.errors import CheckViolation, ForeignKeyViolation
from codeai.storage.interface import Record, Session

_KEPT: Final = 256


class _Located:
    """The condition that finds one row: ``field`` has the first extra, and ``same`` further fields the next."""

    def __init__(self, model: Model, compiler: Compiler, row: TableRange, names: tuple[str, ...]) -> None:
        parts: list[Truth] = []
        for at, name in enumerate(names):
            field = row.entity.field(name)
            assert field is not None
            type_ = model.plain(field.stored_type)
            bind = Bind(extra(at), model.dialect.cast(type_), codec(type_, model.dialect.name).to_driver)
            parts.append(Test((*row.column(name), " = ", bind), nullable=True))
        self.truth = all_of(parts)


class RowChange:
    """Changes or removes one row of an entity.

    :param names: the fields that find the row: its key, and references that the path gives
    :param asked: conditions of the operation that need other rows (see ``Derivation``)
    """

    def __init__(self, model: Model, entity: Entity, inputs: Inputs, *, system: bool, names: tuple[str, ...], asked: Asked = ()) -> None:
        self._model = model
        self.entity = entity
        self._inputs = inputs
        self._access = Access(system=system)
        self._names = names
        self.maker = RowMaker(model, entity, inputs)
        self._audit = Audit(model, entity, inputs) if entity.audited else None
        companions = model.companions.get(entity.name)
        self._watch = Watch(companions, model.dialect.name, inputs) if companions is not None else None
        self._updates: dict[tuple[str, ...], Statement[bool]] = {}
        self._width = len(names)
        self._derivation = derivation(model, entity, inputs, self._access, asked)
        codecs = [codec(model.plain(field.stored_type), model.dialect.name).from_driver for field in entity.fields]
        self._columns = list(zip((field.name for field in entity.fields), codecs, strict=True))
        self._returning = ", ".join(model.dialect.quote(field.name) for field in entity.fields)
        self._look: Statement[bool] = self._selecting()
        self._update((), probe=True)
        self._remove: Statement[bool] = self._deleting()

    # -- statements ------------------------------------------------------------------------------------------------

    def _selecting(self) -> Statement[bool]:
        """Reads the row, if the caller may see it."""
        compiler = Compiler(self._model, self._inputs)
        row = compiler.table(self.entity, self._access, None)
        where = all_of([_Located(self._model, compiler, row, self._names).truth, compiler.visible(row)])

        def build(writer: Writer) -> bool | None:
            settled = writer.settled(where)
            if settled is NEVER:
                return None
            writer.add(f"SELECT {self._returning} FROM {self._model.table(self.entity)} {row.alias} WHERE {writer.condition(settled)}")
            if (self._watch is not None or self._audit is not None) and self._model.dialect.name == "postgresql":
                writer.add(" FOR UPDATE")  # what a change is compared with must not change before it
            return True

        return Statement(compiler, build)

    def _update(self, changed: tuple[str, ...], *, probe: bool = False) -> Statement[bool]:
        """The statement that sets these fields; kept per set of fields."""
        known = self._updates.get(changed)
        if known is not None:
            return known
        compiler = Compiler(self._model, self._inputs)
        row = compiler.table(self.entity, self._access, None)
        columns: dict[str, Sql] = {field.name: row.column(field.name) for field in self.entity.fields}
        assignments: list[Sql] = []
        for at, name in enumerate(changed):
            field = self.entity.field(name)
            assert field is not None
            type_ = self._model.plain(field.stored_type)
            columns[name] = (
                Bind(extra(self._width + at), self._model.dialect.cast(type_), codec(type_, self._model.dialect.name).to_driver),
            )
            assignments.append((self._model.dialect.quote(name), " = ", *columns[name]))
        parts = [_Located(self._model, compiler, row, self._names).truth, compiler.visible(row)]
        if not self._access.system:
            parts.append(self._model.policies.allowed(compiler, row, "update"))
            new = NewRowRange(compiler, self.entity, self._access, columns)
            parts.append(self._model.policies.allowed(compiler, new, "update"))
        statement = self._setting(compiler, row, assignments, all_of(parts))
        if not probe:
            if len(self._updates) >= _KEPT:
                del self._updates[next(iter(self._updates))]
            self._updates[changed] = statement
        return statement

    def _setting(self, compiler: Compiler, row: TableRange, assignments: list[Sql], where: Truth) -> Statement[bool]:
        def build(writer: Writer) -> bool | None:
            settled = writer.settled(where)
            if settled is NEVER:
                return None
            writer.add(f"UPDATE {self._model.table(self.entity)} AS {row.alias} SET ")
            for at, assignment in enumerate(assignments):
                writer.add(", " if at else "")
                writer.write(assignment)
            writer.add(f" WHERE {writer.condition(settled)} RETURNING {self._returning}")
            return True

        return Statement(compiler, build)

    def _deleting(self) -> Statement[bool]:
        compiler = Compiler(self._model, self._inputs)
        row = compiler.table(self.entity, self._access, None)
        parts = [_Located(self._model, compiler, row, self._names).truth, compiler.visible(row)]
        if not self._access.system:
            parts.append(self._model.policies.allowed(compiler, row, "delete"))
        soft = self.entity.soft_delete_field
        where = all_of(parts)
        if soft is not None:
            type_ = soft.stored_type
            bind = Bind(extra(self._width), self._model.dialect.cast(type_), codec(type_, self._model.dialect.name).to_driver)
            return self._setting(compiler, row, [(self._model.dialect.quote(soft.name), " = ", bind)], where)

        def build(writer: Writer) -> bool | None:
            settled = writer.settled(where)
            if settled is NEVER:
                return None
            writer.add(
                f"DELETE FROM {self._model.table(self.entity)} AS {row.alias} WHERE {writer.condition(settled)} RETURNING {self._returning}"
            )
            return True

        return Statement(compiler, build)

    # -- running ---------------------------------------------------------------------------------------------------

    def _row(self, record: Record) -> Row:
        return {
            name: value if convert is None or value is None else convert(value)
            for (name, convert), value in zip(self._columns, record, strict=True)
        }

    async def read(self, session: Session, values: Values, keys: tuple[Any, ...]) -> Row | None:
        """The row as it is, if the caller may see it."""
        statement = self._look.pick(values)
        if statement.layout is None:
            return None
        record = await session.fetch_row(statement.text, statement.values((*values, *keys)))
        return self._row(record) if record is not None else None

    async def update(self, session: Session, values: Values, keys: tuple[Any, ...], given: Mapping[str, Any]) -> Row:
        """Changes the row and returns it as it is now.

        :param keys: the values of the fields that find the row
        :raises RowNotFound: there is none that the caller may see
        :raises NotAllowed: the policy forbids the change
        :raises InvalidFields: values break the rules of their fields
        """
        changes = self.maker.changed(values, given)
        if not changes:
            found = await self.read(session, values, keys)
            if found is None:
                raise RowNotFound(self.entity.name)
            return await self._derived(session, values, found)
        before = await self.read(session, values, keys) if self._audit is not None or self._watch is not None else None
        names = tuple(changes)
        try:
            row = await self._send(session, values, self._update(names), (*keys, *changes.values()), keys, "update")
        except ForeignKeyViolation as error:
            raise await named(error, session, self._model, self.entity, changes) from error
        except CheckViolation as error:
            raise explained(error, self.entity) from error
        if self._audit is not None:
            await self._audit.write(session, values, "update", before, row)
        if self._watch is not None:
            await self._watch.write(session, values, before, row)
        return await self._derived(session, values, row)

    async def _derived(self, session: Session, values: Values, row: Row) -> Row:
        if self._derivation is not None:
            await self._derivation.complete(session, values, row)
        return row

    async def remove(self, session: Session, values: Values, keys: tuple[Any, ...]) -> Row:
        """Removes the row (marks it, where the entity says so) and returns it."""
        marks = tuple(self.maker.deleted(values).values())
        try:
            row = await self._send(session, values, self._remove, (*keys, *marks), keys, "delete")
        except ForeignKeyViolation as error:
            raise referenced(error) from error
        if self._audit is not None:
            await self._audit.write(session, values, "delete", row, None)
        return row

    async def _send(
        self, session: Session, values: Values, statement: Statement[bool], extras: tuple[Any, ...], keys: tuple[Any, ...], action: Action
    ) -> Row:
        picked = statement.pick(values)
        record = await session.fetch_row(picked.text, picked.values((*values, *extras))) if picked.layout is not None else None
        if record is not None:
            return self._row(record)
        if await self.read(session, values, keys) is None:
            raise RowNotFound(self.entity.name)
        raise NotAllowed(action, self.entity.name)


class _OnRow:
    """What ``update row`` and ``delete row`` share."""

    def __init__(self, model: Model, node: ir.ChangeRow | ir.RemoveRow) -> None:
        self._inputs = Inputs()
        entity = model.entity(node.entity)
        self._change = RowChange(model, entity, self._inputs, system=node.as_system, names=(entity.primary,))
        key = ir.FieldValue(type=entity.primary_field.type, row=node.row, field=entity.primary)
        self._key = self._inputs.slot(key)
        self._row = self._inputs.slot(node.row)

    @property
    def values(self) -> tuple[ir.Expression, ...]:
        """See ``evaluate.expressions.Plan``."""
        return self._inputs.expressions


class ChangePlan(_OnRow):
    """``update row { … }``: the changed row, with the relations that the row carried."""

    def __init__(self, model: Model, node: ir.ChangeRow) -> None:
        super().__init__(model, node)
        self._given = Given(self._change.maker, self._inputs, node.values, node.source)

    async def run(self, session: Session, values: Values) -> Row:
        """The changed row."""
        found = await self._change.update(session, values, (values[self._key],), self._given.of(values))
        carried = {name: value for name, value in values[self._row].items() if name[0] == "@"}
        return {**carried, **found}


class RemovePlan(_OnRow):
    """``delete row``: 1."""

    async def run(self, session: Session, values: Values) -> int:
        """The number of rows."""
        await self._change.remove(session, values, (values[self._key],))
        return 1
