"""Tables of ours as SQLAlchemy tables of one dialect."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from codeai.storage.interface import Dialect
from codeai.storage.schema.system import SYSTEM_TABLES
from codeai.storage.schema.system.table import Column, ColumnType, Index, Table


def add_system_tables(found: sa.MetaData, dialect: Dialect) -> None:
    """Adds all tables of ours to the metadata of a program."""
    for table in SYSTEM_TABLES:
        _table(found, table, dialect)


def _table(found: sa.MetaData, table: Table, dialect: Dialect) -> None:
    numbered = any(column.type == "identity" for column in table.columns)
    made = sa.Table(table.name, found, *(_column(column, dialect) for column in table.columns), sqlite_autoincrement=numbered)
    for index in table.indexes:
        _index(made, index)


def _column(column: Column, dialect: Dialect) -> sa.Column[Any]:
    if column.type == "identity":
        if dialect == "sqlite":
            return sa.Column(column.name, sa.Integer(), primary_key=True)
        return sa.Column(column.name, sa.BigInteger(), sa.Identity(), primary_key=True)
    type_ = _type(column.type, dialect)
    return sa.Column(column.name, type_, primary_key=column.primary, nullable=column.null, autoincrement=False)


def _type(type_: ColumnType, dialect: Dialect) -> sa.types.TypeEngine[Any]:
    if dialect == "sqlite":
        plain: dict[str, sa.types.TypeEngine[Any]] = {"int": sa.Integer(), "float": sa.REAL(), "bytes": sa.LargeBinary()}
        return plain.get(type_, sa.Text())
    found: dict[str, sa.types.TypeEngine[Any]] = {
        "text": sa.Text(),
        "uuid": pg.UUID(),
        "int": sa.BigInteger(),
        "timestamp": pg.TIMESTAMP(timezone=True),
        "json": pg.JSONB(),
        "float": pg.DOUBLE_PRECISION(),
        "bytes": pg.BYTEA(),
    }
    return found[type_]


def _index(table: sa.Table, index: Index) -> None:
    columns = [table.c[name.removesuffix(" desc")].desc() if name.endswith(" desc") else table.c[name] for name in index.columns]
    where = sa.text(index.where) if index.where is not None else None
    sa.Index(index.name, *columns, unique=index.unique, postgresql_where=where, sqlite_where=where)
