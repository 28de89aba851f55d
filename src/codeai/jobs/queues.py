"""Queues: what the program says of them, how much lies in each, and what an operator changes while the server runs."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Final

import msgspec

from codeai.durable.dispatch.limits import LIMITED, Limit
from codeai.durable.dispatch.protocol import Queues
from codeai.language import types as t
from codeai.storage.codecs import codec
from codeai.storage.interface import Database, Session
from codeai.storage.portable import portable

_LIMITS: Final = "SELECT name, weight, concurrency, rate, rate_ms, paused FROM codeai_queues"
_DEPTHS: Final = (
    "SELECT queue, sum(CASE WHEN state IN (0, 3, 4) THEN 1 ELSE 0 END), sum(CASE WHEN state = 1 THEN 1 ELSE 0 END), "
    "sum(CASE WHEN state = 2 THEN 1 ELSE 0 END) FROM codeai_activations WHERE kind = $1 GROUP BY queue"
)
_PUT: Final = (
    "INSERT INTO codeai_queues (name, weight, concurrency, rate, rate_ms, paused, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7) "
    "ON CONFLICT (name) DO UPDATE SET weight = excluded.weight, concurrency = excluded.concurrency, rate = excluded.rate, "
    "rate_ms = excluded.rate_ms, paused = excluded.paused, updated_at = excluded.updated_at"
)


class UnknownQueue(Exception):
    """The program declares no such queue."""


class QueueState(msgspec.Struct, frozen=True, kw_only=True):
    """A queue with its depth: ``ready`` executions wait for a worker, ``running`` have one, ``later`` wait for their time or an event."""

    name: str
    weight: int
    paused: bool
    concurrency: int | None
    rate: int | None
    rate_ms: int | None
    ready: int
    running: int
    later: int


def queues_of(weights: Mapping[str, int], concurrency: int | None) -> Queues:
    """The queues of a program: those that ``config.jobs`` names, and ``default`` in any case."""
    named = {"default": 1, **weights}
    return Queues(named, concurrency) if concurrency is not None else Queues(named)


class QueueDesk:
    """Reads and changes queues."""

    def __init__(self, database: Database, queues: Queues) -> None:
        self._database = database
        self._queues = queues
        self._put = portable(_PUT, database.dialect)
        self._depths = portable(_DEPTHS, database.dialect)
        self._moment = codec(t.Timestamp(), database.dialect).to_driver or (lambda value: value)

    @property
    def names(self) -> frozenset[str]:
        """The queues of the program."""
        return frozenset(self._queues.weights)

    async def states(self) -> list[QueueState]:
        """All queues by name."""
        session = self._database.reading()
        limits = await self._limits(session)
        depths = {row[0]: row[1:] for row in await session.fetch(self._depths, (LIMITED,))}
        return [self._state(name, limits.get(name, Limit()), depths.get(name, (0, 0, 0))) for name in sorted(self._queues.weights)]

    def _state(self, name: str, limit: Limit, depth: object) -> QueueState:
        ready, running, later = map(int, depth)  # type: ignore[call-overload]  # three counts
        return QueueState(
            name=name,
            weight=limit.weight or self._queues.weights[name],
            paused=limit.paused,
            concurrency=limit.concurrency,
            rate=limit.rate,
            rate_ms=limit.rate_ms,
            ready=ready,
            running=running,
            later=later,
        )

    async def _limits(self, session: Session) -> dict[str, Limit]:
        found: dict[str, Limit] = {}
        for row in await session.fetch(_LIMITS, ()):
            name, weight, concurrency, rate, rate_ms, paused = row
            values = {"weight": weight, "concurrency": concurrency, "rate": rate, "rate_ms": rate_ms, "paused": bool(paused)}
            found[str(name)] = Limit(**values)  # type: ignore[arg-type]  # its columns
        return found

    async def limit(self, session: Session, name: str) -> Limit:
        """What an operator has said of a queue.

        :raises UnknownQueue: the program has no such queue
        """
        if name not in self._queues.weights:
            raise UnknownQueue(name)
        return (await self._limits(session)).get(name, Limit())

    async def change(self, session: Session, name: str, limit: Limit, now: datetime.datetime) -> None:
        """Changes a queue in all processes, within a second or two of the commit; raises as ``limit``."""
        await self.limit(session, name)
        values = (name, limit.weight, limit.concurrency, limit.rate, limit.rate_ms, int(limit.paused), self._moment(now))
        await session.execute(self._put, values)
