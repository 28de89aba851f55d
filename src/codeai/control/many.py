"""One thing done to all that a filter finds, after an outage above all: retry, compensate or cancel executions, replay dead letters.

It is done piece by piece: a request takes the oldest so many, each in a transaction of its own, and answers with where the next one goes
on. So none takes long, and one that is sent again does nothing twice.
"""

from __future__ import annotations

import datetime
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec

from codeai.control.exchange import Exchange, missing
from codeai.control.fields import wrong
from codeai.durable.control import Control
from codeai.durable.refusals import UnknownExecution, WrongState
from codeai.durable.store import Store
from codeai.events.control import EventsControl, Noted, NotKnown
from codeai.events.records import Forms
from codeai.events.routes import Kind
from codeai.http.messages import Response
from codeai.http.plans import json_response
from codeai.http.problems import FieldError, Problem
from codeai.storage.interface import Database
from codeai.storage.portable import portable

# What an action is for; the rest would be refused one by one.
_RETRIED: Final = "status = 'failed' AND compensation = 'none'"
_BETWEEN_TRIES: Final = (
    "status IN ('running', 'waiting', 'compensating') AND EXISTS (SELECT 1 FROM codeai_steps AS s WHERE s.execution_id = executions.id"
    " AND s.due_ms > {now} AND (s.status = 'retrying' OR s.compensation = 'running'))"
)
_CANCELLED: Final = "status IN ('pending', 'running', 'waiting')"
_COMPENSATED: Final = "status = 'failed' AND compensation IN ('none', 'failed')"
_DEAD: Final = "SELECT d.id FROM codeai_deliveries AS d LEFT JOIN codeai_events AS e ON e.id = d.event_id WHERE d.status = 'dead'"
_EVER: Final = "SELECT 1 FROM codeai_deliveries AS d LEFT JOIN codeai_events AS e ON e.id = d.event_id WHERE {} = $1 LIMIT 1"
_TARGETS: Final = "SELECT DISTINCT target FROM codeai_deliveries LIMIT 1000"
Limit = Annotated[int, msgspec.Meta(ge=1, le=500)]
Act = Callable[[str], Awaitable[object]]


class ExecutionsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which executions: of one workflow or job, created within a time. ``after`` is the ``next`` of the answer before."""

    workflow_id: str | None = None
    since: datetime.datetime | None = None
    until: datetime.datetime | None = None
    after: UUID | None = None
    limit: Limit = 100


class RetryRequest(ExecutionsRequest, frozen=True, forbid_unknown_fields=True):
    """``waiting`` means those that have not failed yet and wait for the next try of a step."""

    waiting: bool = False


class DeadLettersRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which dead letters; ``force`` starts workflows again that their event has started before."""

    kind: Kind | None = None
    target: str | None = None
    event: str | None = None
    since: datetime.datetime | None = None
    until: datetime.datetime | None = None
    after: UUID | None = None
    limit: Limit = 100
    force: bool = False


class Acted(msgspec.Struct, frozen=True):
    """What was done, what was refused and why, and where the next piece goes on."""

    done: tuple[str, ...]
    refused: tuple[dict[str, str], ...]
    next: str | None


