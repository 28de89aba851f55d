"""The database that settings describe; drivers are imported only when used."""

from __future__ import annotations

from codeai.storage.interface import Database
from codeai.storage.settings import DatabaseSettings


def open_database(settings: DatabaseSettings) -> Database:
    """A database that ``start`` will open."""
    if settings.dialect == "sqlite":
        from codeai.storage.sqlite.database import SqliteDatabase

        return SqliteDatabase(settings)
    from codeai.storage.postgresql.database import PostgresDatabase

    return PostgresDatabase(settings)
