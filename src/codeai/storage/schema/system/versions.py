"""Versions of the program: what each leads events to, and which of them run at present.

Columns that end in ``_ms`` are milliseconds since 1970 by the database's clock.
"""

from __future__ import annotations

from typing import Final

from codeai.storage.schema.system.table import Column, Index, Table

WIRINGS: Final = Table(
    "codeai_wirings",
    (
        Column("version", "text", primary=True),  # the hash of what follows, without the names of handlers
        Column("generation", "int"),  # in the order in which versions were first seen
        Column("body", "text"),  # JSON (see ``events.wiring``)
        Column("created_ms", "int"),
    ),
    (Index("codeai_wirings_generation_idx", ("generation desc",)),),
)
PROCESSES: Final = Table(
    "codeai_processes",
    (
        Column("id", "text", primary=True),
        Column("version", "text"),
        Column("seen_ms", "int"),  # its last sign of life
    ),
)
TABLES: Final = (WIRINGS, PROCESSES)
