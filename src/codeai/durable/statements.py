"""The statements over executions and their records, once for both databases."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from codeai.durable.dispatch.statements import with_idle_limit
from codeai.storage.interface import Dialect
from codeai.storage.portable import portable

EXECUTION_COLUMNS: Final = (
    "e.id, e.workflow_id, e.kind, e.version, e.status, e.compensation, e.key, e.input, e.output, e.error, e.attempt, e.queue, e.priority, "
    "e.actor, e.deadline_ms, e.created_at, e.started_at, e.finished_at"
)
STEP_COLUMNS: Final = (
    "name, status, seq, position, attempt, inputs, output, error, due_ms, started_at, finished_at, compensation, compensation_attempt, "
    "compensation_error, compensated_at"
)
# Of a repeated step its list is not loaded with its record (see ``lists``), only that there is one.
_OWN_COLUMNS: Final = STEP_COLUMNS.replace(
    "inputs", "CASE WHEN inputs IS NOT NULL AND name IN {repeated} THEN CAST($4 AS {json}) ELSE inputs END"
)
UNDO_PAGE: Final = 200
_UPDATED: Final = ", ".join(f"{name.strip()} = excluded.{name.strip()}" for name in STEP_COLUMNS.split(",")[1:])
# Branches of one run write on connections of their own, each with what the others have kept: what comes late must not undo progress.
_ENDED: Final = "('done', 'skipped', 'continued', 'failed')"

START: Final = """
INSERT INTO executions (id, workflow_id, kind, version, status, compensation, key, active_key, origin, input, attempt, queue, priority,
  parent_id, forked_from, actor, scheduled_for, created_at)
VALUES ($1, $2, $3, $4, 'pending', 'none', $5, $6, $7, $8, 1, $9, $10, $11, $12, $13, $14, $15)
ON CONFLICT DO NOTHING"""
TAKEN: Final = """
SELECT id, CASE WHEN origin IS NOT NULL AND origin = $2 THEN 1 ELSE 0 END FROM executions WHERE workflow_id = $1
  AND ((origin IS NOT NULL AND origin = $2) OR (active_key IS NOT NULL AND active_key = $3)) ORDER BY 2 DESC LIMIT 1"""
LOAD: Final = f"""
SELECT {EXECUTION_COLUMNS}, w.status,
  CASE WHEN e.status = 'pending' AND e.attempt = 1 AND e.forked_from IS NULL THEN 1 ELSE 0 END,
  CASE WHEN e.status = 'pending' AND e.attempt = 1 AND e.key IS NOT NULL AND e.active_key IS NULL THEN 1 ELSE 0 END
