"""The only place that knows all rooms: from a program and its settings to an ASGI application."""

from __future__ import annotations

import asyncio
import datetime
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from codeai.auth.guard import challenges
from codeai.control.queries import OperatorQueries
from codeai.control.registering import ProgramTexts
from codeai.durable.dispatch.statements import CHANNEL
from codeai.http.application import Application as HttpApplication
from codeai.http.application import Handler
from codeai.http.debugging import Debugging
from codeai.http.routing import Router
from codeai.model.application import Application
from codeai.observability.spans import SPANS
from codeai.server.errors import StartError as StartError
from codeai.server.errors import compiling
from codeai.server.settings import SettingError, Settings
from codeai.server.wiring.callers import Callers
from codeai.server.wiring.control import Controlling
from codeai.server.wiring.dispatching import works_here
from codeai.server.wiring.endpoints import Endpoints
from codeai.server.wiring.figures import LaterFigures
from codeai.server.wiring.foundation import Foundation
from codeai.server.wiring.later import Later
from codeai.server.wiring.observation import Observation
from codeai.server.wiring.peers import Peers
from codeai.server.wiring.retention import Retention, retention
from codeai.server.wiring.routing import Routing
from codeai.server.wiring.tracing import traced_work, tracing_spans
from codeai.storage.interface import Database

if TYPE_CHECKING:
    from codeai.http.tracing import Tracing
    from codeai.observability.tracing.otel import OtelSpans


class Composition:
    """The parts of one serving process, each made of those before it, and how they begin and end.

    :param environment: what ``env`` and ``secret`` read
    :param clock: the time, for tests to move
    :param folder: where the program lies; the present one by default
    :param texts: its texts, for operators to read and to add workflows
    :param recording: nothing leaves the process (tests of programs)
    :raises StartError: something of the program cannot be built
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
        self.started = False
        self.foundation = Foundation(application, settings, database, environment, clock, folder or Path.cwd(), recording=recording)
        self.clock, self.evaluator, self.roles = self.foundation.clock, self.foundation.evaluator, self.foundation.roles
        self.peers = Peers(self.foundation)
        self.database, self.health = self.peers.database, self.peers.health
        self.runtime = self.peers.runtime()
        self.observation = Observation(application, database, settings, environment, lambda: self.health.draining)
        self.later = Later(self.foundation, self.runtime, LaterFigures(self.observation.metrics, database))
        self.dispatcher, self.durable, self.eventing = self.later.dispatcher, self.later.durable, self.later.eventing
        self.callers = Callers(self.foundation, self.peers.sharing)
        self._observe()
        self.controlling = self._controlling(texts or ProgramTexts())
        self.retention = self._retention()
        self.spans = self._spans()
        self._routing = Routing(self.health, self.callers.operators, apart=bool(settings.operator_port))
        self.asgi = self._for_program()
        self.observation.count_running(lambda: self.asgi.running)
        self.operator_asgi = self._served(self._routing.of_operators()) if settings.operator_port else None

    def _observe(self) -> None:
        """Has the parts show what they do, and operators see it."""
        metrics = self.observation.metrics
        self.peers.observe(metrics)
        self.eventing.observe(metrics)
        self.observation.share(self.health)
        self.observation.put_on(self.callers.operators, open_metrics=self.settings.metrics_access == "open")

    def _controlling(self, texts: ProgramTexts) -> Controlling:
        foundation, eventing = self.foundation, self.eventing
        found = Controlling(
            *(self.application, self.runtime, self.durable, foundation.evaluator, eventing.relay, eventing.versions),
            *(self.peers.notices, self.later.queues, foundation.virtual, self._wake),
        )
        operated = (self.peers.integrations, eventing.control)
        found.put_on(self.callers.operators, *operated, foundation.environment, texts, foundation.default)
        return found

    def _retention(self) -> Retention:
        rooms = (self.eventing.retention, self.durable, self.eventing.versions.accompanied)
        return retention(self.database, self.dispatcher, self.settings, *rooms, self.clock, self.observation.metrics)

    def _spans(self) -> OtelSpans | None:
        try:
            found = tracing_spans(self.application.name, self.application.version, self.foundation.environment)
        except SettingError as error:
            raise StartError(str(error)) from error
        if found is not None:
            self.dispatcher.within = traced_work(found, self.database)
        return found

    # -- what requests reach ---------------------------------------------------------------------------------------

    def _for_program(self) -> HttpApplication:
        with compiling():
            self.foundation.evaluator.compile_functions()
        surrounding = self.callers.surrounding
        endpoints = Endpoints(self.foundation, self.runtime, surrounding, self.callers.providers, self.eventing)
        return self._served(self._routing.of_program(self.application, surrounding.documented(self.application), endpoints))

    def for_monitors(self) -> HttpApplication:
        """What a process without the program's endpoints serves."""
        return self._served(self._routing.of_monitors())

    def _served(self, router: Router[Handler]) -> HttpApplication:
        always = logging.getLogger("codeai").isEnabledFor(logging.DEBUG)
        debugging = Debugging(self.callers.operators.guard, everyone=self.settings.allow_debug_header, always=always)
        observer, challenged = self.observation.observer(), challenges(self.callers.providers.values())
        return HttpApplication(router, self.runtime.settings, observer, self, debugging, self._traced(), challenged)

    def _traced(self) -> Tracing | None:
        if self.spans is None:
            return None
        from codeai.http.tracing import Tracing

        return Tracing(self.spans, self.database.dialect)

    @property
    def queries(self) -> OperatorQueries:
        """The query language of operators."""
        return self.controlling.queries

    # -- beginning and end -----------------------------------------------------------------------------------------

    @property
    def working(self) -> bool:
        """Whether the program has something that happens later: somebody has to work on it."""
        return self.later.active

    async def start(self) -> None:
        """Opens the database (ASGI lifespan)."""
        self.callers.surrounding.load()
        await self.peers.sharing.start()
        await self.database.start()
        await self._start_listening()
        if self.spans is not None:
            SPANS.set(self.spans)  # what is begun from here on, the dispatcher's tasks among it, is traced
        await self.observation.start()
        await self.durable.register()
        await self.eventing.start()  # first: who decides schedules depends on the versions that run
        await self.controlling.start()
        recording = self.foundation.recording  # tests say themselves when it is time
        if self.working and self.settings.role != "api" and not recording:
            await self.dispatcher.start()
        if self.working and not recording:
            await self.retention.start()
        self.started = True

    async def _start_listening(self) -> None:
        notices = self.peers.notices
        if self.settings.role == "worker":
            notices.on_channel(CHANNEL, self.dispatcher.heard)
        await notices.start()

    async def _wake(self) -> None:
        """Works although the program has nothing durable: operators have registered workflows, and nobody else would run them."""
        if not self.working and works_here(self.settings):
            await self.dispatcher.start()

    async def stop(self) -> None:
        """Lets deliveries that run end, and closes the database and the connections to others."""
        self.started = False
        await self.controlling.stop()
        await self.peers.notices.stop()
        await self.dispatcher.stop(max(self.settings.shutdown_timeout - 5.0, 1.0) if self.settings.role == "worker" else 5.0)
        await self.eventing.stop()
        await self.observation.stop()
        if self.spans is not None:
            await asyncio.to_thread(self.spans.close)
        await self.peers.integrations.close()
        await self.peers.sharing.close()
        await self.database.close()
