"""/api/v1/admin/schedules: what runs when, and what an operator does about it."""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import msgspec

from codeai.control.audit import Trail
from codeai.control.exchange import Exchange, page_of, unknown
from codeai.http.messages import Response
from codeai.http.plans import json_response
from codeai.http.problems import FieldError, Problem
from codeai.jobs.ledger import Entry
from codeai.jobs.scheduler import MOST_FILLED, Scheduler, TooManyTicks, UnknownSchedule
from codeai.storage.interface import Database, Session

_TICKS: Final = 20
_STATUS: Final = ("active", "paused", "removed")


class FillRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The time whose ticks are to run: after ``since`` and up to ``until``, by default up to now."""

    since: datetime.datetime
    until: datetime.datetime | None = None


class SchedulePages:
    """Lists, shows, pauses, resumes, triggers and fills schedules."""

    def __init__(self, scheduler: Scheduler, database: Database, trail: Trail) -> None:
        self._scheduler = scheduler
        self._database = database
        self._trail = trail

    async def list(self, exchange: Exchange) -> Response:
        """GET …/schedules; those of the program unless ``status`` asks for others."""
        wanted = exchange.parameters("status").get("status")
        if wanted is not None and wanted not in _STATUS:
            message = f"must be one of {', '.join(_STATUS)}"
            raise Problem(422, "the request has invalid parameters", "invalid", errors=(FieldError("status", "wrong_value", message),))
        entries = await self._scheduler.ledger.entries()
        found = [entry for entry in entries if entry.status == wanted or (wanted is None and entry.status != "removed")]
        outcomes = await self._scheduler.ledger.outcomes()
        return page_of([{**shown(entry), "last_status": outcomes.get(entry.name)} for entry in found])

    async def show(self, exchange: Exchange) -> Response:
        """GET …/schedules/{name}: with its last ticks and what became of them; also one that the program has no more."""
        name, ledger = exchange.path["name"], self._scheduler.ledger
        entry = await ledger.entry(self._database.reading(), name)
        if entry is None:
            raise await self._unknown(name)
        return json_response({**shown(entry), "ticks": await ledger.ticks(name, _TICKS)})

    async def pause(self, exchange: Exchange) -> Response:
        """POST …/schedules/{name}/pause."""
        return await self._switch(exchange, "pause")

    async def resume(self, exchange: Exchange) -> Response:
        """POST …/schedules/{name}/resume: with the first tick from now on."""
        return await self._switch(exchange, "resume")

    async def trigger(self, exchange: Exchange) -> Response:
        """POST …/schedules/{name}/trigger: a run now, beside the schedule."""
        name = exchange.path["name"]
        async with self._known(name) as (session, _):
            execution = await self._scheduler.trigger(session, name, exchange.actor)
            if execution is None:
                raise Problem(409, f"'{name}' runs already for its key", "duplicate_execution")
            await self._trail.write(session, exchange.actor, "trigger", "schedule", name, after={"execution": execution})
        return json_response({"execution_id": execution}, 202)

    async def fill(self, exchange: Exchange) -> Response:
        """POST …/schedules/{name}/backfill ``{since, until?}``: runs of ticks that did not run."""
        name, asked = exchange.path["name"], await exchange.body(FillRequest)
        since, until = _instant(asked.since), _instant(asked.until or datetime.datetime.max.replace(tzinfo=datetime.UTC))
        async with self._known(name) as (session, _):
            try:
                filled = await self._scheduler.fill(session, name, since, until, exchange.actor)
            except TooManyTicks:
                raise Problem(
                    422, f"these are more than {MOST_FILLED:,} ticks", "too_many_ticks", hint="ask for a shorter time, again and again"
                ) from None
            await self._trail.write(session, exchange.actor, "backfill", "schedule", name, after={"executions": len(filled.executions)})
        return json_response({"executions": filled.executions, "known": filled.known}, 202)

    async def _switch(self, exchange: Exchange, action: str) -> Response:
        name = exchange.path["name"]
        async with self._known(name) as (session, entry):
            change = self._scheduler.pause if action == "pause" else self._scheduler.resume
            if await change(session, name):
                await self._trail.write(session, exchange.actor, action, "schedule", name, before={"status": entry.status})
            after = await self._scheduler.known(session, name)
        return json_response(shown(after))

    @asynccontextmanager
    async def _known(self, name: str) -> AsyncIterator[tuple[Session, Entry]]:
        try:
            async with self._database.transaction() as session:
                yield session, await self._scheduler.known(session, name)
        except UnknownSchedule:
            raise await self._unknown(name) from None

    async def _unknown(self, name: str) -> Problem:
        return unknown("schedule", name, [entry.name for entry in await self._scheduler.ledger.entries()])


def _instant(value: datetime.datetime) -> datetime.datetime:
    return value.astimezone(datetime.UTC) if value.tzinfo is not None else value.replace(tzinfo=datetime.UTC)


def shown(entry: Entry) -> dict[str, object]:
    """A schedule as the API shows it."""
    return {
        "name": entry.name,
        "kind": entry.kind,
        "status": entry.status,
        "schedule": entry.expression,
        "timezone": entry.timezone,
        "next_run": entry.next,
        "last_run": entry.last,
        "missed": entry.missed,
        "skipped": entry.skipped,
    }