FROM executions e LEFT JOIN workflows w ON w.name = e.workflow_id WHERE e.id IN {{ids}}"""
# What may be done with an execution that cannot be read: without what may be wrong with it.
HEAD: Final = re.sub(r"e\.(input|output|error)\b", "NULL", LOAD)
LOAD_STEPS: Final = f"SELECT execution_id, {STEP_COLUMNS} FROM codeai_steps WHERE execution_id IN {{ids}}"
_IS_ITEM: Final = "name LIKE '%[%'"
LOAD_OWN: Final = f"""
SELECT {_OWN_COLUMNS}, settled FROM codeai_steps WHERE execution_id = $1 AND name IN {{texts}}"""
LOAD_ITEMS: Final = f"""
SELECT {STEP_COLUMNS} FROM codeai_steps WHERE execution_id = $1 AND {_IS_ITEM} AND seq > $2
UNION ALL SELECT {STEP_COLUMNS} FROM codeai_steps
WHERE execution_id = $1 AND {_IS_ITEM} AND status IN ('running', 'retrying', 'waiting', 'failed')"""
LOAD_UNDONE: Final = f"""
SELECT {STEP_COLUMNS} FROM codeai_steps WHERE execution_id = $1 AND {_IS_ITEM} AND seq < $2 AND status = 'done'
  AND compensation NOT IN ('done', 'copied') ORDER BY seq DESC LIMIT {UNDO_PAGE}"""
LIST_OF: Final = "SELECT inputs FROM codeai_steps WHERE execution_id = $1 AND name = $2"
OUTPUTS_OF: Final = f"SELECT name, output FROM codeai_steps WHERE execution_id = $1 AND {_IS_ITEM} AND substr(name, 1, $2) = $3"
ITEMS_ENDED: Final = "UPDATE codeai_steps SET settled = $3 WHERE execution_id = $1 AND name = $2"
_STEP_VALUES: Final = "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16"
_REPLACING: Final = f"""
ON CONFLICT (execution_id, name) DO UPDATE SET {_UPDATED}
WHERE codeai_steps.position <= excluded.position
  AND (codeai_steps.status NOT IN {_ENDED} OR excluded.status IN {_ENDED})"""
SAVE_STEP: Final = f"INSERT INTO codeai_steps (execution_id, {STEP_COLUMNS}) VALUES ({_STEP_VALUES}) {_REPLACING}"
SAVE_FENCED: Final = f"""
WITH held AS (SELECT id FROM codeai_activations WHERE id = $17 AND fence = $18 AND state = 1 FOR SHARE)
INSERT INTO codeai_steps (execution_id, {STEP_COLUMNS}) SELECT {_STEP_VALUES} FROM held WHERE true {_REPLACING}"""
CHANGE: Final = """
UPDATE executions SET status = CASE WHEN status = 'cancelling' AND CAST($10 AS bigint) = 0 THEN status ELSE CAST($2 AS text) END,
  compensation = CASE WHEN status = 'cancelling' AND CAST($10 AS bigint) = 0 THEN compensation
    ELSE coalesce(CAST($3 AS text), compensation) END,
  output = CASE WHEN CAST($10 AS bigint) = 0 THEN output ELSE $4 END, error = CASE WHEN CAST($10 AS bigint) = 0 THEN error ELSE $5 END,
  finished_at = $6, started_at = coalesce(started_at, $7), deadline_ms = coalesce(deadline_ms, CAST($8 AS bigint)),
  active_key = CASE WHEN CAST($9 AS bigint) = 1 THEN NULL ELSE active_key END
WHERE id = $1"""
STATUS: Final = "SELECT status, compensation FROM executions WHERE id = $1"
KEEP_ERROR: Final = "UPDATE executions SET error = $2 WHERE id = $1"
HOLD_ALL: Final = """
SELECT id, fence, again, CASE WHEN EXISTS (
  SELECT 1 FROM codeai_waits AS w WHERE w.event = '@child' AND w.match = codeai_activations.subject) THEN 1 ELSE 0 END{idle}
