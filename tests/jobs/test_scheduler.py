"""Ticks: each schedule, each instant, one run."""

import asyncio
import uuid
from typing import Any

import pytest
from scheduling import Clock, Opening

from codeai.durable.dispatch.local import LocalDispatcher
from codeai.jobs.scheduler import KIND, Scheduler, TooManyTicks, UnknownSchedule
from codeai.jobs.schedules import Planned
from codeai.model.workflow import Schedule
from codeai.storage.interface import Database, Session
from codeai.storage.portable import portable

BEGIN = "2026-05-10T12:00:00Z"


class Rows:
    """Begins runs as rows, and nothing more: what they do is the business of the durable room."""

    def __init__(self, database: Database) -> None:
        self._text = portable(
            "INSERT INTO executions (id, workflow_id, kind, version, status, compensation, origin, attempt, queue, priority, created_at) "
            "VALUES ($1, $2, $3, 'v', 'pending', 'none', $4, 1, 'default', 5, $5)",
            database.dialect,
        )
        self._postgresql = database.dialect == "postgresql"
        self.broken = False

    async def begin(self, session: Session, planned: Planned, tick: Any, *, origin: str | None, actor: str | None) -> str:
        if self.broken:
            raise ValueError("the input cannot be computed")
        identifier = uuid.uuid4()
        moment = Clock(BEGIN).now if self._postgresql else BEGIN
        row = (identifier if self._postgresql else str(identifier), planned.name, planned.kind, origin, moment)
        await session.execute(self._text, row)
        return str(identifier)


class Process:
    """What one process has: its connections, its dispatcher, its scheduler."""

    def __init__(self, database: Database, clock: Clock, *schedules: Planned) -> None:
        self.database = database
        self.schedules = {planned.name: planned for planned in schedules}
        self.dispatcher = LocalDispatcher(database, clock=clock.milliseconds)
        self.runs = Rows(database)
        self.scheduler = Scheduler(database, self.dispatcher, self.runs, lambda: self.schedules, clock)
        self.dispatcher.register(KIND, self.scheduler)

    async def ticks(self, name: str = "Report") -> list[str]:
        """The instants of the runs, in order."""
        rows = await self.database.reading().fetch("SELECT origin FROM executions WHERE workflow_id = " + f"'{name}'", ())
        return sorted(row[0].removeprefix("tick:").removesuffix(".000000Z") for row in rows if row[0])

    async def finish_all(self) -> None:
        await self.database.writing().execute("UPDATE executions SET status = 'completed'", ())

    async def until(self, clock: Clock, text: str) -> None:
        clock.set(text)
        await self.dispatcher.run_due()


def report(cron: str = "0 * * * *", **policies: Any) -> Planned:
    return Planned(name="Report", kind="job", schedule=Schedule(kind="cron", cron=cron), **policies)


@pytest.fixture
def clock() -> Clock:
    return Clock(BEGIN)


async def process(opened: Opening, clock: Clock, *schedules: Planned) -> Process:
    found = Process(await opened(), clock, *schedules)
    await found.scheduler.register()
    return found


async def test_a_tick_starts_one_run_at_its_instant(opened: Opening, clock: Clock) -> None:
    one = await process(opened, clock, report())
    await one.until(clock, "2026-05-10T12:59:59Z")
    assert await one.ticks() == []
    await one.until(clock, "2026-05-10T13:00:00Z")
    assert await one.ticks() == ["2026-05-10T13:00:00"]
    await one.until(clock, "2026-05-10T13:00:01Z")
    assert await one.ticks() == ["2026-05-10T13:00:00"]


async def test_a_started_process_registers_again_without_a_tick_more(opened: Opening, clock: Clock) -> None:
    one = await process(opened, clock, report(overlap="allow"))
    await one.until(clock, "2026-05-10T13:00:00Z")
    two = await process(opened, clock, report(overlap="allow"))
    await two.until(clock, "2026-05-10T14:00:00Z")
    await one.dispatcher.run_due()
    assert await one.ticks() == ["2026-05-10T13:00:00", "2026-05-10T14:00:00"]


