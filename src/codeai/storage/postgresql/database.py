"""A PostgreSQL database as the rest of the house sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, cast

import asyncpg
from asyncpg import exceptions as pg

from codeai.storage import errors
from codeai.storage.interface import Dialect, Isolation, PoolStatistics, Record, RowAtOnce, Session, Values, Voice
from codeai.storage.many import OneOfMany
from codeai.storage.postgresql.connections import Connections
from codeai.storage.postgresql.grouping import Group
from codeai.storage.postgresql.transactions import BEGIN, TransactionBlock, count, guarded, many
from codeai.storage.postgresql.translation import LOST, translated
from codeai.storage.settings import DatabaseSettings
from codeai.storage.watching import WATCHER

_Connection = asyncpg.Connection
_MOST_GROUPS: Final = 1_000


class PostgresDatabase:
    """A PostgreSQL database with its pool."""

    dialect: Dialect = "postgresql"
    row_at_once: RowAtOnce | None = None

    def __init__(self, settings: DatabaseSettings) -> None:
        self._settings = settings
        self._connections = Connections(settings)
        self._pool = self._connections.pool
        self._groups: dict[str, Group] = {}

    async def start(self) -> None:
        """See ``Database``."""
        self._pool.release(await self._pool.acquire())

    async def close(self) -> None:
        """See ``Database``."""
        await self._connections.close()

    # -- single statements -----------------------------------------------------------------------------------------

    def reading(self) -> Session:
        """See ``Database``."""
        return self

    def writing(self) -> Session:
        """See ``Database``."""
        return PostgresWrites(self)

    def group(self, statement: OneOfMany) -> Group:
        """Where rows of a statement meet."""
        found = self._groups.get(statement)
        if found is None:
            if len(self._groups) >= _MOST_GROUPS:
                self._groups.clear()  # those that are under way end as they would
            found = self._groups[statement] = Group(PostgresAlone(self), statement)
        return found

    async def fetch(self, statement: str, values: Values) -> Sequence[Record]:
        """See ``Session``."""
        return cast("Sequence[Record]", await self.alone(_Connection.fetch, statement, *values))

    async def fetch_row(self, statement: str, values: Values) -> Record | None:
        """See ``Session``."""
        return cast("Record | None", await self.alone(_Connection.fetchrow, statement, *values))

    async def execute(self, statement: str, values: Values) -> int:
        """See ``Session``."""
        return count(await self.alone(_Connection.execute, statement, *values, again=False))

    async def execute_many(self, statement: str, rows: Sequence[Values]) -> None:
        """See ``Session``."""
        await self.alone(many, statement, rows, again=False)

    def after_commit(self, work: Callable[[], None]) -> None:
        """See ``Session``."""
        work()

    async def alone(self, method: Callable[..., Awaitable[Any]], *arguments: object, again: bool = True) -> Any:
        """Runs one statement outside of transactions.

        :param again: a read is sent once more when the connection was lost under it; a write never, since it may have happened
        """
        if self._connections.pooled:
            return await self._in_transaction(method, *arguments)
        pool = self._pool
        connection = pool.idle.pop() if pool.idle else await pool.acquire()
        while connection.is_closed():  # it went stale while it was idle
            pool.discard()
            connection = await pool.acquire()
        watcher = WATCHER.get()
        try:
            call = method(connection, *arguments)
            found = await (call if watcher is None else watcher.watch(str(arguments[0]), call))
        except LOST as error:
            self._connections.drop(connection)
            if again or isinstance(error, TimeoutError):  # a network that is silent here is so for the others
                self._connections.drop_idle()
            if not again:
                raise translated(error) from error
            return await self.alone(method, *arguments, again=False)
        except pg.PostgresError as error:
            if connection.is_closed():
                self._connections.drop(connection)
            else:
                pool.release(connection)
            if again and isinstance(error, pg.InvalidCachedStatementError):
                return await self.alone(method, *arguments, again=False)
            raise translated(error) from error
        except BaseException:
            self._connections.drop(connection)
            raise
        pool.release(connection)
        return found

    async def _in_transaction(self, method: Callable[..., Awaitable[Any]], *arguments: object) -> Any:
        """One statement in a transaction of its own, so that a pooler does not part its preparation from its execution."""
        async with TransactionBlock(self._connections, BEGIN[True, "read committed"]) as session:
            return await guarded(method(session.connection, *arguments), str(arguments[0]))

    # -- transactions ----------------------------------------------------------------------------------------------

    def transaction(
        self, *, write: bool = True, isolation: Isolation = "read committed", idle_limit: float | None = None, turn: int | None = None
    ) -> AbstractAsyncContextManager[Session]:
        """See ``Database``."""
        begin = BEGIN[write, isolation]
        if idle_limit is not None:
            begin = f"{begin}; SET LOCAL idle_in_transaction_session_timeout = {int(idle_limit * 1000)}"
        if turn is not None:
            begin = f"{begin}; SELECT pg_advisory_xact_lock({turn})"
        return TransactionBlock(self._connections, begin)

    async def ping(self, timeout: float = 2.0) -> None:
        """See ``Database``."""
        try:
            async with asyncio.timeout(timeout):
                await self.fetch_row("SELECT 1", ())
        except TimeoutError:
            raise errors.DatabaseUnavailable(f"no answer within {timeout:g} s") from None

    def statistics(self) -> PoolStatistics:
        """See ``Database``."""
        return self._connections.statistics()

    @property
    def hears(self) -> bool:
        """See ``Database``: a pooler in transaction mode passes no notices on."""
        return not self._connections.pooled

    async def listen(self, channels: Mapping[str, Callable[[str], None]], lost: Callable[[], None], voice: Voice | None = None) -> None:
        """See ``Database``."""
        from codeai.storage.postgresql.listening import listen

        with self._pool.apart():
            await listen(self._settings, channels, lost, self._connections.listens, voice)


class PostgresAlone:
    """A session in which each statement is sent and commits by itself."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    async def fetch(self, statement: str, values: Values) -> Sequence[Record]:
        """See ``Session``."""
        return cast("Sequence[Record]", await self._database.alone(_Connection.fetch, statement, *values, again=False))

    async def fetch_row(self, statement: str, values: Values) -> Record | None:
        """See ``Session``."""
        return cast("Record | None", await self._database.alone(_Connection.fetchrow, statement, *values, again=False))

    async def execute(self, statement: str, values: Values) -> int:
        """See ``Session``."""
        return await self._database.execute(statement, values)

    async def execute_many(self, statement: str, rows: Sequence[Values]) -> None:
        """See ``Session``."""
        await self._database.execute_many(statement, rows)

    def after_commit(self, work: Callable[[], None]) -> None:
        """See ``Session``."""
        work()


class PostgresWrites(PostgresAlone):
    """A session in which each statement commits by itself, or with others like it."""

    async def fetch_row(self, statement: str, values: Values) -> Record | None:
        """See ``Session``."""
        if isinstance(statement, OneOfMany):
            return await self._database.group(statement).row(values)
        return await super().fetch_row(statement, values)
