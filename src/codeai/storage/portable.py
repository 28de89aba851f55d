"""SQL texts of ours that both databases take.

They are written once, with ``$1`` for parameters, ``{now}`` for the present in milliseconds by the database's clock, and
``bigint``, ``text`` and ``NULL`` as types and values that both know.
"""

from __future__ import annotations

import re
from typing import Final

from codeai.storage.interface import Dialect

# The start of the statement, not the very moment: within a statement it stands still, so that indexes serve comparisons with it.
_NOW: Final = {
    "postgresql": "(extract(epoch FROM statement_timestamp()) * 1000)::bigint",
    "sqlite": "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)",
}
_PARAMETER: Final = re.compile(r"\$(\d+)")


def portable(text: str, dialect: Dialect) -> str:
    """The text for one database."""
    text = text.replace("{now}", _NOW[dialect])
    if dialect == "sqlite":
        text = text.replace(" FOR UPDATE SKIP LOCKED", "").replace(" FOR SHARE", "").replace(" FOR UPDATE", "")
        return _PARAMETER.sub(r"?\1", text)
    return text
