"""Where full-text search lives in each database; the schema creates it, the query compiler reads it."""

from __future__ import annotations

from codeai.model.entity import Entity


def searchable(entity: Entity) -> tuple[str, ...]:
    """The columns that a search looks through."""
    return tuple(field.name for field in entity.fields if field.searchable)


def vector_expression(entity: Entity, prefix: str = "", fields: tuple[str, ...] = ()) -> str:
    """PostgreSQL: the text vector of a row; the index and every search use this very expression.

    :param fields: some of the searchable ones, for a search that the index does not serve; all when empty
    """
    parts = " || ' ' || ".join(f"coalesce({prefix}\"{name}\", '')" for name in fields or searchable(entity))
    return f"to_tsvector('simple', {parts})"


def index_table(entity: Entity) -> str:
    """SQLite: the FTS5 table of an entity, whose row ids are those of the entity's table."""
    return f"codeai_search_{entity.table}"


def row_number(entity: Entity) -> str:
    """SQLite: the name of the number that each row of a table has, which a field of that name would hide."""
    names = {field.name.lower() for field in entity.fields}
    return next(name for name in ("rowid", "_rowid_", "oid") if name not in names)
