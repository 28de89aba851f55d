"""Definitions, executions, their records, and the activations that say who has something to do.

Columns that end in ``_ms`` are milliseconds since 1970 by the database's clock; the machine alone reads them.
"""

from __future__ import annotations

from typing import Final

from codeai.storage.schema.system.table import Column, Index, Table

WORKFLOWS: Final = Table(
    "workflows",
    (
        Column("name", "text", primary=True),
        Column("kind", "text"),  # workflow, job
        Column("version", "text"),
        Column("status", "text"),  # active, paused, archived
        Column("source", "text", null=True),  # the text of one that was registered at run time
        Column("created_at", "timestamp"),
        Column("updated_at", "timestamp"),
    ),
    (Index("workflows_status_idx", ("status", "name")),),
)
DEFINITIONS: Final = Table(
    "codeai_definitions",
    (
        Column("version", "text", primary=True),
        Column("name", "text"),
        Column("kind", "text"),
        Column("body", "text"),  # the lowered definition with all that it uses, as JSON
        Column("created_at", "timestamp"),  # when a process last said that it has it, to the day
    ),
)
EXECUTIONS: Final = Table(
    "executions",
    (
        Column("id", "uuid", primary=True),
        Column("workflow_id", "text"),
        Column("kind", "text"),  # workflow, job
        Column("version", "text"),
        Column("status", "text"),
        Column("compensation", "text"),  # none, running, done, failed
        Column("key", "text", null=True),
        Column("active_key", "text", null=True),  # the key while it may not be taken by another
        Column("origin", "text", null=True),  # what started it, where that may happen once only: an event, a tick
        Column("input", "json", null=True),
        Column("output", "json", null=True),
        Column("error", "json", null=True),
        Column("attempt", "int"),
        Column("queue", "text"),
        Column("priority", "int"),
        Column("parent_id", "uuid", null=True),
        Column("forked_from", "uuid", null=True),
        Column("actor", "text", null=True),
        Column("scheduled_for", "timestamp", null=True),
        Column("deadline_ms", "int", null=True),
        Column("created_at", "timestamp"),
        Column("started_at", "timestamp", null=True),
        Column("finished_at", "timestamp", null=True),
    ),
    (
        Index("executions_workflow_id_created_at_idx", ("workflow_id", "created_at desc", "id desc")),
        Index("executions_status_created_at_idx", ("status", "created_at desc", "id desc")),
        Index("executions_created_at_idx", ("created_at desc", "id desc")),
        Index("executions_active_key_key", ("workflow_id", "active_key"), unique=True, where="active_key IS NOT NULL"),
        Index("executions_origin_key", ("workflow_id", "origin"), unique=True, where="origin IS NOT NULL"),
        Index("executions_queued_idx", ("workflow_id", "key", "created_at"), where="status = 'pending' AND key IS NOT NULL"),
        Index(
            "executions_unfinished_idx",  # whether a run of a job is under way, however many have ended
            ("workflow_id",),
            where="status IN ('pending', 'running', 'waiting', 'cancelling', 'compensating')",
        ),
        Index("executions_parent_id_idx", ("parent_id",), where="parent_id IS NOT NULL"),
    ),
)
STEPS: Final = Table(
    "codeai_steps",
    (
        Column("execution_id", "uuid", primary=True),
        Column("name", "text", primary=True),  # charge, reserve[3]
        Column("seq", "int"),  # the order in which steps ended; compensation goes backwards
        Column("status", "text"),  # running, retrying, waiting, done, skipped, failed, continued
        Column("position", "int"),  # how many works of the step are done
        Column("attempt", "int"),
        Column("inputs", "json", null=True),
        Column("output", "json", null=True),
        Column("error", "json", null=True),
        Column("due_ms", "int", null=True),
        Column("started_at", "timestamp", null=True),
        Column("finished_at", "timestamp", null=True),
        Column("compensation", "text"),  # none, running, done, failed
        Column("compensation_attempt", "int"),
        Column("compensation_error", "json", null=True),
        Column("compensated_at", "timestamp", null=True),
        Column("settled", "json", null=True),  # of a repeated step: which items had ended when the run last paused
    ),
    (
        Index("codeai_steps_items_idx", ("execution_id", "seq"), where="name LIKE '%[%'"),
        Index(
            "codeai_steps_open_items_idx",
            ("execution_id", "status"),
            where="name LIKE '%[%' AND status IN ('running', 'retrying', 'waiting', 'failed')",
        ),
    ),
)
MAILBOX: Final = Table(
    "codeai_mailbox",
    (
        Column("id", "identity", primary=True),
        Column("execution_id", "uuid"),
        Column("event", "text"),
        Column("event_id", "text"),
        Column("payload", "json", null=True),
        Column("received_at", "timestamp"),
        Column("consumed_by", "text", null=True),
    ),
    (Index("codeai_mailbox_event_key", ("execution_id", "event_id"), unique=True),),
)
WAITS: Final = Table(
    "codeai_waits",
    (
        Column("execution_id", "uuid", primary=True),
        Column("step", "text", primary=True),
        Column("event", "text"),
        Column("match", "text", null=True),  # the value that a field of the event must have, when the condition says so
    ),
    (Index("codeai_waits_event_idx", ("event", "match")),),
)
ACTIVATIONS: Final = Table(
    "codeai_activations",
    (
        Column("id", "identity", primary=True),
        Column("kind", "text"),
        Column("subject", "text"),
        Column("queue", "text"),
        Column("priority", "int"),
        Column("state", "int"),  # 0 ready, 1 claimed, 2 later; ready, too, but 3 behind others of its order key, 4 in a lane that is full
        Column("ready_ms", "int"),  # later: when it is due; claimed: when its lease ends
        Column("order_key", "text", null=True),
        Column("lane", "text", null=True),
        Column("lane_limit", "int", null=True),
        Column("fence", "int"),
        Column("attempts", "int"),  # that failed in a row, or whose worker died
        Column("refused", "int", null=True),  # how many times in a row the database did not let it be done
        Column("cause", "text", null=True),  # why the last attempt has failed
        Column("again", "int"),  # offered once more while it was claimed
        Column("worker", "text", null=True),
        Column("created_ms", "int"),
    ),
    (
        Index("codeai_activations_subject_key", ("kind", "subject"), unique=True),
        Index("codeai_activations_ready_idx", ("queue", "priority", "id"), where="state = 0 AND order_key IS NULL AND lane IS NULL"),
        Index(
            "codeai_activations_restricted_idx",
            ("queue", "priority", "id"),
            where="state = 0 AND (order_key IS NOT NULL OR lane IS NOT NULL)",
        ),
        # From queues that limits hold back, what they do not concern is claimed by itself, however much of the rest waits there.
        Index(
            "codeai_activations_exempt_idx",
            ("queue", "priority", "id"),
            where="state = 0 AND order_key IS NULL AND lane IS NULL AND kind <> 'execution'",
        ),
        Index(
            "codeai_activations_exempt_restricted_idx",
            ("queue", "priority", "id"),
            where="state = 0 AND (order_key IS NOT NULL OR lane IS NOT NULL) AND kind <> 'execution'",
        ),
        Index("codeai_activations_timed_idx", ("ready_ms",), where="state IN (1, 2)"),
        Index("codeai_activations_running_idx", ("queue", "kind"), where="state = 1"),
        Index("codeai_activations_order_idx", ("order_key", "id"), where="order_key IS NOT NULL"),
        Index("codeai_activations_beside_idx", ("order_key",), where="state = 1 AND order_key IS NOT NULL"),
        Index("codeai_activations_behind_idx", ("id",), where="state = 3"),
        Index("codeai_activations_lane_idx", ("lane",), where="lane IS NOT NULL AND state = 1"),
        Index("codeai_activations_failing_idx", ("id",), where="cause IS NOT NULL"),
        Index("codeai_activations_full_idx", ("queue", "lane", "priority", "id"), where="state = 4"),
    ),
)
TABLES: Final = (WORKFLOWS, DEFINITIONS, EXECUTIONS, STEPS, MAILBOX, WAITS, ACTIVATIONS)
