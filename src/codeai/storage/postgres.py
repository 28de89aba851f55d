"""PostgreSQL through asyncpg: explicit transactions, kept statements, connections that are dropped when in doubt."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import weakref
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from types import TracebackType
from typing import Any, Final, TypeVar, cast

import asyncpg
import msgspec
from asyncpg import exceptions as pg

from codeai.storage import errors
from codeai.storage.interface import Dialect, Isolation, PoolStatistics, Record, RowAtOnce, Session, Values
from codeai.storage.pool import Pool
from codeai.storage.settings import DatabaseSettings
from codeai.storage.watching import WATCHER

_Result = TypeVar("_Result")
_Connection = asyncpg.Connection

_LOST: Final = (
    pg.PostgresConnectionError,
    pg.InterfaceError,
    asyncpg.InternalClientError,  # the server's farewell came while the connection was idle, and a statement met it
    pg.AdminShutdownError,
    pg.CrashShutdownError,
    pg.CannotConnectNowError,
    OSError,
)
_DRIVER: Final = (pg.PostgresError, pg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)
_SILENCE: Final = 2.0  # seconds after which a statement that PostgreSQL should have ended is unanswered because nobody is there
_MANY: Final = 3_600.0  # seconds for many rows at once, of which each has the time of a statement
_BEGIN: Final[dict[tuple[bool, str], str]] = {
    (True, "read committed"): "BEGIN",
    (False, "read committed"): "BEGIN READ ONLY",
    (True, "serializable"): "BEGIN ISOLATION LEVEL SERIALIZABLE",
    (False, "serializable"): "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY",
}


def translated(error: BaseException) -> errors.StorageError:
    """The storage error for a driver's error."""
    if isinstance(error, pg.UniqueViolationError):
        return errors.UniqueViolation(
            str(error), table=error.table_name or "", columns=_key(error.detail), constraint=error.constraint_name or ""
        )
    if isinstance(error, pg.ForeignKeyViolationError):
        referenced = "still referenced" in (error.detail or "")
        return errors.ForeignKeyViolation(
            str(error),
            table=error.table_name or "",
            columns=_key(error.detail),
            constraint=error.constraint_name or "",
            referenced=referenced,
        )
    if isinstance(error, pg.CheckViolationError):
        return errors.CheckViolation(str(error), table=error.table_name or "", constraint=error.constraint_name or "")
    if isinstance(error, pg.NotNullViolationError):
        return errors.NotNullViolation(str(error), table=error.table_name or "", columns=(error.column_name or "",))
    if isinstance(error, pg.SerializationError | pg.DeadlockDetectedError):
        return errors.SerializationFailure(str(error))
    if isinstance(error, pg.LockNotAvailableError):
        return errors.LockTimeout(str(error))
    if isinstance(error, pg.QueryCanceledError):
        return errors.StatementTimeout(str(error))
    if isinstance(error, pg.DiskFullError):
        return errors.DiskFull(str(error))
    if isinstance(error, pg.DataError):
        return errors.ValueOutOfRange(str(error))
    if isinstance(error, pg.TooManyConnectionsError):
        return errors.TooManyClients(str(error))
    if isinstance(error, (TimeoutError, *_LOST)):
        return errors.DatabaseUnavailable(str(error) or type(error).__name__)
    return errors.StorageFailure(f"{type(error).__name__}: {error}")


def _key(detail: str | None) -> tuple[str, ...]:
    """The columns of ``Key (a, b)=(…) …``."""
    found = re.match(r"Key \(([^)]*)\)", detail or "")
    return tuple(part.strip().strip('"') for part in found.group(1).split(",")) if found else ()


class PostgresTransaction:
    """A session inside one transaction."""

    def __init__(self, connection: _Connection) -> None:
        self.connection = connection
        self.afterwards: list[Callable[[], None]] = []
        self._notices = ""

    @property
    def ending(self) -> str:
        """What commits: the notices in the order in which they were given, and the transaction."""
        return f"{self._notices}COMMIT"

    def notify_at_end(self, channel: str, payload: str) -> None:
        """Gives a notice with the commit, in one exchange: asked for by itself it costs a third of a small transaction."""
        text = payload.replace("'", "''")
        self._notices += f"NOTIFY {channel}, '{text}'; "

    async def fetch(self, statement: str, values: Values) -> Sequence[Record]:
        """See ``Session``."""
        return cast("Sequence[Record]", await _guarded(self.connection.fetch(statement, *values), statement))

    async def fetch_row(self, statement: str, values: Values) -> Record | None:
        """See ``Session``."""
        return cast("Record | None", await _guarded(self.connection.fetchrow(statement, *values), statement))

    async def execute(self, statement: str, values: Values) -> int:
        """See ``Session``."""
        return _count(await _guarded(self.connection.execute(statement, *values), statement))

    async def execute_many(self, statement: str, rows: Sequence[Values]) -> None:
        """See ``Session``."""
        await _guarded(_many(self.connection, statement, rows), statement)

    def after_commit(self, work: Callable[[], None]) -> None:
        """See ``Session``."""
        self.afterwards.append(work)


