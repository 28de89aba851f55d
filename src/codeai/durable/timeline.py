"""The steps of an execution as operators read them: in pages, and items of repeated steps as numbers where they are many."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from codeai.durable.records import Record
from codeai.durable.store import Store
from codeai.storage.portable import portable

_ITEM: Final = "name LIKE '%[%'"
_WANTED: Final = f"""
FROM codeai_steps WHERE execution_id = $1 AND (CAST($2 AS bigint) = 1 OR NOT {_ITEM}) AND (CAST($3 AS text) IS NULL OR status = $3)"""
# Of what is repeated each item is read with its record, and not the list with the step: it may be 100,000 of them.
_PAGE: Final = f"""
SELECT name, status, seq, position, attempt, CASE WHEN {_ITEM} THEN inputs END, output, error, due_ms, started_at, finished_at,
  compensation, compensation_attempt, compensation_error, compensated_at {_WANTED}
ORDER BY CASE WHEN seq = 0 THEN 1 ELSE 0 END, seq, name LIMIT $4 OFFSET $5"""
_COUNT: Final = f"SELECT count(*) {_WANTED}"
_ITEMS: Final = """
SELECT substr(name, 1, {place} - 1),
  CASE WHEN compensation IN ('done', 'running', 'failed') THEN 'undo ' || compensation ELSE status END AS state, count(*)
FROM codeai_steps WHERE execution_id = $1 AND name LIKE '%[%' GROUP BY 1, 2 ORDER BY 1, 2"""
_PLACE: Final = {"sqlite": "instr(name, '[')", "postgresql": "strpos(name, '[')"}


class Steps(msgspec.Struct, frozen=True):
    """A page of records, in the order in which the steps ended, those that run last; ``total`` is how many all pages have."""

    records: tuple[Record, ...]
    total: int


class Timeline:
    """Reads the steps of one execution after another."""

    def __init__(self, store: Store) -> None:
        self._store = store
        dialect = store.dialect
        self._page, self._count = portable(_PAGE, dialect), portable(_COUNT, dialect)
        self._items = portable(_ITEMS.replace("{place}", _PLACE[dialect]), dialect)

    async def page(self, id_: str, first: int, limit: int, *, items: bool = True, status: str | None = None) -> Steps:
        """Up to so many records from one on.

        :param items: also those of items
        :param status: only those in one state
        """
        store = self._store
        wanted = (store.uuid(id_), int(items), status)
        session = store.database.reading()
        rows = await session.fetch(self._page, (*wanted, limit, first))
        count = await session.fetch_row(self._count, wanted)
        assert count is not None
        return Steps(tuple(store.record_of(row) for row in rows), int(count[0]))  # type: ignore[call-overload]  # a number

    async def items(self, id_: str) -> Mapping[str, Mapping[str, int]]:
        """How many items of each repeated step are in which state; those that are undone count as that (``undo done``)."""
        found: dict[str, dict[str, int]] = {}
        for step, status, number in await self._store.database.reading().fetch(self._items, (self._store.uuid(id_),)):
            found.setdefault(str(step), {})[str(status)] = int(number)  # type: ignore[call-overload]  # as above
        return found
