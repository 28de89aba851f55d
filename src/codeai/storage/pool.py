"""A small pool of connections: last in, first out, so that few connections stay warm; bounded; no statement between users."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final, Generic, TypeVar

from codeai.storage.errors import PoolExhausted, TooManyClients
from codeai.storage.interface import PoolStatistics

_Connection = TypeVar("_Connection")
_FEWEST: Final = 2
_FULL_FOR: Final = 1.0


class Pool(Generic[_Connection]):
    """Hands out connections that ``connect`` opens, at most ``size`` at a time.

    :param size: the largest number of connections
    :param acquire_timeout: seconds until waiting ends with ``PoolExhausted``
    """

    def __init__(self, connect: Callable[[], Awaitable[_Connection]], size: int, acquire_timeout: float) -> None:
        self._connect = connect
        self._size = size
        self._timeout = acquire_timeout
        self.idle: list[_Connection] = []
        self._waiters: deque[asyncio.Future[_Connection | None]] = deque()
        self._open = 0
        self._apart = 0
        self._full: TooManyClients | None = None
        self._full_until = 0.0

    @contextmanager
    def apart(self) -> Iterator[None]:
        """Leaves one of the connections to somebody who opens it himself and keeps it (acceptance T18).

        Two stay in any case: who holds one may need another.
        """
        taken = 1 if self._size > _FEWEST else 0
        self._size -= taken
        self._apart += taken
        try:
            yield
        finally:
            self._size += taken
            self._apart -= taken

    async def acquire(self) -> _Connection:
        """A connection for the caller alone, until ``release`` or ``discard``."""
        ends = None
        while True:
            if self.idle:
                return self.idle.pop()
            if self._open < self._size and not (self._open and self._is_full()):
                self._open += 1
                found = await self._opened()
            else:
                ends = ends if ends is not None else asyncio.get_running_loop().time() + self._timeout
                passed = await self._passed(ends)
                found = passed if passed is not None else await self._opened()
            if found is not None:
                return found

    async def _passed(self, ends: float) -> _Connection | None:
        """What somebody gives back: a connection, or the place of one that is lost."""
        waiter: asyncio.Future[_Connection | None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout_at(ends):
                return await waiter
        except TimeoutError:
            cause = f", and the database opens no more: {self._full}" if self._is_full() else ""
            raise PoolExhausted(f"no database connection became free within {self._timeout:g} s{cause}") from None
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self._pass_on(waiter.result())
            raise
        finally:
            if not waiter.done():
                waiter.cancel()

    def _is_full(self) -> bool:
        """Whether the database has just refused another connection: asking it again would only cost both."""
        return self._full is not None and asyncio.get_running_loop().time() < self._full_until

    async def _opened(self) -> _Connection | None:
        """A new connection in a place that is counted already; None, and no place, where the database opens no more of them.

        Who has others waits until one of them is free, as if the pool were no larger.
        """
        try:
            found = await self._connect()
        except TooManyClients as error:
            self._full, self._full_until = error, asyncio.get_running_loop().time() + _FULL_FOR
            if self._open > 1:
                self._open -= 1
                return None
            self.discard()
            raise
        except BaseException:
            self.discard()
            raise
        self._full = None
        return found

    def _pass_on(self, connection: _Connection | None) -> None:
        if connection is not None:
            self.release(connection)
        else:
            self.discard()

    def _wake(self, connection: _Connection | None) -> bool:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return True
        return False

    def release(self, connection: _Connection) -> None:
        """Gives a healthy connection back."""
        if not (self._waiters and self._wake(connection)):
            self.idle.append(connection)

    def discard(self) -> None:
        """Says that an acquired connection is gone. A waiter gets its place, so that nobody else opens one in it meanwhile."""
        if not self._wake(None):
            self._open -= 1

    def drain(self) -> list[_Connection]:
        """Takes all idle connections out of the pool, to be closed by the caller."""
        found, self.idle = self.idle, []
        self._open -= len(found)
        return found

    def statistics(self) -> PoolStatistics:
        """Live counts."""
        idle = len(self.idle)
        return PoolStatistics(self._size, self._open, self._open - idle, idle, self._apart)
