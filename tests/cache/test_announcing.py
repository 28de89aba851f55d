"""Writes of other processes, told by beats: what is heard, what a process that died leaves, and what its own reads see.

Two processes are two databases, caches and marks of their own here; ``tests/system/test_sharing_over_postgresql.py`` has real ones.
"""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from codeai.cache.announcing import BEAT, PROMISE, SILENCE, Announcements, Hearing
from codeai.cache.flights import Cache, Computed
from codeai.cache.memory import MemoryStore
from codeai.cache.watching import TableNames, WatchedDatabase, reading
from codeai.storage.errors import DatabaseUnavailable, UniqueViolation
from codeai.storage.notices import Notices
from codeai.storage.opening import open_database
from codeai.storage.settings import from_url
from services.polling import eventually

_COUNT = 'SELECT count(*) FROM "items"'
_INSERT = 'INSERT INTO "items" (n) VALUES ($1)'


class Time:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Process:
    """What a process has.

    :param pace: how many times slower its clock runs, so that a busy machine writes often by it
    """

    def __init__(self, url: str, pace: float = 1.0) -> None:
        def clock() -> float:
            return time.monotonic() / pace

        self.store = MemoryStore(time.monotonic)
        self.cache = Cache(self.store)
        self.inner = open_database(from_url(url))
        self.notices = Notices(self.inner)
        self.hearing = Hearing(self.store, clock)
        self.hearing.connect(self.notices)
        self.announcements = Announcements(self.notices, clock)
        names = TableNames({}, frozenset({"codeai_steps"}))
        self.database = WatchedDatabase(self.inner, names, self.cache.written, self.announcements)

    async def shown(self) -> tuple[int, bool]:
        """The number of items, and whether it was kept."""

        async def compute() -> Computed:
            tables: set[str] = set()
            reading.set(tables)
            row = await self.database.reading().fetch_row(_COUNT, ())
            assert row is not None
            return Computed(str(row[0]).encode(), tuple(tables), 3_600)

        found, kept = await self.cache.get("count", compute)
        return int(found), kept

    async def stop(self) -> None:
        await self.notices.stop()
        await self.hearing.stop()
        await self.inner.close()


@pytest.fixture
async def url(postgres: Any) -> str:
    found = str(postgres.create_database(f"told{uuid.uuid4().hex[:12]}"))
    postgres.sql("CREATE TABLE items (n int UNIQUE)", found.rpartition("/")[2])
    return found


@asynccontextmanager
async def running(url: str, pace: float = 1.0) -> AsyncIterator[Process]:
    process = Process(url, pace)
    await process.notices.start()
    try:
        yield process
    finally:
        await process.stop()


async def test_many_writes_at_once_are_told_in_few_notices_and_every_one_of_them_is_seen(url: str) -> None:
    async with running(url, 20) as writer, running(url, 20) as reader:
        notices = 0
        original = reader.hearing.heard

        def heard(text: str) -> None:
            nonlocal notices
            notices += 1
            original(text)

        reader.notices.on("written", heard)
        total = 400
        numbers = iter(range(total))

        async def write() -> None:
            for number in numbers:
                await writer.database.writing().execute(_INSERT, (number,))
                assert (await writer.shown())[0] > 0  # its own, at once

        async def look() -> None:
            while (await reader.shown())[0] < total:  # noqa: ASYNC110  # as above
                await asyncio.sleep(0)

        async with asyncio.timeout(120):
            await asyncio.gather(look(), *(write() for _ in range(8)))
        assert (await writer.shown())[0] == total
        assert notices < total / 2


async def test_a_process_sees_what_it_has_written_before_anybody_is_told(url: str) -> None:
    async with running(url) as writer:
        for number in range(50):
            async with writer.database.transaction() as session:
                await session.execute(_INSERT, (number,))
            assert (await writer.shown())[0] == number + 1


async def test_a_writer_that_dies_with_something_unsaid_is_noticed(url: str) -> None:
    async with running(url) as reader:
        writer = Process(url)
        await writer.notices.start()
        number = 0

        async def promised() -> bool:
            nonlocal number
            number += 1
            await writer.database.writing().execute(_INSERT, (number,))
            return not writer.announcements.begin() or bool(writer.announcements.end(()))

        await eventually(promised)
        writer.announcements.end(())

        async def kept() -> bool:
            return await reader.shown() == (number, True)

        await eventually(kept)
        writer.announcements.end = lambda tables: None  # type: ignore[method-assign]  # it dies right after the commit
        await writer.database.writing().execute(_INSERT, (number + 1,))
        await writer.stop()

        async def seen() -> bool:
            return (await reader.shown())[0] == number + 1

        await eventually(seen)


