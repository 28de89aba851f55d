"""Names of tables and columns that a database would refuse, so that a program is the same on both of them."""

from __future__ import annotations

import re
from typing import Final

LONGEST: Final = 63  # characters of a name: PostgreSQL's NAMEDATALEN - 1
_TABLE: Final = re.compile(rf"[A-Za-z_][A-Za-z0-9_]{{0,{LONGEST - 1}}}")
_OF_THE_SERVER: Final = ("workflows", "executions", "audit_log")
_OF_DATABASES: Final = ("pg_", "sqlite_")
_SYSTEM_COLUMNS: Final = ("tableoid", "xmin", "cmin", "xmax", "cmax", "ctid")  # those of PostgreSQL's rows
_ANOTHER: Final = 'name another with table: "…"'
Refusal = tuple[str, str]  # what is wrong, and what to do


def refused_table(name: str) -> Refusal | None:
    """Why no entity may have that table; the name follows from that of the entity, or a ``table`` line says it."""
    if not name:
        return "a table has a name", f"it has letters, digits and '_', at most {LONGEST}"
    if not _TABLE.fullmatch(name):
        return f"'{name}' is no name of a table", f"it has letters, digits and '_', at most {LONGEST}"
    if name in _OF_THE_SERVER or name.startswith("codeai_"):
        return f"table '{name}' belongs to the server", _ANOTHER
    if name.lower().startswith(_OF_DATABASES):
        return f"table '{name}' would be one of the database's own", _ANOTHER
    return None


def refused_column(name: str) -> Refusal | None:
    """Why no stored field may have that name."""
    if len(name) > LONGEST:
        return f"'{name}' is no name of a column", f"it has at most {LONGEST} characters"
    if name.lower() in _SYSTEM_COLUMNS:
        return f"'{name}' is a column that each table of PostgreSQL has already", "call the field something else"
    return None
