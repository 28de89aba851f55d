"""Activations are claimed by one, whose lease fences others out; what a worker loses, or leaves behind, is done all the same."""

import asyncio

import pytest
from dispatching import Away, Make, Mute, Odd, Slow, Time, Worker, rows

from codeai.durable.dispatch.claiming import LEASE_MS
from codeai.durable.dispatch.protocol import Claim, LeaseLost
from codeai.storage.errors import DatabaseUnavailable
from codeai.storage.interface import Database
from services.polling import eventually


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
    gate = paused.pause()
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
    stopping.pause()  # DBOS may deliver it meanwhile
    await stopping.dispatcher.run_due()  # there is nothing yet: DBOS makes its tables, which claims need
    await stopping.offer("a")
    assert [claim.subject for claim in await stopping.dispatcher._claimed(5)] == ["a"]  # whose answer was lost
    await stopping.dispatcher.start()
    await stopping.dispatcher.stop(0.05)
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
    gate = worker.pause()
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
    gate = worker.pause()
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
    gate = worker.pause()
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


async def test_no_error_ends_the_loops_of_a_worker(database: Database, make: Make) -> None:
    odd = Odd(database)
    worker = make(odd)
    await worker.offer("a")
    await worker.offer("b", delay_ms=100)
    await worker.dispatcher.start()
    await eventually(lambda: sorted(worker.seen) == ["a", "b"])
    assert len(odd.failed) >= 2  # the claim and the sweep
