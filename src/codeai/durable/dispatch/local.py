"""The dispatcher of our own: activations are rows, claimed under leases of the database's clock, by any number of processes."""

from __future__ import annotations

import asyncio
import datetime
import itertools
import logging
import os
import random
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from contextlib import nullcontext, suppress
from typing import Any, Final

from codeai.durable.dispatch.limits import Limits
from codeai.durable.dispatch.protocol import PRIORITY, Claim, Handler, LeaseLost, Offer, Queues
from codeai.durable.dispatch.restricted import RestrictedClaims
from codeai.durable.dispatch.statements import Claims, id_list, statements
from codeai.durable.faults import fault_points
from codeai.storage.errors import StorageError
from codeai.storage.frozen import FrozenSessions
from codeai.storage.interface import Database, Record, Session

_LOG: Final = logging.getLogger("codeai.durable")
LEASE_MS: Final = 10_000
RENEW_EVERY: Final = 3.0
BEGIN_WITHIN: Final = 7.0
IDLE_LIMIT: Final = 5.0  # seconds that a claim may stand still: others wait for it
SWEEP_EVERY: Final = 1.0
_LOOK_EVERY: Final = 5  # sweeps between two looks at sessions that stand still
_CLAIM_ENDS: Final = 1.0  # seconds that a claim in flight has at the end: cut off, it might leave what nobody works on
_LONGEST_PAUSE: Final = 0.5  # seconds between two tries while the database is away: a try costs little, waiting delays all
_TURN: Final = 8  # each so many claims begin with what has an order or a lane
_FIRST_DELAY_MS: Final = 500
_LONGEST_DELAY_MS: Final = 60_000
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
        self._unsettled: list[Claim] = []
        self._running: dict[int, tuple[Claim, asyncio.Task[None]]] = {}
        self._loops: list[asyncio.Task[None]] = []
        self._woken = asyncio.Event()
        self._due_sooner = asyncio.Event()
        self._next_sweep = 0.0
        self._restricted = True
        self._claiming = False
        self._backlog = False
        self._doubtful = False
        self._renewed = time.monotonic()
        self._turn = 0
        self._claims = 0
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
        self._restricted = True
        self._woken.set()

    def heard(self, payload: str) -> None:
        """Another process has offered something (see ``storage.listening``)."""
        if payload:
            self.wake_restricted()
        else:
            self.wake()

    def wake_in(self, delay_ms: int) -> None:
        """Something becomes due so many milliseconds from now."""
        if time.monotonic() + delay_ms / 1000 < self._next_sweep:
            self._due_sooner.set()

    # -- claiming --------------------------------------------------------------------------------------------------

    def _shares(self, free: int) -> list[tuple[str, int]]:
        """How many slots each queue may take, by weight; every queue gets its turn first, now and then."""
        weights = self._queues.weights
        if len(weights) == 1:
            return [(next(iter(weights)), free)]
        total = sum(weights.values())
        order = sorted(weights, key=lambda name: -weights[name])
        self._turn += 1
        if self._turn % 4 == 0:
            shift = (self._turn // 4) % len(order)
            order = order[shift:] + order[:shift]
        return [(name, max(1, free * weights[name] // total)) for name in order]

    async def _claimed(self, free: int) -> list[Claim]:
        """Claims up to so many activations."""
        found: list[Claim] = []
        restricted, self._restricted = self._restricted, False
        shares = self._shares(free)
        for last in (False, True) if len(shares) > 1 else (False,):
            for queue, share in shares:
                wanted = min(free - len(found), free if last else share)
                if wanted > 0:
                    found += await self._claim_from(queue, wanted, restricted=restricted)
            if len(found) >= free:
                break
        if restricted and len(found) >= free:
            self._restricted = True  # there may be more
        return found

    async def _claim_from(self, queue: str, wanted: int, *, restricted: bool) -> list[Claim]:
        if not self._limits.hold_back(queue):
            rows = await self._claim_with(self._sql.claim, None, queue, wanted, restricted=restricted)
        else:
            rows = await self._claim_with(self._sql.claim_exempt, None, queue, wanted, restricted=restricted)
            rows += await self._claim_limited(queue, wanted - len(rows), restricted=restricted)
        rows.sort(key=lambda row: row[0])  # type: ignore[arg-type,return-value]  # the number of the row
        return [Claim(*row) for row in rows]  # type: ignore[arg-type]  # columns in the order of the fields

    async def _claim_limited(self, queue: str, wanted: int, *, restricted: bool) -> list[Record]:
        async with self._database.transaction(idle_limit=IDLE_LIMIT) as session:
            allowance = await self._limits.allowance(session, queue, wanted)
            if allowance.number <= 0:
                return []
            rows = await self._claim_with(self._sql.claim_limited, session, queue, allowance.number, restricted=restricted)
            await self._limits.spend(session, queue, allowance, len(rows))
            return rows

    async def _claim_with(self, claims: Claims, session: Session | None, queue: str, wanted: int, *, restricted: bool) -> list[Record]:
        """Claims what has neither order nor lane first, since that costs less; now and then the rest first, or it would starve."""
        self._claims += 1
        rows: list[Record] = []
        if restricted and self._claims % _TURN == 0:
            rows += await self._claim_restricted(claims, session, queue, wanted)
            restricted = False
        if len(rows) < wanted:
            values = (self._now(), LEASE_MS, self.worker, queue, wanted - len(rows))
            rows += await (session or self._database.writing()).fetch(claims.free, values)
        if restricted and len(rows) < wanted:
            rows += await self._claim_restricted(claims, session, queue, wanted - len(rows))
        return rows

    async def _claim_restricted(self, claims: Claims, session: Session | None, queue: str, wanted: int) -> list[Record]:
        async with self._database.transaction(idle_limit=IDLE_LIMIT) if session is None else nullcontext(session) as inner:
            chosen, more = await self._ordered.choose(inner, queue, claims.kinds, wanted)
            self._restricted = self._restricted or more
            if not chosen:
                return []
            numbers = id_list(chosen, self._database.dialect)
            return list(await inner.fetch(claims.restricted, (self._now(), LEASE_MS, self.worker, numbers)))

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
                await self._failed(claim, LookupError(f"nobody works on kind '{claim.kind}'"))
            else:
                await (handler(claim) if self.within is None else self.within(claim, handler(claim)))
        except LeaseLost:
            _LOG.warning("lease lost", extra={"kind": claim.kind, "subject": claim.subject})
        except asyncio.CancelledError:
            raise
        except Exception as error:
            await self._failed(claim, error)
        finally:
            if self._running.get(claim.id, (None,))[0] is claim:
                del self._running[claim.id]
            if self._backlog or self._restricted or not self._claiming or self._limits.hold_back(claim.queue):
                self._woken.set()

    async def _failed(self, claim: Claim, error: Exception) -> None:
        """Tries a failed activation again later. What the database refused is no failure of the activation and does not count."""
        refused = isinstance(error, StorageError)
        growth = 1.0 + random.random() if refused else 2.0 ** min(claim.attempts, 20)  # noqa: S311  # spreads load, keeps no secret
        delay = int(min(_FIRST_DELAY_MS * growth, _LONGEST_DELAY_MS))
        known = {"kind": claim.kind, "subject": claim.subject, "attempts": claim.attempts, "retry_in": delay / 1000, "cause": str(error)}
        _LOG.log(logging.WARNING if refused else logging.ERROR, "activation failed", exc_info=None if refused else error, extra=known)
        try:
            await self.later(self._database.writing(), claim, delay, failed=not refused)
        except LeaseLost:
            pass
        except Exception:
            self._unsettled.append(claim)  # else others would wait for the end of its lease

    async def _settle_again(self) -> None:
        """Gives back what could not be given back while the database was away."""
        waiting, self._unsettled = self._unsettled, []
        while waiting:
            try:
                await self.later(self._database.writing(), waiting[-1], 0)
            except LeaseLost:
                pass
            except StorageError:
                self._unsettled += waiting
                raise
            waiting.pop()

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
                await self.sweep()
                if number % _LOOK_EVERY == 0:
                    await self._frozen.look()
                await self._limits.refresh()
                found = await self._database.reading().fetch_row(self._sql.next_due, (self._now(),))
                if found is not None and isinstance(found[0], int):
                    wait = min(max(found[0] / 1000, 0.005), SWEEP_EVERY)
            except Exception as error:
                _warn("sweep failed", error)
            self._next_sweep = time.monotonic() + wait
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._due_sooner.wait()
            self._due_sooner.clear()

    async def sweep(self) -> int:
        """One sweep; the number of activations that became ready."""
        if self._unsettled:
            await self._settle_again()
        running = list(self._running) if self._alone else []
        found = await self._database.writing().fetch(self._sql.sweep, (self._now(), id_list(running, self._database.dialect)))
        await self._ordered.check()
        self.wake_restricted()
        return len(found)

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
        self._claiming = False
        self._woken.set()
        renewing = self._loops.pop() if self._loops else None
        if self._loops:
            await asyncio.wait(self._loops[:1], timeout=_CLAIM_ENDS)
        await _ended(self._loops)
        tasks = [task for _, task in self._running.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=timeout)
        left = {claim.id: task for claim, task in self._running.values()}
        await _ended(list(left.values()))
        if left:
            with suppress(StorageError):
                values = (self.worker, id_list(list(left), self._database.dialect))
                await self._database.writing().execute(self._sql.release, values)
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
