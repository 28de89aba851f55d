"""However much is ready, a claim costs the same; what is put aside has its turn in the end, and in order."""

import os

import pytest
from counting import Watched, cost

from codeai.durable.dispatch.local import LocalDispatcher
from codeai.durable.dispatch.protocol import Claim, Queues
from codeai.storage.interface import Database
from codeai.storage.settings import DatabaseSettings

SIZES = (10_000, 100_000) if os.environ.get("FAULTS") == "all" else (3_000, 12_000)  # more than the claims of a test put aside
COLUMNS = "kind, subject, queue, priority, state, ready_ms, order_key, lane, lane_limit, fence, attempts, again, created_ms"
NUMBERS = {
    "postgresql": "generate_series(1, $1) AS n",
    "sqlite": "(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < ?1) SELECT n FROM s)",
}
SHAPES = {
    "free": ("'work'", "NULL", "NULL", "NULL"),
    "one order": ("'work'", "'k'", "NULL", "NULL"),
    "an order each": ("'work'", "'k' || n", "NULL", "NULL"),
    "few orders": ("'work'", "'k' || (n % 7)", "NULL", "NULL"),
    "one lane": ("'work'", "NULL", "'l'", "8"),
    "many lanes": ("'work'", "NULL", "'l' || (n % 40)", "2"),
    "orders in lanes": ("'work'", "'k' || (n % 50)", "'l' || (n % 5)", "4"),
    "a paused queue": ("'execution'", "NULL", "NULL", "NULL"),
    "a paused queue with lanes": ("'execution'", "NULL", "'l'", "8"),
    "a queue with a limit": ("'execution'", "NULL", "'l'", "8"),
}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def fill(database: Database, shape: str, size: int) -> None:
    kind, key, lane, limit = SHAPES[shape]
    # Emptied so, a table of PostgreSQL keeps nothing of what a shape before had in it, whether it was vacuumed meanwhile or not.
    emptied = "TRUNCATE codeai_activations" if database.dialect == "postgresql" else "DELETE FROM codeai_activations"
    await database.writing().execute(emptied, ())
    await database.writing().execute("DELETE FROM codeai_queues", ())
    if "paused" in shape or "limit" in shape:
        limits = "NULL, 1" if "paused" in shape else "20, 0"
        columns = "name, weight, concurrency, paused, updated_at"
        moment = "now()" if database.dialect == "postgresql" else "'2026-01-01T00:00:00.000000Z'"
        values = f"'default', 1, {limits}, {moment}"
        await database.writing().execute(f"INSERT INTO codeai_queues ({columns}) VALUES ({values})", ())
    row = f"{kind}, 's' || n, 'default', 5, 0, 0, {key}, {lane}, {limit}, 0, 0, 0, 0"
    text = f"INSERT INTO codeai_activations ({COLUMNS}) SELECT {row} FROM {NUMBERS[database.dialect]}"
    await database.writing().execute(text, (size,))
    if database.dialect == "postgresql":
        await database.writing().execute("ANALYZE codeai_activations", ())


