"""/api/v1/events, /dead-letters and /webhooks: what happened, who was told, and telling them again."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from codeai.control.audit import Trail
from codeai.control.exchange import Exchange, page_of, unknown
from codeai.events.control import EventsControl, Noted, NotKnown
from codeai.http.messages import Response
from codeai.http.plans import json_response
from codeai.storage.interface import Session

_Found = TypeVar("_Found")


class ReplayRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How to repeat; ``force`` starts workflows again that the event has started before. No body means no."""

    force: bool = False


class DisableRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether a webhook is sent to; ``reason`` for those who wonder later."""

    enabled: bool
    reason: str = "disabled by an operator"


class EventPages:
    """Shows events and deliveries, replays them, switches webhooks."""

    def __init__(self, control: EventsControl, trail: Trail) -> None:
        self._control = control
        self._trail = trail

    async def show(self, exchange: Exchange) -> Response:
        """GET /events/{id}: with its deliveries."""
        return json_response(await self._found(exchange, "event", self._control.event(_identifier(exchange, "event"))))

    async def replay(self, exchange: Exchange) -> Response:
        """POST /events/{id}/replay ``{force?}``: 202 with the deliveries that are on their way."""
        identifier, asked = _identifier(exchange, "event"), await exchange.body(ReplayRequest, optional=True)
        noted = self._noted(exchange, "replay", "event", str(identifier))
        found = await self._found(exchange, "event", self._control.replay_event(identifier, force=asked.force, noted=noted))
        return json_response({"data": found}, 202)

    async def show_delivery(self, exchange: Exchange) -> Response:
        """GET /webhooks/deliveries/{id} and /dead-letters/{id}: with its attempts."""
        return json_response(await self._found(exchange, "delivery", self._control.delivery(_identifier(exchange, "delivery"))))

    async def replay_delivery(self, exchange: Exchange) -> Response:
        """POST …/{id}/replay ``{force?}`` of a delivery or dead letter: 202 with the new delivery; 409 while it is still tried."""
        identifier, asked = _identifier(exchange, "delivery"), await exchange.body(ReplayRequest, optional=True)
        noted = self.replayed(exchange, str(identifier))
        found = await self._found(exchange, "delivery", self._control.replay_delivery(identifier, force=asked.force, noted=noted))
        return json_response(found, 202)

    async def webhooks(self, exchange: Exchange) -> Response:
        """GET /webhooks: those of the program, with how they do."""
        exchange.parameters()
        return page_of(await self._control.webhooks())

    async def switch(self, exchange: Exchange) -> Response:
        """PATCH /webhooks/{name} ``{enabled, reason?}``."""
        name, asked = exchange.path["name"], await exchange.body(DisableRequest)
        noted = self._noted(exchange, "enable" if asked.enabled else "disable", "webhook", name)
        control = self._control
        action = control.enable_webhook(name, noted=noted) if asked.enabled else control.disable_webhook(name, asked.reason, noted=noted)
        await self._found(exchange, "webhook", action)
        return json_response(next(one for one in await self._control.webhooks() if one.name == name))

    async def _found(self, exchange: Exchange, what: str, call: Awaitable[_Found]) -> _Found:
        try:
            return await call
        except NotKnown:
            names = [one.name for one in await self._control.webhooks()] if what == "webhook" else ()
            raise unknown(what, exchange.path.get("id") or exchange.path["name"], names) from None

    def replayed(self, exchange: Exchange, delivery: str) -> Noted:
        """Writes the trail of a delivery that is replayed."""
        return self._noted(exchange, "replay", "delivery", delivery)

    def _noted(self, exchange: Exchange, action: str, entity: str, key: str) -> Noted:
        """Writes the trail, in the transaction of the change."""

        async def noted(session: Session, what: Mapping[str, Any]) -> None:
            await self._trail.write(session, exchange.actor, action, entity, key, after=dict(what))

        return noted


def _identifier(exchange: Exchange, what: str) -> UUID:
    try:
        return UUID(exchange.path["id"])
    except ValueError:
        raise unknown(what, exchange.path["id"]) from None
