"""The dispatcher of our own: activations are rows, claimed under leases of the database's clock, by any number of processes."""

from __future__ import annotations

import asyncio
import datetime
import itertools
import logging
import os
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, Final

from codeai.durable.dispatch.claiming import LEASE_MS, Claimer
from codeai.durable.dispatch.failures import Failures
from codeai.durable.dispatch.limits import Limits
from codeai.durable.dispatch.protocol import PRIORITY, Claim, Handler, LeaseLost, Offer, Queues
from codeai.durable.dispatch.restricted import RestrictedClaims
from codeai.durable.dispatch.statements import id_list, statements
from codeai.durable.faults import fault_points
from codeai.storage.errors import StorageError
from codeai.storage.frozen import FrozenSessions
from codeai.storage.interface import Database, Record, Session

_LOG: Final = logging.getLogger("codeai.durable")
RENEW_EVERY: Final = 3.0
BEGIN_WITHIN: Final = 7.0
SWEEP_EVERY: Final = 1.0
_AGAIN: Final = 0.005  # seconds after a sweep: there may be something due sooner than in a second
_HELD: Final = 0.05  # seconds, when somebody holds what is due
_LOOK_EVERY: Final = 5  # sweeps between two looks at sessions that stand still
_CLAIM_ENDS: Final = 1.0  # seconds that a claim in flight has at the end: cut off, it might leave what nobody works on
_LONGEST_PAUSE: Final = 0.5  # seconds between two tries while the database is away: a try costs little, waiting delays all
Within = Callable[[Claim, Awaitable[None]], Awaitable[None]]


