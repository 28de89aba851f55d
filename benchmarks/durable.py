"""Workflows of five trivial steps: ours beside a loop written by hand. ``python benchmarks/durable.py [postgresql|sqlite|dbos] [COUNT]``.

Ours runs the whole way: executions are started, claimed under leases, interpreted and recorded; fifty at a time in one process.
The loop by hand writes the same five records and one end per workflow, each in a transaction of its own, and nothing else; with rows,
it writes one beside each record. Processor times are of this process alone, and comparable on a machine that others use as well.
``dbos`` measures ours with DBOS distributing the work beside workflows of DBOS alone, one after the other, three times.
"""

import asyncio
import os
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "durable")]

import asyncpg  # noqa: E402
import uvloop  # noqa: E402  # as servers run
from programs import Peer, Process, prepared  # noqa: E402

from codeai.durable.dispatch.dbos.engine import DbosEngine  # noqa: E402
from codeai.storage.opening import open_database  # noqa: E402
from codeai.storage.settings import DatabaseSettings  # noqa: E402
from services.postgres import PostgresServer  # noqa: E402
from services.programs import application_of  # noqa: E402

PROGRAM = """
entity Note { id: int, primary, auto   text: string, required }
function twice(n: int) -> int { return n * 2 }
workflow Pure {
    input { n: int }
    steps {
        a { do { return input.n + 1 } }
        b { action: twice(steps.a.output) }
        c { do { return steps.b.output + 1 } }
        d { check: steps.c.output > 0 }
        e { do { return { a: steps.a.output, c: steps.c.output } } }
    }
}
workflow Calls {
    input { n: int }
    steps {
        a { call: Peer.ping { n: input.n } }  b { call: Peer.ping { n: 1 } }  c { call: Peer.ping { n: 2 } }
        d { call: Peer.ping { n: 3 } }  e { call: Peer.ping { n: 4 } }
    }
}
workflow Rows {
    input { n: int }
    steps {
        a { do { create Note { text: "a" } } }  b { do { create Note { text: "b" } } }  c { do { create Note { text: "c" } } }
        d { do { create Note { text: "d" } } }  e { do { create Note { text: "e" } } }
    }
}
integration Peer { base_url: "https://peer.example.com"  operation ping { method: POST path: "/" body { n: int } returns { id: string } } }
"""


APPLICATION = application_of(PROGRAM)
WARM = 10  # not counted


class Quiet(Peer):
    async def call(self, context, integration, operation, values):
        return {"id": "x"}


class Speed:
    """How fast something went, by the clock and by this process's time."""

    def __init__(self) -> None:
        self._began, self._used = time.perf_counter(), time.process_time()

    def over(self, count: int) -> "Speed":
        """It has done so many."""
        self.rate = count / (time.perf_counter() - self._began)
        self.each = (time.process_time() - self._used) / count
        return self

    def __str__(self) -> str:
        return f"{self.rate:.0f}/s, {self.each * 1e6:.0f} µs of processor time each"


async def ours(settings: DatabaseSettings, name: str, count: int, engine: DbosEngine | None = None) -> Speed:
    """How fast executions run; with an engine, DBOS distributes them."""
    database = open_database(settings)
    await database.start()
    process = Process(APPLICATION, database, None, Quiet(), engine=engine)
    await process.durable.register()
    async with database.transaction() as session:
        for number in range(count):
            await process.durable.executions.begin(session, "workflow", name, {"n": number})
    speed = Speed()
    await process.dispatcher.start()
    while (await database.fetch("SELECT count(*) FROM codeai_activations", ()))[0][0]:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    found = speed.over(count)
    await process.dispatcher.stop(5)
    done = (await database.fetch(f"SELECT count(*) FROM executions WHERE status = 'completed' AND workflow_id = '{name}'", ()))[0][0]
    assert done >= count, done
    await database.close()
    return found


async def idle(settings: DatabaseSettings, count: int = 300) -> str:
    """Milliseconds from before the start of an execution to its end on an idle machine; the first ones open connections."""
    database = open_database(settings)
    await database.start()
    process = Process(APPLICATION, database, None, Quiet())
    await process.durable.register()
    ended = asyncio.Event()
    process.durable.parts.on_change = lambda name, status, seconds: ended.set()
    await process.dispatcher.start()
    times = []
    for number in range(count + WARM):
        ended.clear()
        began = time.perf_counter()
        await process.start("Pure", {"n": number})
        await ended.wait()
        times.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(0.01)
    await process.dispatcher.stop(5)
    await database.close()
    return shown(times[WARM:])


async def starting(settings: DatabaseSettings, count: int = 500) -> str:
    """Milliseconds that a start adds to a transaction that is open anyway."""
    database = open_database(settings)
    await database.start()
    process = Process(APPLICATION, database, None, Quiet())
    await process.durable.register()
    times = []
    for number in range(count + WARM):
        async with database.transaction() as session:
            began = time.perf_counter()
            await process.durable.executions.begin(session, "workflow", "Pure", {"n": number})
            times.append((time.perf_counter() - began) * 1000)
    await database.close()
    return shown(times[WARM:])