class Conditions:
    """Conditions with their values; those without a value are left out."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.values: list[Any] = []

    def add(self, condition: str, value: Any) -> None:
        """Adds one, with ``{}`` in the place of its value."""
        if value is not None:
            self.values.append(value)
            self.text += " AND " + condition.format(f"${len(self.values)}")


class ManyPages:
    """The pages of this room.

    :param noted: writes the trail of a delivery that was replayed
    :param names: those of the events of the program
    """

    def __init__(
        self,
        control: Control,
        store: Store,
        events: EventsControl,
        noted: Callable[[Exchange, str], Noted],
        names: Callable[[], Collection[str]],
    ) -> None:
        self._names = names
        self._control = control
        self._store = store
        self._events = events
        self._forms = Forms(store.dialect)
        self._noted = noted

    async def retry(self, exchange: Exchange) -> Response:
        """POST /executions/retry: those that have failed, or (``waiting``) those that wait for their next try."""
        asked = await exchange.body(RetryRequest)
        states = _BETWEEN_TRIES if asked.waiting else _RETRIED
        return await self._executions(asked, states, lambda id_: self._control.retry(id_, exchange.actor))

    async def compensate(self, exchange: Exchange) -> Response:
        """POST /executions/compensate: those that have failed and are not undone."""
        return await self._executions(
            await exchange.body(ExecutionsRequest), _COMPENSATED, lambda id_: self._control.compensate(id_, exchange.actor)
        )

    async def cancel(self, exchange: Exchange) -> Response:
        """POST /executions/cancel: those that have not ended."""
        return await self._executions(
            await exchange.body(ExecutionsRequest), _CANCELLED, lambda id_: self._control.cancel(id_, exchange.actor)
        )

    async def replay(self, exchange: Exchange) -> Response:
        """POST /dead-letters/replay ``{kind?, target?, event?, since?, until?, after?, limit?, force?}``."""
        asked = await exchange.body(DeadLettersRequest)
        _must_say("kind, target, event, since or until", asked.kind, asked.target, asked.event, asked.since, asked.until)
        found = Conditions(_DEAD)
        for condition, value in (("d.kind = {}", asked.kind), ("d.target = {}", asked.target), ("e.name = {}", asked.event)):
            found.add(condition, value)
        found.add("d.created_at >= {}", self._moment(asked.since))
        found.add("d.created_at < {}", self._moment(asked.until))
        found.add("d.id > {}", self._forms.identifier(asked.after) if asked.after is not None else None)

        async def act(id_: str) -> None:
            await self._events.replay_delivery(UUID(id_), force=asked.force, noted=self._noted(exchange, id_))

        acted = await self._each(found, "d.id", asked.limit, act)
        if not (acted.done or acted.refused or acted.next):
            await self._must_have_been(asked)
        return json_response(acted)

    async def _must_have_been(self, asked: DeadLettersRequest) -> None:
        """Nothing was found: that is right where there were such deliveries, and a mistake where a name is nobody's."""
        database: Database = self._store.database
        for name, column, known in (("target", "d.target", None), ("event", "e.name", self._names())):
            value = getattr(asked, name)
            if value is None or (known is not None and value in known):
                continue
            text = portable(_EVER.format(column), database.dialect)
            if await database.reading().fetch_row(text, (value,)) is None:
                near = known if known is not None else [str(row[0]) for row in await database.reading().fetch(_TARGETS, ())]
                raise wrong(name, missing(name, value, near))

    async def _executions(self, asked: ExecutionsRequest, states: str, act: Act) -> Response:
        _must_say("workflow_id, since or until", asked.workflow_id, asked.since, asked.until)
        if asked.workflow_id is not None and asked.workflow_id not in (known := await self._control.known()):
            raise wrong("workflow_id", missing("workflow or job", asked.workflow_id, known))
        found = Conditions(f"SELECT id FROM executions WHERE {states}")  # noqa: S608  # of ours
        found.add("workflow_id = {}", asked.workflow_id)
        found.add("created_at >= {}", self._moment(asked.since))
        found.add("created_at < {}", self._moment(asked.until))
        found.add("id > {}", self._store.uuid(str(asked.after)) if asked.after is not None else None)
        return json_response(await self._each(found, "id", asked.limit, act))

    def _moment(self, value: datetime.datetime | None) -> Any:
        if value is not None and value.tzinfo is None:
            value = value.replace(tzinfo=datetime.UTC)
        return None if value is None else self._forms.moment(value)

    async def _each(self, found: Conditions, key: str, limit: int, act: Act) -> Acted:
        database: Database = self._store.database
        text = portable(f"{found.text} ORDER BY {key} LIMIT {limit + 1}", database.dialect)
        ids = [str(row[0]) for row in await database.reading().fetch(text, found.values)]
        done, refused = list[str](), list[dict[str, str]]()
        for id_ in ids[:limit]:
            try:
                await act(id_)
                done.append(id_)
            except WrongState as error:
                refused.append({"id": id_, "message": str(error), "hint": error.hint})
            except (UnknownExecution, NotKnown):
                continue  # it was deleted meanwhile
        return Acted(tuple(done), tuple(refused), ids[limit - 1] if len(ids) > limit else None)


def _must_say(what: str, *given: object) -> None:
    """All of them at once would be too easily said."""
    if not any(value is not None for value in given):
        errors: Sequence[FieldError] = (FieldError("", "required", f"say which: by {what}"),)
        raise Problem(422, "the request has invalid values", "invalid", errors=tuple(errors))
