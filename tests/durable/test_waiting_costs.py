"""Many executions that wait cost indexed queries, and nothing in memory."""

import os
import tracemalloc
from collections.abc import Sequence
from typing import Any

import pytest
from counting import Watched

from codeai.durable.dispatch.local import LocalDispatcher
from codeai.durable.dispatch.statements import id_list, statements
from codeai.storage.interface import Database

WAITING = 100_000 if os.environ.get("FAULTS") == "all" else 20_000


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


FILL = {
    "postgresql": "INSERT INTO codeai_activations (kind, subject, queue, priority, state, ready_ms, fence, attempts, again, created_ms) "
    "SELECT 'execution', 'w' || n, 'default', 5, 2, 99999999999999, 0, 0, 0, 0 FROM generate_series(1, $1) AS n",
    "sqlite": "INSERT INTO codeai_activations (kind, subject, queue, priority, state, ready_ms, fence, attempts, again, created_ms) "
    "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < ?1) "
    "SELECT 'execution', 'w' || n, 'default', 5, 2, 99999999999999, 0, 0, 0, 0 FROM s",
}


async def explained(database: Database, text: str, values: Sequence[Any]) -> str:
    head = "EXPLAIN " if database.dialect == "postgresql" else "EXPLAIN QUERY PLAN "
    async with database.transaction() as session:
        return "\n".join(str(row[-1]) for row in await session.fetch(head + text, values))


@pytest.mark.parametrize("name", ["sweep", "tick"])
async def test_a_tick_over_many_sleepers_reads_an_index(database: Database, name: str) -> None:
    await database.writing().execute(FILL[database.dialect], (WAITING,))
    if database.dialect == "postgresql":
        await database.writing().execute("ANALYZE codeai_activations", ())
    values = (None, id_list([], database.dialect)) if name == "sweep" else (None,)
    plan = await explained(database, getattr(statements(database.dialect), name), values)
    assert "codeai_activations_timed_idx" in plan
    assert "Seq Scan on codeai_activations" not in plan
    assert "SCAN codeai_activations\n" not in plan + "\n"


async def test_a_tick_at_which_nothing_is_due_is_one_statement(database: Database) -> None:
    await database.writing().execute("DELETE FROM codeai_activations", ())
    await database.writing().execute(FILL[database.dialect], (10,))
    watched = Watched(database)
    dispatcher = LocalDispatcher(watched)  # type: ignore[arg-type]  # it stands for one
    for _ in range(3):
        assert await dispatcher.tick() == 1.0
    assert len(watched.sent) == 3


async def test_many_sleepers_are_not_loaded(database: Database) -> None:
    """A tick sends the same few statements and gets the same few rows, whatever sleeps."""
    ticks = []
    for sleepers in (0, WAITING):
        await database.writing().execute("DELETE FROM codeai_activations", ())
        await database.writing().execute(FILL[database.dialect], (sleepers,))
        watched = Watched(database)
        dispatcher = LocalDispatcher(watched)  # type: ignore[arg-type]  # it stands for one
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(3):
            assert await dispatcher.sweep() == 0
        assert await dispatcher.run_due() == 0
        grown = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()
        ticks.append((len(watched.sent), watched.rows))
        assert grown < 500_000
    assert ticks[0] == ticks[1]