def shown(times: list[float]) -> str:
    """Median and 99th percentile."""
    return f"p50 {statistics.median(times):.2f} ms, p99 {sorted(times)[int(len(times) * 0.99)]:.2f} ms"


async def by_hand(url: str, count: int, *, rows: bool) -> Speed:
    """How fast a loop over asyncpg is."""
    pool = await asyncpg.create_pool(url, min_size=20, max_size=20)
    await pool.execute("CREATE TABLE IF NOT EXISTS hand (id uuid, step int, output jsonb, PRIMARY KEY (id, step))")
    await pool.execute("CREATE TABLE IF NOT EXISTS hand_runs (id uuid PRIMARY KEY, status text)")
    await pool.execute("CREATE TABLE IF NOT EXISTS hand_rows (id bigserial PRIMARY KEY, text text)")
    ids = [uuid.uuid4() for _ in range(count)]
    await pool.executemany("INSERT INTO hand_runs VALUES ($1, 'pending')", [(id_,) for id_ in ids])
    waiting = iter(ids)

    async def with_row(id_: uuid.UUID, step: int) -> None:
        async with pool.acquire() as connection, connection.transaction():
            await connection.fetchrow("INSERT INTO hand_rows (text) VALUES ($1) RETURNING id, text", "a")
            await connection.execute("INSERT INTO hand VALUES ($1, $2, $3)", id_, step, "{}")

    async def lane() -> None:
        for id_ in waiting:
            for step in range(5):
                if rows:
                    await with_row(id_, step)
                else:
                    await pool.execute("INSERT INTO hand VALUES ($1, $2, $3)", id_, step, "{}")
            await pool.execute("UPDATE hand_runs SET status = 'completed' WHERE id = $1", id_)

    speed = Speed()
    await asyncio.gather(*(lane() for _ in range(50)))
    found = speed.over(count)
    await pool.close()
    return found


def measured(url_of: Callable[[str], str], count: int) -> None:
    """Prints what ours does on one kind of database."""
    for name in ("Pure", "Calls", "Rows"):
        settings = prepared(url_of(name.lower()), APPLICATION)
        print(f"ours, {name.lower()}: {uvloop.run(ours(settings, name, count))}", flush=True)
    print(f"idle, start to end: {uvloop.run(idle(prepared(url_of('idle'), APPLICATION)))}", flush=True)
    print(f"a start within a transaction adds: {uvloop.run(starting(prepared(url_of('starting'), APPLICATION)))}", flush=True)


def on_dbos(count: int) -> None:
    """Prints what ours does on DBOS, and what DBOS does alone."""
    from peers.plain_dbos import best

    server = PostgresServer()
    try:
        server.start()
        found: dict[str, list[tuple[float, float]]] = {"ours on DBOS": [], "DBOS alone": [], "ours": []}
        for turn in range(3):
            found["DBOS alone"].append(best(lambda name, turn=turn: server.create_database(f"{name}{turn}"), count // 3))
            for name in ("ours on DBOS", "ours"):
                settings = prepared(server.create_database(f"{name[-4:]}{turn}"), APPLICATION)
                processor = time.process_time()
                engine = DbosEngine(settings, concurrency=50, polling=0.02) if name == "ours on DBOS" else None
                rate = uvloop.run(ours(settings, "Pure", count, engine)).rate
                found[name].append((rate, (time.process_time() - processor) / count * 1000))
        middle = {name: sorted(pairs)[1] for name, pairs in found.items()}
        for name, (rate, milliseconds) in middle.items():
            print(f"{name}: {rate:.0f}/s, {milliseconds:.2f} ms of processor time each")
        print(f"ratio: {middle['ours on DBOS'][0] / middle['DBOS alone'][0]:.1f} (at least 3)")
    finally:
        server.remove()


def main(kind: str, count: int) -> None:
    """Prints what was measured."""
    if kind == "dbos":
        return on_dbos(count)
    if kind == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            measured(lambda name: f"sqlite:///{folder}/{name}.db", count)
        return None
    server = PostgresServer()
    try:
        server.start()
        measured(server.create_database, count)
        print(f"by hand: {uvloop.run(by_hand(server.create_database('hand'), count, rows=False))}")
        print(f"by hand, rows: {uvloop.run(by_hand(server.create_database('hand_rows'), count, rows=True))}")
    finally:
        server.remove()


if __name__ == "__main__":
    if os.environ.get("UVLOOP", "1") == "1":
        import uvloop

        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    main(sys.argv[1] if len(sys.argv) > 1 else "postgresql", int(sys.argv[2]) if len(sys.argv) > 2 else 2_000)
