"""A new row as one of many: what is written when several requests create rows at the same time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from codeai.language import types as t
from codeai.model.entity import Entity
from codeai.query.compiler import Model
from codeai.storage.interface import OneOfMany

_LOCKS: Final = 50  # ms until a statement of many gives up, long before PostgreSQL looks for deadlocks (1 s)


def one_of_many(model: Model, entity: Entity, names: Sequence[str], one: str) -> OneOfMany | None:
    """The statement of one row with that of many; None where there is none.

    :param names: the fields that are written, in the order of the values
    :param one: the statement of one row
    """
    dialect = model.dialect
    if dialect.name != "postgresql":
        return None
    fields = [field for field in entity.fields if field.name in names]
    casts = {field.name: dialect.cast(model.plain(field.stored_type)) for field in fields}
    if any(isinstance(t.required(model.plain(field.stored_type)), t.List) or casts[field.name] == "jsonb" for field in fields):
        return None  # a list of lists cannot be taken apart row by row
    places = range(len(names))
    lists = ", ".join(f"${at + 1}::{casts[name]}[]" for at, name in enumerate(names))
    many = (
        f"INSERT INTO {model.table(entity)} ({', '.join(map(dialect.quote, names))}) "
        f"SELECT {', '.join(f'v.c{at}' for at in places)} "
        f"FROM unnest({lists}) AS v({', '.join(f'c{at}' for at in places)}), "
        f"(SELECT set_config('lock_timeout', '{_LOCKS}', true)) AS l "
        f"RETURNING {dialect.quote(entity.primary)}"
    )
    return OneOfMany(one, many, list(names).index(entity.primary))
