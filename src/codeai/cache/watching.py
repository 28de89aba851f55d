"""A database that notes which tables statements read and write, so that caches know what they hold and when it is old.

It stands in front of the real one only where a program caches answers. Each text of a statement is looked at once.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar
from typing import Final

import msgspec

from codeai.storage.interface import Database, Dialect, Isolation, PoolStatistics, Record, Session, Values

# The names that our compiler writes are quoted, and texts of callers are bound values: no string in a statement looks like one.
_READS: Final = re.compile(r'\b(?:FROM|JOIN)\s+"([^"]+)"', re.IGNORECASE)
_WRITES: Final = re.compile(r'\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+"([^"]+)"', re.IGNORECASE)
_KEPT: Final = 20_000
Written = Callable[[Iterable[str]], Awaitable[None]]

reading: ContextVar[set[str] | None] = ContextVar("reading", default=None)


class Touched(msgspec.Struct, frozen=True):
    """The tables of a statement."""

    read: frozenset[str]
    written: frozenset[str]


class TableNames:
    """The tables of statements.

    :param cascades: for each table, those that a delete in it changes as well
    """

    def __init__(self, cascades: Mapping[str, frozenset[str]]) -> None:
        self._cascades = cascades
        self._known: dict[str, Touched] = {}

    def of(self, statement: str) -> Touched:
        """What a statement reads and writes."""
        found = self._known.get(statement)
        if found is None:
            if len(self._known) >= _KEPT:
                self._known.clear()
            written = set(_WRITES.findall(statement))
            for table in tuple(written):
                written |= self._cascades.get(table, frozenset())
            found = self._known[statement] = Touched(frozenset(_READS.findall(statement)), frozenset(written))
        return found


class _WatchedSession:
    """A session that notes."""

    def __init__(self, inner: Session, names: TableNames, writes: set[str], committed: Written | None) -> None:
        self._inner = inner
        self._names = names
        self._writes = writes
        self._committed = committed

    async def fetch(self, statement: str, values: Values) -> Sequence[Record]:
        """See ``Session``."""
        self._note(statement)
        found = await self._inner.fetch(statement, values)
        await self._told()
        return found

    async def fetch_row(self, statement: str, values: Values) -> Record | None:
        """See ``Session``."""
        self._note(statement)
        found = await self._inner.fetch_row(statement, values)
        await self._told()
        return found

    async def execute(self, statement: str, values: Values) -> int:
        """See ``Session``."""
        self._note(statement)
        found = await self._inner.execute(statement, values)
        await self._told()
        return found

    async def execute_many(self, statement: str, rows: Sequence[Values]) -> None:
        """See ``Session``."""
        self._note(statement)
        await self._inner.execute_many(statement, rows)
        await self._told()

    def after_commit(self, work: Callable[[], None]) -> None:
        """See ``Session``."""
        self._inner.after_commit(work)

    def _note(self, statement: str) -> None:
        touched = self._names.of(statement)
        self._writes |= touched.written
        tables = reading.get()
        if tables is not None:
            tables |= touched.read

    async def _told(self) -> None:
        """Outside of a transaction a statement is committed when it is done."""
        if self._committed is not None and self._writes:
            written = set(self._writes)
            self._writes.clear()
            await self._committed(written)


class WatchedDatabase(_WatchedSession):
    """A database that tells what was written, after it is committed."""

    def __init__(self, inner: Database, names: TableNames, written: Written) -> None:
        super().__init__(inner, names, set(), written)
        self._database = inner
        self._written = written

    @property
    def dialect(self) -> Dialect:
        """See ``Database``."""
        return self._database.dialect

    async def start(self) -> None:
        """See ``Database``."""
        await self._database.start()

    async def close(self) -> None:
        """See ``Database``."""
        await self._database.close()

    async def ping(self, timeout: float = 2.0) -> None:
        """See ``Database``."""
        await self._database.ping(timeout)

    def statistics(self) -> PoolStatistics:
        """See ``Database``."""
        return self._database.statistics()

    def reading(self) -> Session:
        """See ``Database``."""
        return _WatchedSession(self._database.reading(), self._names, set(), self._written)

    def writing(self) -> Session:
        """See ``Database``."""
        return _WatchedSession(self._database.writing(), self._names, set(), self._written)

    def transaction(
        self, *, write: bool = True, isolation: Isolation = "read committed", idle_limit: float | None = None
    ) -> AbstractAsyncContextManager[Session]:
        """See ``Database``."""
        return self._transaction(write, isolation, idle_limit)

    @asynccontextmanager
    async def _transaction(self, write: bool, isolation: Isolation, idle_limit: float | None) -> AsyncIterator[Session]:
        writes: set[str] = set()
        async with self._database.transaction(write=write, isolation=isolation, idle_limit=idle_limit) as session:
            yield _WatchedSession(session, self._names, writes, None)
        if writes:
            await self._written(writes)
