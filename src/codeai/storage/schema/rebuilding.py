"""SQLite changes no rules of a table that is there: it gets a new one with the rows of the old.

The steps are those of https://www.sqlite.org/lang_altertable.html, section 7. They run in the transaction of the whole change, on a
connection that does not enforce foreign keys, so that nothing is deleted because its target goes for a moment.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.schema import CreateTable


def rebuild(connection: sa.Connection, table: sa.Table) -> None:
    """Puts a table with the rules of the program in the place of the one that is there, which has the same columns.

    Indexes and triggers come along, those for search excepted: they know rows by numbers that are given anew.
    """
    quote = connection.dialect.identifier_preparer.quote
    old, new = quote(table.name), quote(f"codeai_new_{table.name}")
    columns = ", ".join(quote(column.name) for column in table.columns)
    made = str(CreateTable(table).compile(dialect=connection.dialect)).replace(f"CREATE TABLE {old}", f"CREATE TABLE {new}", 1)
    triggers = _triggers(connection, table.name)
    connection.exec_driver_sql(made)
    connection.exec_driver_sql(f"INSERT INTO {new} ({columns}) SELECT {columns} FROM {old}")
    connection.exec_driver_sql(f"DROP TABLE {old}")
    connection.exec_driver_sql("PRAGMA legacy_alter_table = ON")  # views of others, which name the table, do not matter to the renaming
    connection.exec_driver_sql(f"ALTER TABLE {new} RENAME TO {old}")
    connection.exec_driver_sql("PRAGMA legacy_alter_table = OFF")
    for index in sorted(table.indexes, key=lambda index: str(index.name)):
        index.create(connection)
    for statement in triggers:
        connection.exec_driver_sql(statement)


def _triggers(connection: sa.Connection, table: str) -> list[str]:
    query = "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ? AND name NOT LIKE 'codeai_search_%'"
    return [str(row[0]) for row in connection.exec_driver_sql(query, (table,))]
