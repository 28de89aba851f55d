"""What is past its time goes, once an hour: one activation for all processes, so that one of them does it."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from codeai.control.audit import Trail
from codeai.control.keys import purge_expired
from codeai.durable.dispatch.protocol import Claim, Dispatcher
from codeai.durable.process import Durable
from codeai.durable.retention import DefinitionRetention, ExecutionRetention
from codeai.durable.traces import KEPT as TRACES_KEPT
from codeai.durable.traces import TraceRetention
from codeai.events.retention import Retention as EventRetention
from codeai.observability.metrics.instruments import Metrics
from codeai.server.settings import Settings
from codeai.storage.errors import StorageError
from codeai.storage.interface import Database

_LOG: Final = logging.getLogger("codeai.server")
KIND: Final = "retention"
EVERY_MS: Final = 3_600_000
_AGAIN_MS: Final = 60_000  # after the database has refused something
Purge = Callable[[datetime.datetime], Awaitable[int]]


class Purging:
    """One kind of rows.

    :param seconds: how long they are kept; 0 for ever
    :param purge: deletes what is older than a moment, a few rows at a time, and counts
    :param noted: whether the trail says so
    """

    def __init__(self, seconds: float, purge: Purge, *, noted: bool = True) -> None:
        self.seconds = seconds
        self.purge = purge
        self.noted = noted


class Retention:
    """The handler of the activation.

    :param kinds: what is kept for how long, by the name in log, metrics and trail
    """

    def __init__(
        self,
        database: Database,
        dispatcher: Dispatcher,
        kinds: Mapping[str, Purging],
        trail: Trail,
        clock: Callable[[], datetime.datetime],
        metrics: Metrics,
    ) -> None:
        self._database = database
        self._dispatcher = dispatcher
        self._kinds = kinds
        self._trail = trail
        self._clock = clock
        self._counter = metrics.counter("retention_purged_total", "Rows that were deleted because they were past their time.", ("kind",))
        dispatcher.register(KIND, self)

    async def start(self) -> None:
        """Makes sure that there is the activation."""
        if any(one.seconds for one in self._kinds.values()):
            await self._dispatcher.offer(self._database.writing(), KIND, KIND)

    async def __call__(self, claim: Claim) -> None:
        """See ``durable.dispatch.protocol.Handler``."""
        delay = EVERY_MS
        try:
            await self.purge()
        except StorageError as error:
            _LOG.warning("not all that is past its time was deleted", extra={"cause": str(error)})
            delay = _AGAIN_MS
        async with self._database.transaction() as session:
            await self._dispatcher.later(session, claim, delay)

    async def purge(self) -> dict[str, int]:
        """Deletes what is past its time; how much of what."""
        found: dict[str, int] = {}
        for kind, one in self._kinds.items():
            if one.seconds:
                before = self._clock() - datetime.timedelta(seconds=one.seconds)
                found[kind] = await one.purge(before)
                if found[kind]:
                    self._counter.add(kind, by=found[kind])
                    _LOG.info("deleted what is past its time", extra={"kind": kind, "count": found[kind], "before": before.isoformat()})
                    if one.noted:
                        await self._noted(kind, found[kind], before)
        return found

    async def _noted(self, kind: str, count: int, before: datetime.datetime) -> None:
        async with self._database.transaction() as session:
            await self._trail.write(session, "system", "purge", kind, "retention", after={"count": count, "before": before.isoformat()})


def retention(
    database: Database,
    dispatcher: Dispatcher,
    settings: Settings,
    events: EventRetention,
    durable: Durable,
    accompanied: Callable[[], Awaitable[bool]],
    clock: Callable[[], datetime.datetime],
    metrics: Metrics,
) -> Retention:
    """What the house keeps for how long. Keys of requests have a time of their own."""

    async def keys(before: datetime.datetime) -> int:
        return await purge_expired(database)

    def begun_with() -> list[str]:
        return [found.version for found in durable.definitions.all()]

    store = durable.store
    kinds = {
        "event": Purging(settings.event_retention, events.purge),  # first: executions are kept as long as their event is
        "execution": Purging(settings.execution_retention, ExecutionRetention(store).purge),
        "definition": Purging(settings.execution_retention, DefinitionRetention(store, begun_with, accompanied).purge),
        "trace": Purging(TRACES_KEPT, TraceRetention(database).purge, noted=False),
        "idempotency_key": Purging(1.0, keys, noted=False),
    }
    return Retention(database, dispatcher, kinds, Trail(database.dialect, clock), clock, metrics)
