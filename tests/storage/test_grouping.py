"""Rows of several requests in one statement of PostgreSQL: each stands for itself, whatever befalls the others."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Iterator
from typing import Any

import pytest

from codeai.server.database import synchronise_here
from codeai.storage.errors import DatabaseUnavailable, StorageError, UniqueViolation
from codeai.storage.interface import Database, Session
from codeai.storage.many import OneOfMany
from codeai.storage.opening import open_database
from codeai.storage.postgresql.grouping import Group
from codeai.storage.settings import from_url
from services.postgres import PostgresServer
from services.programs import analysis_of

PROGRAM = """
entity Mark { id: uuid, primary, auto  name: string(80), required, unique }
"""
_ONE = 'INSERT INTO "marks" ("id", "name") VALUES ($1::uuid, $2::text) RETURNING "id"'
_MANY = (
    'INSERT INTO "marks" ("id", "name") SELECT v.a, v.b FROM unnest($1::uuid[], $2::text[]) AS v(a, b), '
    "(SELECT set_config('lock_timeout', '50', true)) AS l RETURNING \"id\""
)
ONE = OneOfMany.of(_ONE, _MANY, 0)


class Seen:
    """A session that remembers how many rows each statement was to write; ``gate`` holds up rows that go alone."""

    def __init__(self, inner: Session) -> None:
        self.inner = inner
        self.rows: list[int] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.execute, self.execute_many, self.after_commit = inner.execute, inner.execute_many, inner.after_commit

    async def fetch(self, statement: str, values: Any) -> Any:
        self.rows.append(len(values[0]))
        return await self.inner.fetch(statement, values)

    async def fetch_row(self, statement: str, values: Any) -> Any:
        self.rows.append(1)
        await self.gate.wait()
        return await self.inner.fetch_row(statement, values)


class Marks:
    """The table, and requests that write into it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.seen = Seen(database.writing())
        self.group = Group(self.seen, ONE)

    def write(self, name: str) -> asyncio.Task[Any]:
        return asyncio.ensure_future(self.group.row((uuid.uuid4(), name)))

    async def names(self) -> set[str]:
        return {str(row[0]) for row in await self.database.fetch('SELECT "name" FROM "marks"', ())}

    async def held_up(self, *names: str) -> list[asyncio.Task[Any]]:
        """Requests that wait for others, which ``gate`` holds up."""
        self.seen.gate.clear()
        found = [self.write(name) for name in ("first", "second", *names)]
        await asyncio.sleep(0)
        return found


@pytest.fixture
def url(postgres: PostgresServer) -> Iterator[str]:
    found = postgres.create_database()
    synchronise_here(from_url(found), analysis_of(PROGRAM).application, development=True)
    yield found


@pytest.fixture
async def marks(url: str) -> AsyncIterator[Marks]:
    database = open_database(from_url(url, lock_timeout=120))  # those who wait for a lock do so for longer than a test
    await database.start()
    yield Marks(database)
    await database.close()


async def results(tasks: list[asyncio.Task[Any]]) -> list[Any]:
    return await asyncio.gather(*tasks, return_exceptions=True)


async def test_rows_that_wait_go_together_and_each_gets_its_own_key(marks: Marks) -> None:
    tasks = await marks.held_up(*(f"m{at}" for at in range(20)))
    marks.seen.gate.set()
    found = await results(tasks)
    assert max(marks.seen.rows) == 20
    stored = {row[1]: row[0] for row in await marks.database.fetch('SELECT "id", "name" FROM "marks"', ())}
    assert [record[0] for record in found] == [stored[name] for name in ("first", "second", *(f"m{at}" for at in range(20)))]


async def test_a_row_that_meets_nobody_goes_alone(marks: Marks) -> None:
    for name in ("a", "b"):
        await marks.write(name)
    assert marks.seen.rows == [1, 1]


async def test_sessions_whose_statements_commit_by_themselves_write_together_and_transactions_do_not(marks: Marks) -> None:
    session = marks.database.writing()
    found = await asyncio.gather(*(session.fetch_row(ONE, (uuid.UUID(int=at), f"w{at}")) for at in range(1, 20)))
    assert [record[0] for record in found if record is not None] == [uuid.UUID(int=at) for at in range(1, 20)]
    moments = await marks.database.fetch('SELECT xmin::text, count(*) FROM "marks" GROUP BY 1', ())
    assert 1 < len(moments) < 19  # transactions, of which those that met nobody wrote one row
    async with marks.database.transaction() as inside:
        await inside.fetch_row(ONE, (uuid.UUID(int=20), "inside"))
        await inside.fetch_row(ONE, (uuid.UUID(int=21), "too"))
    rows = await marks.database.fetch("SELECT DISTINCT xmin::text FROM \"marks\" WHERE name IN ('inside', 'too')", ())
    assert len(rows) == 1


async def test_a_large_row_goes_alone(marks: Marks) -> None:
    tasks = await marks.held_up("m1", "x" * 70_000, "m2")
    marks.seen.gate.set()
    found = await results(tasks)
    assert isinstance(found[3], StorageError)  # it does not fit its column, which is nobody else's matter
    assert sorted(marks.seen.rows) == [1, 1, 1, 2]


async def test_what_is_wrong_with_one_row_is_told_to_nobody_else(marks: Marks) -> None:
    await marks.write("taken")
    tasks = await marks.held_up("m1", "taken", "m2", "twice", "twice")
    marks.seen.gate.set()
    found = await results(tasks)
    assert [type(each).__name__ for each in found].count("UniqueViolation") == 2
    assert isinstance(found[3], UniqueViolation)
    assert await marks.names() == {"taken", "first", "second", "m1", "m2", "twice"}


