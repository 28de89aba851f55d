"""The model as SQLAlchemy metadata, for one dialect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from codeai.language import types as t
from codeai.model.application import Application
from codeai.model.entity import Check, Entity, Field
from codeai.storage.codecs import native_array, scale_of
from codeai.storage.fulltext import searchable, vector_expression
from codeai.storage.interface import Dialect
from codeai.storage.schema import search
from codeai.storage.schema.checks import condition, field_conditions
from codeai.storage.schema.naming import fitting, tell_apart
from codeai.storage.schema.system import SYSTEM_TABLES
from codeai.storage.schema.system.rendering import add_system_tables

CheckText = Callable[[Entity, Check], str]
TEXT_ORDER = "C"  # texts are ordered by code point on both databases, so that indexes serve every sort


def metadata(application: Application, dialect: Dialect, check_text: CheckText) -> sa.MetaData:
    """Tables, constraints and indexes of a program.

    :param check_text: SQL of an entity's check, without parameters
    """
    found = sa.MetaData()
    tables = {entity.name: entity.table for entity in application.entities}
    keys = {entity.name: entity.primary for entity in application.entities}
    for entity in application.entities:
        _table(found, entity, dialect, tables, keys, check_text)
    add_system_tables(found, dialect)
    tell_apart(found, {table.name for table in SYSTEM_TABLES})
    return found


def _table(
    found: sa.MetaData, entity: Entity, dialect: Dialect, tables: dict[str, str], keys: dict[str, str], check_text: CheckText
) -> None:
    table = sa.Table(entity.table, found)
    for field in entity.fields:
        table.append_column(_column(field, dialect))
        for constraint in field_conditions(entity, field, dialect):
            table.append_constraint(constraint)
            table.c[field.name].info.setdefault("own", []).append(constraint)
        if field.unique and not field.primary:
            table.append_constraint(sa.UniqueConstraint(field.name, name=fitting(entity.table, field.name, "key")))
        if isinstance(field.type, t.Ref):
            key = _foreign_key(entity, field, tables, keys)
            table.append_constraint(key)
            table.c[field.name].info["key"] = key
            if not any(index.columns[0][0] == field.name for index in entity.indexes):
                sa.Index(fitting(entity.table, field.name, "idx"), table.c[field.name])
    for check in entity.checks:
        table.append_constraint(condition(check.name, check_text(entity, check)))
    for index in entity.indexes:
        columns = [_index_column(entity, table, name, descending, dialect) for name, descending in index.columns]
        sa.Index(fitting(index.name), *columns, unique=index.unique)
    if searchable(entity):
        _full_text(table, entity, dialect)


def _index_column(entity: Entity, table: sa.Table, name: str, descending: bool, dialect: Dialect) -> sa.ColumnElement[object]:
    """A column of an index, in the very order that the query compiler asks for (see ``query.dialects``)."""
    column = table.c[name]
    field = entity.field(name)
    if not descending:
        return column
    nullable = field is not None and field.nullable
    return column.desc().nulls_last() if dialect == "postgresql" and nullable else column.desc()


def _column(field: Field, dialect: Dialect) -> sa.Column[object]:
    type_ = column_type(field.stored_type, dialect)
    if field.primary and isinstance(field.type, t.Int) and field.auto:
        if dialect == "sqlite":
            return sa.Column(field.name, sa.Integer(), primary_key=True)
        return sa.Column(field.name, sa.BigInteger(), sa.Identity(), primary_key=True)
    if isinstance(field.type, t.Int) and field.auto and dialect == "postgresql":
        return sa.Column(field.name, sa.BigInteger(), sa.Identity(), nullable=False)
    return sa.Column(field.name, type_, primary_key=field.primary, nullable=field.nullable and not field.primary)


def column_type(type_: t.Type, dialect: Dialect) -> sa.types.TypeEngine[Any]:
    """The column type of a stored value (language page, section 3)."""
    return _postgresql_type(type_) if dialect == "postgresql" else _sqlite_type(type_)


def _postgresql_type(type_: t.Type) -> sa.types.TypeEngine[Any]:
    if isinstance(type_, t.String):
        return sa.String(type_.length, collation=TEXT_ORDER)
    if isinstance(type_, t.Decimal):
        return sa.Numeric(type_.precision, type_.scale)
    if native_array(type_) and isinstance(type_, t.List):
        return pg.ARRAY(_postgresql_type(t.required(type_.item)))
    for kinds, column in (
        ((t.Text, t.Email, t.Url, t.Enum), sa.Text(collation=TEXT_ORDER)),
        ((t.Uuid,), pg.UUID()),
        ((t.Int,), sa.BigInteger()),
        ((t.Float,), pg.DOUBLE_PRECISION()),
        ((t.Bool,), sa.Boolean()),
        ((t.Timestamp,), pg.TIMESTAMP(timezone=True)),
        ((t.Date,), sa.Date()),
        ((t.Time,), sa.Time()),
        ((t.Duration,), pg.INTERVAL()),
        ((t.Bytes,), pg.BYTEA()),
    ):
        if isinstance(type_, kinds):
            return column
    return pg.JSONB()


def _sqlite_type(type_: t.Type) -> sa.types.TypeEngine[Any]:
    if isinstance(type_, t.Int | t.Bool | t.Duration) or scale_of(type_) is not None:
        return sa.Integer()
    if isinstance(type_, t.Float):
        return sa.REAL()
    if isinstance(type_, t.Bytes):
        return sa.LargeBinary()
    return sa.Text()


def _foreign_key(entity: Entity, field: Field, tables: dict[str, str], keys: dict[str, str]) -> sa.ForeignKeyConstraint:
    assert isinstance(field.type, t.Ref)
    other = field.type.entity
    return sa.ForeignKeyConstraint(
        [field.name],
        [f"{tables[other]}.{keys[other]}"],
        name=fitting(entity.table, field.name, "fkey"),
        ondelete={"restrict": "RESTRICT", "cascade": "CASCADE", "set_null": "SET NULL"}[field.on_delete],
        use_alter=False,
    )


def _full_text(table: sa.Table, entity: Entity, dialect: Dialect) -> None:
    if dialect == "postgresql":
        sa.Index(search.index_name(entity), sa.text(vector_expression(entity)), postgresql_using="gin", _table=table)
        return
    for statement in search.statements(entity):
        sa.event.listen(table, "after_create", sa.DDL(statement.replace("%", "%%")))  # type: ignore[no-untyped-call]  # untyped in SQLAlchemy
