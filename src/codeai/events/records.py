"""An event as a row of the outbox, and as what programs see of it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import msgspec

from codeai.language import types as t
from codeai.query.writes.companions import CompanionTable
from codeai.storage.codecs import codec
from codeai.storage.interface import Dialect, Record

OUTBOX: Final = CompanionTable(
    "codeai_events",
    (
        ("id", "uuid"),
        ("name", "text"),
        ("at", "timestamptz"),
        ("actor", "text"),
        ("key", "text"),
        ("payload", "text"),
        ("relayed", "bigint"),
    ),
)
COLUMNS: Final = "id, name, at, actor, key, payload"


class EventRecord(msgspec.Struct, frozen=True):
    """An event that was emitted. ``payload`` is its JSON text, ``actor`` the caller whose change it tells of."""

    id: UUID
    name: str
    at: datetime.datetime
    actor: str | None
    key: str | None
    payload: str


class Forms:
    """Values of our tables in the driver's form and back; None stays None."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect: Dialect = dialect
        moment, identifier = codec(t.Timestamp(), dialect), codec(t.Uuid(), dialect)
        self._to_moment, self._from_moment = moment.to_driver, moment.from_driver
        self._to_identifier, self._from_identifier = identifier.to_driver, identifier.from_driver

    def moment(self, value: datetime.datetime) -> Any:
        """A timestamp for the driver."""
        return value if self._to_moment is None else self._to_moment(value)

    def identifier(self, value: UUID) -> Any:
        """A uuid for the driver."""
        return value if self._to_identifier is None else self._to_identifier(value)

    def read_moment(self, value: Any) -> Any:
        """A timestamp of the driver."""
        return value if value is None or self._from_moment is None else self._from_moment(value)

    def read_identifier(self, value: Any) -> Any:
        """A uuid of the driver."""
        return value if value is None or self._from_identifier is None else self._from_identifier(value)

    def row_of(self, event: EventRecord, *, relayed: bool) -> tuple[Any, ...]:
        """The row of an event, in the order of ``OUTBOX``."""
        return (self.identifier(event.id), event.name, self.moment(event.at), event.actor, event.key, event.payload, int(relayed))

    def event(self, row: Record) -> EventRecord:
        """The event of a row of ``COLUMNS``."""
        identifier, name, at, actor, key, payload = row
        return EventRecord(self.read_identifier(identifier), str(name), self.read_moment(at), actor, key, str(payload))  # type: ignore[arg-type]  # texts


def facts(event: EventRecord, payload: Mapping[str, Any], *, attempt: int = 1, replay_of: UUID | None = None) -> dict[str, Any]:
    """What ``event`` is in a program: facts of every event beside the payload, whose fields win."""
    return {
        "id": event.id,
        "name": event.name,
        "time": event.at,
        "actor": event.actor,
        "key": event.key,
        "attempt": attempt,
        "replay_of": replay_of,
        **payload,
    }
