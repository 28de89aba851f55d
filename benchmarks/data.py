"""The rows behind the benchmarks: 100,000 posts and letters of 1,000 authors, the same on both databases."""

import asyncio
import datetime
import random
import sqlite3
import subprocess
import uuid
from pathlib import Path

import asyncpg

from services.postgres import PostgresServer

ROWS, AUTHORS = 100_000, 1_000
OWNER = "owner-7"
_SOURCE = random.Random(1)
_BEGIN = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def _key() -> uuid.UUID:
    return uuid.UUID(int=_SOURCE.getrandbits(128), version=4)


AUTHOR_KEYS = [_key() for _ in range(AUTHORS)]
POST_KEYS = [_key() for _ in range(ROWS)]
_STATES = ("draft", "published", "archived")
POSTS = [
    (
        key,
        f"Post number {at}",
        "x" * 200,
        _STATES[at % 3],
        at % 500,
        AUTHOR_KEYS[at % AUTHORS],
        _BEGIN + datetime.timedelta(seconds=at * 37),
    )
    for at, key in enumerate(POST_KEYS)
]
LETTERS = [
    (key, title, body, status, views, OWNER if at % 2 else "nobody", made)
    for at, (key, title, body, status, views, _, made) in enumerate(POSTS)
]


async def _copy(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.copy_records_to_table(
        "authors", records=[(key, f"Author {at}") for at, key in enumerate(AUTHOR_KEYS)], columns=["id", "name"]
    )
    columns = ["id", "title", "body", "status", "views", "author", "created_at"]
    await connection.copy_records_to_table("posts", records=POSTS, columns=columns)
    await connection.copy_records_to_table("letters", records=LETTERS, columns=[*columns[:5], "owner", "created_at"])
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


def fill_postgres(url: str) -> None:
    """Fills the tables that the program has made."""
    asyncio.run(_copy(url))


_MANY = """
INSERT INTO posts (id, title, body, status, views, author, created_at)
SELECT gen_random_uuid(), 'Post number ' || n, repeat('x', 200), (ARRAY['draft', 'published', 'archived'])[n % 3 + 1], n % 500,
    (SELECT id FROM authors), '2026-01-01'::timestamptz + n * interval '37 s' FROM generate_series(1, {posts}) AS n;
INSERT INTO letters (id, title, body, status, views, owner, created_at)
SELECT gen_random_uuid(), 'Letter number ' || n, repeat('x', 200), 'sent', n % 500, 'owner-' || n % 100,
    '2026-01-01'::timestamptz + n * interval '37 s' FROM generate_series(1, {letters}) AS n;
INSERT INTO notes SELECT * FROM letters;
"""


def fill_many(url: str, posts: int = 1_000_000, letters: int = 100_000) -> None:
    """Many rows, made by the database, in the tables that the program has made; notes are what letters are."""

    async def fill() -> None:
        connection = await asyncpg.connect(url)
        await connection.execute("INSERT INTO authors (id, name) VALUES (gen_random_uuid(), 'Author')")
        await connection.execute(_MANY.format(posts=posts, letters=letters))
        await connection.execute("VACUUM ANALYZE")
        await connection.close()

    asyncio.run(fill())


def fill_sqlite(path: Path) -> None:
    """The same rows in SQLite, in the formats that the program stores."""
    with sqlite3.connect(path) as database:
        stamp = "%Y-%m-%dT%H:%M:%S.%fZ"
        database.executemany(
            "INSERT INTO authors (id, name) VALUES (?, ?)", [(str(key), f"Author {at}") for at, key in enumerate(AUTHOR_KEYS)]
        )
        rows = [(str(k), t, b, s, v, str(a), made.strftime(stamp)) for k, t, b, s, v, a, made in POSTS]
        database.executemany("INSERT INTO posts (id, title, body, status, views, author, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    database.close()


def pin(server: PostgresServer, core: int) -> None:
    """Keeps the database on a core."""
    assert server._process is not None
    subprocess.run(["taskset", "-acp", str(core), str(server._process.pid)], check=True, capture_output=True)
