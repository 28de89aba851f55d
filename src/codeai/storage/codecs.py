"""The one table of conversions between values and what the drivers take and give (language page, section 3).

A conversion that is None is the identity, so that hot paths can leave it out. Nulls are the caller's matter: no conversion
is called with None.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

import msgspec

from codeai.language import types as t
from codeai.storage.documents import reading
from codeai.storage.errors import ValueOutOfRange
from codeai.storage.interface import Dialect

Conversion = Callable[[Any], Any]

_JSON: Final = msgspec.json.Encoder(decimal_format="number")
_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_SCALAR: Final = (t.Uuid, t.String, t.Text, t.Email, t.Url, t.Enum, t.Int, t.Float, t.Decimal, t.Bool, t.Timestamp, t.Date, t.Time)
SCALED_DIGITS: Final = 18


class Codec(msgspec.Struct, frozen=True):
    """How values of one type travel: to the driver, back as values, and back as what the JSON encoder takes."""

    to_driver: Conversion | None = None
    from_driver: Conversion | None = None
    json_from_driver: Conversion | None = None


def scale_of(type_: t.Type) -> int | None:
    """The number of decimal places by which SQLite stores a decimal as a scaled integer; None when it is stored as text."""
    if isinstance(type_, t.Decimal) and type_.precision is not None and type_.precision <= SCALED_DIGITS:
        return type_.scale or 0
    return None


def native_array(type_: t.Type) -> bool:
    """Whether PostgreSQL stores a list as an array of its item type."""
    return isinstance(type_, t.List) and isinstance(t.required(type_.item), _SCALAR)


@lru_cache(maxsize=1024)
def codec(type_: t.Type, dialect: Dialect) -> Codec:
    """The conversions of a type. References have to be given as the type of their key."""
    type_ = t.required(type_)
    return _postgresql(type_) if dialect == "postgresql" else _sqlite(type_)


def encode_json(value: object) -> str:
    """JSON text with exact numbers."""
    return _JSON.encode(value).decode()


def decode_json(text: str) -> Any:
    """JSON text with exact decimals."""
    return json.loads(text, parse_float=Decimal)


def check_text(value: str) -> str:
    """A text that both databases can hold: no null character, no lone surrogate."""
    if "\x00" in value:
        raise ValueOutOfRange("a text must not contain the null character")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueOutOfRange("a text must be valid Unicode") from None
    return value


def storable(value: str) -> str:
    """A text as both databases can hold it: what ``check_text`` refuses is replaced by the sign for that (U+FFFD)."""
    if value.isascii() and "\x00" not in value:
        return value
    return value.replace("\x00", "\ufffd").encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def check_int(value: int) -> int:
    """A whole number of 64 bits."""
    if not -(2**63) <= value < 2**63:
        raise ValueOutOfRange("a whole number must fit in 64 bits")
    return value


def _postgresql(type_: t.Type) -> Codec:
    if isinstance(type_, t.String | t.Text | t.Email | t.Url | t.Enum):
        return Codec(to_driver=check_text)
    if isinstance(type_, t.Int):
        return Codec(to_driver=check_int)
    if isinstance(type_, t.Json | t.Map | t.Record) or (isinstance(type_, t.List) and not native_array(type_)):
        return _document(type_)
    return Codec()


def _document(type_: t.Type) -> Codec:
    """A column of JSON: its members become values of their types; answers pass it on as it is stored."""
    read = reading(type_)
    from_driver = decode_json if read is None else lambda text: read(decode_json(text))
    return Codec(encode_json, from_driver, lambda text: msgspec.Raw(text.encode()))


def format_timestamp(value: datetime.datetime) -> str:
    """RFC 3339 in UTC with six places: texts sort as instants do."""
    utc = value.astimezone(datetime.UTC)
    return (
        f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond:06d}Z"
        if utc.year >= 1000
        else f"{utc.year:04d}-{utc:%m-%dT%H:%M:%S}.{utc.microsecond:06d}Z"
    )


def _parse_timestamp(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)


def _json_timestamp(text: str) -> str:
    return text[:-8] + "Z" if text.endswith(".000000Z") else text


def _duration_to_int(value: datetime.timedelta) -> int:
    return value // datetime.timedelta(milliseconds=1)


def _duration_from_int(value: int) -> datetime.timedelta:
    return datetime.timedelta(milliseconds=value)


def _scaled(scale: int) -> Codec:
    factor = Decimal(10) ** scale
    exponent = Decimal(1).scaleb(-scale)

    def to_driver(value: Decimal) -> int:
        return check_int(int((Decimal(value) * factor).to_integral_value()))

    def from_driver(value: int) -> Decimal:
        return (Decimal(value) / factor).quantize(exponent)

    return Codec(to_driver, from_driver, from_driver)


def _json_list(item: t.Type) -> Codec:
    inner = codec(item, "sqlite") if isinstance(t.required(item), t.Timestamp | t.Duration) else None

    def to_driver(value: list[Any]) -> str:
        if inner is not None and inner.to_driver is not None:
            convert = inner.to_driver
            return encode_json([None if part is None else convert(part) for part in value])
        return encode_json(value)

    def from_driver(text: str) -> Any:
        found = decode_json(text)
        plain = t.required(item)
        if isinstance(plain, t.Uuid):
            return [None if part is None else UUID(part) for part in found]
        if isinstance(plain, t.Date):
            return [None if part is None else datetime.date.fromisoformat(part) for part in found]
        if inner is not None and inner.from_driver is not None:
            convert = inner.from_driver
            return [None if part is None else convert(part) for part in found]
        return found

    return Codec(to_driver, from_driver, lambda text: msgspec.Raw(text.encode()))


def _sqlite(type_: t.Type) -> Codec:
    if isinstance(type_, t.String | t.Text | t.Email | t.Url | t.Enum):
        return Codec(to_driver=check_text)
    if isinstance(type_, t.Int):
        return Codec(to_driver=check_int)
    if isinstance(type_, t.Uuid):
        return Codec(msgspec.to_builtins, UUID, None)  # the text, in a quarter of the time of str
    if isinstance(type_, t.Bool):
        return Codec(int, bool, bool)
    if isinstance(type_, t.Timestamp):
        return Codec(format_timestamp, _parse_timestamp, _json_timestamp)
    if isinstance(type_, t.Date):
        return Codec(datetime.date.isoformat, datetime.date.fromisoformat, None)
    if isinstance(type_, t.Time):
        return Codec(datetime.time.isoformat, datetime.time.fromisoformat, None)
    if isinstance(type_, t.Duration):
        return Codec(_duration_to_int, _duration_from_int, _duration_from_int)
    if isinstance(type_, t.Decimal):
        scale = scale_of(type_)
        return _scaled(scale) if scale is not None else Codec(_plain_decimal, Decimal, Decimal)
    if isinstance(type_, t.List):
        documents = isinstance(t.required(type_.item), t.List | t.Map | t.Record)
        return _document(type_) if documents else _json_list(type_.item)
    if isinstance(type_, t.Json | t.Map | t.Record):
        return _document(type_)
    return Codec()


def _plain_decimal(value: Decimal) -> str:
    return format(Decimal(value), "f")
