"""Columns that were called otherwise before (``rename_from``): they keep their values under the new name."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from codeai.model.application import Application


class Renaming(msgspec.Struct, frozen=True):
    """A column that the database has under its old name alone."""

    table: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"column '{self.table}.{self.old}' is called '{self.new}' now"


def outstanding(connection: sa.Connection, application: Application) -> list[Renaming]:
    """The columns that are still called as before."""
    inspector = sa.inspect(connection)
    present = set(inspector.get_table_names())
    found: list[Renaming] = []
    for entity in application.entities:
        if entity.table in present and any(field.rename_from for field in entity.fields):
            columns = {column["name"] for column in inspector.get_columns(entity.table)}
            found.extend(
                Renaming(entity.table, field.rename_from, field.name)
                for field in entity.fields
                if field.rename_from in columns and field.rename_from is not None and field.name not in columns
            )
    return found


def apply(connection: sa.Connection, found: Renaming) -> None:
    """Renames a column. Indexes over it, whose names tell their columns, go: they are made again with the rest that is missing."""
    quote = connection.dialect.identifier_preparer.quote
    for index in sa.inspect(connection).get_indexes(found.table):
        if found.old in index["column_names"] and "duplicates_constraint" not in index and index["name"]:
            connection.exec_driver_sql(f"DROP INDEX {quote(index['name'])}")
    connection.exec_driver_sql(f"ALTER TABLE {quote(found.table)} RENAME COLUMN {quote(found.old)} TO {quote(found.new)}")