async def test_what_a_transaction_that_is_rolled_back_wrote_is_not_told_and_what_nobody_knows_the_end_of_is(url: str) -> None:
    async with running(url) as writer:
        await writer.database.writing().execute(_INSERT, (1,))
        assert await writer.shown() == (1, False)
        with pytest.raises(UniqueViolation):
            async with writer.database.transaction() as session:
                await session.execute(_INSERT, (1,))
        assert await writer.shown() == (1, True)
        with pytest.raises(DatabaseUnavailable):
            async with writer.database.transaction() as session:
                await session.execute(_INSERT, (2,))
                # The database commits, and the connection ends before it says so.
                connection = session._inner.connection  # type: ignore[attr-defined]
                await connection.execute("COMMIT; BEGIN")
                connection.terminate()
        assert await writer.shown() == (2, False)


async def test_writes_to_tables_of_the_runtime_are_told_to_nobody(url: str) -> None:
    async with running(url) as writer:
        await writer.database.writing().execute('CREATE TABLE "codeai_steps" (n int)', ())
        await writer.database.writing().execute('INSERT INTO "codeai_steps" (n) VALUES (1)', ())
        assert writer.announcements._last < 0
        assert writer.store._clock == 1  # it has begun to hear, no more


# -- the order of things, without a database ------------------------------------------------------------------------------


class NoNotices:
    """Takes down what would be told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def speak(self, topic: str, speaker: object) -> Any:
        return lambda: None

    async def write(self, session: object, topic: str, text: str) -> None:
        self.told.append(text.partition(" ")[2])


def announcements(clock: Time) -> tuple[Announcements, NoNotices]:
    notices = NoNotices()
    return Announcements(notices, clock), notices  # type: ignore[arg-type]


def said(found: Announcements) -> str:
    text, _ = found.due()
    assert text is not None
    found.said()
    return text.partition(" ")[2]


async def test_who_writes_seldom_tells_in_its_transaction_and_says_nothing_else() -> None:
    clock = Time()
    found, notices = announcements(clock)
    for _ in range(3):
        clock.now += 1
        assert found.begin()
        await found.announce(None, ("b", "a"))  # type: ignore[arg-type]
        found.end(("a", "b"))
        assert found.due()[0] is None
    assert notices.told == ["write a b"] * 3


def often(found: Announcements, clock: Time) -> None:
    for _ in range(2):
        found.begin()
        found.end(("a",))
    clock.now += 0.02


def test_who_writes_often_promises_beats_and_keeps_them_until_it_rests() -> None:
    clock = Time()
    found, _ = announcements(clock)
    often(found, clock)
    assert said(found) == "beat a"
    assert not found.begin()
    assert found.due() == (None, pytest.approx(0.01))  # so many in a second at most
    found.end(("b",))
    clock.now += 0.011
    assert said(found) == "beat b"
    clock.now += 0.02
    assert found.due() == (None, pytest.approx(BEAT - 0.02))
    clock.now += BEAT
    assert said(found) == "beat "
    clock.now += 0.6
    assert said(found) == "end "
    assert found.begin()
    found.end(())


def test_a_promise_ends_by_itself_and_what_could_not_be_said_is_said_later() -> None:
    clock = Time()
    found, _ = announcements(clock)
    often(found, clock)
    said(found)
    assert not found.begin()
    found.end(("b",))
    clock.now += 0.02
    assert (found.due()[0] or "").endswith("beat b")  # and the connection is lost
    clock.now += PROMISE
    assert found.begin()
    found.end(("c",))
    clock.now += 0.02
    assert said(found) == "beat b c"
    assert not found.begin()


def test_no_promise_ends_while_a_commit_is_on_its_way() -> None:
    clock = Time()
    found, _ = announcements(clock)
    often(found, clock)
    said(found)
    found.begin()
    for _ in range(20):
        clock.now += BEAT
        assert said(found) == "beat "


def test_more_tables_than_a_notice_holds_are_all_tables() -> None:
    clock = Time()
    found, _ = announcements(clock)
    often(found, clock)
    found.begin()
    found.end(f"table_{number:060}" for number in range(200))
    assert said(found) == "beat *"


async def test_who_hears_no_beat_keeps_nothing_until_the_beats_are_back() -> None:
    clock = Time()
    store = MemoryStore(clock)
    hearing = Hearing(store, clock)
    cache, computed = Cache(store), 0

    async def compute() -> Computed:
        nonlocal computed
        computed += 1
        return Computed(b"x", ("items",), 3_600)

    async def kept() -> bool:
        await cache.get("k", compute)
        return (await cache.get("k", compute))[1]

    hearing.heard("abc beat items")
    assert await kept()
    clock.now += SILENCE + 0.1
    hearing.look()
    assert not (await cache.get("k", compute))[1]
    hearing.look()
    assert not (await cache.get("k", compute))[1]  # a commit of one that died may take effect late
    hearing.heard("abc beat")
    hearing.look()
    assert await kept()
    hearing.heard("abc end")
    clock.now += 60
    hearing.look()
    assert await kept()
    await hearing.stop()
