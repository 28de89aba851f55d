"""/api/v1/workflows: one definition, its state, and starting executions of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from codeai.control.exchange import PREFIX, Exchange, unknown
from codeai.control.fields import Key, Priority, duration_of
from codeai.control.inputs import RunInputs, UnknownRun
from codeai.control.keys import Keys
from codeai.control.lists import ListPage
from codeai.control.registered import Registered
from codeai.control.registering import Registrar
from codeai.control.showing import Showing
from codeai.durable.control import Control
from codeai.durable.definitions import DefinitionMissing
from codeai.durable.executions import KeyTaken
from codeai.http.messages import Response
from codeai.http.plans import json_response
from codeai.http.problems import Problem
from codeai.jobs.timetable import shown as schedule_shown
from codeai.model.workflow import Workflow
from codeai.storage.codecs import encode_json
from codeai.storage.interface import Database
from codeai.storage.portable import portable

_COUNTS: Final = "SELECT workflow_id, status, count(*) FROM executions WHERE workflow_id IN {names} GROUP BY workflow_id, status"
_GONE: Final = "ask again after the deployment; one that is gone for good is archived, and what runs of it ends"
_NAMES: Final = {"postgresql": "(SELECT unnest($1::text[]))", "sqlite": "(SELECT value FROM json_each($1))"}


class StatusChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Paused definitions begin nothing, archived ones can no longer be started."""

    status: Literal["active", "paused", "archived"]


class StartRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The input of an execution; ``key`` instead of the one that the definition computes. ``delay`` is a duration (``30s``) or seconds."""

    input: msgspec.Raw = msgspec.Raw(b"{}")
    key: Key | None = None
    delay: str | float | None = None
    priority: Priority | None = None


class RegisterRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The text of a workflow."""

    source: str


class WorkflowPages:
    """Shows, registers, pauses, resumes, archives and starts workflows.

    :param page: the plain list
    :param workflows: those of the program
    :param registered: those that were registered since
    :param sources: the texts of the declarations of the program, by name
    """

    def __init__(
        self,
        page: ListPage,
        control: Control,
        showing: Showing,
        inputs: RunInputs,
        database: Database,
        workflows: Mapping[str, Workflow],
        registrar: Registrar,
        registered: Registered,
        sources: Mapping[str, str],
    ) -> None:
        self._page = page
        self._control = control
        self._showing = showing
        self._inputs = inputs
        self._database = database
        self._keys = Keys(database)
        self._workflows = workflows
        self._registrar = registrar
        self._registered = registered
        self._sources = sources
        self._counts = portable(_COUNTS.replace("{names}", _NAMES[database.dialect]), database.dialect)

    async def list(self, exchange: Exchange) -> Response:
        """GET /workflows: a page, each with source, trigger and counts."""
        page = msgspec.json.decode((await self._page.handle(exchange.request, [])).body)
        counts = await self._counted([row["name"] for row in page["data"]])
        page["data"] = [self._with_facts(row, counts.get(row["name"], {})) for row in page["data"]]
        return json_response(page)

    async def show(self, exchange: Exchange) -> Response:
        """GET /workflows/{name}: with source, trigger, and how many executions are in which state."""
        return json_response(await self._shown(exchange.path["name"]))

    async def register(self, exchange: Exchange) -> Response:
        """POST /workflows ``{source}``: 201 with the definition, 422 with what is wrong with the text."""
        text = (await exchange.body(RegisterRequest)).source
        checked = await asyncio.to_thread(self._registrar.check, text)
        await self._registrar.register(text, checked, exchange.actor)
        await self._registered.announce()
        location = (b"location", f"{PREFIX}/workflows/{checked.name}".encode())
        return json_response(await self._shown(checked.name), 201, (location,))

    async def change(self, exchange: Exchange) -> Response:
        """PATCH /workflows/{name} ``{status}``."""
        name, asked = exchange.path["name"], await exchange.body(StatusChange)
        before = await self._row(name)
        if before["status"] != asked.status:
            try:
                await self._control.set_definition_status(name, asked.status, exchange.actor)
            except DefinitionMissing:
                raise unknown("workflow", name) from None  # it has just been removed
            await self._registered.announce()
        return json_response(await self._shown(name))

    async def start(self, exchange: Exchange) -> Response:
        """POST /workflows/{name}/executions ``{input, key?, delay?, priority?}``: 202 with the execution."""
        name, asked = exchange.path["name"], await exchange.body(StartRequest, optional=True)
        delay = duration_of("delay", asked.delay)
        row = await self._row(name)
        if row["status"] == "archived":
            raise Problem(409, f"workflow '{name}' is archived", "archived", hint="make it active first")
        await self._registered.refresh()
        try:
            values = self._inputs.decode("workflow", name, bytes(asked.input))
            started = await self._control.start(
                *("workflow", name, values),
                key=asked.key,
                actor=exchange.actor,
                origin=await self._keys.origin(exchange),
                delay_ms=delay,
                priority=asked.priority,
            )
        except (UnknownRun, DefinitionMissing):
            raise Problem(409, f"workflow '{name}' is not part of the program that answers here", "not_current", hint=_GONE) from None
        except KeyTaken as error:
            raise Problem(409, str(error), "duplicate_execution") from None
        return json_response(await self._showing.row("execution", started.id), 202)

    async def _shown(self, name: str) -> dict[str, Any]:
        row = await self._row(name)
        return self._with_facts(row, (await self._counted([name])).get(name, {}))

    async def _row(self, name: str) -> dict[str, Any]:
        try:
            return await self._showing.row("workflow", name)
        except Problem:
            raise unknown("workflow", name, {*self._workflows, *self._registered.workflows}) from None

    def _with_facts(self, row: dict[str, Any], counts: Mapping[str, int]) -> dict[str, Any]:
        name = row["name"]
        workflow = self._workflows.get(name) or self._registered.workflows.get(name)
        source = row.get("source") or self._sources.get(name)
        present = workflow is not None  # else the program that answers has it no more, or was never made for it
        return {
            **row,
            "present": present,
            "source": source,
            "trigger": _trigger(workflow) if workflow is not None else None,
            "executions": counts,
        }

    async def _counted(self, names: Sequence[str]) -> dict[str, dict[str, int]]:
        """How many executions of workflows are in which state."""
        found: dict[str, dict[str, int]] = {}
        listed = list(names) if self._database.dialect == "postgresql" else encode_json(list(names))
        for name, status, number in await self._database.reading().fetch(self._counts, (listed,)):
            found.setdefault(str(name), {})[str(status)] = int(str(number))
        return found


def _trigger(workflow: Workflow) -> dict[str, Any]:
    trigger = workflow.trigger
    if trigger.kind == "event":
        return {"kind": "event", "event": trigger.event}
    if trigger.schedule is not None:
        return {"kind": "schedule", "schedule": schedule_shown(trigger.schedule), "timezone": trigger.schedule.timezone}
    return {"kind": "manual", "input": [field.name for field in workflow.input]}
