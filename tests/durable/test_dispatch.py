"""Activations: offered with their reason, claimed by one, settled under a fence; the same with either dispatcher."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from shared_engine import SharedEngine

from codeai.durable.dispatch.claiming import LEASE_MS
from codeai.durable.dispatch.dbos.dispatcher import DbosDispatcher
from codeai.durable.dispatch.local import LocalDispatcher
from codeai.durable.dispatch.protocol import Claim, LeaseLost, Offer, Queues
from codeai.storage.errors import DatabaseUnavailable
from codeai.storage.interface import Database, Session
from services.polling import eventually


class Time:
    def __init__(self) -> None:
        self.now = 1_000_000_000_000

    def __call__(self) -> int:
        return self.now


class Worker:
    """A dispatcher with a handler that remembers."""

    def __init__(self, database: Database, engine: SharedEngine | None = None, **arguments: object) -> None:
        self.database = database
        self.dispatcher: LocalDispatcher = (
            LocalDispatcher(database, **arguments)  # type: ignore[arg-type]
            if engine is None
            else DbosDispatcher(database, engine.share(), **arguments)  # type: ignore[arg-type]
        )
        self.seen: list[str] = []
        self.claims: list[Claim] = []
        self.running = 0
        self.most = 0
        self.action: Callable[[Claim], object] | None = None
        self.dispatcher.register("work", self._handle)

    async def _handle(self, claim: Claim) -> None:
        self.claims.append(claim)
        self.seen.append(claim.subject)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            if self.action is not None and await self.action(claim):  # type: ignore[misc]
                return
            async with self.database.transaction() as session:
                await self.dispatcher.done(session, claim)
        finally:
            self.running -= 1

    async def begin(self, *subjects: str) -> None:
        """Offers, and waits until the handler works on all of it."""
        for subject in subjects:
            await self.offer(subject)
        if isinstance(self.dispatcher, DbosDispatcher):
            await self.dispatcher._open()
        await self.dispatcher._fill()
        await eventually(lambda: len(self.seen) == len(subjects))

    async def offer(self, subject: str, **arguments: object) -> None:
        async with self.database.transaction() as session:
            await self.dispatcher.offer(session, "work", subject, **arguments)  # type: ignore[arg-type]


Make = Callable[..., Worker]


@pytest.fixture
async def make(database: Database, engine: SharedEngine | None) -> AsyncIterator[Make]:
    """Makes workers, which are stopped in the end."""
    made: list[Worker] = []

    def one(database: Database, **arguments: object) -> Worker:
        made.append(Worker(database, engine, **arguments))
        return made[-1]

    yield one
    for worker in made:
        await worker.dispatcher.stop(5)


@pytest.fixture
def worker(database: Database, make: Make) -> Worker:
    return make(database)


async def rows(database: Database) -> list[tuple[object, ...]]:
    return [tuple(row) for row in await database.fetch("SELECT subject, state, fence, attempts FROM codeai_activations ORDER BY id", ())]


async def test_an_offer_runs_once_and_leaves_nothing(worker: Worker) -> None:
    await worker.offer("a")
    assert await worker.dispatcher.run_due() == 1
    assert worker.seen == ["a"]
    assert await rows(worker.database) == []


async def test_an_offer_goes_with_its_transaction(worker: Worker) -> None:
    with pytest.raises(ZeroDivisionError):
        async with worker.database.transaction() as session:
            await worker.dispatcher.offer(session, "work", "a")
            raise ZeroDivisionError
    assert await worker.dispatcher.run_due() == 0


async def test_a_commit_wakes_the_loop_in_this_process(worker: Worker) -> None:
    await worker.dispatcher.start()
    await asyncio.sleep(0.05)
    await worker.offer("a")
    await eventually(lambda: worker.seen == ["a"], 0.9)  # sooner than the sweep


async def test_a_subject_that_waits_is_offered_once(worker: Worker) -> None:
    for _ in range(3):
        await worker.offer("a")
    await worker.dispatcher.run_due()
    assert worker.seen == ["a"]


async def test_an_offer_during_the_work_runs_it_once_more(worker: Worker) -> None:
    async def offer_again(claim: Claim) -> None:
        if len(worker.seen) == 1:
            await worker.offer("a")

    worker.action = offer_again
    await worker.offer("a")
    await worker.dispatcher.run_due()
    assert worker.seen == ["a", "a"]
    assert await rows(worker.database) == []


class Trips:
    """A session that counts the ways to the database."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.made = 0

    def __getattr__(self, name: str) -> object:
        self.made += name != "after_commit"
        return getattr(self._session, name)


