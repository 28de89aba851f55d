"""Schedules with how far they have been handled, their ticks, and queues as an operator has changed them.

Columns that end in ``_ms`` are milliseconds since 1970 by the database's clock.
"""

from __future__ import annotations

from typing import Final

from codeai.storage.schema.system.table import Column, Index, Table

SCHEDULES: Final = Table(
    "codeai_schedules",
    (
        Column("name", "text", primary=True),
        Column("kind", "text"),  # job, workflow
        Column("status", "text"),  # active, paused, removed (no program has it any more)
        Column("expression", "text"),
        Column("timezone", "text"),
        Column("definition", "text"),  # schedule and policies as JSON, to see whether they have changed
        Column("handled_ms", "int"),  # every tick up to here has been decided
        Column("next_ms", "int", null=True),
        Column("last_ms", "int", null=True),  # the last tick that ran
        Column("missed", "int"),
        Column("skipped", "int"),
        Column("updated_at", "timestamp"),
    ),
)
TICKS: Final = Table(
    "codeai_ticks",
    (
        Column("schedule", "text", primary=True),
        Column("at_ms", "int", primary=True),  # the instant for which the schedule asks
        Column("outcome", "text"),  # started, skipped
        Column("execution_id", "uuid", null=True),
        Column("created_ms", "int"),
    ),
    (Index("codeai_ticks_created_idx", ("created_ms",)),),
)
QUEUES: Final = Table(
    "codeai_queues",
    (
        Column("name", "text", primary=True),
        Column("weight", "int", null=True),  # null: as the program says
        Column("concurrency", "int", null=True),
        Column("rate", "int", null=True),  # starts per ``rate_ms``
        Column("rate_ms", "int", null=True),
        Column("next_ms", "int", null=True),  # when the next start would be due at an even pace
        Column("paused", "int"),
        Column("updated_at", "timestamp"),
    ),
)
TABLES: Final = (SCHEDULES, TICKS, QUEUES)
