"""What statements cost a database, counted and not timed: pages of PostgreSQL, instructions of SQLite."""

import json
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from codeai.storage.interface import Database

Sent = tuple[str, Sequence[Any]]


class Watched:
    """A session or database that remembers what it is sent, and how many rows came back."""

    def __init__(self, inner: Any, whole: "Watched | None" = None) -> None:
        self._inner = inner
        self._whole = whole or self
        self.sent: list[Sent] = whole.sent if whole is not None else []
        self.rows = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def fetch(self, statement: str, values: Sequence[Any]) -> Any:
        self.sent.append((statement, values))
        found = await self._inner.fetch(statement, values)
        self._whole.rows += len(found)
        return found

    async def fetch_row(self, statement: str, values: Sequence[Any]) -> Any:
        self.sent.append((statement, values))
        return await self._inner.fetch_row(statement, values)

    async def execute(self, statement: str, values: Sequence[Any]) -> Any:
        self.sent.append((statement, values))
        return await self._inner.execute(statement, values)

    def reading(self) -> "Watched":
        return Watched(self._inner.reading(), self._whole)

    def writing(self) -> "Watched":
        return Watched(self._inner.writing(), self._whole)

    @asynccontextmanager
    async def transaction(self, **arguments: Any) -> AsyncIterator["Watched"]:
        async with self._inner.transaction(**arguments) as session:
            yield Watched(session, self._whole)


class _Undo(Exception):
    pass


async def cost(database: Database, url: str, sent: Sequence[Sent]) -> int:
    """What statements cost when they are sent again, one after another; nothing of it stays."""
    if database.dialect == "sqlite":
        return _instructions(url.removeprefix("sqlite:///"), sent)
    total = 0
    try:
        async with database.transaction() as session:
            for statement, values in sent:
                rows = await session.fetch(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", values)
                found = rows[0][0]
                plan = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
                total += plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
            raise _Undo
    except _Undo:
        return total


def _instructions(path: str, sent: Sequence[Sent]) -> int:
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += 1
        return 0

    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.set_progress_handler(step, 10)
        for statement, values in sent:
            connection.execute(statement, tuple(values)).fetchall()
        connection.set_progress_handler(None, 0)
        connection.execute("ROLLBACK")
    finally:
        connection.close()
    return steps
