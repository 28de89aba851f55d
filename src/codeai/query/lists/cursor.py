"""Cursors: where a page ends, as the sort key of its last row. Opaque to clients; base64url of JSON, not signed, since it
says nothing that the client has not seen and grants nothing: the conditions of the list apply beside it.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import decimal
import hashlib
import uuid
from collections.abc import Sequence
from typing import Any, Final, Literal

import msgspec

from codeai.language import types as t
from codeai.query.compiler import Compiler
from codeai.query.errors import InvalidValue
from codeai.query.lists.sorting import Term
from codeai.query.sql import Bind, Sql, extra, joined
from codeai.query.truth import NEVER, Test, Truth, all_of, any_of
from codeai.query.values import Value

Direction = Literal["next", "previous"]
MAX_LENGTH: Final = 4_000
_STANDARD: Final = bytes.maketrans(b"-_+/", b"+/!!")  # of the alphabet of URLs; what is not in that stays out
_encode: Final = msgspec.json.Encoder().encode
_PYTHON: Final[dict[type[t.Type], Any]] = {
    t.Uuid: uuid.UUID,
    t.Int: int,
    t.Float: float,
    t.Decimal: decimal.Decimal,
    t.Bool: bool,
    t.Timestamp: datetime.datetime,
    t.Date: datetime.date,
    t.Time: datetime.time,
    t.Duration: datetime.timedelta,
}


class Cursor(msgspec.Struct, frozen=True):
    """A place in an ordered list: the sort key beyond which (or before which) the page lies."""

    direction: Direction
    key: tuple[Any, ...]

    @property
    def nulls(self) -> tuple[bool, ...]:
        """Which parts of the key are null: that decides the form of the condition."""
        return tuple([part is None for part in self.key])


class Cursors:
    """The cursors of one order of a list. Each has a short mark, by which those of another list or sort are known.

    :param types: those of the terms
    """

    def __init__(self, entity: str, order: Sequence[Term], types: Sequence[t.Type]) -> None:
        text = f"{entity}:" + ",".join(("-" if term.descending else "") + term.field.name for term in order)
        self._mark = hashlib.sha256(text.encode()).hexdigest()[:8]
        self._order = tuple(order)
        self._types = tuple(types)
        parts = tuple(python_type(type_) | None for type_ in types)  # types made at run time
        self._decode = msgspec.json.Decoder(tuple[str, Direction, tuple[parts]]).decode  # type: ignore[valid-type]  # as above

    def encode(self, direction: Direction, key: Sequence[Any]) -> str:
        """The text of a cursor."""
        return base64.urlsafe_b64encode(_encode([self._mark, direction, list(key)])).rstrip(b"=").decode()

    def decode(self, text: str) -> Cursor:
        """The place that a cursor stands for.

        :raises InvalidValue: it is malformed, or was made for another list or sort
        """
        if len(text) > MAX_LENGTH or not text.isascii():
            raise _malformed()
        try:
            raw = binascii.a2b_base64(text.encode().translate(_STANDARD) + b"=" * (-len(text) % 4), strict_mode=True)
            try:
                mark, direction, key = self._decode(raw)
            except msgspec.ValidationError:  # of another list, of another form of the same value, or wrong
                return self._closely(raw)
            if mark != self._mark or (None in key and not self._may_be_null(key)):
                return self._closely(raw)
            return Cursor(direction, key)
        except (binascii.Error, ValueError, msgspec.DecodeError, RecursionError, OverflowError):
            raise _malformed() from None

    def _may_be_null(self, key: Sequence[Any]) -> bool:
        return not any(part is None and term.field.primary for part, term in zip(key, self._order, strict=True))

    def _closely(self, raw: bytes) -> Cursor:
        """The place, value by value, or what is wrong with it."""
        found, direction, key = msgspec.json.decode(raw, type=tuple[str, Direction, list[Any]])
        if found != self._mark:
            raise InvalidValue("cursor", "foreign", "this cursor belongs to another list or sort", hint="start again without a cursor")
        if len(key) != len(self._order):
            raise _malformed()
        return Cursor(direction, tuple(_value(part, type_, term) for part, type_, term in zip(key, self._types, self._order, strict=True)))


def _malformed() -> InvalidValue:
    return InvalidValue("cursor", "malformed", "this is not a cursor of ours", hint="pass next_cursor or prev_cursor as it came")


def _value(part: Any, type_: t.Type, term: Term) -> Any:
    if part is None:
        if term.field.primary:
            raise ValueError("a key is never null")
        return None
    found = msgspec.convert(part, python_type(type_), strict=isinstance(type_, t.Int | t.Bool | t.Float))
    if isinstance(found, float) and found != found:
        raise ValueError("not a number")
    return found


def python_type(type_: t.Type) -> Any:
    """The Python type of values, as the decoder knows it; texts for all the rest."""
    return _PYTHON.get(type(type_), str)


def beyond(compiler: Compiler, values: Sequence[Value], order: Sequence[Term], cursor: Cursor, first: int) -> Truth:
    """The condition of the rows beyond a cursor (keyset pagination), for any directions, nulls and ties.

    :param values: the sort key in SQL
    :param first: the index of the extra that is the first part of the key
    """
    bound = [
        Bind(extra(first + at), compiler.dialect.cast(value.type), compiler.dialect.driver(value.type)) for at, value in enumerate(values)
    ]
    forward = cursor.direction == "next"
    rising = [term.descending is not forward for term in order]
    if all(up is rising[0] for up in rising) and not any(value.nullable for value in values):
        left = joined([compiler.dialect.ordered(value) for value in values], ", ")
        right = joined([(part,) for part in bound], ", ")
        return Test(("(", *left, f") {'>' if rising[0] else '<'} (", *right, ")"), nullable=False)
    ways: list[Truth] = []
    equal: list[Truth] = []
    for value, part, up, null in zip(values, bound, rising, cursor.nulls, strict=True):
        ways.append(all_of([*equal, _after(compiler, value, part, up=up, null=null, forward=forward)]))
        equal.append(_equal(compiler, value, part, null=null))
    found = any_of(ways)
    if values[0].nullable:
        return found
    bound_of_first: Sql = (*compiler.dialect.ordered(values[0]), " >= " if rising[0] else " <= ", bound[0])
    return all_of([Test(bound_of_first, nullable=False), found])


def _after(compiler: Compiler, value: Value, part: Bind, *, up: bool, null: bool, forward: bool) -> Truth:
    """Whether a row comes strictly after the cursor by this part of the key. Nulls come last, read forward."""
    missing = Test((*value.sql, " IS NULL"), nullable=False, inverse=(*value.sql, " IS NOT NULL"))
    if null:
        return NEVER if forward else missing.inverted()
    later = Test((*compiler.dialect.ordered(value), " > " if up else " < ", part), nullable=value.nullable)
    return any_of([later, missing]) if forward and value.nullable else later


def _equal(compiler: Compiler, value: Value, part: Bind, *, null: bool) -> Truth:
    if null:
        return Test((*value.sql, " IS NULL"), nullable=False)
    return Test((*compiler.dialect.ordered(value), " = ", part), nullable=value.nullable)
