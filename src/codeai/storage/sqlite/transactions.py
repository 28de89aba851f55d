"""Transactions on a line."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

from codeai.storage import errors
from codeai.storage.interface import Record, Session, Values
from codeai.storage.sqlite.lines import Line


class SqliteTransaction:
    """A session inside one transaction."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self.afterwards: list[Callable[[], None]] = []

    async def fetch(self, statement: str, values: Values) -> Sequence[Record]:
        """See ``Session``."""
        return await self._line.run(lambda connection: connection.execute(statement, values).fetchall(), statement)

    async def fetch_row(self, statement: str, values: Values) -> Record | None:
        """See ``Session``."""
        return await self._line.run(lambda connection: _first(connection.execute(statement, values)), statement)

    async def execute(self, statement: str, values: Values) -> int:
        """See ``Session``."""
        return await self._line.run(lambda connection: connection.execute(statement, values).rowcount, statement)

    async def execute_many(self, statement: str, rows: Sequence[Values]) -> None:
        """See ``Session``."""
        await self._line.run(lambda connection: connection.executemany(statement, rows), statement)

    def after_commit(self, work: Callable[[], None]) -> None:
        """See ``Session``."""
        self.afterwards.append(work)


def _first(cursor: sqlite3.Cursor) -> Record | None:
    """The first row; the cursor is run to its end, so that a statement that writes takes effect as a whole."""
    rows = cursor.fetchall()
    return rows[0] if rows else None


@asynccontextmanager
async def transaction(line: Line, begin: str) -> AsyncIterator[Session]:
    """A transaction as a block.

    :param begin: the statement that begins it
    """
    session = SqliteTransaction(line)
    try:
        await line.run(lambda connection: connection.execute(begin), begin)  # inside: it may have begun although it was cancelled
        yield session
        await line.run(lambda connection: connection.execute("COMMIT"), "COMMIT")
    except BaseException:
        await asyncio.shield(_rollback(line))
        raise
    for work in session.afterwards:
        work()


async def _rollback(line: Line) -> None:
    with suppress(errors.StorageError):
        await line.run(lambda connection: connection.execute("ROLLBACK") if connection.in_transaction else None, "ROLLBACK")
