"""Queues while the server runs: weights, pauses, concurrency and rates hold over all processes."""

import asyncio
from typing import Any

import pytest
from scheduling import Clock, Opening

from codeai.durable.dispatch.limits import Limit
from codeai.durable.dispatch.local import LocalDispatcher
from codeai.durable.dispatch.protocol import Claim, Queues
from codeai.jobs.queues import QueueDesk, UnknownQueue, queues_of
from codeai.storage.interface import Database

WEIGHTS = {"critical": 6, "default": 3, "low": 1}


class Load:
    """How much runs at a time, over all workers that share it."""

    def __init__(self) -> None:
        self.running = 0
        self.most = 0

    async def __aenter__(self) -> None:
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(0.01)

    async def __aexit__(self, *_: object) -> None:
        self.running -= 1


class Worker:
    """A process that works on executions (and on other things)."""

    def __init__(self, database: Database, clock: Clock, concurrency: int = 10, load: Load | None = None) -> None:
        self.database = database
        queues = queues_of(WEIGHTS, concurrency)
        self.desk = QueueDesk(database, queues)
        self.dispatcher = LocalDispatcher(database, queues, clock=clock.milliseconds)
        self.seen: list[str] = []
        self.load = load or Load()
        for kind in ("execution", "delivery"):
            self.dispatcher.register(kind, self._handle)

    async def _handle(self, claim: Claim) -> None:
        self.seen.append(claim.subject)
        async with self.load, self.database.transaction() as session:
            await self.dispatcher.done(session, claim)

    async def offer(self, *subjects: str, queue: str = "default", kind: str = "execution", **more: Any) -> None:
        async with self.database.transaction() as session:
            for subject in subjects:
                await self.dispatcher.offer(session, kind, subject, queue=queue, **more)

    async def change(self, name: str, **values: Any) -> None:
        async with self.database.transaction() as session:
            await self.desk.change(session, name, Limit(**values), Clock("2026-05-10T12:00:00Z").now)


@pytest.fixture
def clock() -> Clock:
    return Clock("2026-05-10T12:00:00Z")


@pytest.fixture
async def worker(opened: Opening, clock: Clock) -> Worker:
    return Worker(await opened(), clock)


async def test_a_paused_queue_rests_and_the_others_go_on(worker: Worker) -> None:
    await worker.change("low", paused=True)
    await worker.offer("a", "b", queue="low")
    await worker.offer("c", queue="critical")
    await worker.dispatcher.run_due()
    assert worker.seen == ["c"]
    await worker.change("low")
    await worker.dispatcher.run_due()
    assert worker.seen == ["c", "a", "b"]


async def test_limits_concern_executions_alone(worker: Worker) -> None:
    await worker.change("default", paused=True)
    await worker.offer("a")
    await worker.offer("d", kind="delivery")
    await worker.offer("e", kind="delivery", order_key="k")
    await worker.dispatcher.run_due()
    assert sorted(worker.seen) == ["d", "e"]


async def test_no_more_run_at_a_time_than_the_queue_allows(worker: Worker) -> None:
    await worker.change("default", concurrency=2)
    await worker.offer(*(f"j{number}" for number in range(7)))
    await worker.offer("x", "y", lane="lane", lane_limit=5)
    await worker.dispatcher.run_due()
    assert sorted(worker.seen) == sorted([*(f"j{number}" for number in range(7)), "x", "y"])
    assert worker.load.most == 2


async def test_concurrency_holds_over_processes(opened: Opening, clock: Clock) -> None:
    load = Load()
    workers = [Worker(await opened(), clock, load=load) for _ in range(2)]
    await workers[0].change("default", concurrency=1)
    await workers[0].offer("a", "b", "c", "d")
    while sum(len(one.seen) for one in workers) < 4:
        await asyncio.gather(*(one.dispatcher.run_due() for one in workers))
    assert load.most == 1


async def test_a_rate_lets_so_many_begin_in_its_time(worker: Worker, clock: Clock) -> None:
    await worker.change("default", rate=3, rate_ms=60_000)
    await worker.offer(*(f"j{number}" for number in range(8)))
    seen = []
    for seconds in (0, 10, 10, 60, 600):
        clock.advance(seconds=seconds)
        await worker.dispatcher.run_due()
        seen.append(len(worker.seen))
    assert seen == [3, 3, 4, 7, 8]


async def test_a_rate_holds_over_processes(opened: Opening, clock: Clock) -> None:
    workers = [Worker(await opened(), clock) for _ in range(2)]
    await workers[0].change("default", rate=5, rate_ms=60_000)
    await workers[0].offer(*(f"j{number}" for number in range(20)))
    await asyncio.gather(*(one.dispatcher.run_due() for one in workers))
    assert sum(len(one.seen) for one in workers) == 5


async def test_every_queue_makes_progress_by_weight(opened: Opening, clock: Clock) -> None:
    worker = Worker(await opened(), clock, concurrency=10)
    for queue in WEIGHTS:
        await worker.offer(*(f"{queue}{number}" for number in range(60)), queue=queue)
    await worker.dispatcher.run_due()
    first = worker.seen[:60]
    counts = {queue: sum(subject.startswith(queue) for subject in first) for queue in WEIGHTS}
    assert counts["critical"] > counts["default"] > counts["low"] > 0


async def test_weights_change_while_the_server_runs(worker: Worker) -> None:
    await worker.change("low", weight=20)
    for queue in WEIGHTS:
        await worker.offer(*(f"{queue}{number}" for number in range(60)), queue=queue)
    await worker.dispatcher.run_due()
    counts = {queue: sum(subject.startswith(queue) for subject in worker.seen[:60]) for queue in WEIGHTS}
    assert counts["low"] > counts["critical"] > counts["default"] > 0


async def test_the_lower_priority_runs_first(opened: Opening, clock: Clock) -> None:
    worker = Worker(await opened(), clock, concurrency=1)
    for priority, subject in ((9, "last"), (1, "first"), (5, "middle")):
        await worker.offer(subject, priority=priority)
    await worker.dispatcher.run_due()
    assert worker.seen == ["first", "middle", "last"]


async def test_states_say_how_much_lies_where(worker: Worker) -> None:
    await worker.offer("a", "b", queue="low")
    await worker.offer("c", queue="low", delay_ms=60_000)
    await worker.change("low", rate=10, rate_ms=1000, paused=True)
    states = {state.name: state for state in await worker.desk.states()}
    assert list(states) == ["critical", "default", "low"]
    low = states["low"]
    assert (low.ready, low.running, low.later, low.paused, low.rate, low.weight) == (2, 0, 1, True, 10, 1)


async def test_an_unknown_queue_is_said_to_be_unknown(worker: Worker) -> None:
    with pytest.raises(UnknownQueue):
        await worker.change("lwo", paused=True)


def test_there_is_always_a_default_queue() -> None:
    assert queues_of({"low": 1}, None) == Queues({"default": 1, "low": 1})
    assert queues_of({"default": 4}, 7) == Queues({"default": 4}, 7)
