"""From the outbox to deliveries: one activation for the whole instance, so that the order of events is kept.

It is brought forward when events have been committed, and comes back every second by itself, since a process may die between
its commit and its word. What an event leads to is written in one transaction with the mark that it has been relayed.
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol
from uuid import UUID

import msgspec

from codeai.durable.dispatch.protocol import Claim, Dispatcher
from codeai.events.deliveries import Deliveries, NewDelivery, offer
from codeai.events.outbox import Moment, Outbox
from codeai.events.payloads import UnreadablePayload
from codeai.events.records import COLUMNS, EventRecord, facts
from codeai.events.routes import Route
from codeai.events.versions import Versions
from codeai.events.wiring import Named, Wiring
from codeai.storage.codecs import encode_json
from codeai.storage.interface import Database, Session
from codeai.storage.portable import portable

_LOG: Final = logging.getLogger("codeai.events")
RELAY: Final = "outbox"  # the kind of the activation, and its only subject
SWEEP_MS: Final = 1_000
_BATCH: Final = 200
# Events that no version has that runs wait until one does.
_WAITING: Final = f"SELECT {COLUMNS} FROM codeai_events WHERE relayed = 0 AND name IN {{names}} ORDER BY id LIMIT {_BATCH}"  # noqa: S608  # constants of ours
_NAMES: Final = {"postgresql": "(SELECT unnest($1::text[]))", "sqlite": "(SELECT value FROM json_each($1))"}
_RELAYED: Final = "UPDATE codeai_events SET relayed = 1 WHERE id IN {ids}"
_IDS: Final = {"postgresql": "(SELECT unnest($1::uuid[]))", "sqlite": "(SELECT value FROM json_each($1))"}


def nothing(point: str) -> None:
    """A point is passed without effect."""


class Listener(Protocol):
    """Hears of events beside deliveries: executions that wait for one. It is told of every event."""

    @property
    def names(self) -> frozenset[str]:
        """The wire names of events that it wants to hear of without delay."""

    async def heard(self, session: Session, events: Sequence[EventRecord]) -> None:
        """Takes in events, in the transaction that relays them; it is not told twice of the same."""


class News(Protocol):
    """What operators have registered since."""

    async def stale(self) -> bool:
        """Whether there is something that was not taken up yet."""

    async def refresh(self) -> None:
        """Takes it up."""


class Relay:
    """Makes deliveries of events.

    :param versions: the versions of the program that run
    :param routes: who hears of which event in this one
    :param passed: is told of the points at which tests end the process
    """

    def __init__(
        self,
        database: Database,
        dispatcher: Dispatcher,
        outbox: Outbox,
        deliveries: Deliveries,
        versions: Versions,
        routes: Mapping[str, tuple[Route, ...]],
        clock: Callable[[], datetime.datetime],
        passed: Callable[[str], None] = nothing,
    ) -> None:
        self._passed = passed
        self._versions = versions
        self._live: tuple[Wiring, ...] = (versions.own,)
        self.news: News | None = None
        self._database = database
        self._dispatcher = dispatcher
        self._outbox = outbox
        self._deliveries = deliveries
        self._routes = routes
        self._clock = clock
        self._more: Mapping[str, tuple[Route, ...]] = {}
        self._listeners: list[Listener] = []
        self._waiting = portable(_WAITING.replace("{names}", _NAMES[database.dialect]), database.dialect)
        self._relayed = portable(_RELAYED.replace("{ids}", _IDS[database.dialect]), database.dialect)
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

    def rename(self, names: Mapping[str, Named]) -> None:
        """Takes over the names that handlers keep from version to version, by those of this program alone."""
        self._routes = {wire: tuple(_renamed(route, names) for route in found) for wire, found in self._routes.items()}
        self._live = (self._versions.own,)

    async def __call__(self, claim: Claim) -> None:
        """See ``durable.dispatch.protocol.Handler``."""
        await self.refresh()
        while await self._batch(claim):
            pass
        async with self._database.transaction() as session:
            await self._dispatcher.later(session, claim, SWEEP_MS)

    async def refresh(self) -> None:
        """Sees who is to be told by now: the versions that run, and what was registered."""
        self._live = await self._versions.live(self._database.reading())
        if self.news is not None and await self.news.stale():
            await self.news.refresh()

    def _listed(self, values: Sequence[Any]) -> tuple[Any]:
        return (encode_json(values) if self._database.dialect == "sqlite" else values,)

    async def _batch(self, claim: Claim) -> bool:
        """Relays a batch; whether there may be more."""
        names = self._listed(sorted({name for wiring in self._live for name in wiring.routes}))
        if await self._database.fetch_row(self._waiting, names) is None:
            return False
        try:
            async with self._database.transaction() as session:
                return await self._relay(session, claim, names)
        except _Stale:
            await self.refresh()
            return True
        finally:
            self._passed("after-relay")

    async def _relay(self, session: Session, claim: Claim, names: tuple[Any]) -> bool:
        await self._dispatcher.hold(session, claim)
        events = [self._outbox.forms.event(row) for row in await session.fetch(self._waiting, names)]
        # Who is told is looked up after the events were read: whoever has emitted one was written down before.
        self._live = await self._versions.live(session)
        if self.news is not None and await self.news.stale():
            raise _Stale
        made = [delivery for event in events for delivery in self.made(event)]
        if made:
            await self._deliveries.add(session, made, self._clock())
        await offer(session, self._dispatcher, made)
        for listener in self._listeners:
            await listener.heard(session, events)
        await session.execute(self._relayed, self._listed([self._outbox.forms.identifier(event.id) for event in events]))
        self._passed("before-relay")
        return len(events) == _BATCH

    def _told(self, wire: str) -> tuple[Route, ...]:
        """The targets of an event in the newest version that has it."""
        wiring = next((found for found in self._live if wire in found.routes), None)
        if wiring is None or wiring is self._versions.own:
            found = self._routes.get(wire, ())
        else:
            found = wiring.routes_of(wire)
        return (*found, *self._more.get(wire, ()))

    def made(self, event: EventRecord, *, replay_of: UUID | None = None, forced: bool = False) -> list[NewDelivery]:
        """The deliveries that an event leads to; see ``look``.

        :param replay_of: what they repeat
        :param forced: they start workflows again
        """
        routes = self._told(event.name)
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

    def _context(self, event: EventRecord) -> Moment | None:
        """What conditions see; None of an event that cannot be read."""
        try:
            values = facts(event, self._outbox.plans[event.name].schema.decoded(event.payload))
        except UnreadablePayload as error:
            _LOG.warning("event cannot be read", extra={"event": str(event.id), "cause": str(error)})
            return None
        return Moment(event.at, {"event": values, "trigger": values})

    def _wanted(self, route: Route, context: Any) -> bool:
        """Whether a target wants the event. A condition that cannot be computed is left to the delivery, where it fails in sight.

        No event may keep others from being relayed, whatever is wrong with it.
        """
        assert route.where is not None
        if context is None:
            return True
        try:
            return route.where(context) is True
        except Exception as error:
            _LOG.warning("condition failed", extra={"target": route.target, "cause": str(error)})
            return True


def _renamed(route: Route, names: Mapping[str, Named]) -> Route:
    named = names.get(route.target) if route.kind == "handler" else None
    return route if named is None else msgspec.structs.replace(route, target=named.name, line=named.line)


def order_key(route: Route, event: EventRecord) -> str | None:
    """What keeps the deliveries of one key to one target in order."""
    return None if event.key is None else f"{route.kind}:{route.line or route.target}:{event.key}"


class _Stale(Exception):
    """Something was registered that the events of a batch may be for."""


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
