"""Durable execution in the house: its effects, its share of events, and the process that runs it."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from codeai.durable.process import Durable
from codeai.durable.values import recorded
from codeai.durable.waiting import Addressee, arrived, awaited, wake
from codeai.events.records import EventRecord, facts
from codeai.model.application import Application
from codeai.storage.codecs import decode_json
from codeai.storage.errors import ValueOutOfRange
from codeai.storage.interface import Session

_LOG: Final = logging.getLogger("codeai.durable")


class Arrivals:
    """Tells executions that wait of events (see ``events.relay.Listener``)."""

    def __init__(self, application: Application, durable: Durable, clock: Callable[[], datetime.datetime]) -> None:
        self._durable = durable
        self._clock = clock
        # Executions of older versions may wait for any of them, those of registered workflows and of newer versions for the sweep.
        self._names = frozenset(event.wire for event in application.events) if application.workflows else frozenset()

    @property
    def names(self) -> frozenset[str]:
        """See ``events.relay.Listener``."""
        return self._names

    async def heard(self, session: Session, events: Sequence[EventRecord]) -> None:
        """See ``events.relay.Listener``."""
        durable, found = self._durable, list[Addressee]()
        wanted = await awaited(durable.store, session, [event.name for event in events])
        for event in events:
            if event.name not in wanted:
                continue
            try:
                values: Mapping[str, object] = facts(event, decode_json(event.payload))
                plain = {name: recorded(value) for name, value in values.items()}
            except (ValueOutOfRange, ValueError, TypeError) as error:  # no event may keep others from being heard of
                _LOG.error("event cannot be waited for", extra={"event": str(event.id), "cause": str(error)})
                continue
            found += await arrived(durable.store, session, event.name, event.id, plain, self._clock())
        await wake(durable.store, durable.dispatcher, session, found)
