"""Requests as spans, and their statements below them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from codeai.http.messages import Request, Response
from codeai.observability.spans import SPANS
from codeai.observability.tracing.context import read_context
from codeai.observability.tracing.otel import OtelSpans, failed
from codeai.storage.interface import Dialect
from codeai.storage.watching import WATCHER

_Result = TypeVar("_Result")
_LONGEST: Final = 2000
_SILENT: Final = ("/health", "/metrics", "/debug/")


class Tracing:
    """Answers requests within spans.

    :param dialect: of the database
    """

    def __init__(self, spans: OtelSpans, dialect: Dialect) -> None:
        self._spans = spans
        self._statements = StatementSpans(spans, system_of(dialect))

    async def answer(self, request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        """Answers a request; what monitors ask every few seconds has no span."""
        if request.path.startswith(_SILENT):
            return await answer(request)
        attributes = {"http.request.method": request.method, "url.path": request.path[:500], "codeai.request_id": request.id}
        context = read_context(request.pairs)
        with self._spans.request(request.method, context, attributes) as span:
            request.trace = self._spans.ids()
            tokens = SPANS.set(self._spans), WATCHER.set(self._statements)
            try:
                response = await answer(request)
            finally:
                SPANS.reset(tokens[0])
                WATCHER.reset(tokens[1])
            if request.template:
                span.update_name(f"{request.method} {request.template}")
                span.set_attribute("http.route", request.template)
            span.set_attribute("http.response.status_code", response.status)
            if response.status >= 500:
                failed(span, request.code)
            return response


def system_of(dialect: Dialect) -> str:
    """The database as OpenTelemetry calls it."""
    return "postgresql" if dialect == "postgresql" else "sqlite"


class StatementSpans:
    """A span per statement, with its text and without its values (see ``storage.watching.Watcher``)."""

    def __init__(self, spans: OtelSpans, system: str) -> None:
        self._spans = spans
        self._system = system

    async def watch(self, statement: str, call: Awaitable[_Result]) -> _Result:
        """See ``Watcher``."""
        verb = statement.lstrip(" (\n").partition(" ")[0].upper()[:20]
        attributes = {"db.system.name": self._system, "db.operation.name": verb, "db.query.text": statement[:_LONGEST]}
        with self._spans.span(verb, attributes, "client"):
            return await call