async def _many(connection: _Connection, statement: str, rows: Sequence[Values]) -> None:
    await connection.executemany(statement, rows, timeout=_MANY)


async def _guarded(call: Awaitable[_Result], statement: str) -> _Result:
    watcher = WATCHER.get()
    try:
        return await (call if watcher is None else watcher.watch(statement, call))
    except _DRIVER as error:
        raise translated(error) from error


def _count(status: str) -> int:
    number = status.rpartition(" ")[2]
    return int(number) if number.isdigit() else 0


async def opened(wanted: DatabaseSettings) -> _Connection:
    """A new connection with the session settings and codecs of ours; raises the driver's errors."""
    kept = 0 if wanted.pooler == "transaction" else 1024
    session = {"application_name": "codeai"}
    if wanted.pooler == "none":
        session["statement_timeout"] = str(int(wanted.statement_timeout * 1000))
        session["lock_timeout"] = str(int(wanted.lock_timeout * 1000))
        session["idle_in_transaction_session_timeout"] = str(int(wanted.statement_timeout * 2000))
    connection = await asyncpg.connect(
        host=wanted.host,
        port=wanted.port,
        database=wanted.name,
        user=wanted.user,
        password=wanted.password,
        ssl=_tls(wanted.ssl_mode, wanted.host),
        timeout=wanted.connect_timeout,
        command_timeout=wanted.statement_timeout + _SILENCE,
        statement_cache_size=kept,
        max_cached_statement_lifetime=0,
        server_settings=session,
    )
    for name in ("json", "jsonb"):
        await connection.set_type_codec(name, schema="pg_catalog", encoder=str, decoder=str, format="text")
    return connection


