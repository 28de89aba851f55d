"""The scheduler: every tick of every schedule starts exactly one run, whatever the number of processes.

There is no loop of its own: each active schedule is an activation that is due at its next tick. Whoever claims it decides, in
one transaction that holds the schedule's row, all ticks up to now, and moves the activation to the next one. A tick is a row
with the key (schedule, instant), so that even a worker that lost its lease cannot start it a second time.
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Awaitable, Callable, Mapping
from itertools import islice
from typing import Final, Protocol

import msgspec

from codeai.durable.dispatch.protocol import Claim, Dispatcher
from codeai.jobs.catching_up import due
from codeai.jobs.ledger import Entry, Ledger
from codeai.jobs.schedules import Planned
from codeai.jobs.timetable import Instant, ticks
from codeai.storage.interface import Database, Session

KIND: Final = "schedule"
MOST_FILLED: Final = 1_000
_ELSEWHERE_MS: Final = 2_000  # a schedule of another version of the program is looked at again after so long
_PROMPT: Final = 0  # ticks come before all other work
_LOG: Final = logging.getLogger("codeai.jobs")


class Runs(Protocol):
    """Starts runs of jobs and workflows."""

    async def begin(self, session: Session, planned: Planned, tick: Instant | None, *, origin: str | None, actor: str | None) -> str | None:
        """Starts a run in the transaction of the session; its id, None when the workflow refuses (its key is taken).

        :param tick: the instant for which it was scheduled, None when an operator asks for it
        :param origin: what may start a run once only
        """


class UnknownSchedule(Exception):
    """No job or workflow of that name has a schedule."""


class TooManyTicks(Exception):
    """A back-fill asks for more ticks than are started at once."""


class Filled(msgspec.Struct, frozen=True):
    """What a back-fill has done: the executions that it started, and how many ticks had run before."""

    executions: tuple[str, ...]
    known: int


class Scheduler:
    """Decides ticks.

    :param schedules: those of the program, as they are now
    :param newest: whether no newer version of the program runs; only the newest one changes the ledger
    :param clock: the present where time is virtual; None for the database's clock
    :param faults: where tests end the process
    """

    def __init__(
        self,
        database: Database,
        dispatcher: Dispatcher,
        runs: Runs,
        schedules: Callable[[], Mapping[str, Planned]],
        clock: Callable[[], Instant] | None = None,
        faults: Callable[[str], None] = lambda point: None,
        newest: Callable[[Session], Awaitable[bool]] | None = None,
    ) -> None:
        self._newest = newest
        self.ledger = Ledger(database)
        self._database = database
        self._dispatcher = dispatcher
        self._runs = runs
        self._schedules = schedules
        self._clock = clock
        self._faults = faults

    async def _now(self, session: Session) -> Instant:
        return self._clock() if self._clock is not None else await self.ledger.now(session)

    # -- the program's schedules -----------------------------------------------------------------------------------

    async def register(self) -> None:
        """Brings the ledger to the program: adds, changes and removes schedules, and sees to it that each is waited for.

        A schedule that is new or has changed begins now; one that comes back begins now, too. An older version than one that runs, which
        starts again in the middle of a deploy or before it is rolled back, changes nothing.
        """
        wanted = self._schedules()
        async with self._database.transaction() as session:
            if self._newest is not None and not await self._newest(session):
                return
            now = await self._now(session)
            known = {entry.name: entry for entry in await self.ledger.entries()}
            for planned in wanted.values():
                await self._register(session, planned, known.get(planned.name), now)
            for entry in known.values():
                if entry.name not in wanted and entry.status != "removed":
                    await self.ledger.set_status(session, entry.name, "removed", now, None)
                    await self._dispatcher.withdraw(session, KIND, entry.name)

    async def _register(self, session: Session, planned: Planned, entry: Entry | None, now: Instant) -> None:
        if entry is None or entry.definition != planned.definition or entry.status == "removed":
            following = planned.timetable.after(now)
            status = entry.status if entry is not None and entry.status == "paused" else "active"
            await self.ledger.put(session, planned, status, now, following if status == "active" else None)
        else:
            status, following = entry.status, entry.next
        if status == "active" and following is not None:
            await self._wait(session, planned.name, following)

    async def _wait(self, session: Session, name: str, tick: Instant) -> None:
        await self._dispatcher.offer(session, KIND, name, priority=_PROMPT, due_at=tick)

    # -- ticks -----------------------------------------------------------------------------------------------------

    async def __call__(self, claim: Claim) -> None:
        """Decides what is due of one schedule (a handler of activations)."""
        async with self._database.transaction() as session:
            delay = await self._decide(session, claim.subject)
            if delay is None:
                await self._dispatcher.done(session, claim)
            else:
                await self._dispatcher.later(session, claim, delay)
        self._faults("ticks-decided")

    async def _decide(self, session: Session, name: str) -> int | None:
        """Decides the ticks up to now; the milliseconds until the next one, None when there is none."""
        entry = await self.ledger.entry(session, name, lock=True)
        if entry is None or entry.status != "active":
            return None
        planned = self._schedules().get(name)
        if planned is None or planned.definition != entry.definition:
            return _ELSEWHERE_MS
        now = await self._now(session)
        table = planned.timetable
        found = due(table, entry.handled, now, planned.catch_up)
        last, skipped = None, 0
        for tick in found.run:
            self._faults("before-tick")
            ran = await self._tick(session, planned, tick, now)
            self._faults("after-tick")
            last, skipped = (tick, skipped) if ran else (last, skipped + 1)
        following = table.after(found.until)
        await self.ledger.handled(session, name, found.until, following, last=last, missed=found.missed, skipped=skipped)
        await self.ledger.forget(session, name, now)
        if found.missed or skipped:
            _LOG.warning("ticks left out", extra={"schedule": name, "missed": found.missed, "skipped": skipped})
        return None if following is None else max(-((now - following) // datetime.timedelta(milliseconds=1)), 0)

    async def _tick(self, session: Session, planned: Planned, tick: Instant, now: Instant) -> bool:
        """Starts the run of a tick; False when it is skipped or was decided before."""
        skips = planned.overlap == "skip" and await self.ledger.unfinished(session, planned.name)
        if not await self.ledger.take(session, planned.name, tick, "skipped" if skips else "started", now) or skips:
            return False
        return await self._run(session, planned, tick, None) is not None

    async def _run(self, session: Session, planned: Planned, tick: Instant, actor: str | None) -> str | None:
        execution = await self._runs.begin(session, planned, tick, origin=f"tick:{tick:%Y-%m-%dT%H:%M:%S.%fZ}", actor=actor)
        await self.ledger.ran(session, planned.name, tick, execution)
        return execution

    # -- operators -------------------------------------------------------------------------------------------------

    async def known(self, session: Session, name: str) -> Entry:
        """A schedule of the ledger, held until the transaction ends; raises UnknownSchedule."""
        entry = await self.ledger.entry(session, name, lock=True)
        if entry is None or entry.status == "removed":
            raise UnknownSchedule(name)
        return entry

    def _planned(self, name: str) -> Planned:
        planned = self._schedules().get(name)
        if planned is None:
            raise UnknownSchedule(name)
        return planned

    async def pause(self, session: Session, name: str) -> bool:
        """Lets a schedule rest; False when it did already. Raises UnknownSchedule."""
        entry = await self.known(session, name)
        if entry.status == "paused":
            return False
        await self.ledger.set_status(session, name, "paused", await self._now(session), None)
        await self._dispatcher.withdraw(session, KIND, name)
        return True

    async def resume(self, session: Session, name: str) -> bool:
        """Goes on with the first tick from now; False when it was not paused. Raises UnknownSchedule."""
        entry = await self.known(session, name)
        if entry.status != "paused":
            return False
        now = await self._now(session)
        following = self._planned(name).timetable.after(now)
        await self.ledger.set_status(session, name, "active", now, following)
        if following is not None:
            await self._wait(session, name, following)
        return True

    async def trigger(self, session: Session, name: str, actor: str | None) -> str | None:
        """Starts a run now, beside the schedule; its id, None when it is refused. Raises UnknownSchedule."""
        await self.known(session, name)
        return await self._runs.begin(session, self._planned(name), None, origin=None, actor=actor)

    async def fill(self, session: Session, name: str, since: Instant, until: Instant, actor: str | None) -> Filled:
        """Starts the runs of ticks in (``since``, ``until``] that have not run: missed ones, skipped ones, those before its time.

        :raises UnknownSchedule: there is no such schedule
        :raises TooManyTicks: they are more than 1,000
        """
        await self.known(session, name)
        planned, now = self._planned(name), await self._now(session)
        wanted = list(islice(ticks(planned.timetable, since, min(until, now)), MOST_FILLED + 1))
        if len(wanted) > MOST_FILLED:
            raise TooManyTicks
        executions: list[str] = []
        for tick in wanted:
            if await self.ledger.take(session, name, tick, "started", now) or await self.ledger.retake(session, name, tick):
                execution = await self._run(session, planned, tick, actor)
                executions += [execution] if execution is not None else []
        return Filled(tuple(executions), len(wanted) - len(executions))
