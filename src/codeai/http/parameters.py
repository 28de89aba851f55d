"""Path, query, header and cookie parameters: from text to checked values."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from urllib.parse import unquote_to_bytes
from uuid import UUID

import msgspec

from codeai.http.problems import FieldError, Problem
from codeai.language import types as t
from codeai.language.durations import duration_milliseconds
from codeai.language.suggestions import suggest
from codeai.model.endpoint import InputField
from codeai.model.validation import check_of, rounded, rules_of

_MOST_PARAMETERS: Final = 100
_LISTING: Final = frozenset(["q", "search", "sort", "page", "limit", "cursor", "expand", "total"])


class BadText(ValueError):
    """A text that is no value of the wanted type; the text of the error says what is wanted."""


def unknown_parameters(given: Iterable[str], known: Collection[str]) -> Iterator[FieldError]:
    """What to say of parameters that an endpoint does not have."""
    for name in given:
        if name not in known:
            near = suggest(name[:100], known)
            more = f"; did you mean '{near}'?" if near else ""
            yield FieldError(name, "unknown_parameter", "is not a parameter of this endpoint" + more)


def sentence(wanted: BadText) -> str:
    """What is wanted, as the message of a field."""
    text = str(wanted)
    return text if text.startswith("must ") else f"must be {text}"


def _uuid(text: str) -> UUID:
    if len(text) != 36:
        raise BadText("a uuid")
    try:
        return msgspec.convert(text, UUID)  # a third of the time of the class itself
    except msgspec.ValidationError:
        raise BadText("a uuid") from None


def _int(text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,19}", text):
        raise BadText("a whole number")
    return int(text)


def _decimal(text: str) -> Decimal:
    try:
        found = Decimal(text) if len(text) <= 60 and "_" not in text else None
    except InvalidOperation:
        found = None
    if found is None or not found.is_finite():
        raise BadText("a number")
    return found


def _float(text: str) -> float:
    return float(_decimal(text))


def _bool(text: str) -> bool:
    if text not in ("true", "false", "1", "0"):
        raise BadText("true or false")
    return text in ("true", "1")


def _timestamp(text: str) -> datetime.datetime:
    try:
        found = datetime.datetime.fromisoformat(text.replace(" ", "+"))
        return found.astimezone(datetime.UTC) if found.tzinfo else found.replace(tzinfo=datetime.UTC)
    except (ValueError, OverflowError):
        raise BadText("an RFC 3339 timestamp") from None


def _date(text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text) if len(text) == 10 else _fail("a date, as in 2026-01-31")
    except ValueError:
        raise BadText("a date, as in 2026-01-31") from None


def _time(text: str) -> datetime.time:
    try:
        return datetime.time.fromisoformat(text)
    except ValueError:
        raise BadText("a time, as in 14:30:00") from None


def _duration(text: str) -> datetime.timedelta:
    milliseconds = duration_milliseconds(text) if len(text) <= 60 else None
    try:
        return datetime.timedelta(milliseconds=milliseconds) if milliseconds is not None else _fail("a duration, as in 1h30m")
    except OverflowError:
        raise BadText("a duration, as in 1h30m") from None


def _fail(wanted: str) -> Any:
    raise BadText(wanted)


def _text(text: str) -> str:
    return text


_READERS: Final[Mapping[type[t.Type], Callable[[str], Any]]] = {
    t.Uuid: _uuid,
    t.Int: _int,
    t.Decimal: _decimal,
    t.Float: _float,
    t.Bool: _bool,
    t.Timestamp: _timestamp,
    t.Date: _date,
    t.Time: _time,
    t.Duration: _duration,
}

Reader = Callable[[list[str]], Any]


def reader(field: InputField, key_of: Callable[[str], t.Type]) -> Reader:
    """A function from the texts of a parameter (several when it is repeated) to its checked value.

    It raises BadText for what is no value of the type, or what breaks the constraints of the field.
    """
    type_ = t.required(field.type)
    many = isinstance(type_, t.List)
    item = t.required(type_.item) if isinstance(type_, t.List) else type_
    if isinstance(item, t.Ref | t.Row):
        item = key_of(item.entity)
    read = _READERS.get(type(item), _text)
    check = check_of(t.List(item) if many else item, field.constraints)
    scale = item.scale or 0 if isinstance(item, t.Decimal) and item.precision is not None else None

    if not many and scale is None and not rules_of(item, field.constraints):

        def plain(texts: list[str]) -> Any:
            if len(texts) > 1:
                raise BadText("one value, not several")
            return read(texts[0])

        return plain

    def one(text: str) -> Any:
        value = read(text)
        return rounded(value, scale) if scale is not None else value

    def call(texts: list[str]) -> Any:
        if not many and len(texts) > 1:
            raise BadText("one value, not several")
        value = [one(part) for text in texts for part in text.split(",")] if many else one(texts[0])
        found = check(value)
        if found is not None:
            raise BadText(found[1])
        return value

    return call


def parse_query(raw: bytes) -> dict[str, list[str]]:
    """The parameters of a query string, each with all of its texts.

    :raises Problem: 400 when it is malformed or has too many
    """
    found: dict[str, list[str]] = {}
    parts = raw.split(b"&")
    if len(parts) > _MOST_PARAMETERS:
        raise Problem(400, f"more than {_MOST_PARAMETERS} query parameters", "malformed_query")
    for part in parts:
        if not part:
            continue
        name, _, value = part.partition(b"=")
        try:
            texts = found.setdefault(_decoded(name), [])
            texts.append(_decoded(value))
        except UnicodeDecodeError:
            raise Problem(400, "the query string is not UTF-8", "malformed_query") from None
    return found


def _decoded(part: bytes) -> str:
    text = unquote_to_bytes(part.replace(b"+", b" ")).decode()
    if "\x00" in text:
        raise Problem(400, "the query string has a null character", "malformed_query")
    return text


def parse_cookies(raw: bytes | None) -> dict[str, list[str]]:
    """The cookies of a request (RFC 6265, section 5.4), the first of each name."""
    found: dict[str, list[str]] = {}
    for part in (raw or b"").decode("latin-1").split(";"):
        name, equals, value = part.strip().partition("=")
        if equals:
            found.setdefault(name, [value.strip('"')])
    return found


class ParameterDecoder:
    """Decodes the parameters of one place (query, header, cookie) of one endpoint.

    :param closed: unknown names are refused
    :param listing: the names that generated lists understand beside the declared ones are known
    """

    def __init__(
        self,
        place: str,
        fields: tuple[InputField, ...],
        key_of: Callable[[str], t.Type],
        default: Callable[[InputField], Callable[[], Any]],
        *,
        closed: bool = False,
        listing: bool = False,
    ) -> None:
        self._place = place
        self._readers = [(field, field.name.lower() if place == "header" else field.name, reader(field, key_of)) for field in fields]
        self._defaults = {field.name: default(field) for field in fields if field.default is not None}
        self._known = frozenset(field.name for field in fields) | (_LISTING if listing else frozenset())
        self._closed = closed

    def decode(self, texts: Mapping[str, list[str]]) -> tuple[dict[str, Any], frozenset[str]]:
        """The values by name and the names that were sent.

        :raises Problem: 422 with every parameter that is wrong
        """
        values: dict[str, Any] = {}
        errors: list[FieldError] = []
        sent: set[str] = set()
        for field, name, read in self._readers:
            given = texts.get(name)
            if given is None:
                if field.name in self._defaults:
                    values[field.name] = self._defaults[field.name]()
                elif field.required:
                    errors.append(FieldError(field.name, "required", f"{self._place} parameter is missing"))
                continue
            sent.add(field.name)
            try:
                values[field.name] = read(given)
            except BadText as wanted:
                errors.append(FieldError(field.name, "wrong_value", sentence(wanted)))
        if self._closed:
            errors.extend(unknown_parameters(texts, self._known))
        if errors:
            raise Problem(422, "the request has invalid parameters", "invalid", errors=tuple(errors))
        return values, frozenset(sent)
