"""The only place that knows all rooms: from a program and its settings to an ASGI application."""

from __future__ import annotations

import asyncio
import datetime
import functools
import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codeai.auth.guard import Guard
from codeai.auth.issuing import ProgramServices
from codeai.auth.principal import RoleTable
from codeai.control.queries import OperatorQueries
from codeai.control.registering import ProgramTexts
from codeai.durable.dispatch.statements import CHANNEL
from codeai.durable.faults import fault_points
from codeai.durable.process import Durable, KeyedOperations
from codeai.evaluate.effects import Effects
from codeai.evaluate.errors import NotCompilable
from codeai.evaluate.program import Evaluator
from codeai.events.outbox import DataTriggers, data_triggers
from codeai.events.signatures import SignatureRejected
from codeai.functions.calling import PythonFunctions
from codeai.functions.checking import problems
from codeai.http.application import Application as HttpApplication
from codeai.http.application import Handler
from codeai.http.debugging import Debugging
from codeai.http.middleware.clients import ClientAddresses
from codeai.http.middleware.surrounded import GatedPlan
from codeai.http.multipart import FormReader
from codeai.http.openapi.document import document
from codeai.http.pages.health import health_pages
from codeai.http.pages.serving import documentation, landing
from codeai.http.parameters import ParameterDecoder, reader
from codeai.http.plans import EndpointPlan, Runtime
from codeai.http.projection import Projection
from codeai.http.routing import Router
from codeai.http.settings import HttpSettings
from codeai.http.shapes import ShapeDecoder, ShapeTypes
from codeai.http.verified import VerifiedPlan
from codeai.language import types as t
from codeai.model.application import Application
from codeai.model.endpoint import Endpoint, InputField, ListRows
from codeai.observability.health import Health
from codeai.observability.spans import SPANS
from codeai.query.constraints import CheckTexts
from codeai.query.errors import QueryError
from codeai.query.statements import Statements
from codeai.server.errors import StartError as StartError
from codeai.server.settings import SettingError, Settings
from codeai.server.wiring.actions import Actions
from codeai.server.wiring.checks import database_check
from codeai.server.wiring.control import Controlling, program_queues
from codeai.server.wiring.dispatching import dispatcher, works_here
from codeai.server.wiring.durable import Arrivals
from codeai.server.wiring.events import Eventing
from codeai.server.wiring.figures import LaterFigures
from codeai.server.wiring.integrations import checks as integration_checks
from codeai.server.wiring.integrations import integrations, recorded
from codeai.server.wiring.integrations import observe as observe_integrations
from codeai.server.wiring.middleware import Surrounding, program_cors, watched
from codeai.server.wiring.observation import Observation
from codeai.server.wiring.operators import operator_routes
from codeai.server.wiring.program_log import log_program
from codeai.server.wiring.providers import TokenProviders, own_signing_key
from codeai.server.wiring.retention import retention
from codeai.server.wiring.sharing import Sharing
from codeai.server.wiring.tracing import traced_work, tracing_spans
from codeai.storage.interface import Database
from codeai.storage.notices import Notices

if TYPE_CHECKING:
    from codeai.http.tracing import Tracing
    from codeai.observability.tracing.otel import OtelSpans


