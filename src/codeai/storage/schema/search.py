"""Full-text indexes: made again when the searchable fields of an entity change, since what they hold is derived from the rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import sqlalchemy as sa

from codeai.model.entity import Entity
from codeai.storage.fulltext import index_table, row_number, searchable, vector_expression

_TRIGGERS = ("ai", "ad", "au")
_OF_TABLE = 40  # characters of the table's name in that of its index


def index_name(entity: Entity) -> str:
    """The name of the index on PostgreSQL, which tells what it indexes."""
    cut = entity.table[:_OF_TABLE]
    told = vector_expression(entity) if cut == entity.table else entity.table + vector_expression(entity)
    return f"{cut}_search_{hashlib.blake2s(told.encode(), digest_size=3).hexdigest()}"


def statements(entity: Entity) -> list[str]:
    """SQLite: the FTS5 table over an entity's table, and the triggers that keep it in step."""
    names = searchable(entity)
    columns = ", ".join(f'"{name}"' for name in names)
    index, number = index_table(entity), row_number(entity)
    new = ", ".join(f'new."{name}"' for name in names)
    old = ", ".join(f'old."{name}"' for name in names)
    add = f'INSERT INTO "{index}"(rowid, {columns}) VALUES (new.{number}, {new});'
    drop = f'INSERT INTO "{index}"("{index}", rowid, {columns}) VALUES (\'delete\', old.{number}, {old});'
    return [
        (
            f"CREATE VIRTUAL TABLE \"{index}\" USING fts5({columns}, content='{entity.table}', content_rowid='{number}', "
            "tokenize='unicode61 remove_diacritics 0')"
        ),
        f'CREATE TRIGGER "{index}_ai" AFTER INSERT ON "{entity.table}" BEGIN {add} END',
        f'CREATE TRIGGER "{index}_ad" AFTER DELETE ON "{entity.table}" BEGIN {drop} END',
        f'CREATE TRIGGER "{index}_au" AFTER UPDATE ON "{entity.table}" BEGIN {drop} {add} END',
    ]


def outdated(connection: sa.Connection, entities: Iterable[Entity]) -> list[Entity]:
    """The entities whose index is missing or indexes something else; their tables exist."""
    found: list[Entity] = []
    for entity in entities:
        if connection.dialect.name == "postgresql":
            row = connection.execute(sa.text("SELECT to_regclass(:name) IS NOT NULL"), {"name": f'"{index_name(entity)}"'}).scalar()
            current = bool(row) or not searchable(entity)
        else:
            query = sa.text("SELECT sql FROM sqlite_master WHERE name = :name")
            text = connection.execute(query, {"name": index_table(entity)}).scalar()
            current = text == (statements(entity)[0] if searchable(entity) else None)
        if not current:
            found.append(entity)
    return found


def renew(connection: sa.Connection, entity: Entity) -> None:
    """Makes the index of an entity from its rows."""
    if connection.dialect.name == "postgresql":
        quote = connection.dialect.identifier_preparer.quote
        connection.exec_driver_sql(
            f"CREATE INDEX {quote(index_name(entity))} ON {quote(entity.table)} USING gin ({vector_expression(entity)})"
        )
        return
    index = index_table(entity)
    for trigger in _TRIGGERS:
        connection.exec_driver_sql(f'DROP TRIGGER IF EXISTS "{index}_{trigger}"')
    connection.exec_driver_sql(f'DROP TABLE IF EXISTS "{index}"')
    if searchable(entity):
        for statement in statements(entity):
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql(f'INSERT INTO "{index}"("{index}") VALUES (\'rebuild\')')
