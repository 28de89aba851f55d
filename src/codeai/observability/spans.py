"""The seam of tracing: rooms say what they do, and pay a look into a context variable while nobody traces."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import Final, Literal, Protocol, TypeVar

_Result = TypeVar("_Result")
SpanKind = Literal["internal", "client", "server", "consumer"]


class Spans(Protocol):
    """Who traces."""

    def span(self, name: str, attributes: Mapping[str, str | int], kind: SpanKind = "internal") -> AbstractContextManager[None]:
        """A span around a block; an exception that leaves the block makes it an error."""

    def continued(self, name: str, context: str, attributes: Mapping[str, str | int]) -> AbstractContextManager[None]:
        """A span around a block of work that another span has caused earlier, perhaps in another process.

        :param context: what ``headers`` said there, a value a line; empty where nothing is known: then a new trace begins
        """

    def headers(self) -> tuple[tuple[str, str], ...]:
        """What a request to a peer carries, so that the peer's spans belong to the same trace (W3C Trace Context)."""

    def ids(self) -> Mapping[str, str]:
        """``trace_id`` and ``span_id`` of the span that runs, for log lines; empty outside of spans."""


SPANS: Final[ContextVar[Spans | None]] = ContextVar("codeai_spans", default=None)


async def spanned(name: str, call: Awaitable[_Result], attributes: Mapping[str, str | int]) -> _Result:
    """Awaits a call within a span, if somebody traces."""
    spans = SPANS.get()
    if spans is None:
        return await call
    with spans.span(name, attributes):
        return await call
