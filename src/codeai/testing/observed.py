"""What there was while a test ran: executions, calls of other systems, events, messages."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from codeai.events.deliveries import Delivery
from codeai.events.outbox import Outbox
from codeai.events.records import COLUMNS, facts
from codeai.integrations.recorded import RecordedCall
from codeai.storage.interface import Database

_EVENTS = f"SELECT {COLUMNS} FROM codeai_events WHERE name = $1 ORDER BY id"  # noqa: S608  # names of ours


class Observed:
    """Answers ``executions``, ``calls``, ``events`` and ``messages`` of tests.

    :param executions: all executions of a workflow or job, as programs see them
    :param calls: those of other systems, as they come in
    :param sent: what would have left the process
    """

    def __init__(
        self,
        database: Database,
        outbox: Outbox,
        executions: Callable[[str], Awaitable[list[dict[str, Any]]]],
        calls: Sequence[RecordedCall],
        sent: Sequence[Delivery],
    ) -> None:
        self._database = database
        self._outbox = outbox
        self.executions = executions
        self._calls = calls
        self._sent = sent

    def calls(self, name: str) -> list[dict[str, Any]]:
        """What an operation was called with each time, the failed tries too.

        :param name: ``Integration.operation``
        """
        return [dict(call.arguments) for call in self._calls if f"{call.integration}.{call.operation}" == name]

    async def events(self, wire: str) -> list[dict[str, Any]]:
        """All events of a name, the oldest first, as handlers see them."""
        rows = await self._database.reading().fetch(_EVENTS, (wire,))
        events = [self._outbox.forms.event(row) for row in rows]
        return [facts(event, self._outbox.plans[wire].schema.decoded(event.payload)) for event in events]

    def messages(self) -> list[dict[str, Any]]:
        """What ``send``, ``publish_to`` and webhooks have sent, the oldest first; of an event its payload."""
        return [{"kind": one.kind, "to": one.target, "content": json.loads(_content(one))} for one in self._sent]


def _content(delivery: Delivery) -> str:
    return delivery.content or (delivery.event.payload if delivery.event is not None else "null")
