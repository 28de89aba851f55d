"""Values as they are recorded, and back: JSON keeps no types, the declared type of a result gives them again."""

from __future__ import annotations

import base64
import datetime
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, Final, Protocol

from codeai.evaluate.operations import FAILURES, converter, text
from codeai.language import types as t
from codeai.language.durations import duration_milliseconds
from codeai.storage.codecs import check_text, storable
from codeai.storage.errors import ValueOutOfRange

Restore = Callable[[Any], Any]
Readable = Callable[[str], Iterable[str]]
_PLAIN: Final = (t.Null, t.Unknown, t.Json, t.Bool, t.Int, t.String, t.Text, t.Email, t.Url, t.Enum, t.Void)

_MOST_DIGITS: Final = 4_000  # before or behind the point: Python reads 4,300 before it, PostgreSQL keeps 16,383 behind it
_LARGEST: Final = 10**_MOST_DIGITS
_SMALLEST: Final = -_LARGEST


class Rows(Protocol):
    """What the entities of a program say of their rows."""

    def key_type(self, entity: str) -> t.Type:
        """The type of the key, for references."""
        raise NotImplementedError

    def restore(self, entity: str, row: dict[str, Any]) -> dict[str, Any]:
        """A recorded row with its values in their form, and those of the rows it carries."""
        raise NotImplementedError


def recorded(value: Any) -> Any:
    """A value as JSON has it; parts of rows that only the process knows (``@relation``) are left out (see ``carrying``).

    :raises ValueOutOfRange: one that databases do not keep
    """
    if isinstance(value, str):
        return value if value.isascii() and "\x00" not in value else check_text(value)  # nearly all are the first
    if value is None or isinstance(value, float):
        return value
    if isinstance(value, int):
        return value if _SMALLEST < value < _LARGEST else _number(value)
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, (dict, Mapping)):  # the first is quick, and nearly always so
        return {_name(key): recorded(part) for key, part in value.items() if not str(key).startswith("@")}
    if isinstance(value, list | tuple):
        return [recorded(part) for part in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return text(value)


def _name(key: Any) -> str:
    found = str(key)
    return found if found.isascii() and "\x00" not in found else check_text(found)


def _number(value: int | Decimal) -> Decimal:
    if isinstance(value, Decimal):
        exponent = value.as_tuple().exponent
        if not isinstance(exponent, int) or (exponent >= -_MOST_DIGITS and value.adjusted() <= _MOST_DIGITS):
            return value
    raise ValueOutOfRange("a number has too many digits")


def storable_json(value: Any) -> Any:
    """A value as JSON has it, with its texts as databases keep them."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, Mapping):
        return {storable(str(key)): storable_json(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [storable_json(part) for part in value]
    return value


def shaper(type_: t.Type, readable: Readable) -> Restore | None:
    """The function that keeps of a result what its type names: secret fields of rows are never recorded, and so never shown.

    :param readable: the names of the fields of an entity that may leave
    :returns: None where everything stays
    """
    plain = t.required(type_)
    if isinstance(plain, t.Row):
        return _only(dict.fromkeys(readable(plain.entity)))
    if isinstance(plain, t.Record) and plain.fields:
        return _only({field.name: shaper(field.type, readable) for field in plain.fields})
    if isinstance(plain, t.List):
        item = shaper(plain.item, readable)
        return None if item is None else lambda value: [item(part) for part in value] if isinstance(value, list) else value
    return None


def _only(fields: Mapping[str, Restore | None]) -> Restore:
    def shape(value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        found = {name: part if (inner := fields[name]) is None else inner(part) for name, part in value.items() if name in fields}
        for key in value.get("@expand", ()):  # the relations that `with` names stand under their names, where the type has rows there
            inner = fields.get(key)
            if inner is not None:
                found[key] = inner(value.get("@" + key))
        return found

    return shape


def carrying(value: Any) -> Any:
    """Values as they are recorded for those who go on working with them: rows with the rows of their relations (``@relation``)."""
    if isinstance(value, Mapping):
        kept = {"@expand", *("@" + key for key in value.get("@expand", ()))}
        return {_name(key): carrying(part) for key, part in value.items() if not str(key).startswith("@") or key in kept}
    if isinstance(value, list | tuple):
        return [carrying(part) for part in value]
    return recorded(value)


def restorer(type_: t.Type, rows: Rows) -> Restore:
    """The function that gives recorded values of a type their form again; what does not fit any more stays as it is."""
    plain = t.required(type_)
    if isinstance(plain, _PLAIN):
        return lambda value: value
    if isinstance(plain, t.Ref):
        return restorer(rows.key_type(plain.entity), rows)
    if isinstance(plain, t.Row):
        return lambda value: rows.restore(plain.entity, value) if isinstance(value, dict) else value
    if isinstance(plain, t.List):
        item = restorer(plain.item, rows)
        return lambda value: [item(part) for part in value] if isinstance(value, list) else value
    if isinstance(plain, t.Map):
        inner = restorer(plain.value, rows)
        return lambda value: {name: inner(part) for name, part in value.items()} if isinstance(value, dict) else value
    if isinstance(plain, t.Record):
        return _record({field.name: restorer(field.type, rows) for field in plain.fields})
    if isinstance(plain, t.Bytes):
        return _lenient(base64.b64decode)
    if isinstance(plain, t.Duration):
        return _lenient(_duration)
    return _lenient(converter(plain))


def _record(fields: Mapping[str, Restore]) -> Restore:
    def restore(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {name: fields[name](part) if name in fields else part for name, part in value.items()}

    return restore


def _lenient(convert: Restore) -> Restore:
    def restore(value: Any) -> Any:
        if value is None:
            return None
        try:
            return convert(value)
        except FAILURES:
            return value

    return restore


def _duration(value: str) -> datetime.timedelta:
    found = duration_milliseconds(value)
    if found is None:
        raise ValueError("not a duration")
    return datetime.timedelta(milliseconds=found)