class PostgresDatabase:
    """A PostgreSQL database with its pool."""

    dialect: Dialect = "postgresql"
    row_at_once: RowAtOnce | None = None

    def __init__(self, settings: DatabaseSettings) -> None:
        self._settings = settings
        self._listening: weakref.WeakSet[_Connection] = weakref.WeakSet()
        self._pool: Pool[_Connection] = Pool(self._connect, settings.max_connections, settings.acquire_timeout)
        # Behind a pooler a session is ours for one transaction only: limits and statements live no longer than that.
        self._pooled = settings.pooler == "transaction"
        limits = (("statement_timeout", settings.statement_timeout), ("lock_timeout", settings.lock_timeout))
        self._limits = "".join(f"; SET LOCAL {name} = {int(seconds * 1000)}" for name, seconds in limits) if self._pooled else ""

    async def _connect(self) -> _Connection:
        try:
            return await self._open()
        except _DRIVER as error:
            shown = f"cannot connect to {self._settings.shown}: {str(error) or type(error).__name__}"
            if isinstance(error, pg.TooManyConnectionsError):
                raise errors.TooManyClients(shown) from error
            absent = isinstance(error, ConnectionError | socket.gaierror)
            hint = "; is PostgreSQL running there? DATABASE_URL or DB_HOST say where" if absent else ""
            raise errors.DatabaseUnavailable(shown + hint) from error

    async def _open(self) -> _Connection:
        return await opened(self._settings)

    async def start(self) -> None:
        """See ``Database``."""
        self._pool.release(await self._pool.acquire())

    async def close(self) -> None:
        """See ``Database``."""
        for connection in self._pool.drain():
            with suppress(Exception):
                await connection.close(timeout=2)

    # -- single statements -----------------------------------------------------------------------------------------

    def reading(self) -> Session:
        """See ``Database``."""
        return self

    def writing(self) -> Session:
        """See ``Database``."""
        return PostgresWrites(self)

    async def fetch(self, statement: str, values: Values) -> Sequence[Record]:
        """See ``Session``."""
        return cast("Sequence[Record]", await self.alone(_Connection.fetch, statement, *values))

    async def fetch_row(self, statement: str, values: Values) -> Record | None:
        """See ``Session``."""
        return cast("Record | None", await self.alone(_Connection.fetchrow, statement, *values))

    async def execute(self, statement: str, values: Values) -> int:
        """See ``Session``."""
        return _count(await self.alone(_Connection.execute, statement, *values, again=False))

    async def execute_many(self, statement: str, rows: Sequence[Values]) -> None:
        """See ``Session``."""
        await self.alone(_many, statement, rows, again=False)

    def after_commit(self, work: Callable[[], None]) -> None:
        """See ``Session``."""
        work()

    async def alone(self, method: Callable[..., Awaitable[Any]], *arguments: object, again: bool = True) -> Any:
        """Runs one statement outside of transactions.

        :param again: a read is sent once more when the connection was lost under it; a write never, since it may have happened
        """
        if self._pooled:
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
        except _LOST as error:
            self._drop(connection)
            if again or isinstance(error, TimeoutError):  # a network that is silent here is so for the others
                self._drop_idle()
            if not again:
                raise translated(error) from error
            return await self.alone(method, *arguments, again=False)
        except pg.PostgresError as error:
            if connection.is_closed():
                self._drop(connection)
            else:
                pool.release(connection)
            if again and isinstance(error, pg.InvalidCachedStatementError):
                return await self.alone(method, *arguments, again=False)
            raise translated(error) from error
        except BaseException:
            self._drop(connection)
            raise
        pool.release(connection)
        return found

    async def _in_transaction(self, method: Callable[..., Awaitable[Any]], *arguments: object) -> Any:
        """One statement in a transaction of its own, so that a pooler does not part its preparation from its execution."""
        async with self._transaction(_BEGIN[True, "read committed"]) as session:
            return await _guarded(method(session.connection, *arguments), str(arguments[0]))

    def _drop(self, connection: _Connection) -> None:
        """Ends a connection whose state is not known."""
        connection.terminate()
        self._pool.discard()

    def _drop_idle(self) -> None:
        for connection in self._pool.drain():
            connection.terminate()

    # -- transactions ----------------------------------------------------------------------------------------------

    def transaction(
        self, *, write: bool = True, isolation: Isolation = "read committed", idle_limit: float | None = None
    ) -> AbstractAsyncContextManager[Session]:
        """See ``Database``."""
        begin = _BEGIN[write, isolation]
        if idle_limit is not None:
            begin = f"{begin}; SET LOCAL idle_in_transaction_session_timeout = {int(idle_limit * 1000)}"
        return self._transaction(begin)

    def _transaction(self, begin: str) -> AbstractAsyncContextManager[PostgresTransaction]:
        return _Opened(self, begin)

    async def begun(self, begin: str) -> _Connection:
        """A connection in a new transaction."""
        for attempt in (1, 2):
            connection = await self._pool.acquire()
            try:
                await connection.execute(begin + self._limits)
            except BaseException as error:
                self._drop(connection)
                if attempt == 1 and isinstance(error, _LOST):
                    self._drop_idle()
                    continue
                if isinstance(error, _DRIVER):
                    raise translated(error) from error
                raise
            return connection
        raise AssertionError("unreachable")

    async def rolled_back(self, connection: _Connection) -> bool:
        """Ends a transaction without its changes; whether the connection may be used further."""
        task = asyncio.current_task()
        if connection.is_closed() or (task is not None and task.cancelling()):
            return False
        try:
            await connection.execute("ROLLBACK")
        except _DRIVER:
            return False
        return True

    def give_back(self, connection: _Connection, *, healthy: bool) -> None:
        """Takes a connection back from a transaction."""
        if healthy and not connection.is_closed():
            self._pool.release(connection)
        else:
            self._drop(connection)

    async def ping(self, timeout: float = 2.0) -> None:
        """See ``Database``."""
        try:
            async with asyncio.timeout(timeout):
                await self.fetch_row("SELECT 1", ())
        except TimeoutError:
            raise errors.DatabaseUnavailable(f"no answer within {timeout:g} s") from None

    def statistics(self) -> PoolStatistics:
        """See ``Database``: what the database has ended is no connection any more, although nobody has tried it yet."""
        found = self._pool.statistics()
        ended = sum(connection.is_closed() for connection in self._pool.idle)
        listening = sum(not connection.is_closed() for connection in self._listening)
        opened = found.open_connections - ended
        return msgspec.structs.replace(found, open_connections=opened, idle=found.idle - ended, listening=listening)

    @property
    def hears(self) -> bool:
        """See ``Database``: a pooler in transaction mode passes no notices on."""
        return not self._pooled

    async def listen(self, channels: Mapping[str, Callable[[str], None]], lost: Callable[[], None]) -> None:
        """See ``Database``."""
        from codeai.storage.listening import listen

        with self._pool.apart():
            await listen(self._settings, channels, lost, self._listening.add)


class _Opened:
    """A transaction as a block; a class, since generators cost more than the statement that begins one."""

    __slots__ = ("_begin", "_database", "_session")

    def __init__(self, database: PostgresDatabase, begin: str) -> None:
        self._database = database
        self._begin = begin

    async def __aenter__(self) -> PostgresTransaction:
        self._session = PostgresTransaction(await self._database.begun(self._begin))
        return self._session

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        database, session, healthy = self._database, self._session, False
        connection = session.connection
        try:
            if kind is None:
                await _guarded(connection.execute(session.ending), session.ending)
                healthy = True
            elif kind is not errors.DatabaseUnavailable and issubclass(kind, (Exception, asyncio.CancelledError)):
                healthy = await database.rolled_back(connection)
        except errors.DatabaseUnavailable:
            raise  # nobody hears a rollback either
        except (Exception, asyncio.CancelledError):
            healthy = await database.rolled_back(connection)
            raise
        finally:
            database.give_back(connection, healthy=healthy)
        if kind is None:
            for work in session.afterwards:
                work()


class PostgresWrites:
    """A session in which each statement commits by itself."""

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


def _tls(mode: str, host: str) -> Any:
    if mode in ("disable", "allow", "prefer", "require"):
        return None if host.startswith("/") else mode
    context = ssl.create_default_context()
    context.check_hostname = mode == "verify-full"
    return context
