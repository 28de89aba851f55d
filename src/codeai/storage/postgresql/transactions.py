"""Transactions on a connection, and how a statement runs on it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Final, TypeVar, cast

import asyncpg

from codeai.storage import errors
from codeai.storage.interface import Record, Values
from codeai.storage.many import OneOfMany
from codeai.storage.postgresql.connections import Connections
from codeai.storage.postgresql.translation import DRIVER, translated
from codeai.storage.watching import WATCHER

_Result = TypeVar("_Result")
_Connection = asyncpg.Connection
_MANY: Final = 3_600.0  # seconds for many rows at once, of which each has the time of a statement
BEGIN: Final[dict[tuple[bool, str], str]] = {
    (True, "read committed"): "BEGIN",
    (False, "read committed"): "BEGIN READ ONLY",
    (True, "serializable"): "BEGIN ISOLATION LEVEL SERIALIZABLE",
    (False, "serializable"): "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY",
}


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
        return cast("Sequence[Record]", await guarded(self.connection.fetch(statement, *values), statement))

    async def fetch_row(self, statement: str, values: Values) -> Record | None:
        """See ``Session``."""
        if isinstance(statement, OneOfMany):
            statement = statement.one
        return cast("Record | None", await guarded(self.connection.fetchrow(statement, *values), statement))

    async def execute(self, statement: str, values: Values) -> int:
        """See ``Session``."""
        return count(await guarded(self.connection.execute(statement, *values), statement))

    async def execute_many(self, statement: str, rows: Sequence[Values]) -> None:
        """See ``Session``."""
        await guarded(many(self.connection, statement, rows), statement)

    def after_commit(self, work: Callable[[], None]) -> None:
        """See ``Session``."""
        self.afterwards.append(work)


class TransactionBlock:
    """A transaction as a block; a class, since generators cost more than the statement that begins one."""

    __slots__ = ("_begin", "_connections", "_session")

    def __init__(self, connections: Connections, begin: str) -> None:
        self._connections = connections
        self._begin = begin

    async def __aenter__(self) -> PostgresTransaction:
        self._session = PostgresTransaction(await self._connections.begun(self._begin))
        return self._session

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        connections, session, healthy = self._connections, self._session, False
        connection = session.connection
        try:
            if kind is None:
                await guarded(connection.execute(session.ending), session.ending)
                healthy = True
            elif kind is not errors.DatabaseUnavailable and issubclass(kind, (Exception, asyncio.CancelledError)):
                healthy = await connections.rolled_back(connection)
        except errors.DatabaseUnavailable:
            raise  # nobody hears a rollback either
        except (Exception, asyncio.CancelledError):
            healthy = await connections.rolled_back(connection)
            raise
        finally:
            connections.give_back(connection, healthy=healthy)
        if kind is None:
            for work in session.afterwards:
                work()


async def many(connection: _Connection, statement: str, rows: Sequence[Values]) -> None:
    """Runs a statement once per row of values; raises the driver's errors."""
    await connection.executemany(statement, rows, timeout=_MANY)


async def guarded(call: Awaitable[_Result], statement: str) -> _Result:
    """What a call gives; raises the errors of ``storage.errors``."""
    watcher = WATCHER.get()
    try:
        return await (call if watcher is None else watcher.watch(statement, call))
    except DRIVER as error:
        raise translated(error) from error


def count(status: str) -> int:
    """How many rows a statement changed, by the tag with which PostgreSQL completes it."""
    number = status.rpartition(" ")[2]
    return int(number) if number.isdigit() else 0
