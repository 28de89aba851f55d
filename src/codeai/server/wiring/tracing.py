"""Whether this server traces: where the environment names a collector, as OpenTelemetry defines it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from codeai.durable.dispatch.protocol import Claim
from codeai.server.settings import SettingError
from codeai.storage.interface import Database

if TYPE_CHECKING:
    from codeai.observability.tracing.otel import OtelSpans

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


def wanted(environment: Mapping[str, str]) -> bool:
    """Whether the environment asks for traces."""
    chosen = environment.get("OTEL_TRACES_EXPORTER", "")
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true" or chosen == "none":
        return False
    return "otlp" in chosen.split(",") or any(environment.get(name) for name in _ENDPOINTS)


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def tracing_spans(service: str, version: str, environment: Mapping[str, str]) -> OtelSpans | None:
    """The spans of this process, None where nobody wants them.

    :raises SettingError: they are wanted and cannot be had
    """
    if not wanted(environment):
        return None
    protocol = environment.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or environment.get("OTEL_EXPORTER_OTLP_PROTOCOL") or "http/protobuf"
    if protocol != "http/protobuf":
        raise SettingError(f"OTEL_EXPORTER_OTLP_PROTOCOL is '{protocol[:40]}', expected http/protobuf")
    for name in _ENDPOINTS:
        address = environment.get(name)
        if address and not _is_address(address):
            raise SettingError(f"{name} is '{address[:80]}', expected an address, as in http://localhost:4318")
    try:
        from codeai.observability.tracing.otel import OtelSpans, exporter
    except ImportError as error:
        raise SettingError("traces need OpenTelemetry: install codeai[otel], or set OTEL_SDK_DISABLED=true") from error
    return OtelSpans(service, version, exporter(), environment)


def traced_work(spans: OtelSpans, database: Database) -> Callable[[Claim, Awaitable[None]], Awaitable[None]]:
    """What puts work on executions and deliveries in spans of the traces that led to it."""
    from codeai.durable.traces import Traces
    from codeai.http.tracing import StatementSpans, system_of

    return Traces(database, spans, StatementSpans(spans, system_of(database.dialect))).within
