"""/api/v1/admin/queues: how much lies in each queue, and its limits while the server runs."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Annotated, Final

import msgspec

from codeai.control.audit import Trail
from codeai.control.exchange import Exchange, page_of, unknown
from codeai.durable.dispatch.limits import Limit
from codeai.http.messages import Response
from codeai.http.plans import json_response
from codeai.http.problems import FieldError, Problem
from codeai.jobs.queues import QueueDesk, QueueState, UnknownQueue
from codeai.language.durations import duration_milliseconds, duration_text
from codeai.storage.interface import Database

Positive = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
_RATE_HELP: Final = "must be as in '10 per 1m', or null"


class QueueChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change; what is absent stays, null takes a limit away and gives a weight back to the program."""

    weight: Positive | msgspec.UnsetType | None = msgspec.UNSET
    concurrency: Positive | msgspec.UnsetType | None = msgspec.UNSET
    rate: str | msgspec.UnsetType | None = msgspec.UNSET
    paused: bool | msgspec.UnsetType = msgspec.UNSET


class QueuePages:
    """Lists and changes queues."""

    def __init__(self, desk: QueueDesk, database: Database, trail: Trail, clock: Callable[[], datetime.datetime]) -> None:
        self._desk = desk
        self._database = database
        self._trail = trail
        self._clock = clock

    async def list(self, exchange: Exchange) -> Response:
        """GET …/queues."""
        exchange.parameters()
        return page_of([shown(state) for state in await self._desk.states()])

    async def change(self, exchange: Exchange) -> Response:
        """PATCH …/queues/{name}."""
        name, asked = exchange.path["name"], await exchange.body(QueueChange)
        try:
            async with self._database.transaction() as session:
                before = await self._desk.limit(session, name)
                after = changed(before, asked)
                if after != before:
                    await self._desk.change(session, name, after, self._clock())
                    states = {"before": msgspec.to_builtins(before), "after": msgspec.to_builtins(after)}
                    await self._trail.write(session, exchange.actor, "change", "queue", name, **states)
        except UnknownQueue:
            raise unknown("queue", name, self._desk.names) from None
        return json_response(next(shown(state) for state in await self._desk.states() if state.name == name))


def changed(limit: Limit, asked: QueueChange) -> Limit:
    """A limit after a change; raises Problem for a rate that is none."""
    found = {name: value for name in ("weight", "concurrency", "paused") if (value := getattr(asked, name)) is not msgspec.UNSET}
    if asked.rate is not msgspec.UNSET:
        found["rate"], found["rate_ms"] = (None, None) if asked.rate is None else _rate(asked.rate)
    return msgspec.structs.replace(limit, **found)


def _rate(text: str) -> tuple[int, int]:
    number, word, time = [*text.split(), "", "", ""][:3]
    milliseconds = duration_milliseconds(time)
    if word != "per" or not (number.isdigit() and 0 < int(number) <= 1_000_000) or not milliseconds:
        raise Problem(422, "the request has invalid values", "invalid", errors=(FieldError("rate", "wrong_value", _RATE_HELP),))
    return int(number), milliseconds


def shown(state: QueueState) -> dict[str, object]:
    """A queue as the API shows it."""
    rate = f"{state.rate} per {duration_text(state.rate_ms)}" if state.rate and state.rate_ms else None
    return {
        **{name: getattr(state, name) for name in ("name", "weight", "paused", "concurrency", "ready", "running", "later")},
        "rate": rate,
    }
