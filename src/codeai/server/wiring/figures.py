"""What happens later, as metrics: executions and steps that ended, and what stands in the queues, the outbox and the dead letters."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final

from codeai.observability.metrics.instruments import Metrics, Reading
from codeai.storage.interface import Database

_LONG: Final = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 60.0, 300.0, 3600.0, 86400.0)
_STATES: Final = {0: "ready", 1: "claimed", 2: "later", 3: "behind", 4: "lane_full"}
_QUEUES: Final = "SELECT queue, state, count(*) FROM codeai_activations GROUP BY queue, state"
_FAILING: Final = "SELECT queue, kind, count(*) FROM codeai_activations WHERE cause IS NOT NULL GROUP BY queue, kind"
_ACTIVE: Final = """
SELECT status, count(*) FROM executions
WHERE status IN ('pending', 'running', 'waiting', 'cancelling', 'compensating') GROUP BY status"""
_OUTBOX: Final = "SELECT count(*) FROM codeai_events WHERE relayed = 0"
_DEAD: Final = "SELECT kind, count(*) FROM codeai_deliveries WHERE status = 'dead' GROUP BY kind"


class LaterFigures:
    """Counts executions and steps of this process; the rest is asked of the database when somebody wants it."""

    def __init__(self, metrics: Metrics, database: Database) -> None:
        self._executions = metrics.counter("workflow_executions_total", "Executions that ended.", ("workflow", "status"))
        self._durations = metrics.histogram(
            "workflow_execution_duration_seconds", "From creation to end.", ("workflow", "status"), buckets=_LONG
        )
        self._steps = metrics.counter("workflow_steps_total", "Records of steps by what became of them.", ("status",))
        reading = database.reading()

        def rows(statement: str, render: Callable[[Sequence[object]], Reading]) -> Callable[[], Awaitable[Iterable[Reading]]]:
            async def read() -> Iterable[Reading]:
                return [render(row) for row in await reading.fetch(statement, ())]

            return read

        metrics.probe("queue_activations", "What waits to be done, by queue and state.", rows(_QUEUES, _queue), ("queue", "state"))
        text = "What failed when it was worked on, whatever it was, and is tried again."
        metrics.probe("queue_activations_failing", text, rows(_FAILING, _failing), ("queue", "kind"))
        metrics.probe("workflow_executions_active", "Executions that have not ended.", rows(_ACTIVE, _one), ("status",))
        metrics.probe("events_waiting", "Events that nobody was told of yet.", rows(_OUTBOX, lambda row: ((), _number(row[0]))))
        metrics.probe("dead_letters", "Deliveries that were given up.", rows(_DEAD, _one), ("kind",))

    def ended(self, workflow: str, status: str, seconds: float) -> None:
        """Notes an execution that ended."""
        self._executions.add(workflow, status)
        self._durations.observe(seconds, workflow, status)

    def step(self, status: str) -> None:
        """Notes a record of a step."""
        self._steps.add(status)


def _one(row: Sequence[object]) -> Reading:
    return (str(row[0]),), _number(row[1])


def _queue(row: Sequence[object]) -> Reading:
    return (str(row[0]), _STATES.get(int(_number(row[1])), "other")), _number(row[2])


def _failing(row: Sequence[object]) -> Reading:
    return (str(row[0]), str(row[1])), _number(row[2])


def _number(value: object) -> float:
    return float(str(value))