class Composition:
    """The parts of one serving process.

    :param environment: what ``env`` and ``secret`` read
    :param clock: the time, for tests to move
    :param folder: where the program lies; the present one by default
    :param texts: its texts, for operators to read and to add workflows
    :param recording: nothing leaves the process (tests of programs)
    """

    def __init__(
        self,
        application: Application,
        settings: Settings,
        database: Database,
        environment: Mapping[str, str],
        clock: Callable[[], datetime.datetime] | None = None,
        *,
        folder: Path | None = None,
        texts: ProgramTexts | None = None,
        recording: bool = False,
    ) -> None:
        self.application = application
        self.settings = settings
        self.database = database
        self._environment = environment
        self._recording = recording
        self.clock = clock or functools.partial(datetime.datetime.now, datetime.UTC)
        self._check_requirements()
        self._check_rules()
        triggers = data_triggers(application)
        self.statements = Statements(application, database.dialect, triggers)
        self.evaluator = Evaluator(application, self.statements, environment)
        self.roles = RoleTable(application.roles)
        signing = own_signing_key(application, settings, self.evaluator.constant)
        self.services = ProgramServices(signing, lambda: self.clock().timestamp())
        self.projection = Projection(application, self.evaluator)
        self._token_providers = TokenProviders(application, settings, self.roles, lambda: self.clock().timestamp(), tested=recording)
        self.tested_secret = self._token_providers.tested_secret
        self.notices = Notices(database)
        self.sharing = Sharing(application, settings, self._setting, self.clock, self.notices)
        self.integrations = integrations(
            application, self.evaluator, settings, self.clock, self._default, self.sharing, recording=recording
        )
        self.recorded = recorded(application, self.evaluator, self._default) if recording else None
        self.database = watched(application, database, self.sharing, settings.workers)
        checks = [database_check(self.database), self.sharing.check(), *integration_checks(self.integrations)]
        self.health = Health(application.version, checks, time.monotonic())
        http = HttpSettings(
            request_timeout=settings.request_timeout,
            body_timeout=settings.body_timeout,
            max_body=settings.max_body,
            cors=program_cors(application, self._setting),
        )
        self.effects = Effects()
        self.effects.operations = KeyedOperations(self.recorded or self.integrations)
        self.runtime = Runtime(
            self.database,
            self.services,
            log_program,
            self.clock,
            http,
            self.effects,
            addresses=ClientAddresses(settings.trusted_proxies),
        )
        queues = program_queues(application, self.evaluator)
        milliseconds = (lambda: int(clock().timestamp() * 1000)) if clock is not None else None
        self.dispatcher = dispatcher(settings, self.database, queues, milliseconds, folder or Path.cwd(), recording=recording)
        self.functions = PythonFunctions(application, folder or Path.cwd())
        self.effects.python = self.functions
        for problem in problems(application, folder or Path.cwd()):
            if not problem.missing:
                raise StartError(problem.message, problem.at)
        self.durable = self._built_durable()
        self.eventing = self._built_eventing(triggers, folder or Path.cwd(), recording=recording)
        self._providers = self._token_providers.declared(self.evaluator.constant)
        self._types = ShapeTypes(application)
        self._actions = Actions(application, self.statements, self.evaluator, self.projection, self.runtime, self.eventing.outbox)
        self.surrounding = Surrounding(
            application, settings, self.sharing, self.evaluator.constant, self._token_providers.made, folder or Path.cwd()
        )
        self._providers |= self.surrounding.providers
        self.operators = operator_routes(settings, tuple(self._providers.values()) or self._token_providers.of_environment())
        self.observation = Observation(application, database, settings, environment, lambda: self.health.draining)
        self.sharing.observe(self.observation.metrics)
        observe_integrations(self.integrations, self.observation.metrics)
        self.eventing.observe(self.observation.metrics)
        self.observation.share(self.health)
        self.figures = LaterFigures(self.observation.metrics, database)
        self.durable.parts.recorder.on_step = self.figures.step
        self.observation.put_on(self.operators, open_metrics=settings.metrics_access == "open")
        self.controlling = Controlling(
            *(application, self.runtime, self.durable, self.evaluator, self.eventing.relay, self.eventing.versions),
            *(self.notices, queues, clock, self._wake),
        )
        operated = (self.integrations, self.eventing.control)
        self.controlling.put_on(self.operators, *operated, environment, texts or ProgramTexts(), self._default)
        always = logging.getLogger("codeai").isEnabledFor(logging.DEBUG)
        self._debugging = Debugging(self.operators.guard, everyone=settings.allow_debug_header, always=always)
        rooms = (self.eventing.retention, self.durable.store)
        self.retention = retention(self.database, self.dispatcher, settings, *rooms, self.clock, self.observation.metrics)
        self.spans = self._built_spans()
        if self.spans is not None:
            self.dispatcher.within = traced_work(self.spans, self.database)
        self.asgi = self._built()
        self.observation.count_running(lambda: self.asgi.running)
        self.operator_asgi = self._built_for_operators() if settings.operator_port else None

    def _built_durable(self) -> Durable:
        def evaluator_of(older: Application) -> Evaluator:
            return Evaluator(older, self.statements, self._environment)

        try:
            found = Durable(
                self.application,
                self.database,
                self.dispatcher,
                self.evaluator,
                evaluator_of,
                self.effects,
                self.services,
                log_program,
                self.clock,
                on_change=lambda *ended: self.figures.ended(*ended),  # noqa: PLW0108  # the figures are made later
            )
        except (NotCompilable, QueryError) as error:
            raise StartError(str(error), error.at) from error
        self.effects.starter = found.executions
        return found

    def _built_eventing(self, triggers: Mapping[str, DataTriggers], folder: Path, *, recording: bool) -> Eventing:
        try:
            found = Eventing(
                self.application,
                self.database,
                self.dispatcher,
                self.settings,
                self.evaluator,
                self.statements.model.plain,
                triggers,
                self.clock,
                folder,
                recording=recording,
                passed=fault_points(dict(self._environment)),
            )
            found.connect(self.effects, self.services, log_program, self.durable.executions)
            found.relay.listen(Arrivals(self.application, self.durable, self.clock))
        except (NotCompilable, QueryError) as error:
            raise StartError(str(error), error.at) from error
        return found

    # -- the environment -------------------------------------------------------------------------------------------

    def _check_requirements(self) -> None:
        for requirement in self.application.requirements:
            value = requirement.value
            if value.name not in self._environment and value.default is None:
                raise StartError(f"environment variable '{value.name}' is not set", requirement.at)

    def _check_rules(self) -> None:
        text = CheckTexts(self.application, self.database.dialect)
        for entity in self.application.entities:
            for check in entity.checks:
                try:
                    text(entity, check)
                except QueryError as error:
                    raise StartError(str(error), error.at if error.at >= 0 else check.at) from error

    def _setting(self, path: tuple[str, ...]) -> object:
        known = {setting.path for setting in self.application.settings}
        return self.evaluator.setting(path) if path in known else None

    # -- security --------------------------------------------------------------------------------------------------

    def _guard(self, endpoint: Endpoint) -> Guard:
        guard = self.surrounding.guard(endpoint)
        if guard.silent and not self.settings.development:
            raise StartError(f"'{endpoint.method} {endpoint.template}' says nothing of auth, and the program has none", endpoint.at)
        names = guard.providers or tuple(self._providers)
        for name in names:
            if name not in self._providers:
                raise StartError(f"unknown auth '{name}'", endpoint.at)
        return Guard(guard, tuple(self._providers[name] for name in names))

    # -- routes ----------------------------------------------------------------------------------------------------

    def _built(self) -> HttpApplication:
        try:
            self.evaluator.compile_functions()
        except (NotCompilable, QueryError) as error:
            raise StartError(str(error), error.at) from error
        router: Router[Handler] = Router()
        for endpoint in self.application.endpoints:
            router.add(endpoint.method, tuple((part.text, part.parameter) for part in endpoint.path), self._verified(endpoint))
        pages: dict[str, Handler] = dict(health_pages(self.health, self.operators.guard))
        pages |= documentation(document(self.surrounding.documented(self.application)))
        for path, page in pages.items():
            router.add("GET", tuple((part, False) for part in path.strip("/").split("/")), page)
        if not any(not endpoint.path for endpoint in self.application.endpoints):
            router.add("GET", (), landing(self.application.name, self.application.version))
        if not self.settings.operator_port:
            self.operators.put_on(router)
        return self._served(router)

    def _built_for_operators(self) -> HttpApplication:
        router: Router[Handler] = Router()
        self._add_health(router)
        self.operators.put_on(router)
        return self._served(router)

    def built_for_monitors(self) -> HttpApplication:
        """What a process without the program's endpoints serves: health, and the operators' routes unless they have their own port."""
        router: Router[Handler] = Router()
        self._add_health(router)
        if not self.settings.operator_port:
            self.operators.put_on(router)
        return self._served(router)

    def _add_health(self, router: Router[Handler]) -> None:
        for path, page in health_pages(self.health, self.operators.guard).items():
            router.add("GET", tuple((part, False) for part in path.strip("/").split("/")), page)

    def _built_spans(self) -> OtelSpans | None:
        try:
            return tracing_spans(self.application.name, self.application.version, self._environment)
        except SettingError as error:
            raise StartError(str(error)) from error

    def _traced(self) -> Tracing | None:
        if self.spans is None:
            return None
        from codeai.http.tracing import Tracing

        return Tracing(self.spans, self.database.dialect)

    def _served(self, router: Router[Handler]) -> HttpApplication:
        return HttpApplication(router, self.runtime.settings, self.observation.observer(), self, self._debugging, self._traced())

    @property
    def queries(self) -> OperatorQueries:
        """The query language of operators."""
        return self.controlling.queries

    @property
    def working(self) -> bool:
        """Whether the program has something that happens later: somebody has to work on it."""
        return self.eventing.active or self.durable.active

    async def start(self) -> None:
        """Opens the database (ASGI lifespan)."""
        self.surrounding.load()
        await self.sharing.start()
        await self.database.start()
        await self._start_listening()
        if self.spans is not None:
            SPANS.set(self.spans)  # what is begun from here on, the dispatcher's tasks among it, is traced
        await self.observation.start()
        await self.durable.register()
        await self.eventing.start()  # first: who decides schedules depends on the versions that run
        await self.controlling.start()
        if self.working and self.settings.role != "api" and not self._recording:  # tests say themselves when it is time
            await self.dispatcher.start()
        if self.working and not self._recording:
            await self.retention.start()

    async def _start_listening(self) -> None:
        if self.settings.role == "worker":
            self.notices.on_channel(CHANNEL, self.dispatcher.heard)
        await self.notices.start()

    async def _wake(self) -> None:
        """Works although the program has nothing durable: operators have registered workflows, and nobody else would run them."""
        if not self.working and works_here(self.settings):
            await self.dispatcher.start()

    async def stop(self) -> None:
        """Lets deliveries that run end, and closes the database and the connections to others."""
        await self.controlling.stop()
        await self.notices.stop()
        await self.dispatcher.stop(max(self.settings.shutdown_timeout - 5.0, 1.0) if self.settings.role == "worker" else 5.0)
        await self.eventing.stop()
        await self.observation.stop()
        if self.spans is not None:
            await asyncio.to_thread(self.spans.close)
        await self.integrations.close()
        await self.sharing.close()
        await self.database.close()

    def _verified(self, endpoint: Endpoint) -> Handler:
        plan = self._plan(endpoint)
        if endpoint.verify is None:
            return self.surrounding.around(endpoint, plan)
        verified = VerifiedPlan(plan, self.eventing.verifier(endpoint.verify), SignatureRejected, self.runtime)
        return self.surrounding.around(endpoint, verified)

    def _plan(self, endpoint: Endpoint) -> EndpointPlan:
        try:
            action = self.surrounding.cached(endpoint, self._actions.of(endpoint))
        except (NotCompilable, QueryError) as error:
            raise StartError(str(error), error.at if error.at >= 0 else endpoint.at) from error
        inputs = endpoint.inputs
        listing = isinstance(endpoint.action, ListRows)
        key_of = self._key_type
        body = inputs.body
        gates = self.surrounding.gates(endpoint)
        kind: Any = functools.partial(GatedPlan, gates=gates) if gates else EndpointPlan
        plan: EndpointPlan = kind(
            endpoint,
            self._guard(endpoint),
            action,
            self.runtime,
            readers=tuple((field.name, reader(field, key_of)) for field in inputs.path),
            query=ParameterDecoder("query", inputs.query, key_of, self._default, closed=inputs.closed_query, listing=listing)
            if inputs.query or inputs.closed_query
            else None,
            header=ParameterDecoder("header", inputs.header, key_of, self._default) if inputs.header else None,
            cookie=ParameterDecoder("cookie", inputs.cookie, key_of, self._default) if inputs.cookie else None,
            body=ShapeDecoder(body, self._types, self._default) if body is not None and not body.open else None,
            open_body=body is not None and body.open,
            form=FormReader(body, key_of) if body is not None and body.multipart else None,
        )
        return plan

    def _key_type(self, entity: str) -> t.Type:
        return self.application.entity(entity).primary_field.type

    def _default(self, field: InputField) -> Callable[[], Any]:
        assert field.default is not None
        value = self.evaluator.value(field.default)
        context = Defaults(self.clock)
        return lambda: value(context)  # type: ignore[arg-type]  # defaults know the time alone


class Defaults:
    """The context of defaults: the time, and nothing else."""

    def __init__(self, clock: Callable[[], datetime.datetime]) -> None:
        self._clock = clock

    @property
    def now(self) -> datetime.datetime:
        """The time."""
        return self._clock()