OVERLAP = {
    "skip": ["2026-05-10T13:00:00"],
    "allow": ["2026-05-10T13:00:00", "2026-05-10T14:00:00"],
    "queue": ["2026-05-10T13:00:00", "2026-05-10T14:00:00"],
}


@pytest.mark.parametrize(("overlap", "expected"), OVERLAP.items(), ids=OVERLAP)
async def test_overlap(opened: Opening, clock: Clock, overlap: Any, expected: list[str]) -> None:
    one = await process(opened, clock, report(overlap=overlap))
    await one.until(clock, "2026-05-10T13:00:00Z")
    await one.until(clock, "2026-05-10T14:00:00Z")
    assert await one.ticks() == expected
    entry = (await one.scheduler.ledger.entries())[0]
    assert entry.skipped == (1 if overlap == "skip" else 0)
    assert entry.next is not None and f"{entry.next:%H:%M}" == "15:00"


async def test_a_skipped_schedule_goes_on_when_the_run_has_ended(opened: Opening, clock: Clock) -> None:
    one = await process(opened, clock, report())
    await one.until(clock, "2026-05-10T13:00:00Z")
    await one.until(clock, "2026-05-10T14:00:00Z")
    await one.finish_all()
    await one.until(clock, "2026-05-10T15:00:00Z")
    assert await one.ticks() == ["2026-05-10T13:00:00", "2026-05-10T15:00:00"]


CATCHING_UP = {
    "none": ["2026-05-10T16:00:00"],
    "latest": ["2026-05-10T16:00:00"],
    "all": ["2026-05-10T13:00:00", "2026-05-10T14:00:00", "2026-05-10T15:00:00", "2026-05-10T16:00:00"],
}


@pytest.mark.parametrize(("policy", "expected"), CATCHING_UP.items(), ids=CATCHING_UP)
async def test_catching_up(opened: Opening, clock: Clock, policy: Any, expected: list[str]) -> None:
    one = await process(opened, clock, report(catch_up=policy, overlap="allow"))
    await one.until(clock, "2026-05-10T16:00:02Z")
    assert await one.ticks() == expected


async def test_a_clock_that_jumps_back_and_forth_doubles_no_tick(opened: Opening, clock: Clock) -> None:
    one = await process(opened, clock, report("* * * * *", overlap="allow"))
    for minute in ("12:03", "12:01", "12:04", "11:00", "12:05", "12:05"):
        await one.until(clock, f"2026-05-10T{minute}:00Z")
    assert await one.ticks() == ["2026-05-10T12:03:00", "2026-05-10T12:04:00", "2026-05-10T12:05:00"]


async def test_a_new_definition_begins_when_it_is_deployed(opened: Opening, clock: Clock) -> None:
    one = await process(opened, clock, report("0 * * * *", overlap="allow"))
    clock.set("2026-05-10T12:40:00Z")
    two = await process(opened, clock, report("30 * * * *", overlap="allow"))
    await two.until(clock, "2026-05-10T13:00:00Z")
    await two.until(clock, "2026-05-10T13:30:00Z")
    assert await one.ticks() == ["2026-05-10T13:30:00"]


async def test_an_older_version_leaves_a_changed_schedule_to_the_newer(opened: Opening, clock: Clock) -> None:
    old = await process(opened, clock, report("0 * * * *", overlap="allow"))
    new = await process(opened, clock, report("0 * * * *", overlap="skip"))
    await old.until(clock, "2026-05-10T13:00:00Z")
    assert await old.ticks() == []
    await new.until(clock, "2026-05-10T13:00:02Z")
    assert await new.ticks() == ["2026-05-10T13:00:00"]


async def test_a_schedule_that_a_program_no_longer_has_rests_until_it_comes_back(opened: Opening, clock: Clock) -> None:
    await process(opened, clock, report(overlap="allow"))
    gone = await process(opened, clock)
    await gone.until(clock, "2026-05-10T13:30:00Z")
    assert await gone.ticks() == []
    back = await process(opened, clock, report(overlap="allow", catch_up="all"))
    await back.until(clock, "2026-05-10T14:00:00Z")
    assert await back.ticks() == ["2026-05-10T14:00:00"]


