"""The outbox: events are written with the change that they tell of, and nothing else happens in the writer's way.

What is to be delivered is worked out afterwards (see ``relay``). So an event costs its writer one row, on PostgreSQL often as
part of a statement that is sent anyway.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from codeai.durable.traces import tie
from codeai.evaluate.context import Context
from codeai.evaluate.operations import text
from codeai.evaluate.program import Evaluator
from codeai.events.payloads import PayloadSchema, Plain
from codeai.events.records import OUTBOX, EventRecord, Forms, facts
from codeai.model.application import Application
from codeai.model.event import Change, Event
from codeai.model.identifiers import new_uuid
from codeai.model.record_rules import RecordRules
from codeai.query.writes.companions import Companion, write
from codeai.storage.interface import Dialect


class Moment:
    """The context of keys, defaults and data triggers: the time and the values of the host, and nothing else."""

    def __init__(self, now: datetime.datetime, values: Mapping[str, Any] | None = None) -> None:
        self.now = now
        self.values = values or {}


class EventPlan:
    """One event of the program: its schema, its key, and whether anybody listens."""

    def __init__(self, model: Event, schema: PayloadSchema, key: Callable[[Any], Any] | None) -> None:
        self.model = model
        self.schema = schema
        self._key = key
        self.heard = False

    def record(self, now: datetime.datetime, actor: str | None, payload: object) -> EventRecord:
        """A new event.

        :raises InvalidFields: the payload does not fit the schema
        """
        values = self.schema.checked(payload)
        found = EventRecord(new_uuid(), self.model.wire, now, actor, None, self.schema.encoded(values))
        if self._key is None:
            return found
        key = self._key(Moment(now, {"event": facts(found, values)}))
        return found if key is None else msgspec.structs.replace(found, key=text(key))


class Outbox:
    """Takes in the events of a program (see ``evaluate.effects.Emitter``).

    :param evaluator: computes keys, defaults and data triggers
    :param plain: a type with references as the type of their key
    :param clock: the time of defaults
    :param wake: is called when an event that somebody listens to has been committed
    """

    def __init__(
        self,
        application: Application,
        dialect: Dialect,
        evaluator: Evaluator,
        plain: Plain,
        clock: Callable[[], datetime.datetime],
        wake: Callable[[], None],
    ) -> None:
        self.forms = Forms(dialect)
        self._dialect: Dialect = dialect
        self._evaluator = evaluator
        self._plain = plain
        self._clock = clock
        self._wake = wake
        self._keys = {entity.name: entity.primary for entity in application.entities}
        self._records = RecordRules(application.shapes)
        self.plans = {event.wire: self._plan(event) for event in application.events}

    def _plan(self, event: Event) -> EventPlan:
        defaults = {field.name: self._default(field.default) for field in event.fields if field.default is not None}
        schema = PayloadSchema(event, self._plain, self._keys.__getitem__, defaults, self._records)
        return EventPlan(event, schema, self._evaluator.value(event.key) if event.key is not None else None)

    def _default(self, expression: Any) -> Callable[[], Any]:
        value = self._evaluator.value(expression)
        return lambda: value(Moment(self._clock()))  # type: ignore[arg-type]  # defaults know the time alone

    async def emit(self, context: Context, event: str, payload: Any) -> None:
        """See ``Emitter``."""
        await write(context.session, self._dialect, self.companions(context.now, context.user.id, event, payload))

    def companions(self, now: datetime.datetime, actor: str | None, event: str, payload: object) -> tuple[Companion, ...]:
        """The row of an event, and where requests are traced the one that ties it to its trace; raises InvalidFields."""
        found = self.companion(now, actor, event, payload)
        return (found, *tie(found.values[0]))

    def companion(self, now: datetime.datetime, actor: str | None, event: str, payload: object) -> Companion:
        """The row of an event, to be written together with another; raises InvalidFields."""
        plan = self.plans[event]
        record = plan.record(now, actor, payload)
        # Nobody need listen here: the version of the program that does may run beside this one, and its relay finds the event.
        return Companion(OUTBOX, self.forms.row_of(record, relayed=False), self._wake if plan.heard else _nothing)


def _nothing() -> None:
    """Nobody of this version listens: the sweep will do."""


class DataTriggers:
    """The events that changes of one entity cause (see ``query.writes.companions.Companions``).

    They are bound to the evaluator after it has been made, since it needs the plans of statements, which need these.
    """

    def __init__(self, changes: Sequence[tuple[str, Change]]) -> None:
        self._changes = changes
        self._compiled: list[tuple[str, Callable[[Any, Any], Any], Callable[[Any, Any], Any]]] = []
        self._outbox: Outbox | None = None

    def bind(self, outbox: Outbox, evaluator: Evaluator) -> None:
        """Compiles the conditions and payloads."""
        self._outbox = outbox
        self._compiled = [
            (event, evaluator.row_value(change.condition), evaluator.row_value(change.payload)) for event, change in self._changes
        ]

    def of(
        self, now: datetime.datetime, actor: str | None, before: Mapping[str, Any] | None, after: Mapping[str, Any]
    ) -> Sequence[Companion]:
        """See ``Companions.of``: an event for each condition that the change has made true."""
        assert self._outbox is not None
        moment = Moment(now)
        found: list[Companion] = []
        for event, holds, payload in self._compiled:
            if holds(moment, after) is True and (before is None or holds(moment, before) is not True):
                found.extend(self._outbox.companions(now, actor, event, payload(moment, after)))
        return found


def data_triggers(application: Application) -> dict[str, DataTriggers]:
    """The data triggers of a program by entity."""
    changes: dict[str, list[tuple[str, Change]]] = {}
    for event in application.events:
        if event.change is not None:
            changes.setdefault(event.change.entity, []).append((event.wire, event.change))
    return {entity: DataTriggers(found) for entity, found in changes.items()}
