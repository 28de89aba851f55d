"""The tables of ours, one file per owner. They are data: start-up hashes them, ``rendering`` makes SQLAlchemy tables of them."""

from __future__ import annotations

from typing import Final

from codeai.storage.schema.system import core, durable, events, http, jobs, traces, versions
from codeai.storage.schema.system.table import Table

SYSTEM_TABLES: Final[tuple[Table, ...]] = (
    *(*core.TABLES, *durable.TABLES, *events.TABLES, *http.TABLES, *jobs.TABLES),
    *(*versions.TABLES, *traces.TABLES),
)

# Of versions before; they cost every write and serve nothing any more.
RETIRED_INDEXES: Final = frozenset({"codeai_activations_due_idx"})
