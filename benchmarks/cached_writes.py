"""What it costs writers that other processes keep answers: ``python benchmarks/cached_writes.py DATABASE_URL [ROUNDS]``.

Eight writers commit small transactions on PostgreSQL as fast as they can, in variants that alternate: without a cache, with writes noted
and told to nobody, with a notice of its own in each transaction, and with beats (``codeai.cache.announcing``). A second process, here a
second set of connections, listens and says how long after a commit it knew of it.
"""

from __future__ import annotations

import asyncio
import itertools
import statistics
import sys
import time
from collections.abc import Iterable

from codeai.cache.announcing import Announcements, Hearing
from codeai.cache.memory import MemoryStore
from codeai.cache.watching import TableNames, WatchedDatabase
from codeai.storage.interface import Database
from codeai.storage.notices import Notices
from codeai.storage.opening import open_database
from codeai.storage.settings import from_url

SECONDS = 3.0
WRITERS = 8
INSERT = 'INSERT INTO "cached_writes" (n) VALUES ($1)'


class EachItsOwn(Announcements):
    """As if nobody ever promised anything."""

    def begin(self) -> bool:
        super().begin()
        return True

    def due(self) -> tuple[str | None, float]:
        return None, 1.0


class Hearer(MemoryStore):
    """Measures how long it took to hear of a commit."""

    committed = 0.0
    delays: list[float]

    def heard(self, tables: Iterable[str]) -> None:
        super().heard(tables)
        if self.committed:
            self.delays.append(time.monotonic() - self.committed)
            self.committed = 0.0


async def round_of(database: Database, hearer: Hearer, numbers: Iterable[int]) -> float:
    """Commits per second."""
    ends = time.monotonic() + SECONDS
    done = 0

    async def write() -> None:
        nonlocal done
        for number in numbers:
            if time.monotonic() > ends:
                return
            async with database.transaction() as session:
                await session.execute(INSERT, (number,))
            hearer.committed = hearer.committed or time.monotonic()
            done += 1

    await asyncio.gather(*(write() for _ in range(WRITERS)))
    return done / SECONDS


async def nobody(tables: Iterable[str]) -> None:
    """No cache of its own."""


async def run(url: str, rounds: int) -> None:
    """Measures and prints a table."""
    wanted, names = from_url(url), TableNames({})
    plain, listening = open_database(wanted), open_database(wanted)
    await plain.start()
    await plain.writing().execute("CREATE TABLE IF NOT EXISTS cached_writes (n bigint)", ())
    hearer = Hearer(time.monotonic)
    ears = Notices(listening)
    Hearing(hearer, time.monotonic).connect(ears)
    await ears.start()
    variants: dict[str, Database] = {"no cache": plain}
    mouth = Notices(plain)
    mouth.on("none", lambda _: None)
    variants["told to nobody"] = WatchedDatabase(plain, names, nobody)
    variants["a notice each"] = WatchedDatabase(plain, names, nobody, EachItsOwn(Notices(plain), time.monotonic))
    variants["beats"] = WatchedDatabase(plain, names, nobody, Announcements(mouth, time.monotonic))
    await mouth.start()
    rates: dict[str, list[float]] = {name: [] for name in variants}
    delays: dict[str, list[float]] = {name: [] for name in variants}
    numbers = itertools.count()
    for turn in range(rounds + 1):
        for name in list(variants)[:: 1 if turn % 2 else -1]:
            hearer.committed, hearer.delays = 0.0, []
            rates[name].append(await round_of(variants[name], hearer, numbers))
            delays[name] += hearer.delays if turn else []
            await asyncio.sleep(1.0)
    print("| | commits per second | ratio to no cache | heard after, median | 99 % |\n|---|---|---|---|---|")
    for name, found in rates.items():
        ratio = statistics.median(one / other for one, other in zip(found[1:], rates["no cache"][1:], strict=True))
        heard = sorted(delays[name]) or [float("nan")]
        times = f"{heard[len(heard) // 2] * 1e3:.1f} ms | {heard[len(heard) * 99 // 100] * 1e3:.1f} ms"
        print(f"| {name} | {statistics.median(found[1:]):,.0f} | {ratio:.2f} | {times} |")
    for notices in (ears, mouth):
        await notices.stop()
    await plain.writing().execute("DROP TABLE cached_writes", ())
    for database in (plain, listening):
        await database.close()


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5))
