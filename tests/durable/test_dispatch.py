"""Activations: offered with their reason, run once and in their order; the same with either dispatcher."""

import asyncio

import pytest
from dispatching import Make, Time, Trips, Worker, rows

from codeai.durable.dispatch import local
from codeai.durable.dispatch.protocol import Claim, Offer, Queues
from codeai.storage.interface import Database
from services.polling import eventually


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


@pytest.fixture
def seldom_swept(monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes within a test comes without the sweep."""
    monkeypatch.setattr(local, "SWEEP_EVERY", 3_600.0)


async def test_a_commit_wakes_the_loop_in_this_process(seldom_swept: None, worker: Worker) -> None:
    await worker.dispatcher.start()
    await asyncio.sleep(0.05)
    await worker.offer("a")
    await eventually(lambda: worker.seen == ["a"])


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


async def test_a_due_time_sooner_than_the_sweep_is_kept(seldom_swept: None, worker: Worker) -> None:
    await worker.dispatcher.start()
    await asyncio.sleep(0.05)
    await worker.offer("a", delay_ms=50)
    await eventually(lambda: worker.seen == ["a"])


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
    async def together(claim: Claim) -> None:
        await eventually(lambda: worker.most >= 3)
        await asyncio.sleep(0.005)

    worker.action = together
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
