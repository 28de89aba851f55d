"""The trace that work goes on with: noted in the transaction that starts an execution or emits an event, taken up by whoever works on it.

While nobody traces, nothing is written and nothing read.
"""

from __future__ import annotations

import datetime
import time
import uuid
from collections.abc import Awaitable
from typing import Any, Final

from codeai.durable.dispatch.protocol import Claim
from codeai.observability.spans import SPANS, Spans
from codeai.query.writes.companions import Companion, CompanionTable, write
from codeai.storage.errors import StorageError
from codeai.storage.interface import Database, Dialect, Session
from codeai.storage.portable import portable
from codeai.storage.watching import WATCHER, Watcher

_TABLE: Final = CompanionTable("codeai_traces", (("subject", "uuid"), ("context", "text"), ("at_ms", "bigint")))
KEPT: Final = 30 * 86_400.0  # seconds
_EXECUTION: Final = """
SELECT e.kind, e.workflow_id, t.context FROM executions e LEFT JOIN codeai_traces t ON t.subject = e.id WHERE e.id = $1"""
_DELIVERY: Final = """
SELECT CASE d.kind WHEN 'workflow' THEN 'start' ELSE d.kind END, d.target, t.context
FROM codeai_deliveries d LEFT JOIN codeai_traces t ON t.subject = COALESCE(d.event_id, d.id) WHERE d.id = $1"""
_SWEEP: Final = "DELETE FROM codeai_traces WHERE at_ms < $1"


def tie(subject: object) -> tuple[Companion, ...]:
    """The row that ties an execution, event or message, an identifier in the driver's form, to the span that runs; none outside of any."""
    spans = SPANS.get()
    headers = spans.headers() if spans is not None else ()
    if not headers:
        return ()
    context = "\n".join(value for _, value in headers)
    return (Companion(_TABLE, (subject, context, int(time.time() * 1000)), _nothing),)


async def tied(session: Session, dialect: Dialect, subject: object) -> None:
    """Writes that row."""
    if SPANS.get() is not None:
        await write(session, dialect, tie(subject))


def _nothing() -> None:
    """Nobody waits for it."""


class Traces:
    """Puts work on executions and deliveries in spans of the traces that led to it (see ``dispatch.local.Within``).

    :param watcher: makes spans of statements
    """

    def __init__(self, database: Database, spans: Spans, watcher: Watcher) -> None:
        self._database = database
        self._spans = spans
        self._watcher = watcher
        self._sql = {"execution": portable(_EXECUTION, database.dialect), "delivery": portable(_DELIVERY, database.dialect)}

    async def within(self, claim: Claim, work: Awaitable[None]) -> None:
        """Awaits work on a claim in its span. What the dispatcher does for itself every second has none."""
        if claim.kind not in self._sql:
            await work
            return
        name, context = await self._found(claim)
        token = WATCHER.set(self._watcher)
        try:
            with self._spans.continued(name, context, {"codeai.subject": claim.subject, "codeai.queue": claim.queue}):
                await work
        finally:
            WATCHER.reset(token)

    async def _found(self, claim: Claim) -> tuple[str, str]:
        """How the span is called, and the trace that it goes on with."""
        key: Any = claim.subject if self._database.dialect == "sqlite" else uuid.UUID(claim.subject)
        try:
            row: Any = await self._database.reading().fetch_row(self._sql[claim.kind], (key,))
        except StorageError:
            row = None  # the work will meet the same and say so
        return (_named(row[0], row[1]), row[2] or "") if row is not None else (claim.kind, "")


class TraceRetention:
    """Deletes what ties work to traces that nobody looks at any more, also once nobody traces."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sweep = portable(_SWEEP, database.dialect)

    async def purge(self, before: datetime.datetime) -> int:
        """Deletes ties that are older; how many."""
        return await self._database.writing().execute(self._sweep, (int(before.timestamp() * 1000),))


def _named(kind: str, target: str) -> str:
    if kind == "email":
        return kind  # its target is somebody's address
    return f"{kind} {target}"
