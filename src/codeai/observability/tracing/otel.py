"""Spans of OpenTelemetry, sent by OTLP over HTTP; configured by the ``OTEL_*`` variables that OpenTelemetry defines."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from codeai import __version__
from codeai.observability import spans
from codeai.observability.tracing.complaints import EXPORTER, Complaints
from codeai.observability.tracing.context import TraceContext, read_context, written

_KINDS: Final = {"internal": SpanKind.INTERNAL, "client": SpanKind.CLIENT, "server": SpanKind.SERVER, "consumer": SpanKind.CONSUMER}


def exporter() -> SpanProcessor:
    """Batches of spans, sent by a thread to the collector that ``OTEL_EXPORTER_OTLP_*`` name."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    logging.getLogger(EXPORTER).filters[:] = [Complaints()]
    return BatchSpanProcessor(OTLPSpanExporter())


class OtelSpans:
    """See ``spans.Spans``.

    :param service: the name of the service, where ``OTEL_SERVICE_NAME`` does not give it
    """

    def __init__(self, service: str, version: str, processor: SpanProcessor, environment: Mapping[str, str]) -> None:
        attributes = {"service.version": version, "process.runtime.name": "codeai", "process.runtime.version": __version__}
        named = "service.name=" in environment.get("OTEL_RESOURCE_ATTRIBUTES", "")
        if not (environment.get("OTEL_SERVICE_NAME") or named):
            attributes["service.name"] = service
        self._provider = TracerProvider(resource=Resource.create(attributes))
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("codeai", __version__)

    @contextmanager
    def span(self, name: str, attributes: Mapping[str, str | int], kind: spans.SpanKind = "internal") -> Iterator[None]:
        """See ``spans.Spans``."""
        with self._tracer.start_as_current_span(name, kind=_KINDS[kind], attributes=dict(attributes)):
            yield

    @contextmanager
    def continued(self, name: str, context: str, attributes: Mapping[str, str | int]) -> Iterator[None]:
        """See ``spans.Spans``."""
        known = read_context(zip((b"traceparent", b"tracestate"), (line.encode("latin-1") for line in context.split("\n")), strict=False))
        parent = _parent(known) if known is not None else Context()
        with self._tracer.start_as_current_span(name, parent, kind=SpanKind.CONSUMER, attributes=dict(attributes)):
            yield

    @contextmanager
    def request(self, name: str, context: TraceContext | None, attributes: Mapping[str, str | int]) -> Iterator[Span]:
        """The span of a request that came in, below the span of its client if it has one."""
        parent = _parent(context) if context is not None else Context()
        with self._tracer.start_as_current_span(name, parent, kind=SpanKind.SERVER, attributes=dict(attributes)) as span:
            yield span

    def headers(self) -> tuple[tuple[str, str], ...]:
        """See ``spans.Spans``."""
        found = trace.get_current_span().get_span_context()
        if not found.is_valid:
            return ()
        state = tuple(found.trace_state.items())
        return written(TraceContext(f"{found.trace_id:032x}", f"{found.span_id:016x}", found.trace_flags.sampled, state))

    def ids(self) -> Mapping[str, str]:
        """See ``spans.Spans``."""
        found = trace.get_current_span().get_span_context()
        return {"trace_id": f"{found.trace_id:032x}", "span_id": f"{found.span_id:016x}"} if found.is_valid else {}

    def close(self) -> None:
        """Sends what is left; waits for the collector no longer than its own time-outs."""
        self._provider.shutdown()


def failed(span: Span, description: str) -> None:
    """Marks a span as an error."""
    span.set_status(Status(StatusCode.ERROR, description))


def _parent(context: TraceContext) -> Context:
    flags = TraceFlags(TraceFlags.SAMPLED if context.sampled else TraceFlags.DEFAULT)
    remote = SpanContext(int(context.trace_id, 16), int(context.parent_id, 16), True, flags, TraceState(list(context.state)))
    return trace.set_span_in_context(NonRecordingSpan(remote), Context())
