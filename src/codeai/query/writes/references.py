"""What is wrong with a reference: SQLite says only that one leads nowhere, not which, and not whether a row would go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from codeai.language import types as t
from codeai.model.entity import Entity
from codeai.query.compiler import Model
from codeai.storage.codecs import codec
from codeai.storage.errors import ForeignKeyViolation
from codeai.storage.interface import Session


async def named(error: ForeignKeyViolation, session: Session, model: Model, entity: Entity, row: Mapping[str, Any]) -> ForeignKeyViolation:
    """The error with the columns whose rows do not exist."""
    if error.columns or error.referenced or model.dialect.name != "sqlite":
        return error
    missing: list[str] = []
    for field in entity.fields:
        if not isinstance(field.type, t.Ref) or row.get(field.name) is None:
            continue
        other = model.entity(field.type.entity)
        key = codec(model.plain(field.stored_type), "sqlite").to_driver
        value = row[field.name] if key is None else key(row[field.name])
        text = f"SELECT 1 FROM {model.table(other)} WHERE {model.dialect.quote(other.primary)} = ?1"
        found = await session.fetch_row(text, (value,))
        if found is None:
            missing.append(field.name)
    return ForeignKeyViolation(str(error), table=entity.table, columns=tuple(missing))


def referenced(error: ForeignKeyViolation) -> ForeignKeyViolation:
    """The error of a deletion: others refer to the row."""
    return ForeignKeyViolation(str(error), table=error.table, columns=error.columns, constraint=error.constraint, referenced=True)
