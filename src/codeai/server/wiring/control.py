"""Schedules, queues and the operators' API of one process, made of its parts."""

from __future__ import annotations

import datetime
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from codeai.control.audit import Trail
from codeai.control.events import EventPages
from codeai.control.exchange import PREFIX
from codeai.control.executions import ExecutionPages
from codeai.control.hints import Hints
from codeai.control.inputs import RunInputs
from codeai.control.integrations import IntegrationPages
from codeai.control.jobs import JobPages
from codeai.control.keys import Keys
from codeai.control.lists import list_pages
from codeai.control.many import ManyPages
from codeai.control.queries import OperatorQueries
from codeai.control.query import QueryPage
from codeai.control.queues import QueuePages
from codeai.control.reading import reading
from codeai.control.registered import Registered
from codeai.control.registering import ProgramTexts, Registrar
from codeai.control.routes import ControlPages, routes
from codeai.control.schedules import SchedulePages
from codeai.control.showing import Showing
from codeai.control.workflows import WorkflowPages
from codeai.durable.dispatch.protocol import Queues
from codeai.durable.process import Durable
from codeai.durable.timeline import Timeline
from codeai.evaluate.program import Evaluator
from codeai.events.control import EventsControl
from codeai.events.relay import Relay
from codeai.events.routes import routes_to
from codeai.events.versions import Versions
from codeai.http.operators import OperatorRoutes
from codeai.http.plans import Runtime
from codeai.integrations.calls import Integrations
from codeai.jobs.enqueueing import Enqueueing
from codeai.jobs.purging import Purge
from codeai.jobs.queues import QueueDesk, queues_of
from codeai.jobs.runs import ScheduledRuns
from codeai.jobs.scheduler import KIND, Scheduler
from codeai.jobs.schedules import Planned, planned
from codeai.model.application import Application, Setting
from codeai.model.endpoint import InputField
from codeai.model.workflow import Workflow
from codeai.server.errors import StartError
from codeai.server.loading import Loaded
from codeai.server.readers import count
from codeai.storage.notices import Notices


def program_queues(application: Application, evaluator: Evaluator) -> Queues:
    """The queues that ``config.jobs`` names."""
    weights: dict[str, int] = {}
    concurrency: int | None = None
    for setting in application.settings:
        if setting.path[:2] == ("jobs", "queues") and len(setting.path) == 3:
            weights[setting.path[2]] = _number(setting, evaluator)
        elif setting.path == ("jobs", "concurrency"):
            concurrency = _number(setting, evaluator)
    return queues_of(weights, concurrency)


def _number(setting: Setting, evaluator: Evaluator) -> int:
    """A number of at least one, which the environment gives as a text; raises StartError."""
    value = str(evaluator.constant(setting.value))
    try:
        return int(count(1).read(value))
    except ValueError as wanted:
        raise StartError(f"config {'.'.join(setting.path)} is '{value[:40]}', expected {wanted}", setting.at) from None


def program_texts(program: Loaded) -> ProgramTexts:
    """The texts of a program, as operators read them and as registered workflows are checked with them."""
    runs = {**program.symbols.workflows, **program.symbols.jobs}
    files = tuple((file.path, file.text) for file in program.sources.files)
    declarations = {name: program.sources.text(symbol.declaration.start, symbol.declaration.end) for name, symbol in runs.items()}
    return ProgramTexts(files, declarations)


