"""Offers of activations and their settlements: what every process does, also one that works on nothing itself."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from typing import Any

from codeai.durable.dispatch.limits import Limits
from codeai.durable.dispatch.protocol import PRIORITY, Claim, LeaseLost, Offer, Queues
from codeai.durable.dispatch.restricted import RestrictedClaims
from codeai.durable.dispatch.statements import inserted_and_offered, statements
from codeai.durable.dispatch.wakes import Wakes
from codeai.storage.interface import Database, Record, Session


class Offers:
    """See ``protocol.Dispatcher``.

    :param queues: which queues there are, and how much runs at a time
    :param clock: milliseconds since 1970 where time is virtual; None for the database's clock
    :param shared: other processes use the database, and are told of offers by ``NOTIFY``
    """

    def __init__(self, database: Database, queues: Queues | None, clock: Callable[[], int] | None, *, shared: bool) -> None:
        self._database = database
        self._limits = Limits(database, queues if queues is not None else Queues(), clock)
        self._sql = statements(database.dialect)
        self._ordered = RestrictedClaims(database)
        self._clock = clock
        self._wakes = Wakes(self._now)
        self._shared = shared and database.dialect == "postgresql"
        self._claiming = False
        self._both: dict[tuple[str, bool], str] = {}  # inserts with offers

    def _now(self) -> int | None:
        return self._clock() if self._clock is not None else None

    @property
    def _tells(self) -> bool:
        """Whether others have to be told: who claims itself needs nobody."""
        return self._shared and not self._claiming

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
        due = int(due_at.timestamp() * 1000) if due_at is not None else None
        text = self._sql.offer_and_notify if self._tells else self._sql.offer
        await session.fetch_row(text, self._offer(kind, subject, queue, priority, due, delay_ms, order_key, lane, lane_limit))
        session.after_commit(lambda: self._wakes.offered(order_key is not None or lane is not None, delay_ms, due))

    def _offer(
        self,
        kind: str,
        subject: str,
        queue: str,
        priority: int,
        due: int | None,
        delay_ms: int,
        order_key: str | None,
        lane: str | None,
        limit: int | None,
    ) -> tuple[Any, ...]:
        """The values of an offer."""
        if queue not in self._limits.queues.weights:
            queue = "default"
        return (self._now(), kind, subject, queue, priority, due, delay_ms, order_key, lane, limit if lane is not None else None)

    async def insert_and_offer(
        self,
        session: Session,
        insert: str,
        values: Sequence[Any],
        kind: str,
        subject: str,
        *,
        queue: str,
        priority: int,
        delay_ms: int = 0,
        lane: str | None = None,
        lane_limit: int | None = None,
    ) -> bool:
        """See ``Dispatcher``."""
        if self._database.dialect == "sqlite":  # it is not far away
            if not await session.execute(insert, values):
                return False
            await self.offer(session, kind, subject, queue=queue, priority=priority, delay_ms=delay_ms, lane=lane, lane_limit=lane_limit)
            return True
        known, tells = (insert, self._tells), self._tells
        if known not in self._both:
            self._both[known] = inserted_and_offered(insert, len(values), notify=tells)
        offer = self._offer(kind, subject, queue, priority, None, delay_ms, None, lane, lane_limit)
        row = await session.fetch_row(self._both[known], (*values, *offer))
        if row is None or not row[0]:
            return False
        session.after_commit(lambda: self._wakes.offered(lane is not None, delay_ms, None))
        return True

    async def offer_all(self, session: Session, kind: str, offers: Sequence[Offer]) -> None:
        """See ``Dispatcher``."""
        text = self._sql.offer_and_notify if self._tells else self._sql.offer
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
        session.after_commit(lambda: self._wakes.offered(restricted, 0, None))

    async def withdraw(self, session: Session, kind: str, subject: str) -> bool:
        """See ``Dispatcher``."""
        row = await session.fetch_row(self._sql.withdraw, (kind, subject))
        await self._followed(session, row)
        return row is not None

    async def _followed(self, session: Session, ended: Record | None) -> None:
        """Lets the next one of its order have its turn."""
        if ended is not None and ended[0] is not None:
            await self._ordered.promote(session, str(ended[0]))
            session.after_commit(self._wakes.wake_restricted)

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
                session.after_commit(self._wakes.wake_restricted)
        elif await session.execute(self._sql.again, (claim.id, claim.fence)):
            session.after_commit(self._wakes.wake_restricted)
        else:
            raise LeaseLost

    async def later(self, session: Session, claim: Claim, delay_ms: int, *, failed: bool = False, cause: str | None = None) -> None:
        """See ``Dispatcher``."""
        values = (self._now(), claim.id, claim.fence, delay_ms, int(failed), cause)
        if not await session.execute(self._sql.later, values):
            raise LeaseLost
        session.after_commit(lambda: self._wakes.offered(bool(claim.restricted), delay_ms, None))

    async def put_off(self, session: Session, claim: Claim, delay_ms: int, cause: str) -> int:
        """See ``Dispatcher``."""
        row = await session.fetch_row(self._sql.put_off, (self._now(), claim.id, claim.fence, delay_ms, cause))
        if row is None:
            raise LeaseLost
        session.after_commit(lambda: self._wakes.offered(bool(claim.restricted), delay_ms, None))
        return int(str(row[0]))
