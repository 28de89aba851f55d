"""The tables of the server's own as operators see them: one SELECT for each entity of ``lists.cai``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from codeai.storage.interface import Dialect

_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
_PRESENT: Final = {"postgresql": "now()", "sqlite": "strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')"}
_JOB_STATUS: Final = """CASE
  WHEN status = 'pending' AND scheduled_for > {present} THEN 'scheduled'
  WHEN status IN ('waiting', 'cancelling', 'compensating') THEN 'running'
  WHEN status = 'compensated' THEN 'failed'
  ELSE status END"""
# Payloads are kept as the text that was written.
_EVENTS: Final = {
    "postgresql": "(SELECT id, name, at, actor, key, payload::jsonb AS payload FROM codeai_events) AS e",
    "sqlite": "codeai_events",
}
_VIEWS: Final = {
    "workflow": "SELECT name, version, status, source, created_at, updated_at FROM workflows WHERE kind = 'workflow'",
    "execution": "SELECT id, workflow_id, kind, version, status, compensation, key, {input}, output, error, attempt, queue, priority, "
    "parent_id, forked_from, actor, scheduled_for, created_at, started_at, finished_at FROM executions",
    "job": f"SELECT id, workflow_id AS name, {_JOB_STATUS} AS status, status AS execution_status, queue, priority, {{input}}, output, "
    "error, attempt, scheduled_for, created_at, started_at, finished_at FROM executions WHERE kind = 'job'",
    "event": "SELECT id, name, at, actor, key, {payload} FROM {events}",
    "delivery": "SELECT d.id, d.kind, d.target, d.event_id, e.name AS event, d.status, d.attempts, d.error, d.replay_of, d.created_at, "
    "d.finished_at FROM codeai_deliveries d LEFT JOIN codeai_events e ON e.id = d.event_id",
}


Hidden = Mapping[str, frozenset[str]]  # fields that are never shown, by the name of an event, workflow or job


def view(entity: str, dialect: Dialect, hidden: Hidden) -> str:
    """The SELECT that stands for an entity.

    :param hidden: the secret fields of payloads and inputs
    """
    text = _VIEWS[entity].replace("{present}", _PRESENT[dialect]).replace("{events}", _EVENTS[dialect])
    return text.replace("{input}", _without("input", "workflow_id", hidden, dialect)).replace(
        "{payload}", _without("payload", "name", hidden, dialect)
    )


def _without(column: str, named: str, hidden: Hidden, dialect: Dialect) -> str:
    """A JSON column without the fields that are secret in rows of some name."""
    cases = [
        f"WHEN '{name}' THEN {_removed(column, sorted(fields), dialect)}"
        for name, fields in sorted(hidden.items())
        if fields and all(_PLAIN.fullmatch(text) for text in (name, *fields))
    ]
    return f"CASE {named} {' '.join(cases)} ELSE {column} END AS {column}" if cases else column


def _removed(column: str, fields: list[str], dialect: Dialect) -> str:
    if dialect == "sqlite":
        paths = ", ".join(f"'$.{field}'" for field in fields)
        return f"json_remove({column}, {paths})"
    names = ", ".join(f"'{field}'" for field in fields)
    return f"{column} - ARRAY[{names}]"
