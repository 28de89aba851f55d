"""A database that notes which tables statements read and write, so that caches know what they hold and when it is old.

It stands in front of the real one only where a program caches answers. Each text of a statement is looked at once.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar
from typing import Final, TypeVar

import msgspec

from codeai.storage.interface import Database, Dialect, Isolation, PoolStatistics, Record, RowAtOnce, Session, Values

# The names that our compiler writes are quoted, and texts of callers are bound values: no string in a statement looks like one.
_READS: Final = re.compile(r'\b(?:FROM|JOIN)\s+"([^"]+)"', re.IGNORECASE)
_WRITES: Final = re.compile(r'\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+"([^"]+)"', re.IGNORECASE)
_KEPT: Final = 20_000
_Found = TypeVar("_Found")
Written = Callable[[Iterable[str]], Awaitable[None]]
Announce = Callable[[Session, Iterable[str]], Awaitable[None]]

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


class _Watch(msgspec.Struct, frozen=True):
    """Who is told of writes: ``committed`` after them; ``announce`` within their transaction, so that it and the write are one."""

    names: TableNames
    committed: Written
    announce: Announce | None


class _WatchedSession:
    """A session that notes.

    :param lone: the database, where each statement is a transaction of its own; None within one, which tells at its end
    """

    def __init__(self, inner: Session, watch: _Watch, writes: set[str], lone: Database | None) -> None:
        self._inner = inner
        self._watch = watch
        self._writes = writes
        self._lone = lone

    async def fetch(self, statement: str, values: Values) -> Sequence[Record]:
        """See ``Session``."""
        return await self._run(statement, lambda session: session.fetch(statement, values))

    async def fetch_row(self, statement: str, values: Values) -> Record | None:
        """See ``Session``."""
        return await self._run(statement, lambda session: session.fetch_row(statement, values))

    async def execute(self, statement: str, values: Values) -> int:
        """See ``Session``."""
        return await self._run(statement, lambda session: session.execute(statement, values))

    async def execute_many(self, statement: str, rows: Sequence[Values]) -> None:
        """See ``Session``."""
        await self._run(statement, lambda session: session.execute_many(statement, rows))

    def after_commit(self, work: Callable[[], None]) -> None:
        """See ``Session``."""
        self._inner.after_commit(work)

    async def _run(self, statement: str, work: Callable[[Session], Awaitable[_Found]]) -> _Found:
        touched = self._watch.names.of(statement)
        tables = reading.get()
        if tables is not None:
            tables |= touched.read
        if self._lone is None or not touched.written:
            self._writes |= touched.written
            return await work(self._inner)
        if self._watch.announce is None:
            found = await work(self._inner)
        else:
            async with self._lone.transaction() as session:
                found = await work(session)
                await self._watch.announce(session, touched.written)
        await self._watch.committed(touched.written)
        return found


class WatchedDatabase(_WatchedSession):
    """A database that tells what was written, after it is committed.

    :param written: told in this process
    :param announce: tells other processes, by the transaction of the writes itself; None where there are none
    """

    def __init__(self, inner: Database, names: TableNames, written: Written, announce: Announce | None = None) -> None:
        super().__init__(inner, _Watch(names, written, announce), set(), inner)
        self._database = inner

    @property
    def dialect(self) -> Dialect:
        """See ``Database``."""
        return self._database.dialect

    row_at_once: RowAtOnce | None = None  # reads are noted in the contexts of their tasks

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

    @property
    def hears(self) -> bool:
        """See ``Database``."""
        return self._database.hears

    async def listen(self, channels: Mapping[str, Callable[[str], None]], lost: Callable[[], None]) -> None:
        """See ``Database``."""
        await self._database.listen(channels, lost)

    def reading(self) -> Session:
        """See ``Database``."""
        return _WatchedSession(self._database.reading(), self._watch, set(), self._database)

    def writing(self) -> Session:
        """See ``Database``."""
        return _WatchedSession(self._database.writing(), self._watch, set(), self._database)

    def transaction(
        self, *, write: bool = True, isolation: Isolation = "read committed", idle_limit: float | None = None, turn: int | None = None
    ) -> AbstractAsyncContextManager[Session]:
        """See ``Database``."""
        return self._transaction(self._database.transaction(write=write, isolation=isolation, idle_limit=idle_limit, turn=turn))

    @asynccontextmanager
    async def _transaction(self, inner: AbstractAsyncContextManager[Session]) -> AsyncIterator[Session]:
        writes: set[str] = set()
        async with inner as session:
            yield _WatchedSession(session, self._watch, writes, None)
            if writes and self._watch.announce is not None:
                await self._watch.announce(session, writes)
        if writes:
            await self._watch.committed(writes)
