"""What went wrong behind a test that failed: runs and handlers fail in the background, where no statement of the test sees it."""

from __future__ import annotations

import json

from codeai.storage.interface import Database

_MOST = 5
_RUNS = "SELECT kind, workflow_id, status, error FROM executions WHERE error IS NOT NULL ORDER BY created_at, id"
_DELIVERIES = "SELECT kind, target, status, error FROM codeai_deliveries WHERE error IS NOT NULL AND status <> 'delivered' ORDER BY id"


async def failures(database: Database) -> list[str]:
    """A line for each run and each delivery that has failed until now, the oldest first, the runs before; at most ten."""
    reading = database.reading()
    runs = await reading.fetch(_RUNS, ())
    deliveries = await reading.fetch(_DELIVERIES, ())
    return [
        *(f"{kind} {name} is {status}: {_message(error)}" for kind, name, status, error in runs[:_MOST]),
        *(f"{kind} {target} is {status}: {error}" for kind, target, status, error in deliveries[:_MOST]),
    ]


def _message(error: object) -> str:
    found = json.loads(error) if isinstance(error, str | bytes) else error
    return str(found.get("message")) if isinstance(found, dict) else str(found)
