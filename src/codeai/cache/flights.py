"""A cache as its users see it: a value is kept, or computed once, however many ask for it at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import msgspec

from codeai.cache.entries import CacheStore, Entry, Statistics
from codeai.cache.memory import MemoryStore
from codeai.cache.shared import RedisStore

_LEAD: Final = 5.0
_LOOK: Final = 0.02


class Computed(msgspec.Struct, frozen=True):
    """A new value, from which tables, and for how many seconds it may be kept (0: not at all)."""

    body: bytes
    tables: tuple[str, ...]
    ttl: float


class Cache:
    """Values by key.

    :param patience: seconds that a process waits for another one to compute the same
    """

    def __init__(self, store: CacheStore, *, patience: float = 1.0, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._store = store
        self._patience = patience
        self._sleep = sleep
        self._flights: dict[str, asyncio.Future[None]] = {}
        self._hits = self._misses = self._stored = 0

    async def get(self, key: str, compute: Callable[[], Awaitable[Computed]]) -> tuple[bytes, bool]:
        """The value of a key, and whether it was kept.

        While somebody computes it, others wait for that. If it fails, they try themselves: a failure is never shared.
        """
        while True:
            found = await self._store.get(key)
            if found is not None:
                self._hits += 1
                return found, True
            flight = self._flights.get(key)
            if flight is None:
                self._misses += 1
                return await self._fly(key, compute)
            await asyncio.wait({flight})
            if flight.cancelled():
                continue  # who computed went away, another one does it
            found = await self._store.get(key)
            if found is None:  # it failed, is not to be kept, or is useless already: from here on nobody waits for another
                self._misses += 1
                return (await compute()).body, False
            self._hits += 1
            return found, True

    async def _fly(self, key: str, compute: Callable[[], Awaitable[Computed]]) -> tuple[bytes, bool]:
        flight = self._flights[key] = asyncio.get_running_loop().create_future()
        try:
            found = await self._others(key) if self._store.shared else None
            if found is not None:
                return found, True
            return await self._compute(key, compute), False
        except asyncio.CancelledError:
            flight.cancel()
            raise
        finally:
            del self._flights[key]
            if not flight.done():
                flight.set_result(None)

    async def _others(self, key: str) -> bytes | None:
        """The value that another process computes, unless this one leads or has waited long enough."""
        waited = 0.0
        while not await self._store.lead(key, _LEAD) and waited < self._patience:
            await self._sleep(_LOOK)
            waited += _LOOK
            found = await self._store.get(key)
            if found is not None:
                return found
        found = await self._store.get(key)  # another may have computed it before this one came to lead
        if found is not None:
            await self._store.yield_lead(key)
        return found

    async def _compute(self, key: str, compute: Callable[[], Awaitable[Computed]]) -> bytes:
        moment = await self._store.moment()
        try:
            computed = await compute()
            if computed.ttl > 0 and moment is not None:
                await self._store.put(key, Entry(computed.body, computed.tables, moment), computed.ttl)
                self._stored += 1
            return computed.body
        finally:
            if self._store.shared:
                await self._store.yield_lead(key)

    async def written(self, tables: Iterable[str]) -> None:
        """Tables were written and the write is committed."""
        await self._store.written(tables)

    def statistics(self) -> Statistics:
        """Live figures."""
        store = self._store
        local = store if isinstance(store, MemoryStore) else None
        return Statistics(
            hits=self._hits,
            misses=self._misses,
            stored=self._stored,
            evicted=local.evicted if local else 0,
            invalidated=local.invalidated if local else 0,
            failures=store.failures if isinstance(store, RedisStore) else 0,
            items=local.items if local else 0,
            size=local.size if local else 0,
        )
