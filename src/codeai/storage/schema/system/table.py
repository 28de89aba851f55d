"""Tables of ours as plain data: what a table is, without a schema library, so that start-up can compare it cheaply."""

from __future__ import annotations

from typing import Literal

import msgspec

ColumnType = Literal["text", "uuid", "int", "identity", "timestamp", "json", "float", "bytes"]


class Column(msgspec.Struct, frozen=True):
    """A column. ``identity`` numbers rows and never gives a number twice. Truth values are ``int`` 0 and 1, the same on both databases."""

    name: str
    type: ColumnType
    null: bool = False
    primary: bool = False


class Index(msgspec.Struct, frozen=True):
    """An index; a column may end in `` desc``; ``where`` makes it partial and is SQL that both databases take."""

    name: str
    columns: tuple[str, ...]
    unique: bool = False
    where: str | None = None


class Table(msgspec.Struct, frozen=True):
    """A table."""

    name: str
    columns: tuple[Column, ...]
    indexes: tuple[Index, ...] = ()
