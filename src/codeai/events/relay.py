"""From the outbox to deliveries: one activation for the whole instance, so that the order of events is kept.

It is brought forward when events have been committed, and comes back every second by itself, since a process may die between
its commit and its word. What an event leads to is written in one transaction with the mark that it has been relayed.
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Protocol
from uuid import UUID

from codeai.durable.dispatch.protocol import Claim, Dispatcher
from codeai.evaluate.errors import EvaluationError
from codeai.events.deliveries import Deliveries, NewDelivery, offer
from codeai.events.outbox import Moment, Outbox
from codeai.events.records import COLUMNS, EventRecord, facts
from codeai.events.routes import Route
from codeai.storage.codecs import encode_json
from codeai.storage.interface import Database, Session
from codeai.storage.portable import portable

_LOG: Final = logging.getLogger("codeai.events")
RELAY: Final = "outbox"  # the kind of the activation, and its only subject
SWEEP_MS: Final = 1_000
_BATCH: Final = 200
# Events that this program does not have wait for the version that has them: while one is rolled out, both relay.
_WAITING: Final = f"SELECT {COLUMNS} FROM codeai_events WHERE relayed = 0 AND name IN {{names}} ORDER BY id LIMIT {_BATCH}"  # noqa: S608  # constants of ours
_NAMES: Final = {"postgresql": "(SELECT unnest($1::text[]))", "sqlite": "(SELECT value FROM json_each($1))"}
_RELAYED: Final = "UPDATE codeai_events SET relayed = 1 WHERE id = $1"


def nothing(point: str) -> None:
    """A point is passed without effect."""


class Listener(Protocol):
    """Hears of events beside deliveries: executions that wait for one."""

    @property
    def names(self) -> frozenset[str]:
        """The wire names that it wants to hear of."""

    async def heard(self, session: Session, events: Sequence[EventRecord]) -> None:
        """Takes in events, in the transaction that relays them; it is not told twice of the same."""


class Relay:
    """Makes deliveries of events.

    :param routes: who hears of which event
    :param passed: is told of the points at which tests end the process
    :param idle: what is done when there is nothing to relay
    """

    def __init__(
        self,
        database: Database,
        dispatcher: Dispatcher,
        outbox: Outbox,
        deliveries: Deliveries,
        routes: Mapping[str, tuple[Route, ...]],
        clock: Callable[[], datetime.datetime],
        passed: Callable[[str], None] = nothing,
        idle: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._passed = passed
        self._idle = idle
        self._database = database
        self._dispatcher = dispatcher
        self._outbox = outbox
        self._deliveries = deliveries
        self._routes = routes
        self._clock = clock
        self._more: Mapping[str, tuple[Route, ...]] = {}
        self._listeners: list[Listener] = []
        self._waiting = portable(_WAITING.replace("{names}", _NAMES[database.dialect]), database.dialect)
        self._names = (encode_json(list(outbox.plans)) if database.dialect == "sqlite" else list(outbox.plans),)
        self._relayed = portable(_RELAYED, database.dialect)
        for wire, found in routes.items():
            outbox.plans[wire].heard = bool(found)

    def listen(self, listener: Listener) -> None:
        """Tells a listener of events from now on; while the process is composed."""
        self._listeners.append(listener)
        for wire in listener.names:
            if wire in self._outbox.plans:
                self._outbox.plans[wire].heard = True

    def also_to(self, routes: Mapping[str, tuple[Route, ...]]) -> None:
        """Tells targets besides those of the program: workflows that were registered since. It replaces what was said before."""
        self._more = routes
        for wire in routes:
            if wire in self._outbox.plans:
                self._outbox.plans[wire].heard = True

    async def __call__(self, claim: Claim) -> None:
        """See ``durable.dispatch.protocol.Handler``."""
        while await self._batch(claim):
            pass
        if self._idle is not None:
            await self._idle()
        async with self._database.transaction() as session:
            await self._dispatcher.later(session, claim, SWEEP_MS)

    async def _batch(self, claim: Claim) -> bool:
        """Relays a batch; whether there may be more."""
        if await self._database.fetch_row(self._waiting, self._names) is None:
            return False
        async with self._database.transaction() as session:
            await self._dispatcher.hold(session, claim)
            events = [self._outbox.forms.event(row) for row in await session.fetch(self._waiting, self._names)]
            made = [delivery for event in events for delivery in self.made(event)]
            if made:
                await self._deliveries.add(session, made, self._clock())
            await offer(session, self._dispatcher, made)
            for listener in self._listeners:
                heard = [event for event in events if event.name in listener.names]
                if heard:
                    await listener.heard(session, heard)
            await session.execute_many(self._relayed, [(self._outbox.forms.identifier(event.id),) for event in events])
            self._passed("before-relay")
        self._passed("after-relay")
        return len(events) == _BATCH

    def made(self, event: EventRecord, *, replay_of: UUID | None = None, forced: bool = False) -> list[NewDelivery]:
        """The deliveries that an event leads to.

        :param replay_of: what they repeat
        :param forced: they start workflows again
        """
        routes = (*self._routes.get(event.name, ()), *self._more.get(event.name, ()))
        context = self._context(event) if any(route.where is not None for route in routes) else None
        return [
            NewDelivery(
                kind=route.kind,
                target=route.target,
                event=event.id,
                order_key=order_key(route, event),
                replay_of=replay_of,
                forced=forced,
            )
            for route in routes
            if route.where is None or self._wanted(route, context)
        ]

    def _context(self, event: EventRecord) -> Any:
        values = facts(event, self._outbox.plans[event.name].schema.decoded(event.payload))
        return Moment(event.at, {"event": values, "trigger": values})

    def _wanted(self, route: Route, context: Any) -> bool:
        """Whether a target wants the event. A condition that cannot be computed is left to the delivery, where it fails in sight."""
        assert route.where is not None
        try:
            return route.where(context) is True
        except EvaluationError as error:
            _LOG.warning("condition failed", extra={"target": route.target, "cause": str(error)})
            return True


def order_key(route: Route, event: EventRecord) -> str | None:
    """What keeps the deliveries of one key to one target in order."""
    return None if event.key is None else f"{route.kind}:{route.target}:{event.key}"


class Doorbell:
    """Brings the relay forward after commits; many commits in a short time ring once.

    :param spawn: runs a coroutine beside the caller
    """

    def __init__(
        self, database: Database, dispatcher: Dispatcher, spawn: Callable[[Any], object], passed: Callable[[str], None] = nothing
    ) -> None:
        self._passed = passed
        self._database = database
        self._dispatcher = dispatcher
        self._spawn = spawn
        self._ringing = False
        self._again = False

    def __call__(self) -> None:
        """Somebody has committed an event."""
        self._passed("after-emit")
        if self._ringing:
            self._again = True
            return
        self._ringing = True
        self._spawn(self._ring())

    async def _ring(self) -> None:
        try:
            while True:
                self._again = False
                await ring(self._database.writing(), self._dispatcher)
                if not self._again:
                    return
        except Exception as error:
            _LOG.warning("the relay was not woken", extra={"cause": str(error)})  # it comes by itself within a second
        finally:
            self._ringing = False


async def ring(session: Session, dispatcher: Dispatcher) -> None:
    """Offers the relay's activation."""
    await dispatcher.offer(session, RELAY, RELAY)