class Controlling:
    """The schedules of a process, and what operators reach.

    :param virtual: the time where tests move it; None for the database's clock
    :param versions: the versions of the program that run
    :param notices: by which processes tell each other
    :param relay: what tells workflows of events
    :param wake: called when there is the first registered workflow: a program without anything durable has no process that works
    """

    def __init__(
        self,
        application: Application,
        runtime: Runtime,
        durable: Durable,
        evaluator: Evaluator,
        relay: Relay,
        versions: Versions,
        notices: Notices,
        queues: Queues,
        virtual: Callable[[], datetime.datetime] | None,
        wake: Callable[[], Awaitable[None]],
    ) -> None:
        self._application = application
        self._runtime = runtime
        self._durable = durable
        self._queues = queues
        self._evaluator = evaluator
        self._relay = relay
        self._inputs: RunInputs | None = None
        self._planned = self._plans({})
        self._registered = Registered(runtime.database, durable.definitions, self._changed, notices)
        relay.news = self._registered
        runs = ScheduledRuns(durable.executions)
        self.scheduler = Scheduler(
            runtime.database, durable.dispatcher, runs, lambda: self._planned, virtual, durable.parts.faults, versions.newest
        )
        versions.on_newest = self.scheduler.register
        durable.engine.accompanied = versions.accompanied
        durable.dispatcher.register(KIND, self.scheduler)
        self._started = self._awake = False
        self._wake = wake

    def _plans(self, registered: Mapping[str, Workflow]) -> Mapping[str, Planned]:
        program = self._application
        found = [*map(planned, program.workflows), *map(planned, registered.values()), *map(planned, program.jobs)]
        return {one.name: one for one in found if one is not None}

    async def _changed(self, registered: Mapping[str, Workflow]) -> None:
        """Takes up workflows that were registered."""
        heard = [*registered.values(), *self._registered.unable.values()]
        if heard and not self._awake:
            self._awake = True
            await self._wake()
        self._planned = self._plans(registered)
        self._relay.also_to(routes_to(heard, self._evaluator))
        if self._inputs is not None:
            self._inputs.replace(registered.values())
        if self._started:
            await self.scheduler.register()

    def put_on(
        self,
        operators: OperatorRoutes,
        integrations: Integrations,
        events: EventsControl,
        environment: Mapping[str, str],
        texts: ProgramTexts,
        default: Callable[[InputField], Callable[[], Any]],
    ) -> None:
        """Adds the control API to the routes of operators."""
        application, runtime, durable = self._application, self._runtime, self._durable
        database = runtime.database
        found = reading(database.dialect, application)
        showing, trail = Showing(found, runtime), Trail(database.dialect, runtime.clock)
        inputs, desk = RunInputs(application, default), QueueDesk(database, self._queues)
        self._inputs = inputs
        registrar = Registrar(texts, durable.definitions, environment, database, trail, runtime.clock)
        self.queries = OperatorQueries(application, found, runtime, environment)
        enqueueing = Enqueueing(durable.executions, durable.store, durable.dispatcher, runtime.clock)
        workflows = {workflow.name: workflow for workflow in application.workflows}
        lists = {page.template: page for page in list_pages(found, runtime, self._hints(inputs, desk, events))}
        page = lists.pop(f"{PREFIX}/workflows")
        happened = EventPages(events, trail)
        pages = ControlPages(
            lists=tuple(lists.values()),
            query=QueryPage(self.queries, database, trail),
            workflows=WorkflowPages(
                page, durable.control, showing, inputs, database, workflows, registrar, self._registered, texts.declarations
            ),
            executions=ExecutionPages(durable.control, Timeline(durable.store), showing, inputs, Keys(database)),
            jobs=JobPages(durable.control, enqueueing, Purge(durable.store, runtime.clock), showing, inputs, desk, database, trail),
            many=ManyPages(durable.control, durable.store, events, happened.replayed, lambda: inputs.names("event")),
            events=happened,
            schedules=SchedulePages(self.scheduler, database, trail),
            queues=QueuePages(desk, database, trail, runtime.clock),
            integrations=IntegrationPages(integrations, database, trail),
        )
        for method, template, handler in routes(pages, runtime.deadlines):
            operators.add(method, template, handler)

    def _hints(self, inputs: RunInputs, desk: QueueDesk, events: EventsControl) -> Hints:
        async def webhooks() -> list[str]:
            return [one.name for one in await events.webhooks()]

        async def queues() -> frozenset[str]:
            return desk.names

        async def named(kind: str) -> list[str]:
            return inputs.names(kind)

        known = self._durable.control.known
        return Hints(
            {
                "workflow or job": known,
                "job": partial(named, "job"),
                "queue": queues,
                "event": partial(named, "event"),
                "webhook": webhooks,
            }
        )

    async def start(self) -> None:
        """Takes up registered workflows and brings the ledger of schedules to the program."""
        await self._registered.start()
        self._started = True
        await self.scheduler.register()

    async def stop(self) -> None:
        """Looks for registered workflows no more."""
        await self._registered.stop()
