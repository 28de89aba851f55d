"""What the rest of the house knows of a database.

A statement is a text in the dialect of the database with positional parameters (``$1`` on PostgreSQL, ``?1`` on SQLite) and a
sequence of values that are already in the driver's form (see ``codecs``). Rows come back as plain sequences of driver values.

Python 3.12.0 to 3.12.3 take ``?1`` for a name, warn of it and need a microsecond for each value; all others, 3.14 too, know it for the
number that it is (python/cpython#117995). It stays: a value that stands twice is sent once, and texts are put together in any order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Literal, Protocol

import msgspec

Dialect = Literal["postgresql", "sqlite"]
Isolation = Literal["read committed", "serializable"]
Values = Sequence[object]
Record = Sequence[object]


class PoolStatistics(msgspec.Struct, frozen=True):
    """Live counts of connections (acceptance S7, S8): ``open_connections`` is ``in_use`` plus ``idle``.

    ``apart`` are those that the pool leaves to what listens, ``listening`` those that are open there just now (one more than
    was left when the limit is so small that nothing could be).
    """

    max_connections: int
    open_connections: int
    in_use: int
    idle: int
    apart: int = 0
    listening: int = 0

    def shown(self) -> PoolStatistics:
        """As operators see them: what listens is in use."""
        more = min(self.listening, self.apart)
        return PoolStatistics(self.max_connections + self.apart, self.open_connections + more, self.in_use + more, self.idle)


class Session(Protocol):
    """Where statements run: a transaction, or the database itself (each statement a transaction of its own).

    Every method raises the classes of ``storage.errors``, never a driver's.
    """

    async def fetch(self, statement: str, values: Values) -> Sequence[Record]:
        """All rows of a statement."""

    async def fetch_row(self, statement: str, values: Values) -> Record | None:
        """The first row, or None."""

    async def execute(self, statement: str, values: Values) -> int:
        """Runs a statement and returns the number of rows that it changed."""

    async def execute_many(self, statement: str, rows: Sequence[Values]) -> None:
        """Runs a statement once per row of values."""

    def after_commit(self, work: Callable[[], None]) -> None:
        """Has something done once what was sent so far is committed: at the end of the transaction, outside of one at once.

        It is not done when the transaction is rolled back.
        """


class RowAtOnce(Protocol):
    """Reads the first row of a statement in less time than it takes to hand it to somebody else."""

    def __call__(self, statement: str, values: Values, /) -> Record | None:
        """The row, or None."""


class Voice(Protocol):
    """Says something on the connection that listens, statement by statement.

    ``woken`` is set when something may be due before the time that ``due`` gave.
    """

    woken: asyncio.Event

    def due(self) -> tuple[str | None, float]:
        """The statement that is to run now, or None, and seconds until the next look."""

    def said(self) -> None:
        """It has run. When it fails, the connection ends, and ``due`` is asked again on the next one."""


class Database(Session, Protocol):
    """A database that is in use. As a ``Session`` it is for reads outside of transactions.

    ``row_at_once`` is set where reads by key need no waiting.
    """

    row_at_once: RowAtOnce | None

    @property
    def dialect(self) -> Dialect:
        """Which SQL it speaks."""

    async def start(self) -> None:
        """Opens the first connection; raises ``DatabaseUnavailable`` with a message for the operator."""

    async def close(self) -> None:
        """Ends all connections after the statements that run."""

    def transaction(
        self, *, write: bool = True, isolation: Isolation = "read committed", idle_limit: float | None = None, turn: int | None = None
    ) -> AbstractAsyncContextManager[Session]:
        """A transaction: committed at the end of the block, rolled back on an exception or cancellation.

        :param idle_limit: seconds after which a server ends it when this process stands still in it
        :param turn: transactions of one number go one after another, over all processes; each sees what those before it have done
        """

    def reading(self) -> Session:
        """Reads of a block outside of a transaction: each sees what was committed when it began, and none blocks the event loop."""

    def writing(self) -> Session:
        """Writes of which each is a transaction of its own. Rows of a ``OneOfMany`` may be written together with those of others."""

    async def ping(self, timeout: float = 2.0) -> None:
        """Asks the database for a sign of life within ``timeout`` seconds; raises ``DatabaseUnavailable``, and
        ``WritesFail`` when reads succeed and writes do not.
        """

    def statistics(self) -> PoolStatistics:
        """Live counts."""

    @property
    def hears(self) -> bool:
        """Whether processes can give each other notices through it (``NOTIFY`` of PostgreSQL, with no pooler between)."""

    async def listen(self, channels: Mapping[str, Callable[[str], None]], lost: Callable[[], None], voice: Voice | None = None) -> None:
        """Hears notices until it is cancelled (see ``postgresql.listening.listen``); only where it ``hears``."""
