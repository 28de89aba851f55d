"""/api/v1/admin/jobs: runs of jobs, in the states of a queue."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import msgspec

from codeai.control.audit import Trail
from codeai.control.exchange import Exchange, missing, unknown
from codeai.control.fields import Key, Priority, duration_of, wrong
from codeai.control.inputs import RunInputs, UnknownRun
from codeai.control.keys import Keys
from codeai.control.showing import Showing
from codeai.durable.control import Control
from codeai.durable.executions import KeyTaken
from codeai.durable.refusals import UnknownExecution, WrongState
from codeai.http.messages import Response
from codeai.http.plans import json_response
from codeai.http.problems import Problem
from codeai.jobs.enqueueing import Enqueueing, Wanted
from codeai.jobs.purging import FINISHED, Purge
from codeai.jobs.queues import QueueDesk
from codeai.storage.interface import Database


class EnqueueRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A run that is wanted. ``delay`` and ``debounce`` are durations (``30s``) or seconds; ``debounce`` needs a key."""

    job: str
    input: msgspec.Raw = msgspec.Raw(b"{}")
    queue: str | None = None
    delay: str | float | None = None
    priority: Priority | None = None
    key: Key | None = None
    debounce: str | float | None = None


class JobPages:
    """Shows, enqueues, cancels, retries and purges runs of jobs."""

    def __init__(
        self,
        control: Control,
        enqueueing: Enqueueing,
        purge: Purge,
        showing: Showing,
        inputs: RunInputs,
        desk: QueueDesk,
        database: Database,
        trail: Trail,
    ) -> None:
        self._control = control
        self._enqueueing = enqueueing
        self._purge = purge
        self._showing = showing
        self._inputs = inputs
        self._desk = desk
        self._database = database
        self._keys = Keys(database)
        self._trail = trail

    async def show(self, exchange: Exchange) -> Response:
        """GET …/jobs/{id}."""
        return json_response(await self._showing.row("job", exchange.path["id"]))

    async def enqueue(self, exchange: Exchange) -> Response:
        """POST …/jobs: 202 with the run."""
        asked = await exchange.body(EnqueueRequest)
        delay, debounce = duration_of("delay", asked.delay), duration_of("debounce", asked.debounce)
        if debounce and asked.key is None:
            raise wrong("debounce", "needs a key")
        if asked.queue is not None and asked.queue not in self._desk.names:
            raise wrong("queue", missing("queue", asked.queue, self._desk.names))
        try:
            values = self._inputs.decode("job", asked.job, bytes(asked.input))
        except UnknownRun:
            raise wrong("job", missing("job", asked.job, self._inputs.names("job"))) from None
        wanted = Wanted(
            job=asked.job,
            values=values,
            queue=asked.queue,
            priority=asked.priority,
            delay_ms=delay,
            key=asked.key,
            debounce_ms=debounce,
            origin=await self._keys.origin(exchange),
        )
        try:
            async with self._database.transaction() as session:
                execution = await self._enqueueing.enqueue(session, wanted, exchange.actor)
                await self._trail.write(session, exchange.actor, "enqueue", "job", execution, after={"job": asked.job})
        except KeyTaken as error:
            raise Problem(409, str(error), "duplicate_execution") from None
        return json_response(await self._showing.row("job", execution), 202)

    async def cancel(self, exchange: Exchange) -> Response:
        """DELETE …/jobs/{id}: 204, 409 when it has ended otherwise."""
        await self._changed(exchange, self._control.cancel)
        return Response(204)

    async def retry(self, exchange: Exchange) -> Response:
        """POST …/jobs/{id}/retry: what failed runs again."""
        await self._changed(exchange, self._control.retry)
        return json_response(await self._showing.row("job", exchange.path["id"]), 202)

    async def purge(self, exchange: Exchange) -> Response:
        """POST …/jobs/purge?status=failed&older_than=24h: removes runs that ended so long ago."""
        given = exchange.parameters("status", "older_than")
        status = given.get("status")
        if status not in FINISHED:
            raise wrong("status", f"must be one of {', '.join(FINISHED)}")
        age = duration_of("older_than", given.get("older_than", "24h"))
        number = await self._purge.jobs(status, age)
        async with self._database.transaction() as session:
            await self._trail.write(
                session, exchange.actor, "purge", "job", "", after={"status": status, "older_than_ms": age, "purged": number}
            )
        return json_response({"purged": number})

    async def _changed(self, exchange: Exchange, action: Any) -> None:
        id_ = exchange.path["id"]
        await self._showing.row("job", id_)
        call: Awaitable[Any] = action(id_, exchange.actor)
        try:
            await call
        except UnknownExecution:
            raise unknown("job", id_) from None
        except WrongState as error:
            raise Problem(409, str(error).replace("an execution", "a job"), "wrong_state", hint=error.hint) from None
