"""Differences between a database and the program, as Alembic finds them: in words, and those that lose nothing as statements."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.schema import AddConstraint, CreateColumn

from codeai.storage.errors import SchemaMismatch
from codeai.storage.schema.naming import fitting, marked
from codeai.storage.schema.system import RETIRED_INDEXES, SYSTEM_TABLES

Difference = Any  # Alembic's tuples: the kind, then what the kind has


_SYSTEM: Final = frozenset(table.name for table in SYSTEM_TABLES)
_LEFT_TO_NEWER: Final = ("remove_index", "remove_column")


def of_ours(found: Difference) -> bool:
    """Whether a difference concerns the tables of the runtime, which grow with its versions, and not those of the program."""
    if found[0] in ("add_column", "remove_column") or found[0].startswith("modify_"):
        return found[2] in _SYSTEM
    item = found[1]
    return (item if found[0] in ("add_table", "remove_table") else item.table).name in _SYSTEM


def noise(found: Difference) -> bool:
    """Whether a difference is none of ours.

    Those are tables of others, defaults (which we evaluate ourselves), and what a newer version of the runtime has added to its tables:
    this one may run beside it, or again after it.
    """
    if found[0] in ("remove_table", "modify_default"):
        return True
    return found[0] in _LEFT_TO_NEWER and of_ours(found) and not _retired(found)


def newer_columns(differences: list[Difference]) -> set[tuple[str, str]]:
    """Table and name of the columns that another version of the program has added without harm to this one: they may be left out."""
    removed = [each for each in differences if each[0] == "remove_column"]
    return {(each[2], each[3].name) for each in removed if each[3].nullable or each[3].server_default is not None}


def left_by_newer(found: Difference, columns: set[tuple[str, str]]) -> bool:
    """Whether a difference is no matter beside another version of the program: such a column, its reference, an index that only helps."""
    if found[0] == "remove_index":
        return not found[1].unique and not _retired(found)
    if found[0] == "remove_fk":
        return all((found[1].table.name, name) in columns for name in found[1].column_keys)
    return found[0] == "remove_column" and (found[2], found[3].name) in columns


def _retired(found: Difference) -> bool:
    return found[0] == "remove_index" and found[1].name in RETIRED_INDEXES


def additive(found: Difference) -> bool:
    """Whether a difference can be removed by adding, by asking less of rows, or by dropping an index of ours."""
    if found[0] in ("add_table", "add_index"):
        return True
    dropped = _retired(found) or _no_longer_wanted(found)
    return bool(found[0] == "add_column" and found[3].nullable) or becomes_nullable(found) or _another_length(found) or dropped


def _no_longer_wanted(found: Difference) -> bool:
    """Whether it is an index that a program had, by its name; what somebody else has made is left, and said."""
    if found[0] != "remove_index" or of_ours(found):
        return False
    index = found[1]
    name = fitting(index.table.name, *(_column_of(part) for part in index.expressions), "key" if index.unique else "idx")
    return index.name in (name, marked(name, f"{index.table.name}.{name}"))


def _column_of(expression: Any) -> str:
    """The name of the column of an index; of one that descends SQLAlchemy gives the term."""
    while isinstance(expression, sa.UnaryExpression):
        expression = expression.element
    return str(getattr(expression, "name", ""))


def becomes_nullable(found: Difference) -> bool:
    """Whether the program lets a column be null that the database does not."""
    return bool(found[0] == "modify_nullable" and found[6])


def _another_length(found: Difference) -> bool:
    """Whether only the longest text is another: on PostgreSQL that is part of the type, on SQLite a condition."""
    return found[0] == "modify_type" and all(isinstance(type_, sa.String) and type_.length for type_ in found[5:7])


def brought_along(differences: list[Difference]) -> set[str]:
    """The names of constraints that come with new columns."""
    found: set[str] = set()
    for difference in differences:
        if difference[0] == "add_column":
            info = difference[3].info
            found |= {str(each.name) for each in (*info.get("own", ()), *((info["key"],) if "key" in info else ()))}
    return found


def renamed_uniques(differences: list[Difference]) -> list[tuple[sa.UniqueConstraint, sa.UniqueConstraint]]:
    """Constraints over the same columns that only their names tell apart, as after a column was renamed: the old one and the new."""
    found: list[tuple[sa.UniqueConstraint, sa.UniqueConstraint]] = []
    removed = [each[1] for each in differences if each[0] == "remove_constraint" and isinstance(each[1], sa.UniqueConstraint)]
    for each in differences:
        if each[0] == "add_constraint" and isinstance(each[1], sa.UniqueConstraint):
            found.extend((old, each[1]) for old in removed if _rows_of(old) == _rows_of(each[1]))
    return found


def unnamed_references(
    connection: sa.Connection, differences: list[Difference]
) -> list[tuple[sa.ForeignKeyConstraint, sa.ForeignKeyConstraint]]:
    """References of SQLite that only their names tell apart, since the name of one that came with a new column cannot be read: the old one
    and the new.
    """
    removed = [each[1] for each in differences if each[0] == "remove_fk" and each[1].name is None]
    added = [each[1] for each in differences if each[0] == "add_fk"]
    return [(old, new) for old in removed for new in added if _stored(connection, old) == _wanted(new)]


def _stored(connection: sa.Connection, key: sa.ForeignKeyConstraint) -> tuple[str, ...]:
    quoted = connection.dialect.identifier_preparer.quote(key.table.name)
    for found in connection.exec_driver_sql(f"PRAGMA foreign_key_list({quoted})").mappings():
        if [found["from"]] == key.column_keys:
            return key.table.name, found["from"], f"{found['table']}.{found['to']}", found["on_delete"]
    return ()


def _wanted(key: sa.ForeignKeyConstraint) -> tuple[str, ...]:
    return key.table.name, key.column_keys[0], key.elements[0].target_fullname, (key.ondelete or "NO ACTION").upper()


def _rows_of(constraint: sa.UniqueConstraint) -> tuple[str, list[str]]:
    return constraint.table.name, [column.name for column in constraint.columns]


def rename_constraint(connection: sa.Connection, old: sa.UniqueConstraint, new: sa.UniqueConstraint) -> None:
    """Gives a constraint the name that the program has for it (PostgreSQL)."""
    quote = connection.dialect.identifier_preparer.quote
    connection.exec_driver_sql(f"ALTER TABLE {quote(new.table.name)} RENAME CONSTRAINT {quote(str(old.name))} TO {quote(str(new.name))}")


def described(found: Difference) -> str:
    """A difference in words."""
    kind = found[0]
    if kind in ("add_table", "remove_table"):
        return f"table '{found[1].name}' is {'missing' if kind == 'add_table' else 'not in the program'}"
    if kind in ("add_column", "remove_column"):
        return f"column '{found[2]}.{found[3].name}' is {'missing' if kind == 'add_column' else 'not in the program'}"
    if kind in ("add_index", "remove_index"):
        return f"index '{found[1].name}' is {'missing' if kind == 'add_index' else 'not in the program'}"
    if kind == "modify_type":
        return f"column '{found[2]}.{found[3]}' has type {found[5]!r}, the program says {found[6]!r}"
    if kind == "modify_nullable":
        return f"column '{found[2]}.{found[3]}' {'may be null' if found[5] else 'is not null'}, the program says otherwise"
    name = getattr(found[1], "name", None) or found[1]
    return f"{kind.replace('_', ' ')} '{name}'"


def apply(connection: sa.Connection, found: Difference) -> None:
    """Adds what is missing, asks less of rows (PostgreSQL), or drops an index that nobody wants any more.

    :raises SchemaMismatch: rows are in the way
    """
    kind = found[0]
    if kind == "add_table":
        found[1].create(connection)
    elif kind == "add_index":
        _add_index(connection, found)
    elif kind == "remove_index":
        found[1].drop(connection)
    elif kind == "add_column":
        _add_column(connection, found[3])
    else:
        _alter_column(connection, found)


def _add_index(connection: sa.Connection, found: Difference) -> None:
    if sa.inspect(connection).has_index(found[1].table.name, found[1].name):
        return
    try:
        found[1].create(connection)
    except sa.exc.IntegrityError as error:
        raise SchemaMismatch((f"{described(found)}, and rows with the same values {SchemaMismatch.BROKEN}",)) from error


def _alter_column(connection: sa.Connection, found: Difference) -> None:
    preparer = connection.dialect.identifier_preparer
    table, column = preparer.quote(found[2]), preparer.quote(found[3])
    if found[0] == "modify_nullable":
        connection.exec_driver_sql(f"ALTER TABLE {table} ALTER COLUMN {column} DROP NOT NULL")
        return
    type_ = found[6]
    count = connection.exec_driver_sql(f"SELECT count(*) FROM {table} WHERE length({column}) > {type_.length}").scalar()
    if count:
        raise SchemaMismatch((f"{described(found)}, and {count} row{'s' if count > 1 else ''} of it {SchemaMismatch.BROKEN}",))
    connection.exec_driver_sql(f"ALTER TABLE {table} ALTER COLUMN {column} TYPE {type_.compile(connection.dialect)}")


def _add_column(connection: sa.Connection, column: sa.Column[Any]) -> None:
    """Adds a column with its reference; on SQLite with its conditions too, which could not be added later."""
    quote = connection.dialect.identifier_preparer.quote
    parts = [str(CreateColumn(sa.Column(column.name, column.type)).compile(dialect=connection.dialect))]
    key = column.info.get("key")
    sqlite = connection.dialect.name == "sqlite"
    if sqlite and key is not None:
        target = key.elements[0].target_fullname.rpartition(".")
        parts.append(f"CONSTRAINT {quote(str(key.name))} REFERENCES {quote(target[0])} ({quote(target[2])}) ON DELETE {key.ondelete}")
    if sqlite:
        parts.extend(f"CONSTRAINT {quote(str(own.name))} CHECK ({own.sqltext})" for own in column.info.get("own", ()))
    connection.exec_driver_sql(f"ALTER TABLE {quote(column.table.name)} ADD COLUMN {' '.join(parts)}")
    if key is not None and not sqlite:
        connection.execute(AddConstraint(key))
