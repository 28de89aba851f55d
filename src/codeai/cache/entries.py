"""What a cache keeps: bytes with the tables that they were read from, and the moment of the write clock at which they were read.

The *write clock* is a number that every write to a table moves on; a table remembers its last write. An entry is good as long as none
of its tables was written after the entry's moment. So a write costs one number, however many entries it makes useless, and an entry
that was computed while a write was under way can never be taken for a later one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import msgspec


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """A kept value; ``moment`` is that of the write clock before the value was computed."""

    body: bytes
    tables: tuple[str, ...]
    moment: int


class Statistics(msgspec.Struct, frozen=True):
    """Live figures of one process; ``items`` and ``size`` (bytes) of what it holds itself."""

    hits: int = 0
    misses: int = 0
    stored: int = 0
    evicted: int = 0
    invalidated: int = 0
    failures: int = 0
    items: int = 0
    size: int = 0


class CacheStore(Protocol):
    """Keeps entries. Everything may be forgotten at any time; an outage is a miss."""

    async def moment(self) -> int | None:
        """The write clock now; None when nothing can be stored."""

    async def get(self, key: str) -> bytes | None:
        """A value that is good."""

    async def put(self, key: str, entry: Entry, ttl: float) -> None:
        """Keeps a value for ``ttl`` seconds at most."""

    async def written(self, tables: Iterable[str]) -> None:
        """Tables were written: what was read from them is good no more."""

    async def lead(self, key: str, seconds: float) -> bool:
        """Whether this process is the one that computes ``key`` now, among all; at most for ``seconds``."""

    async def yield_lead(self, key: str) -> None:
        """It is done."""

    @property
    def shared(self) -> bool:
        """Whether other processes see the same entries."""
