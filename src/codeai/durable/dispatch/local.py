"""The dispatcher of our own: activations are rows, claimed under leases of the database's clock, by any number of processes."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import time
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

from codeai.durable.dispatch.claiming import Claimer
from codeai.durable.dispatch.failures import Failures
from codeai.durable.dispatch.leases import RENEW_EVERY, Leases
from codeai.durable.dispatch.offers import Offers
from codeai.durable.dispatch.outages import Outage
from codeai.durable.dispatch.protocol import Claim, Handler, LeaseLost, Queues
from codeai.durable.dispatch.statements import id_list
from codeai.durable.faults import fault_points
from codeai.storage.errors import StorageError
from codeai.storage.frozen import FrozenSessions
from codeai.storage.interface import Database

_LOG: Final = logging.getLogger("codeai.durable")
SWEEP_EVERY: Final = 1.0
_AGAIN: Final = 0.005  # seconds after a sweep: there may be something due sooner than in a second
_HELD: Final = 0.05  # seconds, when somebody holds what is due
_LOOK_EVERY: Final = 5  # sweeps between two looks at sessions that stand still
_CLAIM_ENDS: Final = 1.0  # seconds that a claim in flight has at the end: cut off, it might leave what nobody works on
_LONGEST_PAUSE: Final = 0.5  # seconds between two tries while the database is away: a try costs little, waiting delays all
Within = Callable[[Claim, Awaitable[None]], Awaitable[None]]


class LocalDispatcher(Offers):
    """See ``protocol.Dispatcher`` and ``Offers``."""

    def __init__(
        self, database: Database, queues: Queues | None = None, *, clock: Callable[[], int] | None = None, shared: bool = False
    ) -> None:
        super().__init__(database, queues, clock, shared=shared)
        self._frozen = FrozenSessions(database)
        self._handlers: dict[str, Handler] = {}
        self.worker = str(uuid.uuid4())
        self._claimer = Claimer(database, self._sql, self._limits, self._ordered, self.worker, self._wakes, self._now)
        self.leases = Leases(database, self._sql, self.worker, self._now)
        self._failures = Failures(database, self)
        self._running: dict[int, tuple[Claim, asyncio.Task[None]]] = {}
        self._loops: list[asyncio.Task[None]] = []
        self._backlog = False
        self._doubtful = False
        self._unswept, self._unclaimed, self._unrenewed = map(Outage, ("sweep failed", "nothing can be claimed", "leases not renewed"))
        self._faults = fault_points(os.environ)
        self.within: Within | None = None  # put around the work on each claim, where somebody traces

    @property
    def _queues(self) -> Queues:
        return self._limits.queues

    def register(self, kind: str, handler: Handler) -> None:
        """See ``Dispatcher``."""
        if kind in self._handlers:
            raise ValueError(f"kind '{kind}' has a handler already")
        self._handlers[kind] = handler

    def wake(self) -> None:
        """See ``Dispatcher``."""
        self._wakes.wake()

    def wake_restricted(self) -> None:
        """See ``Dispatcher``."""
        self._wakes.wake_restricted()

    def wake_in(self, delay_ms: int) -> None:
        """Something becomes due so many milliseconds from now."""
        self._wakes.wake_in(delay_ms)

    def heard(self, payload: str) -> None:
        """Another process has offered something (see ``storage.listening``)."""
        (self._wakes.wake_restricted if payload else self._wakes.wake)()

    # -- claiming --------------------------------------------------------------------------------------------------

    async def _claimed(self, free: int) -> list[Claim]:
        """Claims up to so many activations."""
        return await self._claimer.claim(free)

    async def _fill(self) -> int:
        """Claims for all free slots and begins to work."""
        free = self._room()
        if free <= 0:
            self._backlog = True
            return 0
        if not self._leased():
            self.leases.fresh()
        if self._doubtful:
            await self._return_others()
        self._faults("before-claim")
        try:
            found = await self._claimed(free)
        except Exception:
            self._doubtful = True
            raise
        if found:
            self._faults("after-claim")
        self._backlog = len(found) >= free
        for claim in found:
            self._taken(claim)
        return len(found)

    def _room(self) -> int:
        """How many more may be claimed now."""
        return self._queues.concurrency - len(self._running)

    def _leased(self) -> list[int]:
        """What has a lease of this process."""
        return list(self._running)

    def _taken(self, claim: Claim) -> None:
        """Begins to work on what was claimed."""
        self._running[claim.id] = (claim, asyncio.create_task(self._work(claim)))

    async def _return_others(self) -> None:
        """Gives back what this worker has claimed without having heard of it, because the connection broke."""
        ids = id_list(self._leased(), self._database.dialect)
        await self._database.writing().execute(self._sql.return_others, (self.worker, ids))
        self._doubtful = False

    async def _work(self, claim: Claim) -> None:
        handler = self._handlers.get(claim.kind)
        try:
            if handler is None:
                await self._failures.failed(claim, LookupError(f"nobody works on kind '{claim.kind}'"))
            else:
                await (handler(claim) if self.within is None else self.within(claim, handler(claim)))
        except LeaseLost:
            _LOG.warning("lease lost", extra={"kind": claim.kind, "subject": claim.subject})
        except asyncio.CancelledError:
            raise
        except Exception as error:
            await self._failures.failed(claim, error)
        finally:
            if self._running.get(claim.id, (None,))[0] is claim:
                del self._running[claim.id]
            if self._backlog or self._wakes.restricted or not self._claiming or self._limits.hold_back(claim.queue):
                self._wakes.claims.set()

    # -- the loops -------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """See ``Dispatcher``."""
        self._claiming = True
        self.leases.fresh()
        self._loops = [asyncio.create_task(loop) for loop in (self._repeating(self._claim_loop), self._sweep_loop(), self._renew_loop())]

    async def _claim_loop(self) -> None:
        self._wakes.claims.clear()
        if self.may_begin():
            await self._fill()
            if self._backlog and self._room() > 0:
                return
        await self._wakes.claims.wait()

    async def _repeating(self, once: Callable[[], Awaitable[Any]]) -> None:
        """Repeats until the end, whatever happens: the database may be away."""
        pause = 0.1
        while self._claiming:
            try:
                await once()
                pause = 0.1
                self._unclaimed.over()
            except Exception as error:
                self._unclaimed.failed(error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
                self._wakes.claims.set()

    async def _sweep_loop(self) -> None:
        """Brings to light what is due and what dead workers have left; the safety net beside wake-ups."""
        for number in itertools.count(1):
            wait = SWEEP_EVERY
            try:
                wait = await self.tick()
                if number % _LOOK_EVERY == 0:
                    await self._frozen.look()
                self._unswept.over()
            except Exception as error:
                self._unswept.failed(error)
            self._wakes.next_sweep = time.monotonic() + wait
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._wakes.sweeps.wait()
            self._wakes.sweeps.clear()

    async def tick(self) -> float:
        """Looks, by one statement, whether there is something to do, and does that; seconds until it is to look again."""
        await self._failures.settle_again()
        rows = await self._database.reading().fetch(self._sql.tick, (self._now(),))
        due, free, restricted, parked = rows[0][:4]
        self._limits.take([row[4:] for row in rows if row[4] is not None])
        overdue = isinstance(due, int) and due <= 0
        found = await self._bring_to_light() if overdue else 0
        if parked:
            await self._ordered.check()
        if restricted or parked or found:
            self.wake_restricted()
        elif free:
            self.wake()
        await self._look_after()
        if overdue:
            return _AGAIN if found else _HELD
        return min(max(due / 1000, 0.005), SWEEP_EVERY) if isinstance(due, int) else SWEEP_EVERY

    async def sweep(self) -> int:
        """One sweep, whatever there is to do; the number of activations that became ready."""
        await self._failures.settle_again()
        found = await self._bring_to_light()
        await self._ordered.check()
        self.wake_restricted()
        await self._look_after()
        return found

    async def _bring_to_light(self) -> int:
        running = list(self._running) if self._database.dialect == "sqlite" else []  # nobody else has the file
        return len(await self._database.writing().fetch(self._sql.sweep, (self._now(), id_list(running, self._database.dialect))))

    async def _look_after(self) -> None:
        """What else is done now and then."""

    async def _renew_loop(self) -> None:
        while True:
            await asyncio.sleep(RENEW_EVERY)
            await self.renew()

    async def renew(self) -> None:
        """Prolongs the leases of what runs here; gives up what could not be prolonged in time."""
        try:
            await self.leases.renew(self._leased())
            self._unrenewed.over()
        except Exception as error:
            self._unrenewed.failed(error)
        if self.leases.ended:
            self._abandon()

    def _abandon(self) -> None:
        """Stops everything whose lease has ended: others work on it by now."""
        _LOG.error("leases ended", extra={"activations": len(self._running)})
        for _, task in self._running.values():
            task.cancel()
        self._running.clear()
        self.leases.fresh()
        self._wakes.claims.set()

    def may_begin(self) -> bool:
        """See ``Dispatcher``."""
        return not self._running or self.leases.may_begin()

    async def stop(self, timeout: float) -> None:
        """See ``Dispatcher``."""
        claimed, self._claiming = self._claiming, False
        self._wakes.claims.set()
        renewing = self._loops.pop() if self._loops else None
        if self._loops:
            await asyncio.wait(self._loops[:1], timeout=_CLAIM_ENDS)
        await _ended(self._loops)
        tasks = [task for _, task in self._running.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=timeout)
        left = [task for _, task in self._running.values()]
        await _ended(left)
        if claimed or left or self._leased():  # also what a claim has taken whose answer nobody waited for
            with suppress(StorageError):
                await self._database.writing().execute(self._sql.return_others, (self.worker, id_list([], self._database.dialect)))
        if renewing is not None:
            await _ended([renewing])
        self._loops = []

    async def run_due(self) -> int:
        """See ``Dispatcher``."""
        total = 0
        await self._limits.refresh()
        while True:
            await self.sweep()
            total += await self._fill()
            tasks = [task for _, task in self._running.values()]
            if not tasks:
                return total
            await asyncio.wait(tasks)


async def _ended(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
