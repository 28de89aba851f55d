"""Operators and events: lists, details, replays, webhooks. The control interface and the command line are made of this."""

from __future__ import annotations

import datetime
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from codeai.durable.dispatch.protocol import Dispatcher
from codeai.events.deliveries import KIND, Deliveries, NewDelivery, offer
from codeai.events.outbox import Outbox
from codeai.events.records import COLUMNS
from codeai.events.relay import Relay
from codeai.events.views import (
    ATTEMPTS,
    DELIVERIES,
    EVENT,
    DeliveryDetail,
    DeliveryView,
    EventDetail,
    EventView,
    Page,
    WebhookView,
    attempt_view,
    delivery_view,
    event_view,
)
from codeai.events.webhooks import Webhooks
from codeai.model.application import Application
from codeai.storage.interface import Database, Session
from codeai.storage.portable import portable

LARGEST_PAGE: Final = 200

_LATER: Final = f"SELECT id FROM codeai_activations WHERE kind = '{KIND}' AND subject = $1 AND state = 2 FOR UPDATE SKIP LOCKED"  # noqa: S608  # ours


class NotKnown(Exception):
    """There is no such event, delivery or webhook."""


Noted = Callable[[Session, Mapping[str, Any]], Awaitable[None]]


async def unnoted(session: Session, what: Mapping[str, Any]) -> None:
    """Nobody keeps a trail."""