async def test_many_are_offered_on_one_way_and_run_as_if_offered_one_by_one(worker: Worker) -> None:
    subjects = [str(number) for number in range(30)]
    offers = [Offer(one, order_key="k" if number % 3 else None, lane="l", lane_limit=2) for number, one in enumerate(subjects)]
    async with worker.database.transaction() as session:
        trips = Trips(session)
        await worker.dispatcher.offer_all(trips, "work", offers)  # type: ignore[arg-type]  # a session in all that is used
    assert trips.made == 1
    async with worker.database.transaction() as session:
        await worker.dispatcher.offer_all(session, "work", [Offer("0"), Offer("alone")])
    assert len(await rows(worker.database)) == 31
    await worker.dispatcher.start()
    await eventually(lambda: len(worker.seen) == 31)
    assert [int(one) for one in worker.seen if one in subjects and int(one) % 3] == [number for number in range(30) if number % 3]
    assert sorted(worker.seen) == sorted([*subjects, "alone"])
    assert worker.most <= 3


async def test_what_is_due_later_waits_for_its_time(database: Database, make: Make) -> None:
    time = Time()
    worker = make(database, clock=time)
    await worker.offer("a", delay_ms=60_000)
    assert await worker.dispatcher.run_due() == 0
    time.now += 60_000
    assert await worker.dispatcher.run_due() == 1


async def test_a_due_time_sooner_than_the_sweep_is_kept(worker: Worker) -> None:
    await worker.dispatcher.start()
    await asyncio.sleep(0.05)
    await worker.offer("a", delay_ms=50)
    await eventually(lambda: worker.seen == ["a"], 0.9)


async def test_lower_priorities_run_first(database: Database, make: Make) -> None:
    worker = make(database, queues=Queues(concurrency=1))
    for subject, priority in (("late", 9), ("first", 1), ("middle", 5)):
        await worker.offer(subject, priority=priority)
    await worker.dispatcher.run_due()
    assert worker.seen == ["first", "middle", "late"]


async def test_every_queue_makes_progress_by_its_weight(database: Database, make: Make) -> None:
    worker = make(database, queues=Queues({"critical": 6, "default": 3, "low": 1}, concurrency=10))
    async with database.transaction() as session:
        for number in range(20):
            for queue in ("critical", "default", "low"):
                await worker.dispatcher.offer(session, "work", f"{queue}{number}", queue=queue)
    await worker.dispatcher.run_due()
    first = [subject.rstrip("0123456789") for subject in worker.seen[:10]]
    assert {queue: first.count(queue) for queue in set(first)} == {"critical": 6, "default": 3, "low": 1}
    assert len(worker.seen) == 60


async def test_one_order_key_runs_one_at_a_time_in_order_also_when_one_is_tried_again(worker: Worker) -> None:
    async def fail_once(claim: Claim) -> bool:
        await asyncio.sleep(0.002)
        if claim.subject == "b" and claim.attempts == 0:
            async with worker.database.transaction() as session:
                await worker.dispatcher.later(session, claim, 20, failed=True)
            return True
        return False

    worker.action = fail_once
    for subject in ("a", "b", "c"):
        await worker.offer(subject, order_key="k")
    await worker.offer("other", order_key="o")
    await worker.dispatcher.start()
    await eventually(lambda: len(worker.seen) == 5 and not worker.running)
    assert [subject for subject in worker.seen if subject != "other"] == ["a", "b", "b", "c"]