class LocalDispatcher:
    """See ``protocol.Dispatcher``.

    :param queues: which queues there are, and how much runs at a time
    :param clock: milliseconds since 1970 where time is virtual; None for the database's clock
    :param shared: other processes use the database, and are told of offers by ``NOTIFY``
    """

    def __init__(
        self, database: Database, queues: Queues | None = None, *, clock: Callable[[], int] | None = None, shared: bool = False
    ) -> None:
        self._database = database
        self._limits = Limits(database, queues if queues is not None else Queues(), clock)
        self._sql = statements(database.dialect)
        self._ordered = RestrictedClaims(database)
        self._frozen = FrozenSessions(database)
        self._clock = clock
        self._shared = shared and database.dialect == "postgresql"
        self._alone = database.dialect == "sqlite"  # one process has the file: nobody else takes what runs here
        self._handlers: dict[str, Handler] = {}
        self.worker = str(uuid.uuid4())
        self._claimer = Claimer(database, self._sql, self._limits, self._ordered, self.worker, self._now)
        self._failures = Failures(database, self)
        self._running: dict[int, tuple[Claim, asyncio.Task[None]]] = {}
        self._loops: list[asyncio.Task[None]] = []
        self._woken = asyncio.Event()
        self._due_sooner = asyncio.Event()
        self._next_sweep = 0.0
        self._claiming = False
        self._backlog = False
        self._doubtful = False
        self._renewed = time.monotonic()
        self._faults = fault_points(os.environ)
        self.within: Within | None = None  # put around the work on each claim, where somebody traces

    @property
    def _queues(self) -> Queues:
        return self._limits.queues

    def _now(self) -> int | None:
        return self._clock() if self._clock is not None else None

    # -- offers and settlements ------------------------------------------------------------------------------------

    def register(self, kind: str, handler: Handler) -> None:
        """See ``Dispatcher``."""
        if kind in self._handlers:
            raise ValueError(f"kind '{kind}' has a handler already")
        self._handlers[kind] = handler

    async def offer(
        self,
        session: Session,
        kind: str,
        subject: str,
        *,
        queue: str = "default",
        priority: int = PRIORITY,
        delay_ms: int = 0,
        due_at: datetime.datetime | None = None,
        order_key: str | None = None,
        lane: str | None = None,
        lane_limit: int | None = None,
    ) -> None:
        """See ``Dispatcher``."""
        if queue not in self._queues.weights:
            queue = "default"
        due = int(due_at.timestamp() * 1000) if due_at is not None else None
        tell = self._shared and not self._claiming
        text = self._sql.offer_and_notify if tell else self._sql.offer
        values = (self._now(), kind, subject, queue, priority, due, delay_ms, order_key, lane, lane_limit if lane is not None else None)
        await session.fetch_row(text, values)
        session.after_commit(lambda: self._offered(order_key is not None or lane is not None, delay_ms, due))

    async def offer_all(self, session: Session, kind: str, offers: Sequence[Offer]) -> None:
        """See ``Dispatcher``."""
        text = self._sql.offer_and_notify if self._shared and not self._claiming else self._sql.offer
        now = self._now()
        rows = [
            (
                now,
                kind,
                one.subject,
                "default",
                PRIORITY,
                None,
                0,
                one.order_key,
                one.lane,
                one.lane_limit if one.lane is not None else None,
            )
            for one in offers
        ]
        await session.execute_many(text, rows)
        restricted = any(one.order_key is not None or one.lane is not None for one in offers)
        session.after_commit(lambda: self._offered(restricted, 0, None))

    def _offered(self, restricted: bool, delay_ms: int, due: int | None) -> None:
        if due is not None:
            delay_ms = due - (self._now() or int(time.time() * 1000))
        if delay_ms > 0:
            self.wake_in(delay_ms)
        elif restricted:
            self.wake_restricted()
        else:
            self.wake()

    async def withdraw(self, session: Session, kind: str, subject: str) -> bool:
        """See ``Dispatcher``."""
        row = await session.fetch_row(self._sql.withdraw, (kind, subject))
        await self._followed(session, row)
        return row is not None

    async def _followed(self, session: Session, ended: Record | None) -> None:
        """Lets the next one of its order have its turn."""
        if ended is not None and ended[0] is not None:
            await self._ordered.promote(session, str(ended[0]))
            session.after_commit(self.wake_restricted)

    async def hold(self, session: Session, claim: Claim) -> bool:
        """See ``Dispatcher``."""
        found = await session.fetch_row(self._sql.hold, (claim.id, claim.fence))
        if found is None:
            raise LeaseLost
        return bool(found[0])

    async def done(self, session: Session, claim: Claim) -> None:
        """See ``Dispatcher``."""
        row = await session.fetch_row(self._sql.done, (claim.id, claim.fence))
        if row is not None:
            await self._followed(session, row)
            if claim.restricted:
                session.after_commit(self.wake_restricted)
        elif await session.execute(self._sql.again, (claim.id, claim.fence)):
            session.after_commit(self.wake_restricted)
        else:
            raise LeaseLost

    async def later(self, session: Session, claim: Claim, delay_ms: int, *, failed: bool = False) -> None:
        """See ``Dispatcher``."""
        values = (self._now(), claim.id, claim.fence, delay_ms, int(failed))
        if not await session.execute(self._sql.later, values):
            raise LeaseLost
        session.after_commit(lambda: self._offered(bool(claim.restricted), delay_ms, None))

    def wake(self) -> None:
        """There is something to claim, or a new due time."""
        self._woken.set()

    def wake_restricted(self) -> None:
        """There is something to claim that has an order or a lane."""
        self._claimer.restricted = True
        self._woken.set()

    def heard(self, payload: str) -> None:
        """Another process has offered something (see ``storage.postgresql.listening``)."""
        if payload:
            self.wake_restricted()
        else:
            self.wake()

    def wake_in(self, delay_ms: int) -> None:
        """Something becomes due so many milliseconds from now."""
        if time.monotonic() + delay_ms / 1000 < self._next_sweep:
            self._due_sooner.set()

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
            self._renewed = time.monotonic()
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
            if self._backlog or self._claimer.restricted or not self._claiming or self._limits.hold_back(claim.queue):
                self._woken.set()

    # -- the loops -------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """See ``Dispatcher``."""
        self._claiming = True
        self._renewed = time.monotonic()
        self._loops = [asyncio.create_task(loop) for loop in (self._repeating(self._claim_loop), self._sweep_loop(), self._renew_loop())]

    async def _claim_loop(self) -> None:
        self._woken.clear()
        if self.may_begin():
            await self._fill()
            if self._backlog and self._room() > 0:
                return
        await self._woken.wait()

    async def _repeating(self, once: Callable[[], Awaitable[Any]]) -> None:
        """Repeats until the end, whatever happens: the database may be away."""
        pause = 0.1
        while self._claiming:
            try:
                await once()
                pause = 0.1
            except Exception as error:
                _warn("the database does not answer", error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
                self._woken.set()

    async def _sweep_loop(self) -> None:
        """Brings to light what is due and what dead workers have left; the safety net beside wake-ups."""
        for number in itertools.count(1):
            wait = SWEEP_EVERY
            try:
                wait = await self.tick()
                if number % _LOOK_EVERY == 0:
                    await self._frozen.look()
            except Exception as error:
                _warn("sweep failed", error)
            self._next_sweep = time.monotonic() + wait
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._due_sooner.wait()
            self._due_sooner.clear()

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
        running = list(self._running) if self._alone else []
        return len(await self._database.writing().fetch(self._sql.sweep, (self._now(), id_list(running, self._database.dialect))))

    async def _look_after(self) -> None:
        """What else is done now and then."""

    async def _renew_loop(self) -> None:
        while True:
            await asyncio.sleep(RENEW_EVERY)
            await self.renew()

    async def renew(self) -> None:
        """Prolongs the leases of what runs here; gives up what could not be prolonged in time."""
        began = time.monotonic()
        ids = self._leased()
        if self._alone:
            self._renewed = began  # the writer may be busy for longer than a lease
        try:
            if ids:
                values = (self._now(), LEASE_MS, self.worker, id_list(ids, self._database.dialect))
                if began - self._renewed < LEASE_MS / 1000:
                    await self._database.writing().execute(self._sql.renew, values)
                    self._renewed = began
            else:
                self._renewed = began
        except Exception as error:
            _warn("leases not renewed", error)
        if time.monotonic() - self._renewed >= LEASE_MS / 1000:
            self._abandon()

    def _abandon(self) -> None:
        """Stops everything whose lease has ended: others work on it by now."""
        _LOG.error("leases ended", extra={"activations": len(self._running)})
        for _, task in self._running.values():
            task.cancel()
        self._running.clear()
        self._renewed = time.monotonic()
        self._woken.set()

    def may_begin(self) -> bool:
        """See ``Dispatcher``."""
        return not self._running or time.monotonic() - self._renewed < BEGIN_WITHIN

    async def stop(self, timeout: float) -> None:
        """See ``Dispatcher``."""
        claimed, self._claiming = self._claiming, False
        self._woken.set()
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


def _warn(what: str, error: Exception) -> None:
    """Says what a loop goes on after; what the database did not say itself, with its traceback."""
    _LOG.warning(what, extra={"cause": str(error)}, exc_info=None if isinstance(error, StorageError) else error)


async def _ended(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