class EventsControl:
    """What operators do with the events of a program. Every change may be repeated without harm.

    A change is noted in its own transaction (``noted``); what has been done before is not noted again.
    """

    def __init__(
        self,
        application: Application,
        database: Database,
        dispatcher: Dispatcher,
        outbox: Outbox,
        relay: Relay,
        deliveries: Deliveries,
        webhooks: Webhooks,
        clock: Callable[[], datetime.datetime],
    ) -> None:
        self._database = database
        self._dispatcher = dispatcher
        self._forms = outbox.forms
        self._relay = relay
        self._deliveries = deliveries
        self._webhooks = webhooks
        self._clock = clock
        self._subscriptions = {webhook.name: webhook.events for webhook in application.webhooks}
        self._hidden = {event.wire: frozenset(field.name for field in event.fields if field.write_only) for event in application.events}

    def _text(self, statement: str) -> str:
        return portable(statement, self._database.dialect)

    # -- events ----------------------------------------------------------------------------------------------------

    async def events(
        self, *, name: str | None = None, since: datetime.datetime | None = None, cursor: str | None = None, limit: int = 50
    ) -> Page[EventView]:
        """Events, newest first.

        :param name: the wire name
        :param cursor: the ``next`` of the page before; raises ValueError when it is none
        """
        conditions, values = ["1 = 1"], list[Any]()
        for text, value in (
            ("name = ${}", name),
            ("at >= ${}", self._forms.moment(since) if since is not None else None),
            ("id < ${}", self._forms.identifier(UUID(cursor)) if cursor else None),
        ):
            if value is not None:
                values.append(value)
                conditions.append(text.format(len(values)))
        statement = f"SELECT {EVENT} FROM codeai_events WHERE {' AND '.join(conditions)} ORDER BY id DESC LIMIT {_limit(limit) + 1}"  # noqa: S608  # ours
        rows = await self._database.reading().fetch(self._text(statement), values)
        return _page([self._event(row) for row in rows], limit)

    def _event(self, row: Any) -> EventView:
        return event_view(self._forms, row, self._hidden.get(row[1], frozenset()))

    async def event(self, identifier: UUID) -> EventDetail:
        """One event with its deliveries; raises NotKnown."""
        reading, key = self._database.reading(), self._forms.identifier(identifier)
        row = await reading.fetch_row(self._text(f"SELECT {EVENT} FROM codeai_events WHERE id = $1"), (key,))  # noqa: S608  # ours
        if row is None:
            raise NotKnown(f"there is no event '{identifier}'")
        rows = await reading.fetch(self._text(f"{DELIVERIES} WHERE d.event_id = $1 ORDER BY d.id"), (key,))
        return EventDetail(self._event(row), [delivery_view(self._forms, found) for found in rows])

    async def replay_event(self, identifier: UUID, *, force: bool = False, noted: Noted = unnoted) -> list[DeliveryView]:
        """Delivers an event once more to all who hear it, under the same identifier.

        Targets to which a replay is still on its way get no second one.

        :param force: starts workflows again, too
        :returns: the deliveries that are on their way
        :raises NotKnown: there is no such event
        """
        key = self._forms.identifier(identifier)
        await self._relay.refresh()
        async with self._database.transaction() as session:
            text = f"SELECT {COLUMNS} FROM codeai_events WHERE id = $1 FOR SHARE"  # noqa: S608  # ours
            row = await session.fetch_row(self._text(text), (key,))
            if row is None:
                raise NotKnown(f"there is no event '{identifier}'")
            under_way = "SELECT kind, target FROM codeai_deliveries WHERE event_id = $1 AND replay_of IS NOT NULL AND status = 'pending'"
            running = {tuple(found) for found in await session.fetch(self._text(under_way), (key,))}
            made = [
                delivery
                for delivery in self._relay.made(self._forms.event(row), replay_of=identifier, forced=force)
                if (delivery.kind, delivery.target) not in running and (force or delivery.kind != "workflow")
            ]
            await self._offer(session, made)
            if made:
                await noted(session, {"deliveries": len(made), "force": force})
            # Before others see them, and may have delivered them.
            shown = "d.event_id = $1 AND d.replay_of IS NOT NULL AND d.status = 'pending'"
            rows = await session.fetch(self._text(f"{DELIVERIES} WHERE {shown} ORDER BY d.id"), (key,))
        return [delivery_view(self._forms, found) for found in rows]

    async def _offer(self, session: Session, made: Sequence[NewDelivery]) -> None:
        if made:
            await self._deliveries.add(session, made, self._clock())
        await offer(session, self._dispatcher, made)

    # -- deliveries ------------------------------------------------------------------------------------------------

    async def deliveries(
        self,
        *,
        kind: str | None = None,
        target: str | None = None,
        status: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[DeliveryView]:
        """Deliveries, newest first; raises ValueError for what is no cursor."""
        conditions, values = ["1 = 1"], list[Any]()
        for text, value in (
            ("d.kind = ${}", kind),
            ("d.target = ${}", target),
            ("d.status = ${}", status),
            ("d.id < ${}", self._forms.identifier(UUID(cursor)) if cursor else None),
        ):
            if value is not None:
                values.append(value)
                conditions.append(text.format(len(values)))
        statement = f"{DELIVERIES} WHERE {' AND '.join(conditions)} ORDER BY d.id DESC LIMIT {_limit(limit) + 1}"
        rows = await self._database.reading().fetch(self._text(statement), values)
        return _page([delivery_view(self._forms, row) for row in rows], limit)

    async def dead_letters(self, *, cursor: str | None = None, limit: int = 50) -> Page[DeliveryView]:
        """Deliveries that were given up and wait for a replay."""
        return await self.deliveries(status="dead", cursor=cursor, limit=limit)

    async def delivery(self, identifier: UUID) -> DeliveryDetail:
        """One delivery with its attempts; raises NotKnown."""
        reading, key = self._database.reading(), self._forms.identifier(identifier)
        row = await reading.fetch_row(self._text(f"{DELIVERIES} WHERE d.id = $1"), (key,))
        if row is None:
            raise NotKnown(f"there is no delivery '{identifier}'")
        attempts = await reading.fetch(self._text(ATTEMPTS), (key,))
        return DeliveryDetail(delivery_view(self._forms, row), [attempt_view(self._forms, found) for found in attempts])

    async def replay_delivery(self, identifier: UUID, *, force: bool = False, noted: Noted = unnoted) -> DeliveryView:
        """Delivers once more to one target. The delivery itself stays as it was, a dead one is called ``replayed`` then.

        One that is to be tried again later is tried now.
        Of a delivery that was dead there is one replay, however often it is asked for; a replay that dies is replayed itself.

        :param force: of a workflow: starts it again although the event has started it before
        :raises NotKnown: there is no such delivery
        """
        async with self._database.transaction() as session:
            # Before the delivery, as whoever works on it; what somebody works on is left alone.
            later = await session.fetch_row(self._text(_LATER), (str(identifier),))
            held = "SELECT id FROM codeai_events WHERE id = (SELECT event_id FROM codeai_deliveries WHERE id = $1) FOR SHARE"
            await session.fetch(self._text(held), (self._forms.identifier(identifier),))
            text = "SELECT status, order_key, content FROM codeai_deliveries WHERE id = $1 FOR UPDATE"
            row = await session.fetch_row(self._text(text), (self._forms.identifier(identifier),))
            delivery = await self._deliveries.load(session, identifier)
            if row is None or delivery is None:
                raise NotKnown(f"there is no delivery '{identifier}'")
            if delivery.status == "pending":
                running: UUID | None = identifier
                if later is not None:
                    waiting = NewDelivery(id=identifier, kind=delivery.kind, target=delivery.target, order_key=delivery.order_key)
                    await offer(session, self._dispatcher, (waiting,))
                    await noted(session, {"delivery": str(identifier), "attempts": delivery.attempts})
            else:
                running = await self._replay_of(session, identifier, ended=delivery.status == "replayed")
            if running is None:
                made = NewDelivery(
                    kind=delivery.kind,
                    target=delivery.target,
                    event=delivery.event.id if delivery.event is not None else None,
                    content=delivery.content,
                    order_key=delivery.order_key,
                    replay_of=identifier,
                    forced=force,
                )
                await self._offer(session, (made,))
                marked = "UPDATE codeai_deliveries SET status = 'replayed' WHERE id = $1 AND status = 'dead'"
                await session.execute(self._text(marked), (self._forms.identifier(identifier),))
                await noted(session, {"delivery": str(made.id), "force": force})
                running = made.id
        return (await self.delivery(running)).delivery

    async def _replay_of(self, session: Session, identifier: UUID, *, ended: bool) -> UUID | None:
        """The replay of a delivery that is on its way, or has come to its end."""
        pending = "" if ended else "AND status = 'pending' "
        text = f"SELECT id FROM codeai_deliveries WHERE replay_of = $1 {pending}ORDER BY id DESC LIMIT 1"  # noqa: S608  # ours
        row = await session.fetch_row(self._text(text), (self._forms.identifier(identifier),))
        return self._forms.read_identifier(row[0]) if row is not None else None

    # -- webhooks --------------------------------------------------------------------------------------------------

    async def webhooks(self) -> list[WebhookView]:
        """The outbound webhooks of the program with the state of their deliveries."""
        reading = self._database.reading()
        disabled = {
            str(row[0]): (row[1], row[2]) for row in await reading.fetch("SELECT name, disabled_at, reason FROM codeai_webhooks", ())
        }
        counted = "SELECT target, status, count(*) FROM codeai_deliveries WHERE kind = 'webhook' GROUP BY target, status"
        counts: dict[str, dict[str, int]] = {}
        for target, status, number in await reading.fetch(counted, ()):
            counts.setdefault(str(target), {})[str(status)] = int(str(number))
        found: list[WebhookView] = []
        for name, endpoint in self._webhooks.endpoints.items():
            at, reason = disabled.get(name, (None, None))
            address = urlsplit(endpoint.url)
            found.append(
                WebhookView(
                    name=name,
                    events=self._subscriptions.get(name, ()),
                    url=f"{address.scheme}://{address.hostname}{f':{address.port}' if address.port else ''}{address.path}",
                    signed=bool(endpoint.keys),
                    enabled=name not in disabled,
                    disabled_at=self._forms.read_moment(at),
                    reason=str(reason) if reason is not None else None,
                    deliveries=counts.get(name, {}),
                )
            )
        return found

    async def enable_webhook(self, name: str, *, noted: Noted = unnoted) -> None:
        """Sends to a webhook again that a receiver (410) or an operator has disabled; raises NotKnown."""
        self._known_webhook(name)
        async with self._database.transaction() as session:
            if await self._webhooks.enable(session, name):
                await noted(session, {})

    async def disable_webhook(self, name: str, reason: str = "disabled by an operator", *, noted: Noted = unnoted) -> None:
        """Sends nothing to a webhook; what is due becomes a dead letter. Raises NotKnown."""
        self._known_webhook(name)
        async with self._database.transaction() as session:
            if await self._webhooks.disable(session, name, reason):
                await noted(session, {"reason": reason})

    def _known_webhook(self, name: str) -> None:
        if name not in self._webhooks.endpoints:
            raise NotKnown(f"there is no webhook '{name}'")


def _limit(limit: int) -> int:
    return max(1, min(limit, LARGEST_PAGE))


def _page(found: list[Any], limit: int) -> Page[Any]:
    """A page of what was read with one more than is shown."""
    size = _limit(limit)
    return Page(found[:size], str(found[size - 1].id) if len(found) > size else None)
