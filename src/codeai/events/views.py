"""What operators see of events, deliveries and webhooks, and the statements that read it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

import msgspec

from codeai.events.records import Forms
from codeai.storage.codecs import decode_json

_Item = TypeVar("_Item")

EVENT: Final = "id, name, at, actor, key, payload, relayed"
DELIVERY: Final = """
d.id, d.kind, d.target, d.status, d.attempts, d.error, d.event_id, e.name, d.replay_of, d.forced, d.created_at, d.finished_at, a.ready_ms"""
DELIVERIES: Final = f"""
SELECT {DELIVERY} FROM codeai_deliveries AS d LEFT JOIN codeai_events AS e ON e.id = d.event_id
LEFT JOIN codeai_activations AS a ON a.kind = 'delivery' AND a.subject = CAST(d.id AS text)"""  # noqa: S608  # constants of ours
ATTEMPTS: Final = """
SELECT number, at, duration_ms, status, answer, error FROM codeai_attempts WHERE delivery_id = $1 ORDER BY number"""


class Page(msgspec.Struct, Generic[_Item], frozen=True):
    """Some items, newest first; ``next`` is the cursor of those after them, None at the end."""

    data: list[_Item]
    next: str | None = None


class EventView(msgspec.Struct, frozen=True, kw_only=True):
    """An event. Fields of its payload that are secret are masked; ``relayed`` when its deliveries have been made."""

    id: UUID
    name: str
    time: datetime.datetime
    actor: str | None
    key: str | None
    payload: Any
    relayed: bool


class DeliveryView(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery. ``attempts`` failed so far, or until it was taken; ``next_attempt`` when one is waiting."""

    id: UUID
    kind: str
    target: str
    status: str
    attempts: int
    error: str | None
    event_id: UUID | None
    event: str | None
    replay_of: UUID | None
    forced: bool
    created_at: datetime.datetime
    finished_at: datetime.datetime | None
    next_attempt: datetime.datetime | None


class AttemptView(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt; ``status`` and ``answer`` are an HTTP peer's, the answer cut to 2,000 characters."""

    number: int
    at: datetime.datetime
    duration_ms: int
    status: int | None
    answer: str | None
    error: str | None


class EventDetail(msgspec.Struct, frozen=True):
    """An event with what was made of it."""

    event: EventView
    deliveries: list[DeliveryView]


class DeliveryDetail(msgspec.Struct, frozen=True):
    """A delivery with its attempts. Only the last failure of handlers is kept word by word, each of targets outside is."""

    delivery: DeliveryView
    attempts: list[AttemptView]


class WebhookView(msgspec.Struct, frozen=True, kw_only=True):
    """An outbound webhook of the program; ``url`` is without its query, which may be secret."""

    name: str
    events: tuple[str, ...]
    url: str
    signed: bool
    enabled: bool
    disabled_at: datetime.datetime | None
    reason: str | None
    deliveries: Mapping[str, int]


def event_view(forms: Forms, row: Any, hidden: frozenset[str]) -> EventView:
    """The event of a row of ``EVENT``."""
    identifier, name, at, actor, key, payload, relayed = row
    values = decode_json(payload)
    shown = {field: "[secret]" if field in hidden and value is not None else value for field, value in values.items()}
    return EventView(
        id=forms.read_identifier(identifier),
        name=name,
        time=forms.read_moment(at),
        actor=actor,
        key=key,
        payload=shown,
        relayed=bool(relayed),
    )


def delivery_view(forms: Forms, row: Any) -> DeliveryView:
    """The delivery of a row of ``DELIVERY``."""
    identifier, kind, target, status, attempts, error, event_id, event, replay_of, forced, created_at, finished_at, ready_ms = row
    waiting = ready_ms if status == "pending" else None
    return DeliveryView(
        id=forms.read_identifier(identifier),
        kind=kind,
        target=target,
        status=status,
        attempts=attempts,
        error=error,
        event_id=forms.read_identifier(event_id),
        event=event,
        replay_of=forms.read_identifier(replay_of),
        forced=bool(forced),
        created_at=forms.read_moment(created_at),
        finished_at=forms.read_moment(finished_at),
        next_attempt=datetime.datetime.fromtimestamp(waiting / 1000, datetime.UTC) if waiting is not None else None,
    )


def attempt_view(forms: Forms, row: Any) -> AttemptView:
    """The attempt of a row."""
    number, at, duration, status, answer, error = row
    return AttemptView(number=number, at=forms.read_moment(at), duration_ms=duration, status=status, answer=answer, error=error)
