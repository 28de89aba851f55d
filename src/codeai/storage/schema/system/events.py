"""Events as they were emitted, what is delivered to whom, and each attempt.

An event is one row, written with the change that it tells of; ``relayed`` says whether its deliveries have been made. A delivery
is to one target and has at most one activation. Numbers that end in ``_ms`` are milliseconds.
"""

from __future__ import annotations

from typing import Final

from codeai.storage.schema.system.table import Column, Index, Table

EVENTS: Final = Table(
    "codeai_events",
    (
        Column("id", "uuid", primary=True),
        Column("name", "text"),  # the wire name
        Column("at", "timestamp"),
        Column("actor", "text", null=True),
        Column("key", "text", null=True),
        Column("payload", "text"),  # JSON, kept as it was written: its order is that of the fields
        Column("relayed", "int"),
    ),
    (
        Index("codeai_events_waiting_idx", ("id",), where="relayed = 0"),
        Index("codeai_events_name_idx", ("name", "id desc")),
    ),
)
DELIVERIES: Final = Table(
    "codeai_deliveries",
    (
        Column("id", "uuid", primary=True),
        Column("kind", "text"),  # handler, workflow, webhook, kafka, slack, email
        Column("target", "text"),  # the handler, workflow, webhook, topic, channel or address
        Column("event_id", "uuid", null=True),  # null for messages of 'send'
        Column("content", "text", null=True),  # JSON: what 'send' said
        Column("order_key", "text", null=True),
        Column("status", "text"),  # pending, delivered, dead, replayed
        Column("attempts", "int"),
        Column("error", "text", null=True),
        Column("replay_of", "uuid", null=True),  # the delivery or event that is replayed
        Column("forced", "int"),
        Column("created_at", "timestamp"),
        Column("finished_at", "timestamp", null=True),
    ),
    (
        Index(
            "codeai_deliveries_once_key", ("event_id", "kind", "target"), unique=True, where="replay_of IS NULL AND event_id IS NOT NULL"
        ),
        Index("codeai_deliveries_event_idx", ("event_id",)),
        Index("codeai_deliveries_dead_idx", ("id desc",), where="status = 'dead'"),
        Index("codeai_deliveries_target_idx", ("kind", "target", "id desc")),
    ),
)
ATTEMPTS: Final = Table(
    "codeai_attempts",
    (
        Column("delivery_id", "uuid", primary=True),
        Column("number", "int", primary=True),
        Column("at", "timestamp"),
        Column("duration_ms", "int"),
        Column("status", "int", null=True),  # what an HTTP peer answered
        Column("answer", "text", null=True),
        Column("error", "text", null=True),
    ),
)
WEBHOOKS: Final = Table(
    "codeai_webhooks",
    (
        Column("name", "text", primary=True),
        Column("disabled_at", "timestamp"),
        Column("reason", "text"),
    ),
)
TABLES: Final = (EVENTS, DELIVERIES, ATTEMPTS, WEBHOOKS)
