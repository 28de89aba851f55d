"""SQLite, with the functions of ``storage.sqlite.functions``: exact decimals, and overflow that is an error instead of a float."""

from __future__ import annotations

from codeai.query.dialects.sqlite.functions import SQLite

__all__ = ["SQLite"]
