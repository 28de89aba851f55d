"""Statements that SQLite runs on one way: all of them or none, and the others only behind a row."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from codeai.storage.chain import Chain
from codeai.storage.errors import UniqueViolation
from codeai.storage.interface import Database
from codeai.storage.opening import open_database
from codeai.storage.settings import from_url

CHAIN = Chain.of(
    [("INSERT INTO a SELECT ?1, ?2 WHERE ?1 > 0 RETURNING n", 2), ("INSERT INTO b VALUES (?1)", 1), ("INSERT INTO b VALUES (?1)", 1)]
)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    found = open_database(from_url(f"sqlite:///{tmp_path}/app.db"))
    await found.start()
    for text in ("CREATE TABLE a (n INTEGER PRIMARY KEY, t TEXT)", "CREATE TABLE b (n INTEGER PRIMARY KEY)"):
        await found.writing().execute(text, ())
    yield found
    await found.close()


async def numbers(database: Database) -> tuple[list[object], list[object]]:
    a, b = [await database.fetch(f"SELECT n FROM {table} ORDER BY n", ()) for table in "ab"]
    return [row[0] for row in a], [row[0] for row in b]


async def test_each_link_has_its_own_values(database: Database) -> None:
    row = await database.writing().fetch_row(CHAIN, (1, "x", 2, 3))
    assert row is not None
    assert (row[0], await numbers(database)) == (1, ([1], [2, 3]))


async def test_without_a_row_nothing_follows(database: Database) -> None:
    assert await database.writing().fetch_row(CHAIN, (0, "x", 2, 3)) is None
    assert await numbers(database) == ([], [])


async def test_a_link_that_fails_takes_all_back_and_the_next_one_works(database: Database) -> None:
    with pytest.raises(UniqueViolation):
        await database.writing().fetch_row(CHAIN, (1, "x", 2, 2))
    assert await numbers(database) == ([], [])
    await database.writing().fetch_row(CHAIN, (1, "x", 2, 3))
    assert await numbers(database) == ([1], [2, 3])


async def test_within_a_transaction_it_is_a_part_of_it(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as session:
            await session.fetch_row(CHAIN, (1, "x", 2, 3))
            raise ZeroDivisionError
    assert await numbers(database) == ([], [])
