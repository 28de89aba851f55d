"""The two dialects: what each database calls what the language means."""

from __future__ import annotations

from codeai.query.dialects.base import Dialect
from codeai.query.dialects.postgresql import PostgreSQL
from codeai.query.dialects.sqlite import SQLite
from codeai.storage.interface import Dialect as DialectName

__all__ = ["Dialect", "dialect"]


def dialect(name: DialectName) -> Dialect:
    """The dialect of that name."""
    return PostgreSQL() if name == "postgresql" else SQLite()
