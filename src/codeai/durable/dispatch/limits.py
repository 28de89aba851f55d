"""Queues as an operator has changed them while the server runs: weights, pauses, how much runs at a time, how much begins in a time.

They are rows of ``codeai_queues``, read again with every sweep, and hold over all processes: whoever claims from a limited queue
holds its row meanwhile. They concern executions alone; ticks and deliveries that lie in the same queue are never held back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from codeai.durable.dispatch.protocol import Queues
from codeai.storage.interface import Database, Session
from codeai.storage.portable import portable

LIMITED: Final = "execution"  # the kind of activations that limits concern
COLUMNS: Final = "name, weight, concurrency, rate, rate_ms, paused"
_LOAD: Final = f"SELECT {COLUMNS} FROM codeai_queues"
_RUNNING: Final = f"SELECT count(*) FROM codeai_activations WHERE queue = $1 AND state = 1 AND kind = '{LIMITED}'"
_HOLD: Final = f"""
SELECT {COLUMNS}, coalesce(next_ms, 0), coalesce(CAST($2 AS bigint), {{now}}), CASE WHEN concurrency IS NOT NULL THEN ({_RUNNING}) END
FROM codeai_queues WHERE name = $1 FOR UPDATE"""
_SPEND: Final = "UPDATE codeai_queues SET next_ms = $2 WHERE name = $1"


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """What differs from the program, None where nothing does. At most ``rate`` executions begin within ``rate_ms``."""

    weight: int | None = None
    concurrency: int | None = None
    rate: int | None = None
    rate_ms: int | None = None
    paused: bool = False

    @property
    def holds_back(self) -> bool:
        """Whether claims have to ask."""
        return self.paused or self.concurrency is not None or self.rate is not None


class Allowance(msgspec.Struct, frozen=True, kw_only=True):
    """How many executions may be claimed now; ``spaced`` is the time between two of them by the rate, in milliseconds, 0 without one."""

    number: int
    begins_ms: int = 0
    spaced_ms: float = 0


def _limit(row: Sequence[object]) -> Limit:
    values = dict(zip(("weight", "concurrency", "rate", "rate_ms"), row[1:5], strict=True))
    return Limit(**values, paused=bool(row[5]))  # type: ignore[arg-type]  # whole numbers or None


class Limits:
    """The limits of all queues, and the queues as they result.

    :param base: the queues of the program
    :param clock: milliseconds since 1970 where time is virtual; None for the database's clock
    """

    def __init__(self, database: Database, base: Queues, clock: Callable[[], int] | None = None) -> None:
        self.queues = base
        self._base = base
        self._database = database
        self._clock = clock
        self._limits: dict[str, Limit] = {}
        self._load, self._hold, self._spend = (portable(text, database.dialect) for text in (_LOAD, _HOLD, _SPEND))

    def hold_back(self, queue: str) -> bool:
        """Whether claims from a queue need an allowance."""
        found = self._limits.get(queue)
        return found is not None and found.holds_back

    async def refresh(self) -> None:
        """Reads what operators say now."""
        self.take(await self._database.reading().fetch(self._load, ()))

    def take(self, rows: Sequence[Sequence[object]]) -> None:
        """Takes over the rows of all queues (``COLUMNS``)."""
        found = {str(row[0]): _limit(row) for row in rows}
        if found != self._limits:
            weights = {name: found[name].weight or weight if name in found else weight for name, weight in self._base.weights.items()}
            self.queues = msgspec.structs.replace(self._base, weights=weights)
            self._limits = found

    async def allowance(self, session: Session, queue: str, wanted: int) -> Allowance:
        """How many executions of a queue may be claimed, in a transaction that takes turns with all that claim from it."""
        row = await session.fetch_row(self._hold, (queue, self._clock() if self._clock is not None else None))
        if row is None:
            return Allowance(number=wanted)
        limit, next_ms, now = _limit(row), int(row[6]), int(row[7])  # type: ignore[call-overload]  # whole numbers
        if limit.paused:
            return Allowance(number=0)
        number, spaced, begins = wanted, 0.0, 0
        if limit.concurrency is not None:
            number = min(number, limit.concurrency - int(row[8]))  # type: ignore[call-overload]  # a count
        if limit.rate and limit.rate_ms:
            # The generic cell rate algorithm (ITU-T I.371): ``begins`` is when the next one would be due at an even pace.
            spaced, begins = limit.rate_ms / limit.rate, max(next_ms, now)
            number = min(number, int((now + limit.rate_ms - begins) // spaced))
        return Allowance(number=max(number, 0), begins_ms=begins, spaced_ms=spaced)

    async def spend(self, session: Session, queue: str, allowance: Allowance, taken: int) -> None:
        """Notes how much of an allowance was used."""
        if taken and allowance.spaced_ms:
            await session.execute(self._spend, (queue, round(allowance.begins_ms + taken * allowance.spaced_ms)))
