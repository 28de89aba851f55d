"""Definitions by content: what an execution began with is what it ends with.

The version of a workflow or job is the hash of its lowered form together with every function, event and operation that it uses
(types are part of those). It is stored with the executions, so that one that began under an older program finishes on it.
"""

from __future__ import annotations

import datetime
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final

import msgspec

from codeai.durable.plans import Compiler, RunPlan
from codeai.durable.store import Store
from codeai.evaluate.errors import NotCompilable
from codeai.evaluate.program import Evaluator
from codeai.language import types as t
from codeai.model import expression as ir
from codeai.model import statement as s
from codeai.model.application import Application, Function
from codeai.model.storing import UnknownDefinition, digest, dumped, loaded, parts
from codeai.model.workflow import Job, Work, Workflow

_KEPT: Final = 64
_SAID_AGAIN: Final = datetime.timedelta(days=1)
EvaluatorOf = Callable[[Application], Evaluator]


class DefinitionMissing(Exception):
    """No such workflow or job, or no such version of it."""


class Definition(msgspec.Struct, frozen=True):
    """A workflow or job of the program with its version and its plan."""

    run: Workflow | Job
    version: str
    body: str
    plan: RunPlan


def closure(application: Application, run: Workflow | Job) -> dict[str, Any]:
    """A definition with all that it uses, as plain data."""
    functions = {function.name: function for function in application.functions}
    events = {event.wire: event for event in application.events}
    operations = {(i.name, o.name): o for i in application.integrations for o in i.operations}
    found: dict[str, dict[str, Any]] = {"functions": {}, "events": {}, "operations": {}}
    waiting: list[object] = [run]
    while waiting:
        for part in parts(waiting.pop(), without=(t.Type,)):  # nothing is used in types, which are most of it
            if isinstance(part, ir.CallFunction) and part.function not in found["functions"]:
                found["functions"][part.function] = dumped(functions[part.function])
                waiting.append(functions[part.function])
            elif isinstance(part, s.Emit | Work) and part.event in events:
                found["events"][part.event] = dumped(events[part.event])
            elif isinstance(part, ir.CallOperation) and (part.integration, part.operation) in operations:
                found["operations"][f"{part.integration}.{part.operation}"] = dumped(operations[part.integration, part.operation])
    if isinstance(run, Workflow) and run.trigger.event in events:
        found["events"][run.trigger.event] = dumped(events[run.trigger.event])
    return {"definition": dumped(run), **found}


class Definitions:
    """The definitions of a program, and older ones from the database.

    :param evaluator_of: makes an evaluator for a program whose functions are those of an older one
    :raises NotCompilable: one of them cannot run
    """

    def __init__(self, application: Application, evaluator: Evaluator, evaluator_of: EvaluatorOf, store: Store) -> None:
        self._application = application
        self._evaluator_of = evaluator_of
        self.store = store
        compiler = Compiler(application, evaluator)
        self._current: dict[tuple[str, str], Definition] = {}
        runs: list[Workflow | Job] = [*application.workflows, *application.jobs]
        for run in runs:
            data = closure(application, run)
            version = digest(data)
            plan = compiler.plan(run, version)
            self._current[plan.kind, run.name] = Definition(run, version, msgspec.json.encode(data).decode(), plan)
        self._plans: dict[str, RunPlan] = {found.version: found.plan for found in self._current.values()}
        self._older: OrderedDict[str, RunPlan] = OrderedDict()

    def current(self, kind: str, name: str) -> Definition:
        """The definition that new executions begin with; raises DefinitionMissing."""
        found = self._current.get((kind, name))
        if found is None:
            raise DefinitionMissing(f"unknown {kind} '{name}'")
        return found

    async def adopt(self, version: str) -> Definition:
        """Makes a definition of the database the one that new executions begin with: it was registered while servers run.

        :raises DefinitionMissing: nobody knows it
        :raises NotCompilable: it cannot run in this program
        """
        row = await self.store.database.reading().fetch_row(self.store.sql.definition, (version,))
        if row is None:
            raise DefinitionMissing(f"the definition '{version}' is not known")
        found = self.compiled(str(row[0]), version)
        self._current[found.plan.kind, found.plan.name] = found
        self._plans[version] = found.plan
        return found

    async def stored(self, version: str) -> Workflow | Job | None:
        """What a definition of the database says, also one that cannot run in this program; None when nobody can read it."""
        row = await self.store.database.reading().fetch_row(self.store.sql.definition, (version,))
        try:
            return None if row is None else loaded(msgspec.json.decode(str(row[0]))["definition"])
        except UnknownDefinition:
            return None

    def forget(self, kind: str, name: str) -> None:
        """Begins nothing with an adopted definition any more; executions that run go on."""
        self._current.pop((kind, name), None)

    def all(self) -> tuple[Definition, ...]:
        """All definitions of the program."""
        return tuple(self._current.values())

    async def register(self, now: datetime.datetime) -> None:
        """Writes the definitions of this program down; every process does, and it changes nothing twice in a day.

        Those that no process has said to have for a long time may be deleted (see ``retention``).
        """
        store, at, yesterday = self.store, self.store.instant(now), self.store.instant(now - _SAID_AGAIN)
        async with store.database.transaction() as session:
            for (kind, name), found in sorted(self._current.items()):
                await session.execute(store.sql.define, (found.version, name, kind, found.body, at, yesterday))
                await session.execute(store.sql.register, (name, kind, found.version, at))

    async def plan(self, version: str) -> RunPlan:
        """The plan of a version.

        :raises DefinitionMissing: nobody knows it
        :raises NotCompilable: it cannot run in this program, for instance because an entity is gone
        """
        found = self._plans.get(version) or self._older.get(version)
        if found is not None:
            return found
        row = await self.store.database.reading().fetch_row(self.store.sql.definition, (version,))
        if row is None:
            raise DefinitionMissing(f"the definition '{version}' is not known")
        plan = self.compiled(str(row[0]), version).plan
        self._older[version] = plan
        while len(self._older) > _KEPT:
            self._older.popitem(last=False)
        return plan

    def compiled(self, body: str, version: str) -> Definition:
        """A stored definition, made to run in this program.

        :raises NotCompilable: it cannot
        """
        data = msgspec.json.decode(body)
        try:
            run = loaded(data["definition"])
            functions: dict[str, Function] = {name: loaded(part) for name, part in data["functions"].items()}
        except UnknownDefinition as error:
            raise NotCompilable(str(error)) from error
        others = tuple(function for function in self._application.functions if function.name not in functions)
        older = msgspec.structs.replace(self._application, functions=(*functions.values(), *others))
        try:
            plan = Compiler(older, self._evaluator_of(older)).plan(run, version)
        except KeyError as error:
            raise NotCompilable(f"the definition needs {error}, which the program does not have any more") from error
        return Definition(run, version, body, plan)
