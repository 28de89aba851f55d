"""Relations that rows carry: one statement per relation for all rows at hand, never one per row.

The rows behind a relation are those that the caller may read; a row that may not be seen is null, or is not in the list.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from codeai.model.entity import Entity, Relation
from codeai.query.compiler import Compiler, Model
from codeai.query.derived import derived_outputs
from codeai.query.errors import TooManyRows
from codeai.query.inputs import Inputs
from codeai.query.rows import Form, Layout, Output, computed_outputs, stored_outputs, write_columns
from codeai.query.scope import Access
from codeai.query.select import Joins, Select
from codeai.query.sql import Bind, Sql, Writer, extra
from codeai.query.statement import Statement
from codeai.query.truth import NEVER, Test, all_of
from codeai.storage.codecs import encode_json
from codeai.storage.interface import Session

Path = tuple[str, ...]
LIMIT: Final = 10_000


class Tree(msgspec.Struct):
    """Relations to load, by name, with what is to be loaded behind them; ``shown`` ones are part of results."""

    shown: bool = False
    children: dict[str, Tree] = msgspec.field(default_factory=dict)

    @property
    def expanded(self) -> tuple[str, ...]:
        """The relations that results show."""
        return tuple(name for name, child in self.children.items() if child.shown)


def tree(shown: Iterable[Path], implied: Iterable[Path] = ()) -> Tree:
    """Paths with common beginnings brought together."""
    found = Tree()
    for paths, visible in ((shown, True), (implied, False)):
        for path in paths:
            current = found
            for name in path:
                current = current.children.setdefault(name, Tree())
                current.shown = current.shown or visible
    return found


class Load:
    """How the rows behind one relation are read and given to their owners.

    :param place: the index of the relation among those of the owner, for JSON rows
    """

    def __init__(self, model: Model, inputs: Inputs, relation: Relation, wanted: Tree, access: Access, form: Form, place: int) -> None:
        self.relation = relation
        self._form = form
        self._expanded = wanted.expanded
        self._place = f"r{place}"
        self._entity = model.entity(relation.entity)
        self._key = self._entity.primary if relation.kind == "one" else relation.field
        self._compiler = compiler = Compiler(model, inputs)
        self._joins = Joins()
        row = compiler.table(self._entity, access, self._joins)
        self._alias = row.alias
        self._outputs: list[Output] = stored_outputs(compiler, row, everything=form == "values")
        self._outputs += (computed_outputs if form == "json" else derived_outputs)(compiler, row)
        field = self._entity.field(self._key)
        assert field is not None
        keys = self._keys(model, compiler.model.plain(field.stored_type))
        value = compiler.field(row.as_system(), field)
        self._where = all_of([Test(compiler.dialect.member(value, keys), nullable=True), compiler.visible(row)])
        self._order = row.column(self._entity.primary)
        self._key_columns = [(name, row.column(name)) for name in _key_names(self._entity, wanted, self._key)]
        self.children = loads(model, inputs, self._entity, wanted, access, form)
        self._statement: Statement[Layout] = Statement(compiler, self._build)

    def _keys(self, model: Model, type_: Any) -> Sql:
        """The keys of the owners, in the driver's form already."""
        from codeai.language import types as t

        convert = encode_json if model.dialect.name == "sqlite" else None
        return (Bind(extra(0), model.dialect.cast(t.List(type_)), convert),)

    def _build(self, writer: Writer) -> Layout | None:
        if writer.settled(self._where) is NEVER:
            return None
        layout = Layout(self._form, [child.relation.name for child in self.children], self._expanded)
        columns = write_columns(writer, self._compiler, self._outputs, layout, self._key_columns)
        table: Sql = (f"{self._compiler.model.table(self._entity)} {self._alias}",)
        order = self._order if self.relation.kind == "many" else ()
        tail: Sql = (f" LIMIT {LIMIT + 1}",) if self.relation.kind == "many" else ()
        Select(columns, table, self._joins, self._where, order=order, tail=tail).write(writer)
        return layout.finished()

    async def run(
        self, session: Session, values: Sequence[Any], layout: Layout, records: Sequence[Any], owners: Sequence[Any], owner_key: str
    ) -> None:
        """Reads the rows and gives them to their owners.

        :param layout: that of the owners, with the index of their key
        """
        at = layout.keys.get(self.relation.field if self.relation.kind == "one" else owner_key)
        keys = [] if at is None else [*dict.fromkeys(record[at] for record in records if record[at] is not None)]
        found: dict[Any, Any] = {}
        statement = self._statement.pick(values) if keys else None
        if statement is not None and statement.layout is not None:
            found = await self._read(session, values, keys, statement.layout, statement.text, statement.values((*values, keys)))
        many = self.relation.kind == "many"
        for record, owner in zip(records, owners, strict=True):
            key = record[at] if at is not None else None
            self._give(owner, found.get(key, [] if many else None) if key is not None else [] if many else None)

    async def _read(
        self, session: Session, values: Sequence[Any], keys: Sequence[Any], layout: Layout, text: str, bound: Sequence[Any]
    ) -> dict[Any, Any]:
        records = await session.fetch(text, bound)
        rows = [layout.read(record) for record in records]
        for child in self.children:
            await child.run(session, values, layout, records, rows, self._entity.primary)
        at = layout.keys[self._key]
        if self.relation.kind == "one":
            return {record[at]: row for record, row in zip(records, rows, strict=True)}
        if len(records) > LIMIT:
            raise TooManyRows(self._entity.name, LIMIT)
        grouped: dict[Any, Any] = {}
        for record, row in zip(records, rows, strict=True):
            grouped.setdefault(record[at], []).append(row)
        return grouped

    def _give(self, owner: Any, value: Any) -> None:
        if self._form == "json":
            setattr(owner, self._place, value)
        else:
            owner["@" + self.relation.name] = value


def _key_names(entity: Entity, wanted: Tree, own: str) -> list[str]:
    names = [own, *owner_keys(entity, wanted)]
    return list(dict.fromkeys(names))


def owner_keys(entity: Entity, wanted: Tree) -> list[str]:
    """The fields of an owner by which its relations are found.

    The key of the owner is always at hand; a reference only when the caller may see it, so it is not asked for here.
    """
    relations = [entity.relation(name) for name in wanted.children]
    return [entity.primary] if any(relation is not None and relation.kind == "many" for relation in relations) else []


def loads(model: Model, inputs: Inputs, entity: Entity, wanted: Tree, access: Access, form: Form) -> list[Load]:
    """The loads of the relations that a tree names."""
    found: list[Load] = []
    for name, below in wanted.children.items():
        relation = entity.relation(name)
        assert relation is not None
        found.append(Load(model, inputs, relation, below, access, form, len(found)))
    return found
