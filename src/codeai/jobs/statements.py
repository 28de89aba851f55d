"""The statements over schedules and ticks, once for both databases (see ``storage.portable``)."""

from __future__ import annotations

from typing import Final

_UNFINISHED: Final = "('pending', 'running', 'waiting', 'cancelling', 'compensating')"
_COLUMNS: Final = "name, kind, status, expression, timezone, definition, handled_ms, next_ms, last_ms, missed, skipped"
TEXTS: Final = {
    "now": "SELECT {now}",
    "all": f"SELECT {_COLUMNS} FROM codeai_schedules ORDER BY name",
    "one": f"SELECT {_COLUMNS} FROM codeai_schedules WHERE name = $1",
    "lock": f"SELECT {_COLUMNS} FROM codeai_schedules WHERE name = $1 FOR UPDATE",
    "put": "INSERT INTO codeai_schedules (name, kind, status, expression, timezone, definition, handled_ms, next_ms, "
    "missed, skipped, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, $9) "
    "ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, status = excluded.status, "
    "expression = excluded.expression, timezone = excluded.timezone, definition = excluded.definition, handled_ms = excluded.handled_ms, "
    "next_ms = excluded.next_ms, updated_at = excluded.updated_at",
    "handled": "UPDATE codeai_schedules SET handled_ms = $2, next_ms = $3, last_ms = coalesce(CAST($4 AS bigint), last_ms), "
    "missed = missed + CAST($5 AS bigint), skipped = skipped + CAST($6 AS bigint) WHERE name = $1",
    "status": "UPDATE codeai_schedules SET status = $2, handled_ms = $3, next_ms = $4, updated_at = $5 WHERE name = $1",
    "tick": "INSERT INTO codeai_ticks (schedule, at_ms, outcome, created_ms) VALUES ($1, $2, $3, $4) "
    "ON CONFLICT (schedule, at_ms) DO NOTHING",
    "retake": "UPDATE codeai_ticks SET outcome = 'started' WHERE schedule = $1 AND at_ms = $2 AND outcome = 'skipped'",
    "execution": "UPDATE codeai_ticks SET execution_id = $3, outcome = $4 WHERE schedule = $1 AND at_ms = $2",
    "ticks": "SELECT t.at_ms, t.outcome, t.execution_id, e.status, e.error FROM codeai_ticks AS t "
    "LEFT JOIN executions AS e ON e.id = t.execution_id WHERE t.schedule = $1 ORDER BY t.at_ms DESC LIMIT $2",
    "outcomes": "SELECT s.name, e.status FROM codeai_schedules AS s JOIN codeai_ticks AS t ON t.schedule = s.name AND t.at_ms = s.last_ms "
    "JOIN executions AS e ON e.id = t.execution_id",
    "forget": "DELETE FROM codeai_ticks WHERE schedule = $1 AND at_ms < $2",
    "unfinished": f"SELECT 1 FROM executions WHERE workflow_id = $1 AND status IN {_UNFINISHED} LIMIT 1",
}
