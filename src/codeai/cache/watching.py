"""A database that notes which tables statements read and write, so that caches know what they hold and when it is old.

It stands in front of the real one only where a program caches answers. Each text of a statement is looked at once.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar
from types import TracebackType
from typing import Final, Protocol, TypeVar

import msgspec

from codeai.storage.interface import Database, Dialect, Isolation, PoolStatistics, Record, RowAtOnce, Session, Values, Voice

# The names that our compiler writes are quoted, and texts of callers are bound values: no string in a statement looks like one.
_READS: Final = re.compile(r'\b(?:FROM|JOIN)\s+"([^"]+)"', re.IGNORECASE)
_WRITES: Final = re.compile(r'\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+"([^"]+)"', re.IGNORECASE)
_KEPT: Final = 20_000
_Found = TypeVar("_Found")
Written = Callable[[Iterable[str]], Awaitable[None]]

reading: ContextVar[set[str] | None] = ContextVar("reading", default=None)


class Touched(msgspec.Struct, frozen=True):
    """The tables of a statement."""

    read: frozenset[str]
    written: frozenset[str]


class TableNames:
    """The tables of statements.

    :param cascades: for each table, those that a delete in it changes as well
    :param ours: tables of the runtime, of which no answer that is kept is made: writes to them concern nobody
    """

    def __init__(self, cascades: Mapping[str, frozenset[str]], ours: frozenset[str] = frozenset()) -> None:
        self._cascades = cascades
        self._ours = ours
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
            found = self._known[statement] = Touched(frozenset(_READS.findall(statement)), frozenset(written) - self._ours)
        return found


class Announcer(Protocol):
    """Tells other processes of writes, sooner or later: ``begin`` and ``end`` stand around each commit."""

    def begin(self) -> bool:
        """A write is about to commit. Whether it must be told in its own transaction, by ``announce``."""

    async def announce(self, session: Session, tables: Iterable[str]) -> None:
        """Tells of it as part of its transaction."""

    def end(self, tables: Iterable[str]) -> None:
        """It has committed, or may have."""


class _Watch:
    """Who is told of writes: this process and, if there are any, others."""

    def __init__(self, names: TableNames, written: Written, announcer: Announcer | None) -> None:
        self.names = names
        self._written = written
        self._announcer = announcer

    def begin(self) -> Announcer | None:
        """A write is about to commit; returns who must tell of it within its transaction, if anybody must."""
        return self._announcer if self._announcer is not None and self._announcer.begin() else None

    async def end(self, tables: Iterable[str]) -> None:
        """It has committed, or may have."""
        if self._announcer is not None:
            self._announcer.end(tables)
        await self._written(tables)


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
        announcer = self._watch.begin()
        try:
            if announcer is None:
                return await work(self._inner)
            async with self._lone.transaction() as session:
                found = await work(session)
                await announcer.announce(session, touched.written)
            return found
        finally:
            await self._watch.end(touched.written)


class WatchedDatabase(_WatchedSession):
    """A database that tells what was written, after it is committed, and also when nobody knows whether it is.

    :param written: told in this process
    :param announcer: tells other processes; None where there are none
    """

    def __init__(self, inner: Database, names: TableNames, written: Written, announcer: Announcer | None = None) -> None:
        super().__init__(inner, _Watch(names, written, announcer), set(), inner)
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

    async def listen(self, channels: Mapping[str, Callable[[str], None]], lost: Callable[[], None], voice: Voice | None = None) -> None:
        """See ``Database``."""
        await self._database.listen(channels, lost, voice)

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
        return _Watched(self._database.transaction(write=write, isolation=isolation, idle_limit=idle_limit, turn=turn), self._watch)


class _Watched:
    """A transaction as a block, and what it wrote; a class, since generators cost a tenth of a small transaction."""

    __slots__ = ("_inner", "_session", "_watch", "_writes")

    def __init__(self, inner: AbstractAsyncContextManager[Session], watch: _Watch) -> None:
        self._inner = inner
        self._watch = watch
        self._writes: set[str] = set()

    async def __aenter__(self) -> Session:
        self._session = await self._inner.__aenter__()
        return _WatchedSession(self._session, self._watch, self._writes, None)

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> bool | None:
        if kind is not None or not self._writes:
            return await self._inner.__aexit__(kind, error, trace)
        announcer = self._watch.begin()
        try:
            if announcer is not None:
                await self._announce(announcer)
            return await self._inner.__aexit__(None, None, None)
        finally:  # a connection that breaks at the end does not say whether the writes are there
            await self._watch.end(self._writes)

    async def _announce(self, announcer: Announcer) -> None:
        try:
            await announcer.announce(self._session, self._writes)
        except BaseException as error:
            await self._inner.__aexit__(type(error), error, error.__traceback__)
            raise
