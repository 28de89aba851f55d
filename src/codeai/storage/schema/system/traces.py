"""Which trace an execution or event goes on with; rows are there only where somebody traces."""

from __future__ import annotations

from typing import Final

from codeai.storage.schema.system.table import Column, Index, Table

TRACES: Final = Table(
    "codeai_traces",
    (
        Column("subject", "uuid", primary=True),  # of an execution or an event
        Column("context", "text"),  # traceparent, and tracestate on a second line
        Column("at_ms", "int"),
    ),
    (Index("codeai_traces_at_idx", ("at_ms",)),),
)
TABLES: Final = (TRACES,)
