"""The cache of one process: least recently used entries go first, bounded by number and by bytes.

Where other processes write to the same database, their writes come as notices (``written``). While those cannot be heard, nothing that
was read from tables counts.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from codeai.cache.entries import Entry

_OVERHEAD: Final = 200
ALL: Final = "*"


class _Kept(msgspec.Struct, frozen=True):
    entry: Entry
    until: float
    size: int


class MemoryStore:
    """Entries in a dictionary.

    :param now: seconds of a monotonic clock
    :param items: at most so many entries
    :param size: at most so many bytes, keys and bookkeeping included
    """

    def __init__(self, now: Callable[[], float], *, items: int = 10_000, size: int = 64 * 1024 * 1024) -> None:
        self._now = now
        self._most_items = items
        self._most_bytes = size
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._clock = 0
        self._writes: dict[str, int] = {}
        self._deaf = False
        self._hearing_since = 0
        self.size = 0
        self.evicted = self.invalidated = 0

    @property
    def items(self) -> int:
        """How many entries there are."""
        return len(self._kept)

    @property
    def shared(self) -> bool:
        """See ``CacheStore``."""
        return False

    async def moment(self) -> int:
        """See ``CacheStore``."""
        return self._clock

    async def get(self, key: str) -> bytes | None:
        """See ``CacheStore``."""
        found = self._kept.get(key)
        if found is None:
            return None
        if found.until <= self._now():
            self._drop(key)
            return None
        if not self._good(found.entry):
            self.invalidated += 1
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return found.entry.body

    async def put(self, key: str, entry: Entry, ttl: float) -> None:
        """See ``CacheStore``; what is larger than a tenth of all is not kept."""
        size = len(entry.body) + len(key) + _OVERHEAD
        if key in self._kept:
            self._drop(key)
        if size > self._most_bytes // 10 or ttl <= 0 or not self._good(entry):
            return
        self._kept[key] = _Kept(entry, self._now() + ttl, size)
        self.size += size
        while self.size > self._most_bytes or len(self._kept) > self._most_items:
            self.evicted += 1
            self._drop(next(iter(self._kept)))

    async def written(self, tables: Iterable[str]) -> None:
        """See ``CacheStore``."""
        self.heard(tables)

    def heard(self, tables: Iterable[str]) -> None:
        """Another process has written tables."""
        self._clock += 1
        self._writes.update(dict.fromkeys(tables, self._clock))

    def deafen(self) -> None:
        """Writes of other processes are not heard of: values of tables count no more, and none is kept."""
        self._deaf = True

    def hear(self) -> None:
        """They are heard of again: what is computed from now on counts."""
        self.doubt()
        self._deaf = False

    def doubt(self) -> None:
        """Some of them may have been missed: what was read from tables before counts no more."""
        self._clock += 1
        self._hearing_since = self._clock

    async def lead(self, key: str, seconds: float) -> bool:
        """See ``CacheStore``: within a process the flights take care of it."""
        return True

    async def yield_lead(self, key: str) -> None:
        """See ``CacheStore``."""

    def _good(self, entry: Entry) -> bool:
        if entry.tables and (self._deaf or entry.moment < self._hearing_since):
            return False
        return all(self._writes.get(table, 0) <= entry.moment for table in (*entry.tables, ALL))

    def _drop(self, key: str) -> None:
        self.size -= self._kept.pop(key).size