async def test_what_has_a_lane_is_not_starved_by_what_has_none(database: Database) -> None:
    worker = Worker(database, queues=Queues(concurrency=1))
    await worker.offer("lane", lane="l", lane_limit=1)
    for number in range(200):
        await worker.offer(f"free {number}")
    await worker.dispatcher.run_due()
    assert worker.seen.index("lane") < 100
    assert len(worker.seen) == 201


async def test_a_lane_runs_so_many_at_a_time(worker: Worker) -> None:
    async def pause(claim: Claim) -> None:
        await asyncio.sleep(0.005)

    worker.action = pause
    for number in range(9):
        await worker.offer(str(number), lane="x", lane_limit=3)
    await worker.dispatcher.start()
    await eventually(lambda: len(worker.seen) == 9 and not worker.running)
    assert worker.most == 3


async def test_a_failure_is_tried_again_with_a_delay(database: Database, make: Make) -> None:
    time = Time()
    worker = make(database, clock=time)

    async def fail(claim: Claim) -> None:
        if claim.attempts < 2:
            raise RuntimeError("no")

    worker.action = fail
    await worker.offer("a")
    assert await worker.dispatcher.run_due() == 1
    assert await worker.dispatcher.run_due() == 0
    time.now += 500
    assert await worker.dispatcher.run_due() == 1
    time.now += 1_000
    assert await worker.dispatcher.run_due() == 1
    assert [claim.attempts for claim in worker.claims] == [0, 1, 2]


