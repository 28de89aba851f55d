"""Programs that run durably, on a real database, with time that tests move."""

import asyncio
import datetime
import uuid
from collections.abc import Mapping
from typing import Any

from codeai.durable.dispatch.dbos.dispatcher import DbosDispatcher, Engine
from codeai.durable.dispatch.local import LocalDispatcher
from codeai.durable.dispatch.protocol import Queues
from codeai.durable.process import Durable, KeyedOperations
from codeai.durable.records import Execution, Record
from codeai.evaluate.context import Context
from codeai.evaluate.effects import Effects
from codeai.evaluate.program import Evaluator
from codeai.model.application import Application
from codeai.query.constraints import CheckTexts
from codeai.query.statements import Statements
from codeai.storage.interface import Database
from codeai.storage.schema.synchronise import synchronise
from codeai.storage.settings import DatabaseSettings, from_url
from services.polling import eventually


class Time:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime.datetime(2026, 11, 24, 12, tzinfo=datetime.UTC)

    def __call__(self) -> datetime.datetime:
        return self.now


class Peer:
    """Other systems: remembers calls, answers or fails as told."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.failures: dict[str, int] = {}
        self.answer: dict[str, Any] = {}
        self.pause = 0.0
        self.together = 0  # no call is answered before there have been so many at a time
        self.running = self.most = 0

    async def call(self, context: Context, integration: str, operation: str, values: Mapping[str, Any]) -> Any:
        name = f"{integration}.{operation}"
        self.calls.append((name, dict(values)))
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await eventually(lambda: self.most >= self.together)
            await asyncio.sleep(self.pause)
        finally:
            self.running -= 1
        if self.failures.get(name, 0) > 0:
            self.failures[name] -= 1
            raise ConnectionError(f"{name} is not reachable")
        return self.answer.get(name, {"id": f"r{len(self.calls)}", "status": "ok"})

    def names(self) -> list[str]:
        return [name for name, _ in self.calls]


class Outbox:
    def __init__(self) -> None:
        self.events: list[tuple[str, Any]] = []

    async def emit(self, context: Context, event: str, payload: Any) -> None:
        context.session.after_commit(lambda: self.events.append((event, payload)))


class Process:
    """One process that runs a program; with an engine its work is distributed by DBOS."""

    def __init__(
        self,
        application: Application,
        database: Database,
        time: Time | None,
        peer: Peer,
        concurrency: int = 50,
        engine: Engine | None = None,
    ) -> None:
        self.database = database
        self.time = time
        self.peer = peer
        self.outbox = Outbox()
        self.logged: list[str] = []
        effects = Effects()
        effects.operations = KeyedOperations(peer)
        effects.emitter = self.outbox
        statements = Statements(application, database.dialect)
        milliseconds = (lambda: int(time().timestamp() * 1000)) if time is not None else None
        queues = Queues(concurrency=concurrency)
        self.dispatcher: LocalDispatcher = (
            LocalDispatcher(database, queues, clock=milliseconds)
            if engine is None
            else DbosDispatcher(database, engine, queues, clock=milliseconds)
        )
        self.durable = Durable(
            application,
            database,
            self.dispatcher,
            Evaluator(application, statements, {}),
            lambda older: Evaluator(older, statements, {}),
            effects,
            None,  # type: ignore[arg-type]  # no step here hashes passwords
            lambda level, message, data: self.logged.append(message),
            time or (lambda: datetime.datetime.now(datetime.UTC)),
        )
        effects.starter = self.durable.executions
        self.effects = effects

    async def start(self, name: str, values: Mapping[str, Any] | None = None, **arguments: Any) -> str:
        found = await self.durable.control.start("workflow", name, values or {}, **arguments)
        return found.id

    async def run(self) -> None:
        await self.durable.dispatcher.run_due()

    async def advance(self, **length: float) -> None:
        """Moves time and runs what has become due on the way, each at its time."""
        assert self.time is not None
        target = self.time.now + datetime.timedelta(**length)
        while True:
            await self.run()
            row = await self.database.fetch("SELECT min(ready_ms) FROM codeai_activations WHERE state = 2", ())
            due = row[0][0]
            if due is None or due / 1000 > target.timestamp():
                break
            self.time.now = max(self.time.now, datetime.datetime.fromtimestamp(due / 1000 + 0.001, datetime.UTC))
        self.time.now = target
        await self.run()

    async def show(self, id_: str) -> tuple[Execution, dict[str, Record]]:
        execution, records = await self.durable.control.timeline(id_)
        return execution, {record.name: record for record in records}

    async def complete(self, name: str, values: Mapping[str, Any] | None = None, **arguments: Any) -> tuple[Execution, dict[str, Record]]:
        """Starts, runs to the end of what can be done now, and shows."""
        id_ = await self.start(name, values, **arguments)
        await self.run()
        return await self.show(id_)

    async def rows(self, text: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in await self.database.fetch(text, ())]


def unique() -> str:
    """A text that no other test uses."""
    return uuid.uuid4().hex[:12]


def prepared(url: str, application: Application) -> DatabaseSettings:
    """A database with the tables of a program."""
    found = from_url(url)
    synchronise(found, application, check_text=CheckTexts(application, found.dialect), development=True)
    return found
