"""Answers that are given again to requests with the same ``Idempotency-Key`` (see ``http.idempotency``)."""

from __future__ import annotations

from typing import Final

from codeai.storage.schema.system.table import Column, Index, Table

TABLES: Final = (
    Table(
        "codeai_idempotency",
        (
            Column("scope", "text", primary=True),  # hash of caller, method, route and key
            Column("fingerprint", "text"),  # hash of the request
            Column("status", "int"),
            Column("headers", "text"),  # names and values as JSON
            Column("body", "bytes"),
            Column("expires_ms", "int"),  # milliseconds since 1970 by the database's clock
        ),
        (Index("codeai_idempotency_expires_idx", ("expires_ms",)),),
    ),
)