class Away:
    """A database that refuses writes while it is ``gone``."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.gone = False

    def __getattr__(self, name: str) -> object:
        return getattr(self._database, name)

    def writing(self) -> Session:
        if self.gone:
            raise DatabaseUnavailable("gone")
        return self._database.writing()


async def test_what_could_not_be_given_back_is_as_soon_as_the_database_answers(database: Database, make: Make) -> None:
    away = Away(database)
    worker = make(away, clock=Time())  # type: ignore[arg-type]  # time stands still: no lease ends by itself

    async def lose(claim: Claim) -> bool:
        if len(worker.seen) == 1:
            away.gone = True
            raise DatabaseUnavailable("gone")
        return False

    worker.action = lose
    await worker.offer("a")
    with pytest.raises(DatabaseUnavailable):
        await worker.dispatcher.run_due()
    away.gone = False
    await worker.dispatcher.run_due()
    assert worker.seen == ["a", "a"]
    assert await rows(database) == []


class Mute(Away):
    """Loses its next answer to a write: what was written is written."""

    def writing(self) -> Session:
        return self

    async def fetch(self, *arguments: object) -> object:
        found = await self._database.writing().fetch(*arguments)
        if self.gone and found:
            self.gone = False
            raise DatabaseUnavailable("gone")
        return found

    async def execute(self, *arguments: object) -> object:
        return await self._database.writing().execute(*arguments)


async def test_what_was_claimed_without_an_answer_is_worked_on_at_once(kind: str, database: Database, make: Make) -> None:
    mute = Mute(database)
    worker = make(mute, clock=Time())  # type: ignore[arg-type]  # time stands still: no lease ends by itself
    await worker.offer("a")
    mute.gone = True
    with pytest.raises(DatabaseUnavailable):
        await worker.dispatcher.run_due()
    if kind != "dbos":  # which may have delivered it by now
        assert [row[1] for row in await rows(database)] == [1]
    await worker.dispatcher.run_due()
    assert worker.seen == ["a"]
    assert await rows(database) == []


async def test_a_lease_that_ended_goes_to_another_and_fences_the_first_out(database: Database, make: Make) -> None:
    time = Time()
    paused, other = make(database, clock=time), make(database, clock=time)
    gate = asyncio.Event()

    async def pause(claim: Claim) -> None:
        await gate.wait()

    paused.action = pause
    await paused.begin("a")
    time.now += LEASE_MS
    assert await other.dispatcher.run_due() == 1
    with pytest.raises(LeaseLost):
        async with database.transaction() as session:
            await paused.dispatcher.hold(session, paused.claims[0])
    gate.set()
    await eventually(lambda: not paused.running)
    assert (other.claims[0].fence > paused.claims[0].fence, other.claims[0].attempts) == (True, 1)
    assert await rows(database) == []


async def test_a_worker_that_stops_gives_back_also_what_it_has_claimed_unheard(database: Database, make: Make) -> None:
    stopping = make(database)
    await stopping.offer("a")
    assert [claim.subject for claim in await stopping.dispatcher._claimed(5)] == ["a"]  # whose answer was lost
    await stopping.dispatcher.start()
    await stopping.dispatcher.stop(5)
    ((subject, state, _, attempts),) = await rows(database)
    assert (subject, state, attempts) == ("a", 0, 0)


async def test_what_its_workers_die_of_again_and_again_waits_apart_from_others(database: Database) -> None:
    """A worker that dies has claimed the culprit and others: who is tried again beside the culprit each time would be blamed, too."""
    time = Time()
    names = ["culprit", *(f"innocent {number}" for number in range(8))]
    for name in names:
        await Worker(database, clock=time).offer(name)
    done: set[str] = set()
    deaths: list[int] = []
    while len(deaths) < 6:
        dying = Worker(database, clock=time)
        await dying.dispatcher.sweep()
        found = await dying.dispatcher._claimed(50)
        if any(claim.subject == "culprit" for claim in found):
            deaths.append(time.now)  # leaves all that it has claimed
        else:
            for claim in found:
                async with database.transaction() as session:
                    await dying.dispatcher.done(session, claim)
                done.add(claim.subject)
        time.now += 100
    assert done == set(names) - {"culprit"}
    assert deaths[4] - deaths[0] > 60_000  # five within a minute would end the server
    assert deaths[1] - deaths[0] < LEASE_MS + 1_000  # an accident costs the lease and no more


async def test_a_renewed_lease_is_kept(database: Database, make: Make) -> None:
    time = Time()
    worker, other = make(database, clock=time), make(database, clock=time)
    gate = asyncio.Event()

    async def pause(claim: Claim) -> None:
        await gate.wait()

    worker.action = pause
    await worker.begin("a")
    time.now += LEASE_MS - 1
    await worker.dispatcher.renew()
    time.now += LEASE_MS - 1
    assert await other.dispatcher.run_due() == 0
    gate.set()
    await eventually(lambda: not worker.running)


async def test_a_long_transaction_costs_nobody_else_his_lease(database: Database, make: Make) -> None:
    """Whoever holds his claim in a transaction locks its row; renewing the others' does not wait for that."""
    if database.dialect == "sqlite":
        pytest.skip("one writer: renewing waits for it")
    time = Time()
    worker, other = make(database, clock=time), make(database, clock=time)
    gate = asyncio.Event()

    async def pause(claim: Claim) -> None:
        await gate.wait()

    worker.action = pause
    await worker.begin("a", "b")
    async with database.transaction() as session:
        await worker.dispatcher.hold(session, worker.claims[0])
        time.now += LEASE_MS - 1
        await worker.dispatcher.renew()
        time.now += LEASE_MS - 1
        assert await other.dispatcher.run_due() == 0  # one is renewed, the other is held
    gate.set()
    await eventually(lambda: not worker.running)


