"""The connections that a process has to a database: lent to transactions and single statements, dropped when in doubt."""

from __future__ import annotations

import asyncio
import weakref
from contextlib import suppress

import asyncpg
import msgspec

from codeai.storage.interface import PoolStatistics
from codeai.storage.pool import Pool
from codeai.storage.postgresql.connecting import opened
from codeai.storage.postgresql.refusals import refused
from codeai.storage.postgresql.translation import DRIVER, LOST, translated
from codeai.storage.settings import DatabaseSettings

_Connection = asyncpg.Connection


class Connections:
    """A pool of them. ``pooled`` says that a pooler stands between, in transaction mode.

    Behind one, a session is ours for one transaction only: limits and statements live no longer than that.
    """

    def __init__(self, settings: DatabaseSettings) -> None:
        self._settings = settings
        self._listening: weakref.WeakSet[_Connection] = weakref.WeakSet()
        self.pool: Pool[_Connection] = Pool(self._connect, settings.max_connections, settings.acquire_timeout)
        self.pooled = settings.pooler == "transaction"
        limits = (("statement_timeout", settings.statement_timeout), ("lock_timeout", settings.lock_timeout))
        self._limits = "".join(f"; SET LOCAL {name} = {int(seconds * 1000)}" for name, seconds in limits) if self.pooled else ""

    async def _connect(self) -> _Connection:
        try:
            return await opened(self._settings)
        except DRIVER as error:
            raise refused(self._settings, error) from error

    async def close(self) -> None:
        """Ends those that nobody uses."""
        for connection in self.pool.drain():
            with suppress(Exception):
                await connection.close(timeout=2)

    async def begun(self, begin: str) -> _Connection:
        """One in a new transaction."""
        for attempt in (1, 2):
            connection = await self.pool.acquire()
            try:
                await connection.execute(begin + self._limits)
            except BaseException as error:
                self.drop(connection)
                if attempt == 1 and isinstance(error, LOST):
                    self.drop_idle()
                    continue
                if isinstance(error, DRIVER):
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
        except DRIVER:
            return False
        return True

    def give_back(self, connection: _Connection, *, healthy: bool) -> None:
        """Takes one back."""
        if healthy and not connection.is_closed():
            self.pool.release(connection)
        else:
            self.drop(connection)

    def drop(self, connection: _Connection) -> None:
        """Ends one whose state is not known."""
        connection.terminate()
        self.pool.discard()

    def drop_idle(self) -> None:
        """Ends those that nobody uses, at once."""
        for connection in self.pool.drain():
            connection.terminate()

    def listens(self, connection: _Connection) -> None:
        """Counts one that is open beside the pool, to hear notices."""
        self._listening.add(connection)

    def statistics(self) -> PoolStatistics:
        """See ``Database``: what the database has ended is no connection any more, although nobody has tried it yet."""
        found = self.pool.statistics()
        ended = sum(connection.is_closed() for connection in self.pool.idle)
        listening = sum(not connection.is_closed() for connection in self._listening)
        still = found.open_connections - ended
        return msgspec.structs.replace(found, open_connections=still, idle=found.idle - ended, listening=listening)
