"""Jobs, events and handlers in one process: ``python benchmarks/later.py [postgresql|sqlite] [COUNT]``.

No-op jobs through a queue (per second, and how long one takes when nothing else happens), from the commit of an event to its handler,
and what an event adds to a creation: both by processor time of this process and by requests per second, alternating.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "events")]

import uvloop  # noqa: E402
from emitting import ENVIRONMENT, Running  # noqa: E402

from codeai.server.composition import Composition  # noqa: E402
from codeai.server.database import synchronise_here  # noqa: E402
from codeai.server.settings import read_settings  # noqa: E402
from codeai.storage.opening import open_database  # noqa: E402
from codeai.storage.settings import from_url  # noqa: E402
from services.postgres import PostgresServer  # noqa: E402
from services.programs import application_of  # noqa: E402

PROGRAM = """
config { name: "later"  default_auth: public }
entity Note { id: uuid, primary, auto  text: string, required }
entity Told { id: uuid, primary, auto  text: string, required }
event Heard { payload { id: uuid, required, text: string } }
event Unheard { payload { id: uuid, required, text: string } }
on Heard { log debug "{event.text}" }
job Nothing { do { return 1 } }
endpoint POST /plain { body { text: string, required }  returns: Note }
endpoint POST /heard { body { text: string, required }  returns: Note  on_success: emit(Heard) }
endpoint POST /unheard { body { text: string, required }  returns: Note  on_success: emit(Unheard) }
"""


async def opened(url: str, *, working: bool) -> Running:
    """The program on an empty database."""
    application, settings = application_of(PROGRAM), from_url(url)
    await asyncio.to_thread(synchronise_here, settings, application, True)
    values = {**ENVIRONMENT}
    composition = Composition(application, read_settings(values, {}), open_database(settings), values, folder=ROOT)
    found = Running(composition, url)
    await composition.start()
    if not working:
        await composition.dispatcher.stop(1)
    return found


async def enqueued(app: Running, count: int) -> None:
    executions = app.composition.durable.executions
    async with app.database.transaction() as session:
        for _ in range(count):
            await executions.begin(session, "job", "Nothing", {})


async def jobs(url: str, count: int) -> None:
    """No-op jobs."""
    app = await opened(url, working=False)
    await enqueued(app, count)
    unfinished = "SELECT count(*) FROM executions WHERE status <> 'completed'"
    began, used = time.perf_counter(), time.process_time()
    await app.composition.dispatcher.start()
    while await app.one(unfinished):  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    print(
        f"no-op jobs: {count / (time.perf_counter() - began):.0f}/s, {(time.process_time() - used) / count * 1e6:.0f} us of processor each"
    )
    ended, times = asyncio.Event(), []
    app.composition.durable.parts.on_change = lambda name, status, seconds: ended.set()
    for _ in range(60):
        await asyncio.sleep(0.02)
        ended.clear()
        began = time.perf_counter()
        await enqueued(app, 1)
        await ended.wait()
        times.append((time.perf_counter() - began) * 1000)
    print(f"one job, idle: p50 {statistics.median(times):.1f} ms")
    await app.close()


async def handler(url: str) -> None:
    """From the request that emits to the handler."""
    app = await opened(url, working=True)
    heard, times = asyncio.Event(), []
    app.composition.eventing._deliverer.observer = lambda *_: heard.set()  # type: ignore[union-attr]  # it has been made
    for _ in range(60):
        await asyncio.sleep(0.02)
        heard.clear()
        answer = await app.http.post("/heard", json={"text": "a"})
        assert answer.status_code == 201, answer.text
        began = time.perf_counter()
        await heard.wait()
        times.append((time.perf_counter() - began) * 1000)
    print(f"answer to handler done, idle: p50 {statistics.median(times):.1f} ms, p90 {statistics.quantiles(times, n=10)[-1]:.1f} ms")
    await app.close()


async def creations(url: str, count: int, rounds: int = 6) -> None:
    """A creation without and with an event, while nobody relays in this process."""
    app = await opened(url, working=False)
    found: dict[str, list[tuple[float, float]]] = {"/plain": [], "/unheard": [], "/heard": []}

    async def lane(path: str, number: int) -> None:
        for _ in range(number):
            assert (await app.http.post(path, json={"text": "a"})).status_code == 201

    for _ in range(rounds):
        for path, times in found.items():
            began, used = time.perf_counter(), time.process_time()
            await asyncio.gather(*(lane(path, count // 32) for _ in range(32)))
            times.append((time.perf_counter() - began, time.process_time() - used))
    base = [statistics.median(column) for column in zip(*found["/plain"], strict=True)]
    for path, times in found.items():
        wall, used = (statistics.median(column) for column in zip(*times, strict=True))
        print(f"create {path}: {base[0] / wall:.2f} of plain by time, {base[1] / used:.2f} by processor time (with the client's)")
    await app.close()


def run(work: Coroutine[Any, Any, None]) -> None:
    """Runs something in the loop that servers have."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work)


def main(kind: str, count: int) -> None:
    """Prints what was measured."""
    cases: tuple[Callable[[str], Any], ...] = (lambda url: jobs(url, count), handler, lambda url: creations(url, 640))
    if kind == "sqlite":
        for case in cases:
            with tempfile.TemporaryDirectory() as folder:
                run(case(f"sqlite:///{folder}/app.db"))
        return
    server = PostgresServer()
    try:
        server.start()
        for number, case in enumerate(cases):
            run(case(server.create_database(f"later{number}")))
    finally:
        server.remove()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "postgresql", int(sys.argv[2]) if len(sys.argv) > 2 else 5_000)
