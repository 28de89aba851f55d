"""/api/v1/executions: one execution, its timeline, and what an operator does about it."""

from __future__ import annotations

import datetime
from collections.abc import Awaitable, Mapping
from typing import Any, Final, get_args

import msgspec

from codeai.analysis.payloads import wire_name
from codeai.control.exchange import Exchange, missing, page_asked, unknown
from codeai.control.fields import duration_of, wrong
from codeai.control.inputs import RunInputs, UnknownRun
from codeai.control.keys import Keys
from codeai.control.showing import Showing
from codeai.durable.control import Control
from codeai.durable.records import Record, StepStatus, item_of
from codeai.durable.refusals import UnknownExecution, UnknownStep, WrongState
from codeai.durable.timeline import Timeline
from codeai.durable.values import Restore
from codeai.http.messages import Response
from codeai.http.plans import json_response
from codeai.http.problems import FieldError, Problem

_STEPS: Final = 100
_LONGEST_WAIT: Final = 25.0  # seconds: less than what stands between client and server gives an answer
_UNDER_WAY: Final = ("running", "waiting", "done")


class SignalRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An event for the mailbox of one execution; ``id`` makes a repetition recognisable."""

    event: str
    payload: msgspec.Raw = msgspec.Raw(b"{}")
    id: str | None = None


class ForkRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The step from which the new execution runs anew."""

    step: str


class ExecutionPages:
    """Shows, retries, compensates, cancels, signals and forks executions."""

    def __init__(self, control: Control, timeline: Timeline, showing: Showing, inputs: RunInputs, keys: Keys) -> None:
        self._timeline = timeline
        self._keys = keys
        self._control = control
        self._showing = showing
        self._inputs = inputs

    async def show(self, exchange: Exchange) -> Response:
        """GET /executions/{id}?wait=20s: as it is, or as it is when it has ended or the time is over."""
        seconds = min(duration_of("wait", exchange.parameters("wait").get("wait")) / 1000, _LONGEST_WAIT)
        if seconds:
            await self._control.ended(exchange.path["id"], seconds)
        found = await self._showing.row("execution", exchange.path["id"])
        trouble = await self._control.trouble(exchange.path["id"])
        return json_response(found if trouble is None else {**found, "trouble": trouble})

    async def steps(self, exchange: Exchange) -> Response:
        """GET /executions/{id}/steps?items=false&status=: in the order in which they ended; those that run come last.

        With ``items=false`` a repeated step says how many of its items are in which state instead.
        """
        id_, given = exchange.path["id"], exchange.parameters("page", "limit", "items", "status")
        asked, status = page_asked(given, _STEPS), given.get("status")
        if status is not None and status not in get_args(StepStatus):
            raise wrong("status", f"must be one of {', '.join(get_args(StepStatus))}")
        if given.get("items", "true") not in ("true", "false"):
            raise wrong("items", "must be true or false")
        items = given.get("items") != "false"
        row = await self._showing.row("execution", id_)
        found = await self._timeline.page(id_, asked.first, asked.limit, items=items, status=status)
        counts = {} if items else await self._timeline.items(id_)
        shape = {} if self._inputs.secretive(row["kind"], row["workflow_id"]) else await self._control.shown_items(row["version"])
        return asked.of([shown(record, counts.get(record.name), shape) for record in found.records], found.total)

    async def retry(self, exchange: Exchange) -> Response:
        """POST …/retry: what failed runs again, what is recorded stays; what waits for its next try is tried now."""
        return await self._changed(exchange, self._control.retry(exchange.path["id"], exchange.actor))

    async def compensate(self, exchange: Exchange) -> Response:
        """POST …/compensate: undoes what was done, in reverse order."""
        return await self._changed(exchange, self._control.compensate(exchange.path["id"], exchange.actor))

    async def cancel(self, exchange: Exchange) -> Response:
        """POST …/cancel: ends it; what runs outside of the database is cut short."""
        return await self._changed(exchange, self._control.cancel(exchange.path["id"], exchange.actor))

    async def signal(self, exchange: Exchange) -> Response:
        """POST …/signal ``{event, payload}``: gives a waiting step its event."""
        asked = await exchange.body(SignalRequest)
        wire, payload = self._event(asked)
        call = self._control.signal(exchange.path["id"], wire, payload, actor=exchange.actor, event_id=asked.id)
        return await self._changed(exchange, call)

    async def fork(self, exchange: Exchange) -> Response:
        """POST …/fork ``{step}``: a new execution that takes over what came before the step."""
        asked = await exchange.body(ForkRequest)
        origin = await self._keys.origin(exchange)
        made = await self._done(exchange, self._control.fork(exchange.path["id"], asked.step, exchange.actor, origin=origin))
        return json_response(await self._showing.row("execution", made.id), 202)

    async def _changed(self, exchange: Exchange, call: Awaitable[Any]) -> Response:
        await self._done(exchange, call)
        id_ = exchange.path["id"]
        try:
            return json_response(await self._showing.row("execution", id_), 202)
        except Problem as problem:
            if problem.code != "unreadable":
                raise
            head = await self._control.head(id_)  # it is done all the same
            return json_response({"id": head.id, "workflow_id": head.workflow_id, "status": head.status}, 202)

    async def _done(self, exchange: Exchange, call: Awaitable[Any]) -> Any:
        try:
            return await call
        except UnknownExecution:
            raise unknown("execution", exchange.path["id"]) from None
        except WrongState as error:
            raise Problem(409, str(error), "wrong_state", hint=error.hint) from None
        except UnknownStep as error:
            errors = (FieldError("step", "unknown", str(error)),)
            raise Problem(422, "the request has invalid values", "invalid", errors=errors) from None

    def _event(self, asked: SignalRequest) -> tuple[str, Mapping[str, Any]]:
        """The wire name and the values of a signal; the event may be spelled in any case style."""
        wire = wire_name(asked.event)
        try:
            return wire, self._inputs.decode("event", wire, bytes(asked.payload), "payload")
        except UnknownRun:
            errors = (FieldError("event", "unknown", missing("event", asked.event, self._inputs.names("event"))),)
            raise Problem(422, "the request has invalid values", "invalid", errors=errors) from None


def shown(record: Record, items: Mapping[str, int] | None, shape: Mapping[str, Restore]) -> dict[str, Any]:
    """A step as the API shows it.

    :param items: how many of its items are in which state
    :param shape: what makes of an item of a step what may be shown; none of a run that takes secrets, and may repeat over them
    """
    due = record.due_ms
    return {
        "name": record.name,
        "status": record.status,
        "attempts": record.attempt + (record.status in _UNDER_WAY),  # the record counts failures
        "started_at": record.started_at,
        "finished_at": record.finished_at,
        "due_at": None if due is None else datetime.datetime.fromtimestamp(due / 1000, datetime.UTC),
        **({"items": items} if items is not None else {}),
        "input": _item(record, shape),
        "output": record.output,
        "error": record.error,
        "compensation": {
            "status": record.compensation,
            "attempts": record.compensation_attempt,
            "error": record.compensation_error,
            "finished_at": record.compensated_at,
        },
    }


def _item(record: Record, shape: Mapping[str, Restore]) -> dict[str, Any] | None:
    """What an item was called with: its name with its value, and its index."""
    step, given = item_of(record.name), record.inputs
    if step is None or step not in shape or not isinstance(given, dict):
        return None
    return {name: value if name == "index" else shape[step](value) for name, value in given.items()}
