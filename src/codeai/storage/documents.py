"""Values inside of documents: JSON has no times, keys or exact numbers of its own, the members of records and lists have.

Tolerant: what does not fit its type stays as it was stored, since rows may be older than the type that is declared now.
"""

from __future__ import annotations

import base64
import datetime
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import msgspec

from codeai.language import types as t

Reading = Callable[[Any], Any]
_SCALARS: Final[dict[type[t.Type], Reading]] = {
    t.Uuid: UUID,
    t.Timestamp: datetime.datetime.fromisoformat,
    t.Date: datetime.date.fromisoformat,
    t.Time: datetime.time.fromisoformat,
    t.Duration: lambda value: msgspec.convert(value, datetime.timedelta),
    t.Decimal: Decimal,
    t.Float: float,
    t.Bytes: lambda value: base64.b64decode(value, validate=True),
}


def reading(type_: t.Type) -> Reading | None:
    """What makes a value of the type from decoded JSON; None when it is one already."""
    plain = t.required(type_)
    if isinstance(plain, t.List):
        return _of_list(reading(plain.item))
    if isinstance(plain, t.Map):
        return _of_map(reading(plain.value))
    if isinstance(plain, t.Record):
        return _of_record({field.name: found for field in plain.fields if (found := reading(field.type)) is not None})
    found = _SCALARS.get(type(plain))
    return None if found is None else _tolerant(found)


def _tolerant(read: Reading) -> Reading:
    def converted(value: Any) -> Any:
        if value is None or isinstance(value, bool):
            return value
        try:
            return read(value)
        except (ValueError, TypeError, ArithmeticError):
            return value

    return converted


def _of_list(item: Reading | None) -> Reading | None:
    if item is None:
        return None
    return lambda value: [item(part) for part in value] if isinstance(value, list) else value


def _of_map(item: Reading | None) -> Reading | None:
    if item is None:
        return None
    return lambda value: {key: item(part) for key, part in value.items()} if isinstance(value, dict) else value


def _of_record(members: dict[str, Reading]) -> Reading | None:
    if not members:
        return None

    def converted(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {key: members[key](part) if key in members else part for key, part in value.items()}

    return converted
