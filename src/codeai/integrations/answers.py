"""Answers of peers: from bytes to checked values of the type that an operation declares.

Tolerant in what a peer may add (unknown members are left out of records), strict in what it promised (types, required members).
"""

from __future__ import annotations

import base64
import datetime
import json
import math
import uuid
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from codeai.evaluate.operations import converter
from codeai.integrations.errors import AnswerInvalid
from codeai.integrations.outbound import Answer
from codeai.language import types as t
from codeai.language.durations import duration_milliseconds
from codeai.model.entity import Constraints
from codeai.model.validation import check_of

Reader = Callable[[Any], Any]
Absent = Callable[[str], Mapping[str, Callable[[], Any]]]
"""What makes the members of a record type that a peer left out, by its name."""
_MOST_DIGITS: Final = 1000


class _Mismatch(ValueError):
    """A value of another type; ``path`` leads to it."""

    def __init__(self, wanted: str, path: str = "") -> None:
        super().__init__(wanted)
        self.wanted = wanted
        self.path = path


class AnswerReader:
    """Reads the answers of one operation.

    :param type_: what the operation returns; ``void`` reads nothing
    """

    def __init__(self, type_: t.Type, absent: Absent = lambda _: {}) -> None:
        plain = t.required(type_)
        self._void = isinstance(plain, t.Void)
        self._nullable = t.is_nullable(type_) or isinstance(plain, t.Json)
        self._text = isinstance(plain, t.String | t.Text)
        self._bytes = isinstance(plain, t.Bytes)
        self._read = _reader(type_, absent)

    def read(self, answer: Answer) -> Any:
        """The value of a successful answer; raises AnswerInvalid."""
        kind = answer.header("content-type").partition(";")[0].strip().lower()
        if self._void:
            return None
        if not answer.body and self._nullable:
            return None
        if self._bytes and "json" not in kind:
            return answer.body
        if self._text and "json" not in kind:
            return answer.body.decode("utf-8", "replace")
        return self.value(parse(answer.body))

    def value(self, document: Any) -> Any:
        """A decoded document as a value of the type; raises AnswerInvalid."""
        try:
            return self._read(document)
        except _Mismatch as error:
            place = f"'{error.path.lstrip('.')}' of the answer" if error.path else "the answer"
            raise AnswerInvalid(f"{place} is not {error.wanted}") from None


def parse(body: bytes) -> Any:
    """A JSON document, numbers with their digits; raises AnswerInvalid."""
    try:
        return json.loads(body, parse_float=_number, parse_constant=_constant)
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise AnswerInvalid(f"the answer is no JSON: {type(error).__name__}") from None


def _number(text: str) -> Decimal:
    found = Decimal(text)
    if not _writable(found):
        raise ValueError
    return found


def _constant(name: str) -> Any:
    raise ValueError(name)


def _reader(type_: t.Type, absent: Absent) -> Reader:
    if isinstance(type_, t.Optional):
        inner = _reader(type_.item, absent)
        return lambda value: None if value is None else inner(value)
    if isinstance(type_, t.Record) and type_.fields:  # of a type within itself the name only is known
        return _record(type_, absent)
    if isinstance(type_, t.List):
        return _list(_reader(type_.item, absent))
    if isinstance(type_, t.Map):
        return _map(_reader(type_.value, absent))
    for kind, (wanted, read) in _SCALARS.items():
        if isinstance(type_, kind):
            return _scalar(type_, wanted, read)
    return lambda value: value


def _record(type_: t.Record, absent: Absent) -> Reader:
    defaults = absent(type_.name)
    fields = [
        (field.name, _reader(field.type, absent), (field.required or field.name in defaults) and not t.is_nullable(field.type))
        for field in type_.fields
    ]

    def read(value: Any) -> Any:
        if not isinstance(value, dict):
            raise _Mismatch("an object")
        found: dict[str, Any] = {}
        for name, inner, never_null in fields:
            if name not in value and name in defaults:
                found[name] = defaults[name]()
                continue
            part = value.get(name)
            if part is None and never_null:
                raise _Mismatch("there", f".{name}")
            try:
                found[name] = None if part is None else inner(part)
            except _Mismatch as error:
                raise _Mismatch(error.wanted, f".{name}{error.path}") from None
        return found

    return read


def _list(inner: Reader) -> Reader:
    def read(value: Any) -> Any:
        if not isinstance(value, list):
            raise _Mismatch("an array")
        return [_inside(inner, item, f".{at}") for at, item in enumerate(value)]

    return read


def _map(inner: Reader) -> Reader:
    def read(value: Any) -> Any:
        if not isinstance(value, dict):
            raise _Mismatch("an object")
        return {name: _inside(inner, item, f".{name}") for name, item in value.items()}

    return read


def _inside(inner: Reader, value: Any, path: str) -> Any:
    try:
        return inner(value)
    except _Mismatch as error:
        raise _Mismatch(error.wanted, path + error.path) from None


def _scalar(type_: t.Type, wanted: str, read: Reader) -> Reader:
    # The length of a plain string is a matter of our columns, not of the peer.
    rule = check_of(t.Text() if isinstance(type_, t.String) else type_, Constraints())

    def check(value: Any) -> Any:
        try:
            found = read(value)
        except (ValueError, TypeError, ArithmeticError):
            raise _Mismatch(wanted) from None
        wrong = rule(found)
        if wrong is not None:
            raise _Mismatch(f"fine: it {wrong[1]}")
        return found

    return check


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise TypeError
    if isinstance(value, Decimal) and (not _writable(value) or value != value.to_integral_value()):
        raise ValueError
    return int(value)


def _decimal(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise TypeError
    found = Decimal(value)
    if not _writable(found):
        raise ValueError
    return found


def _writable(value: Decimal) -> bool:
    """Whether a number can be written out: ``1e999999999`` is short, and its digits would keep the server busy for hours."""
    return value.is_finite() and abs(value.adjusted()) <= _MOST_DIGITS


def _float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | Decimal | float):  # a float is what a test says with 'mock'
        raise TypeError
    found = float(value)
    if not math.isfinite(found):
        raise ValueError
    return found


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _duration(value: Any) -> datetime.timedelta:
    milliseconds = duration_milliseconds(_text(value))
    if milliseconds is None:
        raise ValueError
    return datetime.timedelta(milliseconds=milliseconds)


_SCALARS: Final[dict[type[t.Type], tuple[str, Reader]]] = {
    t.Uuid: ("a uuid", lambda value: uuid.UUID(_text(value))),
    t.Int: ("a whole number", _whole),
    t.Decimal: ("a number", _decimal),
    t.Float: ("a number", _float),
    t.Bool: ("true or false", _bool),
    t.Timestamp: ("a timestamp", lambda value: converter(t.Timestamp())(_text(value))),
    t.Date: ("a date", lambda value: datetime.date.fromisoformat(_text(value))),
    t.Time: ("a time", lambda value: datetime.time.fromisoformat(_text(value))),
    t.Duration: ("a duration", _duration),
    t.Bytes: ("base64", lambda value: base64.b64decode(_text(value), validate=True)),
    t.String: ("a string", _text),
    t.Text: ("a string", _text),
    t.Email: ("an e-mail address", _text),
    t.Url: ("a URL", _text),
    t.Enum: ("one of its members", _text),
}