async def test_in_a_file_that_one_process_has_a_long_transaction_costs_nobody_his_lease(database: Database, make: Make) -> None:
    if database.dialect != "sqlite":
        pytest.skip("other processes use the same database")
    time = Time()
    worker = make(database, clock=time)
    gate = asyncio.Event()

    async def pause(claim: Claim) -> None:
        await gate.wait()

    worker.action = pause
    await worker.begin("a", "b")
    async with database.transaction():  # a block that takes longer than a lease
        time.now += 2 * LEASE_MS
        worker.dispatcher.leases.renewed -= 2 * LEASE_MS / 1000
        renewing = asyncio.create_task(worker.dispatcher.renew())
        await asyncio.sleep(0)
        assert worker.dispatcher.may_begin()
        sweeping = asyncio.create_task(worker.dispatcher.sweep())
        await asyncio.sleep(0)
    assert await sweeping == 0
    await renewing
    gate.set()
    await eventually(lambda: not worker.running)
    assert (worker.seen, await rows(database)) == (["a", "b"], [])


async def test_stop_gives_back_what_it_does_not_finish(database: Database, make: Make) -> None:
    worker, other = make(database), make(database)

    async def hang(claim: Claim) -> None:
        await asyncio.Event().wait()

    worker.action = hang
    await worker.offer("a")
    await worker.dispatcher.start()
    await eventually(lambda: worker.seen == ["a"])
    await worker.dispatcher.stop(0.05)
    assert await other.dispatcher.run_due() == 1


class Slow(Mute):
    """Answers a claim only when the gate is open, long after the database has done it."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.gate = asyncio.Event()
        self.claimed = asyncio.Event()

    async def fetch(self, *arguments: object) -> object:
        found = await self._database.writing().fetch(*arguments)
        if self.gone and found:
            self.claimed.set()
            await self.gate.wait()
        return found


async def test_a_claim_on_its_way_while_a_worker_stops_is_worked_on_or_given_back(database: Database, make: Make) -> None:
    slow = Slow(database)
    worker, other = make(slow, clock=Time()), make(database, clock=Time())  # no lease ends by itself
    await worker.offer("a")
    slow.gone = True
    await worker.dispatcher.start()
    await slow.claimed.wait()
    stopping = asyncio.create_task(worker.dispatcher.stop(5))
    await asyncio.sleep(0)
    slow.gate.set()
    await stopping
    await other.dispatcher.run_due()
    assert [*worker.seen, *other.seen] == ["a"]


class Odd(Away):
    """Fails as no database does, once for each statement of a worker."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.failed: set[object] = set()

    def writing(self) -> Session:
        return self

    async def fetch(self, statement: str, values: object) -> object:
        if statement not in self.failed:
            self.failed.add(statement)
            raise RuntimeError("the transport is closed")
        return await self._database.writing().fetch(statement, values)

    async def execute(self, *arguments: object) -> object:
        return await self._database.writing().execute(*arguments)


async def test_no_error_ends_the_loops_of_a_worker(database: Database, make: Make) -> None:
    odd = Odd(database)
    worker = make(odd)
    await worker.offer("a")
    await worker.offer("b", delay_ms=100)
    await worker.dispatcher.start()
    await eventually(lambda: sorted(worker.seen) == ["a", "b"])
    assert len(odd.failed) >= 2  # the claim and the sweep


async def test_two_workers_share_the_work_and_never_double_it(database: Database, make: Make) -> None:
    workers = [make(database, queues=Queues(concurrency=7)) for _ in range(2)]
    async with database.transaction() as session:
        for number in range(200):
            await workers[0].dispatcher.offer(session, "work", str(number))
    for worker in workers:
        await worker.dispatcher.start()
    await eventually(lambda: sum(len(worker.seen) for worker in workers) >= 200)
    for worker in workers:
        await worker.dispatcher.stop(5)
    assert sorted((*workers[0].seen, *workers[1].seen), key=int) == [str(number) for number in range(200)]
    assert await rows(database) == []


async def test_an_offer_can_be_withdrawn_until_somebody_works_on_it(worker: Worker) -> None:
    await worker.offer("a")
    async with worker.database.transaction() as session:
        assert await worker.dispatcher.withdraw(session, "work", "a")
        assert not await worker.dispatcher.withdraw(session, "work", "a")
    assert await worker.dispatcher.run_due() == 0
