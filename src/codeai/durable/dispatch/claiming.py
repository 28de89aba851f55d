"""Claims for free slots: from queues by weight, what has neither order nor lane before the rest, and within the limits of operators."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Final

from codeai.durable.dispatch.limits import Limits
from codeai.durable.dispatch.protocol import Claim
from codeai.durable.dispatch.restricted import LOCK, RestrictedClaims
from codeai.durable.dispatch.statements import Claims, Statements
from codeai.durable.dispatch.wakes import Wakes
from codeai.storage.interface import Database, Record, Session

LEASE_MS: Final = 10_000
IDLE_LIMIT: Final = 5.0  # seconds that a claim may stand still: others wait for it
_SHARED: Final = "default"  # the queue of all that is no execution
_TURN: Final = 8  # each so many claims begin with what has an order or a lane


class Claimer:
    """Claims for one worker.

    :param now: milliseconds since 1970 where time is virtual; None for the database's clock
    """

    def __init__(
        self,
        database: Database,
        sql: Statements,
        limits: Limits,
        ordered: RestrictedClaims,
        worker: str,
        wakes: Wakes,
        now: Callable[[], int | None],
    ) -> None:
        self.sql = sql
        self._wakes = wakes
        self._database = database
        self._limits = limits
        self._ordered = ordered
        self._worker = worker
        self._now = now
        self._turn = 0
        self._claims = 0

    def _shares(self, free: int) -> list[tuple[str, int]]:
        """How many slots each queue may take, by weight; every queue gets its turn first, now and then."""
        weights = self._limits.queues.weights
        if len(weights) == 1:
            return [(next(iter(weights)), free)]
        total = sum(weights.values())
        order = sorted(weights, key=lambda name: -weights[name])
        self._turn += 1
        if self._turn % 4 == 0:
            shift = (self._turn // 4) % len(order)
            order = order[shift:] + order[:shift]
        return [(name, max(1, free * weights[name] // total)) for name in order]

    async def claim(self, free: int) -> list[Claim]:
        """Claims up to so many activations."""
        found: list[Claim] = []
        self._claims += 1
        restricted, self._wakes.restricted = self._wakes.restricted, False
        shares = self._shares(free)
        for last in (False, True) if len(shares) > 1 else (False,):
            for queue, share in shares:
                wanted = min(free - len(found), free if last else share)
                if wanted > 0:
                    found += await self._claim_from(queue, wanted, restricted=restricted)
            if len(found) >= free:
                break
        if restricted and len(found) >= free:
            self._wakes.restricted = True  # there may be more
        return found

    async def _claim_from(self, queue: str, wanted: int, *, restricted: bool) -> list[Claim]:
        if not self._limits.hold_back(queue):
            rows = await self._claim_with(self.sql.claim, None, queue, wanted, restricted=restricted)
        else:
            rows = await self._claim_limited(queue, wanted, restricted=restricted)
        rows.sort(key=lambda row: row[0])  # type: ignore[arg-type,return-value]  # the number of the row
        return [Claim(*row) for row in rows]  # type: ignore[arg-type]  # columns in the order of the fields

    async def _claim_limited(self, queue: str, wanted: int, *, restricted: bool) -> list[Record]:
        """Claims what limits do not concern, and of the rest as much as they allow: one transaction, since each takes its turn."""
        async with self._taking_turns() as session:
            rows: list[Record] = []
            if queue == _SHARED:
                rows = await self._claim_with(self.sql.claim_exempt, session, queue, wanted, restricted=restricted)
            if len(rows) < wanted:
                allowance = await self._limits.allowance(session, queue, wanted - len(rows))
                if allowance.number > 0:
                    found = await self._claim_with(self.sql.claim_limited, session, queue, allowance.number, restricted=restricted)
                    await self._limits.spend(session, queue, allowance, len(found))
                    rows += found
            return rows

    async def _claim_with(self, claims: Claims, session: Session | None, queue: str, wanted: int, *, restricted: bool) -> list[Record]:
        """Claims what has neither order nor lane first, since that costs less; now and then the rest first, or it would starve."""
        rows: list[Record] = []
        if restricted and self._claims % _TURN == 0:
            rows += await self._claim_restricted(claims, session, queue, wanted)
            restricted = False
        if len(rows) < wanted:
            values = (self._now(), LEASE_MS, self._worker, queue, wanted - len(rows))
            rows += await (session or self._database.writing()).fetch(claims.free, values)
        if restricted and len(rows) < wanted:
            rows += await self._claim_restricted(claims, session, queue, wanted - len(rows))
        return rows

    async def _claim_restricted(self, claims: Claims, session: Session | None, queue: str, wanted: int) -> list[Record]:
        values = (self._now(), LEASE_MS, self._worker, queue)
        async with self._taking_turns() if session is None else nullcontext(session) as inner:
            rows = await self._ordered.claim(inner, claims.restricted, values, wanted)
        if len(rows) >= wanted:
            self._wakes.restricted = True  # there may be more
        return rows

    def _taking_turns(self) -> AbstractAsyncContextManager[Session]:
        """A transaction that sees what all claims before it have done: they go one after another."""
        return self._database.transaction(idle_limit=IDLE_LIMIT, turn=LOCK)