FROM codeai_activations WHERE state = 1 AND id IN {numbers} ORDER BY id FOR SHARE"""
SEEN: Final = "UPDATE codeai_activations SET again = 0 WHERE state = 1 AND id IN {numbers}"
DONE_ALL: Final = "DELETE FROM codeai_activations WHERE id IN {numbers}"
NEXT_QUEUED: Final = """
SELECT id, queue, priority, version FROM executions WHERE workflow_id = $1 AND key = $2 AND status = 'pending' AND active_key IS NULL
ORDER BY created_at, id LIMIT 1"""
TAKE_KEY: Final = """
UPDATE executions SET active_key = key WHERE id = $1 AND status = 'pending' AND active_key IS NULL
  AND NOT EXISTS (SELECT 1 FROM executions o WHERE o.workflow_id = executions.workflow_id AND o.active_key = executions.key)
  AND NOT EXISTS (SELECT 1 FROM executions o WHERE o.workflow_id = executions.workflow_id AND o.key = executions.key
    AND o.status = 'pending' AND (o.created_at, o.id) < (executions.created_at, executions.id))"""

MAIL: Final = """
INSERT INTO codeai_mailbox (execution_id, event, event_id, payload, received_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (execution_id, event_id) DO NOTHING"""
UNREAD: Final = """
SELECT id, payload FROM codeai_mailbox WHERE execution_id = $1 AND event = $2 AND consumed_by IS NULL ORDER BY id"""
CONSUME: Final = "UPDATE codeai_mailbox SET consumed_by = $2 WHERE id = $1 AND consumed_by IS NULL"
WAIT: Final = """
INSERT INTO codeai_waits (execution_id, step, event, match) VALUES ($1, $2, $3, $4) ON CONFLICT (execution_id, step) DO NOTHING"""
WAITED: Final = "DELETE FROM codeai_waits WHERE execution_id = $1 AND step = $2"
WAITED_ALL: Final = "DELETE FROM codeai_waits WHERE execution_id = $1"
WAITING: Final = """
SELECT DISTINCT w.execution_id, e.queue, e.priority FROM codeai_waits w JOIN executions e ON e.id = w.execution_id
WHERE w.event = $1 AND (w.match IS NULL OR w.match IN {texts})"""
AWAITED: Final = """
WITH names(event) AS {subjects} SELECT event FROM names WHERE EXISTS (SELECT 1 FROM codeai_waits AS w WHERE w.event = names.event)"""
AWAITING: Final = """
SELECT DISTINCT w.execution_id, e.queue, e.priority FROM codeai_waits w JOIN executions e ON e.id = w.execution_id
WHERE w.event = '@child' AND w.match IN {subjects}"""
OUTCOME: Final = "SELECT workflow_id, status, output, error FROM executions WHERE id = $1"
AWAITED_BY: Final = "SELECT match FROM codeai_waits WHERE execution_id = $1 AND event = '@child'"
# Not one that others wait for, or that was there before: its key was taken.
CANCEL_CHILD: Final = """
UPDATE executions SET status = 'cancelling' WHERE id = $1 AND parent_id = $2 AND status IN ('pending', 'running', 'waiting')
  AND NOT EXISTS (SELECT 1 FROM codeai_waits w WHERE w.event = '@child' AND w.match = $3 AND w.execution_id <> $2)"""
CANCELLING: Final = "SELECT id FROM executions WHERE status = 'cancelling' AND id IN {ids}"
CUT_SHORT: Final = """
UPDATE codeai_steps SET status = 'failed', error = $2, finished_at = $3, due_ms = NULL
WHERE execution_id = $1 AND status IN ('running', 'retrying', 'waiting')"""
UNDO_THEN: Final = "UPDATE executions SET compensation = 'running' WHERE id = $1"
PAGE: Final = 500
SINCE: Final = f"SELECT id, at, actor, key, payload FROM codeai_events WHERE name = $1 AND at >= $2 AND id > $3 ORDER BY id LIMIT {PAGE}"

# Whoever works on an execution holds its activation before it changes it; others do so in the same order, the lowest number first.
GUARD: Final = "SELECT id FROM codeai_activations WHERE kind = 'execution' AND subject IN {subjects} ORDER BY id FOR UPDATE"
TROUBLE: Final = """
SELECT attempts, coalesce(refused, 0), cause, CASE WHEN state = 2 THEN ready_ms END FROM codeai_activations
WHERE kind = 'execution' AND subject = $1 AND cause IS NOT NULL"""
LOCK: Final = "SELECT id FROM executions WHERE id = $1 FOR UPDATE"
HASTEN: Final = """
UPDATE codeai_steps SET due_ms = $2 WHERE execution_id = $1 AND due_ms > $2 AND (status = 'retrying' OR compensation = 'running')
RETURNING name"""
BEGIN_NOW: Final = "UPDATE executions SET scheduled_for = $2 WHERE id = $1 AND status = 'pending' AND scheduled_for > $2"
SET_STATUS: Final = "UPDATE executions SET status = $2 WHERE id = $1"
RESUME: Final = """
UPDATE executions SET status = 'pending', error = NULL, finished_at = NULL, deadline_ms = NULL, started_at = NULL, attempt = attempt + 1,
  active_key = CASE WHEN key IS NULL OR EXISTS (SELECT 1 FROM executions o WHERE o.workflow_id = executions.workflow_id
    AND o.active_key = executions.key AND o.id <> executions.id) THEN active_key ELSE key END
WHERE id = $1"""
GO_BACK: Final = "UPDATE executions SET status = 'compensating', compensation = 'running' WHERE id = $1"
FORGET: Final = "DELETE FROM codeai_steps WHERE execution_id = $1 AND name = $2"
REOPEN: Final = """
UPDATE codeai_steps SET status = 'running', seq = 0, error = NULL, finished_at = NULL WHERE execution_id = $1 AND name = $2"""
UNDO_AGAIN: Final = """
UPDATE codeai_steps SET compensation = 'none', compensation_attempt = 0, due_ms = NULL WHERE execution_id = $1 AND name = $2"""
FORK: Final = """
INSERT INTO executions (id, workflow_id, kind, version, status, compensation, input, attempt, queue, priority, forked_from, actor,
  created_at, origin)
SELECT CAST($1 AS {uuid}), workflow_id, kind, version, 'pending', 'none', input, 1, queue, priority, id, CAST($3 AS text), $4,
  CAST($5 AS text)
FROM executions WHERE id = $2 ON CONFLICT DO NOTHING"""
AUDIT: Final = """
INSERT INTO audit_log (id, at, actor, action, entity, key, after) VALUES ($1, $2, $3, $4, $5, $6, $7)"""
SET_DEFINITION: Final = "UPDATE workflows SET status = $2, updated_at = $3 WHERE name = $1"
PENDING_OF: Final = """
SELECT id, version, queue, priority FROM executions
WHERE workflow_id = $1 AND status = 'pending' AND (key IS NULL OR active_key IS NOT NULL) ORDER BY created_at, id"""

OF_DEFINITION: Final = """
SELECT id, status, coalesce(started_at, created_at), attempt FROM executions WHERE workflow_id = $1 ORDER BY created_at, id"""

KNOWN: Final = "SELECT name, kind, version, status, source FROM workflows"
REGISTER: Final = """
INSERT INTO workflows (name, kind, version, status, source, created_at, updated_at) VALUES ($1, $2, $3, 'active', NULL, $4, $4)
ON CONFLICT (name) DO UPDATE SET version = excluded.version, kind = excluded.kind, updated_at = excluded.updated_at, source = NULL
WHERE workflows.version <> excluded.version OR workflows.kind <> excluded.kind OR workflows.source IS NOT NULL"""
DEFINE: Final = """
INSERT INTO codeai_definitions (version, name, kind, body, created_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (version) DO UPDATE SET created_at = excluded.created_at WHERE codeai_definitions.created_at < $6"""
DEFINITION: Final = "SELECT body FROM codeai_definitions WHERE version = $1"


class Statements(msgspec.Struct, frozen=True):
    """The texts for one database."""

    start: str
    taken: str
    load: str
    head: str
    load_steps: str
    load_own: str
    load_items: str
    load_undone: str
    list_of: str
    outputs_of: str
    items_ended: str
    save_step: str
    save_fenced: str
    change: str
    status: str
    keep_error: str
    hold_all: str
    seen: str
    done_all: str
    next_queued: str
    take_key: str
    mail: str
    unread: str
    consume: str
    wait: str
    waited: str
    waited_all: str
    waiting: str
    awaited: str
    awaiting: str
    outcome: str
    awaited_by: str
    cancel_child: str
    cancelling: str
    cut_short: str
    undo_then: str
    since: str
    guard: str
    trouble: str
    lock: str
    hasten: str
    begin_now: str
    set_status: str
    resume: str
    go_back: str
    forget: str
    reopen: str
    undo_again: str
    fork: str
    audit: str
    set_definition: str
    pending_of: str
    of_definition: str
    known: str
    register: str
    define: str
    definition: str


def statements(dialect: Dialect) -> Statements:
    """The texts for a database."""
    lists = {"{ids}": ("uuid", 1), "{texts}": ("text", 2), "{numbers}": ("bigint", 1), "{subjects}": ("text", 1), "{repeated}": ("text", 3)}

    types = {"{uuid}": "text", "{json}": "text"} if dialect == "sqlite" else {"{uuid}": "uuid", "{json}": "jsonb"}

    def made(text: str) -> str:
        for name, (type_, place) in lists.items():
            found = f"(SELECT value FROM json_each(?{place}))" if dialect == "sqlite" else f"(SELECT unnest(${place}::{type_}[]))"
            text = text.replace(name, found)
        for name, type_ in types.items():
            text = text.replace(name, type_)
        return portable(with_idle_limit(text, dialect), dialect)

    texts = {name: made(globals()[name.upper()]) for name in Statements.__struct_fields__}
    return Statements(**texts)
