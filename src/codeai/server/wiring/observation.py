"""What a process shows of itself: its metrics and access log, and how it hears of its siblings."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import msgspec

from codeai import __version__
from codeai.http.access import ACCESS, FAILED, access_fields, log_request
from codeai.http.application import Observer, Page
from codeai.http.messages import Request, Response
from codeai.http.operators import OperatorRoutes
from codeai.http.pages.profiling import Profiling
from codeai.model.application import Application
from codeai.observability.health import Details, Health
from codeai.observability.logs.configuration import installed
from codeai.observability.metrics.instruments import Metrics, Reading
from codeai.observability.metrics.process import add_process_metrics, resident_memory, watch_loop
from codeai.observability.metrics.requests import RequestMetrics
from codeai.observability.metrics.scraping import Scraper
from codeai.observability.processes import FOLDER_VARIABLE, Processes
from codeai.observability.profiling.heap import HeapTracer
from codeai.observability.profiling.instance import InstanceProfiler
from codeai.server.settings import Settings
from codeai.storage.interface import Database

_TEXT = (b"content-type", b"text/plain; version=0.0.4; charset=utf-8")
PROCESS_VARIABLE = "CODEAI_WORKER"


class Observation:
    """The figures of one process.

    :param stopping: whether the server is about to end
    :param environment: names the process and the folder in which it meets its siblings
    """

    def __init__(
        self, application: Application, database: Database, settings: Settings, environment: Mapping[str, str], stopping: Callable[[], bool]
    ) -> None:
        folder = environment.get(FOLDER_VARIABLE)
        name = environment.get(PROCESS_VARIABLE, "1")
        name = f"http-{name}" if name.isdigit() else name
        self.processes = Processes(name, Path(folder) if folder else None)
        self.metrics = Metrics(Path(folder) / f"{name}.cells" if folder else None)
        self._requests = RequestMetrics(self.metrics)
        versions = {"version": __version__, "program": application.name, "program_version": application.version}
        self._lag = add_process_metrics(self.metrics, name, versions)
        _add_database(self.metrics, database)
        handler = installed()
        if handler is not None:
            writer = handler.writer
            self.metrics.gauge("log_lines_lost", "Log lines that could not be written.", lambda: [((), float(writer.lost))])
        self._scraper = Scraper(self.metrics, self.processes)
        keep = None if settings.heap_tracing == "always" else settings.heap_tracing
        self._heap = HeapTracer(keep, resident_memory)  # type: ignore[arg-type]  # a number unless it is the word
        self._profiler = InstanceProfiler(self.processes, self._heap, stopping)
        self._watching: asyncio.Task[None] | None = None

    def count_running(self, running: Callable[[], int]) -> None:
        """Shows how many requests are being answered."""
        self.metrics.gauge("http_requests_in_flight", "Requests that are being answered.", lambda: [((), float(running()))])

    def share(self, health: Health) -> None:
        """Lets the health of any process show the figures of all."""
        self.processes.answer("figures", lambda arguments: msgspec.msgpack.encode(health.figures()))

        async def everywhere() -> list[Details]:
            answers = await self.processes.ask("figures", timeout=1.0)
            return [msgspec.msgpack.decode(found) for found in answers.values()]

        if self.processes.folder is not None:
            health.siblings = everywhere

    def put_on(self, routes: OperatorRoutes, *, open_metrics: bool) -> None:
        """Adds the routes of this room."""
        routes.add("GET", "/metrics", Page("/metrics", self._metrics), open_to_all=open_metrics)
        Profiling(self._profiler).put_on(routes)

    async def _metrics(self, request: Request) -> Response:
        return Response(200, await self._scraper.text(), (_TEXT,))

    def observer(self) -> Observer:
        """What the application tells of each request."""
        handler = installed()
        logged = ACCESS.isEnabledFor(logging.INFO)
        requests, count = self._requests, self._requests.observe

        def observe(request: Request, status: int, seconds: float) -> None:
            count(request.method, request.template, status, seconds)
            if request.code:
                requests.problem(request.code, status)
            if logged and handler is not None:
                # Past the logging library, which would take as long as the rest of a small request.
                handler.direct(access_fields(request, status, seconds * 1000), "error" if status >= FAILED else "info")
            elif logged or request.debug or status >= FAILED:
                log_request(request, status, seconds * 1000)

        return observe

    def reopen_log(self) -> None:
        """Has the log file opened anew (SIGHUP)."""
        handler = installed()
        if handler is not None:
            handler.writer.reopen()

    async def start(self) -> None:
        """Begins to measure and to answer siblings."""
        if self._heap.keep is None:
            self._heap.trace()
        self._profiler.begin()
        self.processes.listen()
        self._watching = asyncio.ensure_future(watch_loop(self._lag))

    async def stop(self) -> None:
        """Ends that."""
        if self._watching is not None:
            self._watching.cancel()
        self.processes.close()


def _add_database(metrics: Metrics, database: Database) -> None:
    def of(field: str) -> Callable[[], Iterable[Reading]]:
        return lambda: [((), float(getattr(database.statistics().shown(), field)))]

    metrics.gauge("db_connections_max", "Connections that the pools may open.", of("max_connections"))
    metrics.gauge("db_connections_open", "Connections that are open.", of("open_connections"))
    metrics.gauge("db_connections_in_use", "Connections that somebody uses.", of("in_use"))
    metrics.gauge("db_connections_idle", "Connections that wait for somebody.", of("idle"))
