"""The state of the schema, and the trail of changes."""

from __future__ import annotations

from typing import Final

from codeai.storage.schema.system.table import Column, Index, Table

TABLES: Final = (
    Table("codeai_schema", (Column("id", "int", primary=True), Column("fingerprint", "text"))),
    Table(
        "audit_log",
        (
            Column("id", "uuid", primary=True),
            Column("at", "timestamp"),
            Column("actor", "text", null=True),
            Column("action", "text"),
            Column("entity", "text"),
            Column("key", "text"),
            Column("before", "json", null=True),
            Column("after", "json", null=True),
        ),
        (Index("audit_log_entity_key_idx", ("entity", "key", "at")),),
    ),
)
