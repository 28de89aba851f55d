"""The tables of the server's own as operators see them: one SELECT for each entity of ``lists.cai``."""

from __future__ import annotations

from typing import Final

from codeai.storage.interface import Dialect

_PRESENT: Final = {"postgresql": "now()", "sqlite": "strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')"}
_JOB_STATUS: Final = """CASE
  WHEN status = 'pending' AND scheduled_for > {present} THEN 'scheduled'
  WHEN status IN ('waiting', 'cancelling', 'compensating') THEN 'running'
  WHEN status = 'compensated' THEN 'failed'
  ELSE status END"""
_VIEWS: Final = {
    "workflow": "SELECT name, version, status, source, created_at, updated_at FROM workflows WHERE kind = 'workflow'",
    "execution": "SELECT * FROM executions",
    "job": f"SELECT id, workflow_id AS name, {_JOB_STATUS} AS status, queue, priority, input, output, error, attempt, scheduled_for, "
    "created_at, started_at, finished_at FROM executions WHERE kind = 'job'",
}


def view(entity: str, dialect: Dialect) -> str:
    """The SELECT that stands for an entity."""
    return _VIEWS[entity].replace("{present}", _PRESENT[dialect])
