"""Deliveries as rows: made, loaded, marked. Whoever marks one does so in the transaction that settles its activation."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec

from codeai.durable.dispatch.protocol import Dispatcher, Offer
from codeai.durable.traces import tied
from codeai.events.records import EventRecord, Forms
from codeai.model.identifiers import new_uuid
from codeai.storage.codecs import storable
from codeai.storage.interface import Session
from codeai.storage.portable import portable

KIND: Final = "delivery"  # of activations
AT_ONCE: Final = 8  # deliveries to one target outside, over all processes
_SAID: Final = 2_000  # characters of an answer or error that are kept

_INSERT: Final = """
INSERT INTO codeai_deliveries
  (id, kind, target, event_id, content, order_key, status, attempts, error, replay_of, forced, created_at, finished_at)
VALUES ($1, $2, $3, $4, $5, $6, 'pending', 0, NULL, $7, $8, $9, NULL)
ON CONFLICT DO NOTHING"""
_LOAD: Final = """
SELECT d.id, d.kind, d.target, d.content, d.status, d.attempts, d.replay_of, d.forced, d.order_key, d.created_at,
  e.id, e.name, e.at, e.actor, e.key, e.payload
FROM codeai_deliveries AS d LEFT JOIN codeai_events AS e ON e.id = d.event_id WHERE d.id = $1"""
_DELIVERED: Final = """
UPDATE codeai_deliveries SET status = 'delivered', attempts = $2, error = NULL, finished_at = $3 WHERE id = $1 AND status = 'pending'"""
_FAILED: Final = "UPDATE codeai_deliveries SET attempts = $2, error = $3 WHERE id = $1 AND status = 'pending'"
_DEAD: Final = """
UPDATE codeai_deliveries SET status = 'dead', attempts = $2, error = $3, finished_at = $4 WHERE id = $1 AND status = 'pending'"""
_ATTEMPT: Final = """
INSERT INTO codeai_attempts (delivery_id, number, at, duration_ms, status, answer, error) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT DO NOTHING"""

_REDIRECT: Final = "UPDATE codeai_deliveries SET target = $2 WHERE id = $1 AND status = 'pending'"
_REGISTERED: Final = "SELECT name FROM workflows WHERE name = $1 AND source IS NOT NULL AND status <> 'archived'"


class NewDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that is to be made. ``content`` is the JSON text of a message; ``replay_of`` what it repeats."""

    kind: str
    target: str
    event: UUID | None = None
    content: str | None = None
    order_key: str | None = None
    replay_of: UUID | None = None
    forced: bool = False
    id: UUID = msgspec.field(default_factory=new_uuid)


async def offer(session: Session, dispatcher: Dispatcher, made: Sequence[NewDelivery]) -> None:
    """Offers new deliveries. Those of one target outside share a lane, so that a slow peer keeps nobody else waiting."""
    if made:
        await dispatcher.offer_all(session, KIND, [Offer(str(one.id), one.order_key, _lane(one), AT_ONCE) for one in made])


def _lane(delivery: NewDelivery) -> str | None:
    if delivery.kind in ("handler", "workflow"):
        return None
    return delivery.kind if delivery.kind == "email" else f"{delivery.kind}:{delivery.target}"


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that was made. ``attempts`` are those that failed."""

    id: UUID
    kind: str
    target: str
    content: str | None
    status: str
    attempts: int
    replay_of: UUID | None
    forced: bool
    order_key: str | None
    created_at: datetime.datetime
    event: EventRecord | None


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """How one attempt went; ``status`` and ``answer`` are an HTTP peer's."""

    number: int
    at: datetime.datetime
    duration_ms: int
    status: int | None = None
    answer: str | None = None
    error: str | None = None


class Deliveries:
    """The statements on deliveries."""

    def __init__(self, forms: Forms) -> None:
        self._forms = forms
        names = ("insert", "load", "delivered", "failed", "dead", "attempt", "redirect", "registered")
        texts = (_INSERT, _LOAD, _DELIVERED, _FAILED, _DEAD, _ATTEMPT, _REDIRECT, _REGISTERED)
        self._sql = {name: portable(text, forms.dialect) for name, text in zip(names, texts, strict=True)}

    async def add(self, session: Session, made: Sequence[NewDelivery], now: datetime.datetime) -> None:
        """Writes new deliveries; one that exists already (same event and target) is left as it is."""
        forms = self._forms
        rows = [
            (
                forms.identifier(one.id),
                one.kind,
                one.target,
                None if one.event is None else forms.identifier(one.event),
                one.content,
                one.order_key,
                None if one.replay_of is None else forms.identifier(one.replay_of),
                int(one.forced),
                forms.moment(now),
            )
            for one in made
        ]
        await session.execute_many(self._sql["insert"], rows)

    async def trace(self, session: Session, one: NewDelivery) -> None:
        """Ties a delivery that no event has caused to the span that runs, where requests are traced."""
        await tied(session, self._forms.dialect, self._forms.identifier(one.id))

    async def load(self, session: Session, identifier: UUID) -> Delivery | None:
        """A delivery with its event."""
        row = await session.fetch_row(self._sql["load"], (self._forms.identifier(identifier),))
        return self._delivery(tuple(row)) if row is not None else None

    def _delivery(self, row: tuple[Any, ...]) -> Delivery:
        forms = self._forms
        return Delivery(
            id=forms.read_identifier(row[0]),
            kind=row[1],
            target=row[2],
            content=row[3],
            status=row[4],
            attempts=row[5],
            replay_of=forms.read_identifier(row[6]),
            forced=bool(row[7]),
            order_key=row[8],
            created_at=forms.read_moment(row[9]),
            event=forms.event(row[10:]) if row[10] is not None else None,
        )

    async def delivered(self, session: Session, delivery: Delivery, now: datetime.datetime) -> bool:
        """Marks a delivery as done; whether it was still open."""
        values = (self._forms.identifier(delivery.id), delivery.attempts + 1, self._forms.moment(now))
        return await session.execute(self._sql["delivered"], values) > 0

    async def failed(self, session: Session, delivery: Delivery, error: str) -> None:
        """Counts a failure after which it is tried again."""
        await session.execute(self._sql["failed"], (self._forms.identifier(delivery.id), delivery.attempts + 1, storable(error[:_SAID])))

    async def dead(self, session: Session, delivery: Delivery, error: str, now: datetime.datetime) -> None:
        """Gives a delivery up; it waits for a replay."""
        values = (self._forms.identifier(delivery.id), delivery.attempts + 1, storable(error[:_SAID]), self._forms.moment(now))
        await session.execute(self._sql["dead"], values)

    async def redirect(self, session: Session, delivery: Delivery, target: str) -> None:
        """Gives a delivery another target."""
        await session.execute(self._sql["redirect"], (self._forms.identifier(delivery.id), target))

    async def registered(self, session: Session, workflow: str) -> bool:
        """Whether operators have registered a workflow: other processes take it up in a moment."""
        return await session.fetch_row(self._sql["registered"], (workflow,)) is not None

    async def attempted(self, session: Session, delivery: Delivery, attempt: Attempt) -> None:
        """Keeps how an attempt went."""
        await session.execute(
            self._sql["attempt"],
            (
                self._forms.identifier(delivery.id),
                attempt.number,
                self._forms.moment(attempt.at),
                attempt.duration_ms,
                attempt.status,
                storable(attempt.answer[:_SAID]) if attempt.answer is not None else None,
                storable(attempt.error[:_SAID]) if attempt.error is not None else None,
            ),
        )
