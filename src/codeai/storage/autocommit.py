"""A session without a transaction around it: for tests and scripts, whose statements take effect one by one.

A write that needs several statements (a row that is audited or watched by a data trigger) has one for all of them, see ``whole``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from codeai.storage.interface import Database, Session


class Autocommit:
    """A session in which each statement is a transaction of its own, writes included."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def fetch(self, statement: str, values: Any) -> Any:
        """See ``Session``."""
        return await self._run(statement, lambda session: session.fetch(statement, values))

    async def fetch_row(self, statement: str, values: Any) -> Any:
        """See ``Session``."""
        return await self._run(statement, lambda session: session.fetch_row(statement, values))

    async def execute(self, statement: str, values: Any) -> int:
        """See ``Session``."""
        found: int = await self._run(statement, lambda session: session.execute(statement, values))
        return found

    async def execute_many(self, statement: str, rows: Any) -> None:
        """See ``Session``."""
        await self._run(statement, lambda session: session.execute_many(statement, rows))

    def after_commit(self, work: Callable[[], None]) -> None:
        """See ``Session``."""
        work()

    def whole(self) -> AbstractAsyncContextManager[Session]:
        """One transaction for a write of several statements."""
        return self._database.transaction(write=True)

    async def _run(self, statement: str, work: Callable[[Any], Awaitable[Any]]) -> Any:
        async with self._database.transaction(write=not statement.startswith("SELECT") or " FOR UPDATE" in statement) as session:
            return await work(session)
