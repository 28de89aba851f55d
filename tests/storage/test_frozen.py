"""A client that stands still in the middle of a statement: its session is ended, that of others is not (acceptance S69)."""

import struct
from typing import Any

import asyncpg
import pytest

from codeai.storage.frozen import FrozenSessions
from codeai.storage.opening import open_database
from codeai.storage.settings import from_url


async def half_a_statement(connection: asyncpg.Connection) -> None:
    """Sends Parse without Sync: what a process that is stopped between two pieces of a statement leaves."""
    body = b"\x00" + b"SELECT 1" + b"\x00" + struct.pack("!h", 0)
    connection._transport.write(b"P" + struct.pack("!i", len(body) + 4) + body)


@pytest.fixture
async def url(postgres: Any) -> str:
    found: str = postgres.create_database()
    postgres.sql("CREATE TABLE kept (id int); INSERT INTO kept VALUES (1)", found.rpartition("/")[2])
    return found


async def test_a_session_that_stands_still_in_a_statement_is_ended_with_its_locks(url: str, postgres: Any) -> None:
    database = open_database(from_url(url, max_connections=3, acquire_timeout=60.0, statement_timeout=60.0))
    settings = {"application_name": "codeai", "statement_timeout": "300", "idle_in_transaction_session_timeout": "300"}
    frozen, other = await asyncpg.connect(url, server_settings=settings), await asyncpg.connect(url)
    looking = FrozenSessions(database, after=0.5)
    waiting = (
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND wait_event = 'ClientRead'"
        " AND clock_timestamp() - state_change > interval '0.6 s'"
    )
    try:
        await frozen.execute("BEGIN")
        await frozen.execute("UPDATE kept SET id = 2")
        await half_a_statement(frozen)
        await half_a_statement(other)  # which is none of ours
        while postgres.sql(waiting) != "2":
            pass
        assert await looking.look() == 0
        assert await looking.look() == 1
        while postgres.sql(waiting) != "1":
            pass
        assert await looking.look() == 0
        await database.writing().execute("UPDATE kept SET id = 3", ())
    finally:
        frozen.terminate()
        other.terminate()
        await database.close()