async def test_who_waits_for_a_lock_holds_nobody_up(marks: Marks) -> None:
    async with marks.database.transaction() as session:
        await session.fetch_row(ONE, (uuid.uuid4(), "locked"))
        tasks = await marks.held_up("locked", "m1", "m2")
        marks.seen.gate.set()
        async with asyncio.timeout(60):
            done = await asyncio.gather(*tasks[:2], *tasks[3:])
        assert all(done) and not tasks[2].done()
    with pytest.raises(UniqueViolation):
        await tasks[2]


async def test_rows_that_are_under_way_for_long_hold_nobody_up(marks: Marks) -> None:
    tasks = await marks.held_up("m1", "m2", "m3")
    await asyncio.gather(*tasks[2:])
    assert await marks.names() == {"m1", "m2", "m3"}
    marks.seen.gate.set()
    await results(tasks)


async def test_processes_that_write_in_opposite_orders_end_in_no_deadlock(marks: Marks, url: str) -> None:
    other = open_database(from_url(url))
    await other.start()
    both = (marks, Marks(other))
    try:
        for turn in range(5):
            names = [f"{turn}:{at}" for at in range(30)]
            ordered = (names, list(reversed(names)))
            tasks = [await each.held_up(*own) for each, own in zip(both, ordered, strict=True)]
            for each in both:
                each.seen.gate.set()
            one, two = [await results(group[2:]) for group in tasks]
            await results([task for group in tasks for task in group[:2]])
            for first, second in zip(one, reversed(two), strict=True):
                assert sorted(isinstance(each, UniqueViolation) for each in (first, second)) == [False, True], (first, second)
    finally:
        await other.close()


async def test_who_leaves_before_it_is_sent_has_written_nothing(marks: Marks) -> None:
    tasks = await marks.held_up("m1", "gone", "m2")
    tasks[3].cancel()
    marks.seen.gate.set()
    found = await results(tasks)
    assert isinstance(found[3], asyncio.CancelledError)
    assert await marks.names() == {"first", "second", "m1", "m2"}


async def _blocked(marks: Marks, *names: str) -> tuple[list[asyncio.Task[Any]], Any]:
    """Rows in a statement that waits for the lock on the whole table, and the block that holds it."""
    tasks = await marks.held_up(*names)
    block = marks.database.transaction()
    session = await block.__aenter__()
    await session.execute('LOCK TABLE "marks" IN SHARE MODE', ())
    await _until(marks, _WAIT_FOR_LOCKS, 1)
    return tasks, block


_WAIT_FOR_LOCKS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


async def _until(marks: Marks, count: str, number: int) -> None:
    async with asyncio.timeout(60):
        while (await marks.database.fetch_row(count, ()) or (0,))[0] != number:  # noqa: ASYNC110  # what is awaited lies in the database
            await asyncio.sleep(0.005)


async def test_who_leaves_while_its_row_is_under_way_leaves_the_others_alone(marks: Marks) -> None:
    tasks, block = await _blocked(marks, "m1", "gone", "m2")
    tasks[3].cancel()
    with pytest.raises(asyncio.CancelledError):
        await tasks[3]
    await block.__aexit__(None, None, None)
    marks.seen.gate.set()
    found = await results(tasks)
    assert all(found[at] for at in (0, 1, 2, 4))
    assert marks.database.statistics().in_use == 0


async def test_a_lost_connection_is_told_to_all_and_nothing_is_sent_again(marks: Marks) -> None:
    tasks, block = await _blocked(marks, "m1", "m2")
    ended = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    await marks.database.fetch_row(ended, ())
    found = await results(tasks[2:])
    assert all(isinstance(each, DatabaseUnavailable) for each in found)
    assert found[0] is not found[1]
    await block.__aexit__(None, None, None)
    marks.seen.gate.set()
    await results(tasks)
    assert await marks.names() == {"first", "second"}


async def test_a_row_that_the_database_leaves_out_is_missed_by_its_own_request_only(marks: Marks) -> None:
    await marks.database.execute("CREATE FUNCTION leave() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'", ())
    await marks.database.execute(
        "CREATE TRIGGER leave BEFORE INSERT ON marks FOR EACH ROW WHEN (NEW.name = 'left') EXECUTE FUNCTION leave()", ()
    )
    tasks = await marks.held_up("m1", "left", "m2")
    marks.seen.gate.set()
    found = await results(tasks)
    assert [each is None for each in found] == [False, False, False, True, False]


async def test_after_a_failure_rows_go_alone_for_a_while(marks: Marks) -> None:
    await marks.write("taken")
    tasks = await marks.held_up("m1", "taken")
    marks.seen.gate.set()
    await results(tasks)
    before = len(marks.seen.rows)
    await asyncio.gather(*(marks.write(f"n{at}") for at in range(10)))
    assert marks.seen.rows[before:] == [1] * 10


async def test_requests_that_are_watched_hear_of_their_own_statement(marks: Marks) -> None:
    from codeai.storage.watching import WATCHER

    heard: list[str] = []

    class Watcher:
        async def watch(self, statement: str, call: Awaitable[Any]) -> Any:
            heard.append(statement)
            return await call

    tasks = await marks.held_up("m1", "m2")
    token = WATCHER.set(Watcher())
    watched = marks.write("m3")
    WATCHER.reset(token)
    await asyncio.sleep(0)
    marks.seen.gate.set()
    await results([*tasks, watched])
    assert heard == [_ONE]
