"""Parts of the model as plain JSON and back, whole and exact, so that a definition can be kept, compared and hashed.

A structure is an object with its class under ``$``; fields that have their default are left out, and so are the places in the
source (``at``), which move when other lines do. Values that JSON lacks are written with their kind.
"""

from __future__ import annotations

import datetime
import hashlib
import inspect
import uuid
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import cache
from types import ModuleType
from typing import Any, Final

import msgspec
from msgspec.structs import astuple

from codeai.language import types
from codeai.model import application, endpoint, entity, event, expression, integration, limits, security, statement, workflow
from codeai.model.traversal import SCALARS

_ROOMS: Final[tuple[ModuleType, ...]] = (
    *(types, application, endpoint, entity, event, expression, integration, limits, security, statement, workflow),
)
_SKIPPED: Final = frozenset({"at", "description"})
_WRITERS: Final[dict[type, Callable[[Any], object]]] = {
    Decimal: lambda value: {"$": "decimal", "value": str(value)},
    uuid.UUID: lambda value: {"$": "uuid", "value": str(value)},
    datetime.datetime: lambda value: {"$": "timestamp", "value": value.isoformat()},
    datetime.date: lambda value: {"$": "date", "value": value.isoformat()},
    datetime.time: lambda value: {"$": "time", "value": value.isoformat()},
    datetime.timedelta: lambda value: {"$": "duration", "value": value // datetime.timedelta(microseconds=1)},
    bytes: lambda value: {"$": "bytes", "value": value.hex()},
}
_READERS: Final[dict[str, Callable[[Any], object]]] = {
    "decimal": Decimal,
    "uuid": uuid.UUID,
    "timestamp": datetime.datetime.fromisoformat,
    "date": datetime.date.fromisoformat,
    "time": datetime.time.fromisoformat,
    "duration": lambda value: datetime.timedelta(microseconds=value),
    "bytes": bytes.fromhex,
    "list": lambda value: [loaded(part) for part in value],
    "map": lambda value: {key: loaded(part) for key, part in value},
    "set": lambda value: frozenset(loaded(part) for part in value),
}


class UnknownDefinition(ValueError):
    """Stored text that this version cannot read."""


@cache
def _classes() -> dict[str, type[msgspec.Struct]]:
    found: dict[str, type[msgspec.Struct]] = {}
    for room in _ROOMS:
        for name, value in inspect.getmembers(room, inspect.isclass):
            if issubclass(value, msgspec.Struct) and value.__module__ == room.__name__:
                found[f"{room.__name__.rpartition('.')[2]}.{name}"] = value
    return found


@cache
def _names() -> dict[type, str]:
    return {value: name for name, value in _classes().items()}


@cache
def _defaults(kind: type[msgspec.Struct]) -> tuple[tuple[str, object], ...]:
    return tuple((field.name, field.default) for field in msgspec.structs.fields(kind))


def dumped(value: object) -> object:
    """Plain data for a part of the model."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, msgspec.Struct):
        found: dict[str, object] = {"$": _names()[type(value)]}
        for name, default in _defaults(type(value)):
            part = getattr(value, name)
            if name not in _SKIPPED and not (type(part) is type(default) and part == default):
                found[name] = dumped(part)
        return found
    if isinstance(value, tuple):
        return [dumped(part) for part in value]
    if isinstance(value, list):
        return {"$": "list", "value": [dumped(part) for part in value]}
    if isinstance(value, dict):
        return {"$": "map", "value": [[key, dumped(part)] for key, part in value.items()]}
    if isinstance(value, frozenset | set):
        return {"$": "set", "value": sorted((dumped(part) for part in value), key=str)}
    return _WRITERS[type(value)](value)


def loaded(data: Any) -> Any:
    """The part of the model again.

    :raises UnknownDefinition: it was written by a version that knows more
    """
    if isinstance(data, list):
        return tuple(loaded(part) for part in data)
    if not isinstance(data, dict):
        return data
    kind = data["$"]
    if kind in _READERS:
        return _READERS[kind](data["value"])
    found = _classes().get(kind)
    try:
        if found is None:
            raise TypeError(f"unknown part '{kind}'")
        return found(**{name: loaded(part) for name, part in data.items() if name != "$"})
    except TypeError as error:
        raise UnknownDefinition(str(error)) from None


def parts(value: object, without: tuple[type, ...] = ()) -> Iterator[msgspec.Struct]:
    """Every structure inside a part of the model, itself included, in the order of the fields.

    :param without: kinds of structures that are left out, with all that is in them
    """
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, msgspec.Struct):
            if not isinstance(part, without):
                yield part
                waiting.extend([inside for inside in reversed(astuple(part)) if type(inside) not in SCALARS])
        elif isinstance(part, tuple | list):
            waiting.extend(reversed(part))


def digest(data: object) -> str:
    """The content hash (SHA-256, 32 hexadecimal digits) of plain data."""
    return hashlib.sha256(msgspec.json.encode(data, order="deterministic")).hexdigest()[:32]
