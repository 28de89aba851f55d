"""Starting executions, in the transaction of whoever starts them."""

from __future__ import annotations

import datetime
import os
import time
import uuid
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from codeai.durable.definitions import Definition, Definitions
from codeai.durable.lanes import Lane, lane_of
from codeai.durable.parts import NoRows, Parts
from codeai.durable.plans import RunPlan
from codeai.durable.traces import tied
from codeai.durable.values import recorded
from codeai.evaluate.context import Context
from codeai.evaluate.errors import ProgramFailure
from codeai.evaluate.operations import text
from codeai.storage.interface import Session

_NO_ROWS: Final = NoRows()
KIND: Final = "execution"
_TRIES: Final = 10


class Started(msgspec.Struct, frozen=True):
    """An execution that was started, or the one that had the key or origin already."""

    id: str
    existing: bool = False


class KeyTaken(ProgramFailure):
    """Another execution has the key, and the definition rejects duplicates."""

    def __init__(self, name: str, key: str) -> None:
        super().__init__(409, f"'{name}' runs already for key '{key}'", "duplicate_execution")


class Executions:
    """Starts workflows and jobs (see ``evaluate.effects.Starter``)."""

    def __init__(self, parts: Parts, definitions: Definitions) -> None:
        self._parts = parts
        self._definitions = definitions

    async def start(self, context: Context, kind: str, target: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """See ``evaluate.effects.Starter``."""
        parent, starts = context.values.get("execution"), context.values.get("@starts")
        started = await self.begin(
            *(context.session, kind, target, values),
            origin=starts.of(target) if starts is not None and kind == "workflow" else None,
            actor=context.user.id,
            parent=str(parent["id"]) if isinstance(parent, Mapping) else None,
        )
        return {"id": uuid.UUID(started.id), "name": target, "status": "pending", "started_at": context.now, "attempt": 1}

    async def start_by_event(self, session: Session, workflow: str, trigger: Mapping[str, Any], origin: str, actor: str | None) -> None:
        """Starts a workflow by an event that it wants, unless one of the same origin was started before.

        :param trigger: the payload of the event beside its facts
        """
        wanted = self._definitions.current("workflow", workflow).plan.wanted
        if wanted is not None and await wanted(self._parts.context(session, {"event": trigger, "trigger": trigger})) is not True:
            return
        await self.begin(session, "workflow", workflow, trigger, origin=origin, actor=actor)

    async def begin(
        self,
        session: Session,
        kind: str,
        name: str,
        values: Mapping[str, Any],
        *,
        key: str | None = None,
        origin: str | None = None,
        actor: str | None = None,
        parent: str | None = None,
        queue: str | None = None,
        priority: int | None = None,
        scheduled_for: datetime.datetime | None = None,
        delay_ms: int = 0,
    ) -> Started:
        """Starts a run in the transaction of the session.

        :param values: the input, by name and in value form; what is absent gets its default
        :param key: instead of the key that the definition computes
        :param origin: what starts it (``event:…``, ``tick:…``); one origin starts one execution of a definition
        :param delay_ms: it begins so much later
        :raises DefinitionMissing: there is no such definition
        :raises KeyTaken: the key is taken, and the definition says ``on_duplicate: reject``
        """
        definition = self._definitions.current(kind, name)
        plan = definition.plan
        given = self._with_defaults(plan, values)
        key = key if key is not None else await self._key(plan, given)
        rest = (origin, actor, parent, queue, priority, scheduled_for, delay_ms)
        found = await self._insert(session, definition, given, key, False, *rest)
        if found is None:
            found = await self._duplicate(session, definition, given, key, *rest)
            if found.existing:
                return found
        await tied(session, self._parts.store.dialect, self._parts.store.uuid(found.id))
        return found

    async def _duplicate(
        self, session: Session, definition: Definition, given: Any, key: str | None, origin: str | None, *rest: Any
    ) -> Started:
        """What becomes of a start whose key or origin is taken. Whoever has it may end meanwhile, so that it is free after all.

        One that queues is offered, too: its turn may have come before it could be seen (see ``Engine``).
        """
        store, plan = self._parts.store, definition.plan
        for _ in range(_TRIES):
            row = await session.fetch_row(store.sql.taken, (plan.name, origin, key))
            if row is not None and (row[1] or plan.on_duplicate == "return"):
                return Started(str(row[0]), existing=True)
            if row is not None and plan.on_duplicate == "reject":
                break
            found = await self._insert(session, definition, given, key, row is not None, origin, *rest)
            if found is not None:
                return found
        raise KeyTaken(plan.name, key or "")

    async def _insert(
        self,
        session: Session,
        definition: Definition,
        given: Any,
        key: str | None,
        waits: bool,
        origin: str | None,
        actor: str | None,
        parent: str | None,
        queue: str | None,
        priority: int | None,
        scheduled_for: datetime.datetime | None,
        delay_ms: int,
    ) -> Started | None:
        """Inserts an execution and offers it, unless its key or origin is taken."""
        parts, store, plan = self._parts, self._parts.store, definition.plan
        id_, lane = new_id(), lane_of(plan)
        queue, priority = queue or plan.queue, plan.priority if priority is None else priority
        values = (
            store.uuid(id_),
            plan.name,
            plan.kind,
            definition.version,
            key,
            None if waits else key,
            origin,
            store.json(recorded(given)),
            queue,
            priority,
            store.uuid(parent),
            None,
            actor,
            store.instant(scheduled_for),
            store.instant(parts.clock()),
        )
        parts.faults("before-start")
        made = await parts.dispatcher.insert_and_offer(
            *(session, store.sql.start, values, KIND, id_),
            queue=queue,
            priority=priority,
            delay_ms=delay_ms,
            lane=lane.name if lane is not None else None,
            lane_limit=lane.limit if lane is not None else None,
        )
        parts.faults("after-start")
        return Started(id_) if made else None

    def _with_defaults(self, plan: RunPlan, values: Mapping[str, Any]) -> dict[str, Any]:
        given = dict(values)
        if plan.defaults:
            context = self._parts.context(_NO_ROWS, {})
            for name, default in plan.defaults.items():
                if name not in given:
                    given[name] = default(context)
        for field in plan.input:
            given.setdefault(field.name, None)
        return given

    async def _key(self, plan: RunPlan, given: dict[str, Any]) -> str | None:
        if plan.key is None:
            return None
        values = {"trigger": given, "input": given, **(given if plan.kind == "job" else {})}
        found = await plan.key(self._parts.context(_NO_ROWS, values))
        return text(found) if found is not None else None


async def offer_execution(
    parts: Parts, session: Session, id_: str, lane: Lane | None, *, queue: str, priority: int, delay_ms: int = 0
) -> None:
    """Offers an execution, in the lane of its definition when that limits how many run at a time."""
    name, limit = (lane.name, lane.limit) if lane is not None else (None, None)
    await parts.dispatcher.offer(session, KIND, id_, queue=queue, priority=priority, delay_ms=delay_ms, lane=name, lane_limit=limit)


def new_id() -> str:
    """A UUIDv7 (RFC 9562, section 6.2, method 3): sorts by time to a quarter of a microsecond."""
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    value = (milliseconds << 80) | (0x7 << 76) | ((rest * 4096 // 1_000_000) << 64) | (0x2 << 62)
    return str(uuid.UUID(int=value | (int.from_bytes(os.urandom(8)) >> 2)))