async def test_a_tick_that_cannot_start_is_tried_again_and_loses_nothing(opened: Opening, clock: Clock) -> None:
    one = await process(opened, clock, report(overlap="allow", catch_up="all"))
    one.runs.broken = True
    await one.until(clock, "2026-05-10T13:00:00Z")
    assert await one.ticks() == []
    one.runs.broken = False
    await one.until(clock, "2026-05-10T13:01:00Z")
    assert await one.ticks() == ["2026-05-10T13:00:00"]


async def test_paused_schedules_rest_and_do_not_catch_up(opened: Opening, clock: Clock) -> None:
    one = await process(opened, clock, report(overlap="allow", catch_up="all"))
    async with one.database.transaction() as session:
        assert await one.scheduler.pause(session, "Report")
        assert not await one.scheduler.pause(session, "Report")
    await one.until(clock, "2026-05-10T14:30:00Z")
    again = await process(opened, clock, report(overlap="allow", catch_up="all"))
    await again.until(clock, "2026-05-10T15:00:00Z")
    assert await one.ticks() == []
    async with one.database.transaction() as session:
        assert await one.scheduler.resume(session, "Report")
        assert not await one.scheduler.resume(session, "Report")
    await one.until(clock, "2026-05-10T16:00:00Z")
    assert await one.ticks() == ["2026-05-10T16:00:00"]


async def test_triggering_starts_a_run_beside_the_schedule(opened: Opening, clock: Clock) -> None:
    one = await process(opened, clock, report(overlap="allow"))
    async with one.database.transaction() as session:
        await one.scheduler.trigger(session, "Report", "ada")
    assert len(await one.database.reading().fetch("SELECT id FROM executions", ())) == 1
    assert await one.ticks() == []


async def test_filling_starts_what_has_not_run(opened: Opening, clock: Clock) -> None:
    one = await process(opened, clock, report(overlap="skip", catch_up="none"))
    await one.until(clock, "2026-05-10T13:00:00Z")
    await one.until(clock, "2026-05-10T14:00:00Z")  # skipped: the first still runs
    clock.set("2026-05-10T14:10:00Z")
    async with one.database.transaction() as session:
        since, until = Clock("2026-05-10T10:30:00Z").now, Clock("2026-05-10T20:00:00Z").now
        filled = await one.scheduler.fill(session, "Report", since, until, "ada")
        assert (len(filled.executions), filled.known) == (3, 1)
        assert (await one.scheduler.fill(session, "Report", since, until, "ada")).executions == ()
    assert await one.ticks() == [f"2026-05-10T{hour}:00:00" for hour in (11, 12, 13, 14)]


async def test_filling_is_bounded(opened: Opening, clock: Clock) -> None:
    one = await process(opened, clock, report("* * * * *"))
    async with one.database.transaction() as session:
        with pytest.raises(TooManyTicks):
            await one.scheduler.fill(session, "Report", Clock("2026-05-01T00:00:00Z").now, clock.now, None)


async def test_an_unknown_schedule_is_said_to_be_unknown(opened: Opening, clock: Clock) -> None:
    one = await process(opened, clock, report())
    async with one.database.transaction() as session:
        for action in (one.scheduler.pause, one.scheduler.resume):
            with pytest.raises(UnknownSchedule):
                await action(session, "Reprot")


async def test_two_schedulers_produce_each_tick_once(opened: Opening, clock: Clock) -> None:
    """Both processes decide at the same time, again and again; on PostgreSQL on connections of their own."""
    every = [Planned(name=f"Job{number}", kind="job", schedule=Schedule(kind="every", every=1000), overlap="allow") for number in range(5)]
    processes = [await process(opened, clock, *every) for _ in range(2)]
    for _ in range(8):
        clock.advance(seconds=1)
        await asyncio.gather(*(one.dispatcher.run_due() for one in processes))
    expected = [f"2026-05-10T12:00:0{second}" for second in range(1, 9)]
    for planned in every:
        assert await processes[0].ticks(planned.name) == expected
