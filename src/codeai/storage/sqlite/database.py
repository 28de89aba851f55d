"""A SQLite database as the rest of the house sees it."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final

from codeai.storage import errors
from codeai.storage.interface import Dialect, Isolation, PoolStatistics, Record, RowAtOnce, Session, Values, Voice
from codeai.storage.pool import Pool
from codeai.storage.settings import DatabaseSettings
from codeai.storage.sqlite.lines import Line
from codeai.storage.sqlite.transactions import transaction, whole
from codeai.storage.sqlite.translation import translated
from codeai.storage.watching import WATCHER

_READERS: Final = 4
_INLINE_CACHE: Final = 8_000  # reads by key touch pages all over the file, and the loop waits for each
_DOUBT: Final = 5.0  # seconds after a refused write: where the disk is full, small writes may still succeed


class SqliteDatabase:
    """A SQLite file that this process alone uses."""

    dialect: Dialect = "sqlite"

    def __init__(self, settings: DatabaseSettings) -> None:
        self.row_at_once: RowAtOnce | None = self._row
        self._settings = settings
        self._writer: Line | None = None
        self._inline: Line | None = None
        self._writing = asyncio.Lock()
        self._readers: Pool[Line] = Pool(self._reader, _READERS, settings.acquire_timeout)
        self._busy = 0
        self._refused = ("", 0.0)  # why and when the disk refused a write

    async def _reader(self) -> Line:
        return Line(self._settings, write=False)

    async def start(self) -> None:
        """See ``Database``."""
        path = self._settings.path
        if path is not None:
            try:
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                raise errors.DatabaseUnavailable(f"cannot create the folder of {self._settings.shown}: {error}") from error
        self._writer = Line(self._settings, write=True)
        self._inline = Line(self._settings, write=False, cache=_INLINE_CACHE)

    async def close(self) -> None:
        """See ``Database``."""
        for line in (self._writer, self._inline, *self._readers.drain()):
            if line is not None:
                await asyncio.to_thread(line.close)
        self._writer = self._inline = None

    def _line(self, line: Line | None) -> Line:
        if line is None:
            raise errors.DatabaseUnavailable("the database is not open")
        return line

    # -- single statements -----------------------------------------------------------------------------------------

    async def fetch_row(self, statement: str, values: Values) -> Record | None:
        """See ``Session``; runs in the loop, so it is for reads by key."""
        watcher = WATCHER.get()
        return await watcher.watch(statement, self._inline_row(statement, values)) if watcher else self._row(statement, values)

    async def _inline_row(self, statement: str, values: Values) -> Record | None:
        return self._row(statement, values)

    def _row(self, statement: str, values: Values) -> Record | None:
        line = self._inline or self._line(None)
        line._deadline = time.monotonic() + 1.0
        try:
            found: Any = line.connection.execute(statement, values).fetchone()
        except (sqlite3.Error, OverflowError) as error:
            raise translated(error) from error
        return found  # type: ignore[no-any-return]  # sqlite3 gives tuples

    async def fetch(self, statement: str, values: Values) -> Sequence[Record]:
        """See ``Session``."""
        self._line(self._writer)
        line = await self._readers.acquire()
        try:
            return await line.run(lambda connection: connection.execute(statement, values).fetchall(), statement)
        finally:
            self._readers.release(line)

    async def execute(self, statement: str, values: Values) -> int:
        """See ``Session``."""
        async with self.writer() as line:
            return await line.run(lambda connection: connection.execute(statement, values).rowcount, statement)

    async def execute_many(self, statement: str, rows: Sequence[Values]) -> None:
        """See ``Session``."""
        async with self.transaction() as session:
            await session.execute_many(statement, rows)

    def after_commit(self, work: Callable[[], None]) -> None:
        """See ``Session``."""
        work()

    def reading(self) -> Session:
        """See ``Database``."""
        return SqliteReads(self)

    def writing(self) -> Session:
        """See ``Database``."""
        return SqliteWrites(self)

    async def fetch_on_thread(self, statement: str, values: Values) -> Record | None:
        """The first row of a read that may take long."""
        rows = await self.fetch(statement, values)
        return rows[0] if rows else None

    # -- transactions ----------------------------------------------------------------------------------------------

    def transaction(
        self, *, write: bool = True, isolation: Isolation = "read committed", idle_limit: float | None = None, turn: int | None = None
    ) -> AbstractAsyncContextManager[Session]:
        """See ``Database``. Writers wait for each other; every transaction is serializable."""
        return self._write_transaction() if write else self._read_transaction()

    @asynccontextmanager
    async def writer(self) -> AsyncIterator[Line]:
        """The line that writes, for one at a time."""
        line = self._line(self._writer)
        try:
            async with asyncio.timeout(self._settings.acquire_timeout):
                await self._writing.acquire()
        except TimeoutError:
            raise errors.PoolExhausted(f"the writer did not become free within {self._settings.acquire_timeout:g} s") from None
        self._busy += 1
        try:
            yield line
        except errors.DatabaseUnavailable as error:
            self._refused = (str(error), time.monotonic())
            raise
        finally:
            self._busy -= 1
            self._writing.release()

    @asynccontextmanager
    async def _write_transaction(self) -> AsyncIterator[Session]:
        async with self.writer() as line, transaction(line, "BEGIN IMMEDIATE") as session:
            yield session

    @asynccontextmanager
    async def _read_transaction(self) -> AsyncIterator[Session]:
        self._line(self._writer)
        line = await self._readers.acquire()
        try:
            async with transaction(line, "BEGIN") as session:
                yield session
        finally:
            self._readers.release(line)

    async def ping(self, timeout: float = 2.0) -> None:
        """See ``Database``."""
        try:
            async with asyncio.timeout(timeout):
                await self.fetch("SELECT count(*) FROM sqlite_master", ())
        except (TimeoutError, errors.PoolExhausted):
            raise errors.DatabaseUnavailable(f"no answer within {timeout:g} s") from None
        await self._written(timeout)

    async def _written(self, timeout: float) -> None:
        """Whether writes succeed again after one was refused: writes a page that changes nothing, once no other was refused for a while."""
        reason, at = self._refused
        if not reason:
            return
        failure = errors.WritesFail(f"writes fail: {reason}")
        if time.monotonic() - at < _DOUBT:
            raise failure
        try:
            async with asyncio.timeout(timeout), self.transaction() as session:
                row = await session.fetch_row("PRAGMA user_version", ())
                await session.execute(f"PRAGMA user_version = {row[0] if row else 0}", ())
        except (TimeoutError, errors.StorageError):
            raise failure from None
        self._refused = ("", 0.0)

    def statistics(self) -> PoolStatistics:
        """See ``Database``: the writer, the inline reader and the readers on threads."""
        readers = self._readers.statistics()
        own = 2 if self._writer is not None else 0
        in_use = readers.in_use + self._busy
        return PoolStatistics(readers.max_connections + 2, readers.open_connections + own, in_use, readers.open_connections + own - in_use)

    hears = False

    async def listen(self, channels: Mapping[str, Callable[[str], None]], lost: Callable[[], None], voice: Voice | None = None) -> None:
        """See ``Database``: one process is alone with its file, and nobody tells it anything."""
        raise NotImplementedError("SQLite passes no notices on")


class SqliteReads:
    """Reads on the threads of readers."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def fetch(self, statement: str, values: Values) -> Sequence[Record]:
        """See ``Session``."""
        return await self._database.fetch(statement, values)

    async def fetch_row(self, statement: str, values: Values) -> Record | None:
        """See ``Session``."""
        return await self._database.fetch_on_thread(statement, values)

    async def execute(self, statement: str, values: Values) -> int:
        """See ``Session``."""
        return await self._database.execute(statement, values)

    async def execute_many(self, statement: str, rows: Sequence[Values]) -> None:
        """See ``Session``."""
        await self._database.execute_many(statement, rows)

    def after_commit(self, work: Callable[[], None]) -> None:
        """See ``Session``."""
        work()


class SqliteWrites(SqliteReads):
    """Statements of which each is a write transaction."""

    async def fetch(self, statement: str, values: Values) -> Sequence[Record]:
        """See ``Session``."""
        async with self._database.writer() as line:
            return await line.run(lambda connection: whole(connection, statement, values), statement)

    async def fetch_row(self, statement: str, values: Values) -> Record | None:
        """See ``Session``."""
        rows = await self.fetch(statement, values)
        return rows[0] if rows else None
