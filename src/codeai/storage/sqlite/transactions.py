"""Transactions on a line."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

from codeai.storage import errors
from codeai.storage.chain import Chain
from codeai.storage.interface import Record, Session, Values
from codeai.storage.sqlite.lines import Line

_Result = TypeVar("_Result")


class SqliteTransaction:
    """A session inside one transaction, which begins with its first statement: each way to the thread costs more than a small one.

    :param begin: the statement that begins it
    """

    def __init__(self, line: Line, begin: str) -> None:
        self._line = line
        self._begin = begin
        self.begun = False
        self.afterwards: list[Callable[[], None]] = []

    async def _run(self, work: Callable[[sqlite3.Connection], _Result], statement: str) -> _Result:
        if self.begun:
            return await self._line.run(work, statement)
        self.begun = True  # before it has: it may have although this was cancelled
        return await self._line.run(lambda connection: (connection.execute(self._begin), work(connection))[1], statement)

    async def fetch(self, statement: str, values: Values) -> Sequence[Record]:
        """See ``Session``."""
        return await self._run(lambda connection: connection.execute(statement, values).fetchall(), statement)

    async def fetch_row(self, statement: str, values: Values) -> Record | None:
        """See ``Session``."""
        return await self._run(lambda connection: _first(connection, statement, values), statement)

    async def execute(self, statement: str, values: Values) -> int:
        """See ``Session``."""
        return await self._run(lambda connection: connection.execute(statement, values).rowcount, statement)

    async def execute_many(self, statement: str, rows: Sequence[Values]) -> None:
        """See ``Session``."""
        await self._run(lambda connection: _many(connection, statement, rows), statement)

    def after_commit(self, work: Callable[[], None]) -> None:
        """See ``Session``."""
        self.afterwards.append(work)


def _many(connection: sqlite3.Connection, statement: str, rows: Sequence[Values]) -> None:
    """A statement for each row. From Python 3.12 on ``executemany`` refuses statements that give rows, here those that take a number."""
    if "RETURNING " not in statement:
        connection.executemany(statement, rows)
        return
    for values in rows:
        connection.execute(statement, values).fetchall()


def _first(connection: sqlite3.Connection, statement: str, values: Values) -> Record | None:
    """The first row; the cursor is run to its end, so that a statement that writes takes effect as a whole."""
    if isinstance(statement, Chain):
        return _chained(connection, statement, values)
    rows = connection.execute(statement, values).fetchall()
    return rows[0] if rows else None


def _chained(connection: sqlite3.Connection, chain: Chain, values: Values) -> Record | None:
    (text, at), *others = chain.links
    first = _first(connection, text, values[:at])
    if first is not None:
        for text, width in others:
            connection.execute(text, values[at : at + width])
            at += width
    return first


def whole(connection: sqlite3.Connection, statement: str, values: Values) -> Sequence[Record]:
    """All rows of a statement that is a transaction of its own."""
    if not isinstance(statement, Chain):
        return connection.execute(statement, values).fetchall()
    connection.execute("BEGIN IMMEDIATE")
    try:
        row = _chained(connection, statement, values)
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    return [] if row is None else [row]


@asynccontextmanager
async def transaction(line: Line, begin: str) -> AsyncIterator[Session]:
    """A transaction as a block.

    :param begin: the statement that begins it
    """
    session = SqliteTransaction(line, begin)
    try:
        yield session
        if session.begun:
            await line.run(lambda connection: connection.execute("COMMIT"), "COMMIT")
    except BaseException:
        if session.begun:
            await asyncio.shield(_rollback(line))
        raise
    for work in session.afterwards:
        work()


async def _rollback(line: Line) -> None:
    with suppress(errors.StorageError):
        await line.run(lambda connection: connection.execute("ROLLBACK") if connection.in_transaction else None, "ROLLBACK")
