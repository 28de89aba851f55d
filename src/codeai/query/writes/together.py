"""A new row as one of many: what is written when several requests create rows at the same time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from codeai.language import types as t
from codeai.model.entity import Entity
from codeai.query.compiler import Model
from codeai.query.writes.companions import Companion
from codeai.storage.many import OneOfMany

_LOCKS: Final = 50  # ms until a statement of many gives up, long before PostgreSQL looks for deadlocks (1 s)
_LIMIT: Final = f"(SELECT set_config('lock_timeout', '{_LOCKS}', true)) AS l"


def one_of_many(model: Model, entity: Entity, names: Sequence[str], companions: Sequence[Companion], one: str) -> str:
    """The statement of one row as one of many; as it is where there is none for many.

    :param names: the fields that are written, in the order of the values
    :param companions: rows whose values follow
    :param one: the statement of one row with its companions
    """
    dialect = model.dialect
    types = [model.plain(field.stored_type) for name in names if (field := entity.field(name)) is not None]
    if dialect.name != "postgresql" or any(isinstance(t.required(type_), t.List) for type_ in types):
        return one  # a list of lists cannot be taken apart row by row
    key = list(names).index(entity.primary)
    columns = [(dialect.quote(name), dialect.cast(type_)) for name, type_ in zip(names, types, strict=True)]
    rows = f"INSERT INTO {model.table(entity)} ({_names(columns)}) SELECT {_values(columns)} FROM {_lists(columns, 0)}, {_LIMIT}"
    rows += f" RETURNING {dialect.quote(entity.primary)}"
    if not companions:
        return OneOfMany.of(one, rows, key)
    parts, at = [f"WITH made(key) AS ({rows})"], len(columns)
    for number, companion in enumerate(companions):
        beside = [(f'"{name}"', cast) for name, cast in companion.table.columns]
        source = f"{_lists(beside, at, more=f', ${key + 1}::{columns[key][1]}[]')} JOIN made ON made.key = v.c{len(beside)}"
        parts.append(f'also{number} AS (INSERT INTO "{companion.table.name}" ({_names(beside)}) SELECT {_values(beside)} FROM {source})')
        at += len(beside)
    return OneOfMany.of(one, ", ".join(parts) + " SELECT key FROM made", key)


def _names(columns: Sequence[tuple[str, str]]) -> str:
    return ", ".join(name for name, _ in columns)


def _values(columns: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"v.c{at}::{cast}" for at, (_, cast) in enumerate(columns))


def _lists(columns: Sequence[tuple[str, str]], first: int, more: str = "") -> str:
    """The lists of columns as rows ``v``, from a parameter on; documents travel as texts. ``more`` is another list behind them."""
    lists = ", ".join(f"${first + at + 1}::{'text' if cast == 'jsonb' else cast}[]" for at, (_, cast) in enumerate(columns))
    places = ", ".join(f"c{at}" for at in range(len(columns) + bool(more)))
    return f"unnest({lists}{more}) AS v({places})"
