"""``update E set … where …`` of an entity whose rows have companions: it needs each row as it was and as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from codeai.model import expression as ir
from codeai.query.compiler import Model
from codeai.query.sql import Writer
from codeai.query.statement import Statement
from codeai.query.truth import NEVER
from codeai.query.writes.bulk import BulkPlan
from codeai.query.writes.companions import Companion, Watch, told
from codeai.query.writes.rows import Row, Values
from codeai.storage.codecs import codec
from codeai.storage.interface import Record, Session

_AT_ONCE: Final = 500


class WatchedUpdate(BulkPlan):
    """A bulk update that also writes companions.

    PostgreSQL gives old and new values by one statement. SQLite cannot; there the rows are read first, in the same transaction,
    and nobody else writes in between.
    """

    def __init__(self, model: Model, node: ir.UpdateRows | ir.DeleteRows) -> None:
        super().__init__(model, node)
        dialect = model.dialect
        self._watch = Watch(model.companions[self._entity.name], dialect.name, self._inputs)
        self._names = [field.name for field in self._entity.fields]
        self._reads = [codec(model.plain(field.stored_type), dialect.name).from_driver for field in self._entity.fields]
        self._key = self._names.index(self._entity.primary)
        self._returning = ", ".join(map(dialect.quote, self._names))
        single = dialect.name == "postgresql"
        self._joint: Statement[bool] | None = Statement(self._compiler, self._build_joint) if single else None
        self._before: Statement[bool] = Statement(self._compiler, self._build_before)
        self._after: Statement[bool] = Statement(self._compiler, self._build_after)

    def _build_before(self, writer: Writer) -> bool | None:
        where = writer.settled(self._where)
        if where is NEVER:
            return None
        writer.add(f"SELECT {self._returning} FROM {self._table} WHERE {writer.condition(where)}")
        return True

    def _build_after(self, writer: Writer) -> bool | None:
        if self._build(writer) is None:
            return None
        writer.add(f" RETURNING {self._returning}")
        return True

    def _build_joint(self, writer: Writer) -> bool | None:
        where = writer.settled(self._where)
        if where is NEVER:
            return None
        quote, alias = self._model.dialect.quote, self._row.alias
        old = ", ".join(f"{quote(name)} AS {quote(f'old_{at}')}" for at, name in enumerate(self._names))
        writer.add(f"WITH before AS (SELECT {old} FROM {self._table} WHERE {writer.condition(where)} FOR UPDATE) ")
        self._set(writer)
        columns = [f"before.{quote(f'old_{at}')}" for at in range(len(self._names))] + [f"{alias}.{quote(name)}" for name in self._names]
        key = quote(self._entity.primary)
        writer.add(f" FROM before WHERE {alias}.{key} = before.{quote(f'old_{self._key}')} RETURNING {', '.join(columns)}")
        return True

    async def run(self, session: Session, values: Values) -> int:
        """See ``BulkPlan.run``."""
        pairs = await self._changed(session, values)
        companions = [companion for before, after in pairs for companion in self._watch.of(values, before, after)]
        for at in range(0, len(companions), _AT_ONCE):
            await self._write(session, companions[at : at + _AT_ONCE])
        return len(pairs)

    async def _write(self, session: Session, companions: Sequence[Companion]) -> None:
        tables = {companion.table.name: companion.table for companion in companions}
        for name, table in tables.items():
            rows = [companion.values for companion in companions if companion.table.name == name]
            await session.execute_many(table.insert(self._model.dialect.name), rows)
        told(session, companions)

    async def _changed(self, session: Session, values: Values) -> list[tuple[Row, Row]]:
        if self._joint is not None:
            found = await self._fetched(session, self._joint, values)
            width = len(self._names)
            return [(self._record(record[:width]), self._record(record[width:])) for record in map(tuple, found)]
        before = {record[self._key]: record for record in await self._fetched(session, self._before, values)}
        after = await self._fetched(session, self._after, values)
        return [(self._record(before[record[self._key]]), self._record(record)) for record in after]

    async def _fetched(self, session: Session, statement: Statement[bool], values: Values) -> Sequence[Record]:
        picked = statement.pick(values)
        return await session.fetch(picked.text, picked.values(values)) if picked.layout is not None else ()

    def _record(self, record: Sequence[Any]) -> Row:
        return {
            name: value if read is None or value is None else read(value)
            for name, read, value in zip(self._names, self._reads, record, strict=True)
        }