class Clerk:
    """Claims, and ends what it has claimed."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.watched = Watched(database)
        self.dispatcher = LocalDispatcher(self.watched, Queues(concurrency=10))  # type: ignore[arg-type]  # it stands for one

    async def claim(self) -> list[Claim]:
        await self.dispatcher._limits.refresh()
        self.dispatcher.wake_restricted()
        self.watched.sent.clear()
        return await self.dispatcher._claimed(10)

    async def end(self, claims: list[Claim]) -> None:
        for claim in claims:
            async with self.database.transaction() as session:
                await self.dispatcher.done(session, claim)


@pytest.mark.parametrize("shape", SHAPES)
async def test_a_claim_costs_the_same_however_much_is_ready(database: Database, settings: DatabaseSettings, shape: str) -> None:
    costs: list[list[int]] = []
    for size in SIZES:
        await fill(database, shape, size)
        clerk, found = Clerk(database), list[int]()
        for _ in range(4):
            claims = await clerk.claim()
            sent = list(clerk.watched.sent)
            found.append(await cost(database, str(settings.path), sent))
            await clerk.end(claims)
        costs.append(found)
    small, large = costs
    assert all(one <= 2 * max(small) + 200 for one in large), (small, large)  # four times as much would be four times the cost


# What is free, what is restricted; from a queue with a limit both of each sort, and how much it allows.
@pytest.mark.parametrize(("shape", "most"), [("one lane", 2), ("many lanes", 2), ("few orders", 2), ("a queue with a limit", 5)])
async def test_a_claim_asks_the_database_a_few_times_however_many_lanes_there_are(database: Database, shape: str, most: int) -> None:
    await fill(database, shape, 40)
    clerk = Clerk(database)
    for _ in range(3):
        claims = await clerk.claim()
        assert claims
        assert len(clerk.watched.sent) <= most
        await clerk.end(claims[::2])


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if "paused" not in shape])
async def test_everything_has_its_turn_in_its_order(database: Database, shape: str) -> None:
    await fill(database, shape, 400)
    clerk, order, running = Clerk(database), list[Claim](), list[Claim]()
    keys = {row[0]: (row[1], row[2]) for row in await database.fetch("SELECT id, order_key, lane FROM codeai_activations", ())}
    limits = {row[0]: row[1] for row in await database.fetch("SELECT DISTINCT lane, lane_limit FROM codeai_activations", ())}
    while len(order) < 400:
        claims = await clerk.claim()
        assert claims or running, f"{400 - len(order)} are left behind"
        order += claims
        running += claims
        held = [keys[claim.id] for claim in running]
        assert all(sum(key == one for one, _ in held) <= 1 for key, _ in held if key is not None)
        assert all(sum(lane == one for _, one in held) <= limits[lane] for _, lane in held if lane is not None)
        await clerk.end(running[::2] if claims else running)
        running = running[1::2] if claims else []
    for key in {key for key, _ in keys.values() if key is not None}:
        mine = [claim.id for claim in order if keys[claim.id][0] == key]
        assert mine == sorted(mine)


async def test_what_a_paused_queue_holds_does_not_hinder_deliveries(database: Database) -> None:
    await fill(database, "a paused queue with lanes", 300)
    clerk = Clerk(database)
    async with database.transaction() as session:
        await clerk.dispatcher.offer(session, "delivery", "d1")
        await clerk.dispatcher.offer(session, "delivery", "d2", order_key="k", lane="webhook:x", lane_limit=1)
        await clerk.dispatcher.offer(session, "delivery", "d3", order_key="k", lane="webhook:x", lane_limit=1)
    assert [claim.subject for claim in await clerk.claim()] == ["d1", "d2"]


async def test_withdrawing_the_first_of_an_order_is_the_next_one_s_turn(database: Database) -> None:
    await fill(database, "one order", 5)
    clerk = Clerk(database)
    first = await clerk.claim()
    async with database.transaction() as session:
        await clerk.dispatcher.later(session, first[0], 3_600_000)
    assert await clerk.claim() == []
    async with database.transaction() as session:
        assert await clerk.dispatcher.withdraw(session, "work", "s1")
    assert [claim.subject for claim in await clerk.claim()] == ["s2"]


async def test_what_stands_behind_nobody_comes_to_light(database: Database) -> None:
    await fill(database, "one order", 5)
    clerk = Clerk(database)
    [first] = await clerk.claim()
    # A process that knows nothing of orders put aside ends the first one.
    await database.writing().execute(f"DELETE FROM codeai_activations WHERE id = {first.id}", ())
    assert await clerk.claim() == []
    await clerk.dispatcher._ordered.check()
    assert [claim.subject for claim in await clerk.claim()] == ["s2"]


async def test_one_that_is_put_behind_another_is_not_forgotten_when_that_one_ends_meanwhile(
    database: Database, settings: DatabaseSettings
) -> None:
    if database.dialect == "sqlite":
        return  # one writer: nothing ends meanwhile
    await fill(database, "one order", 3)
    clerk = Clerk(database)
    [first] = await clerk.claim()
    await database.writing().execute("UPDATE codeai_activations SET state = 0 WHERE state = 3", ())
    async with database.transaction() as session:
        await clerk.dispatcher.done(session, first)  # not committed yet, when somebody looks at those behind it
        assert [claim.subject for claim in await clerk.claim()] == []
    assert [claim.subject for claim in await clerk.claim()] == ["s2"]
