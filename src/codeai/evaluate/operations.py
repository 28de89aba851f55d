"""Operators and conversions at run time, for the cases that plain Python does not cover: nulls, exactness, overflow."""

from __future__ import annotations

import datetime
import decimal
import re
import uuid
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from codeai.evaluate.errors import EvaluationError
from codeai.language import types as t
from codeai.language.patterns import PatternError, portable

EXACT: Final = decimal.Context(prec=80, rounding=decimal.ROUND_HALF_EVEN)
_PLACES: Final = Decimal("1e-16")
_INT_LIMIT: Final = 2**63
_MILLISECOND: Final = datetime.timedelta(milliseconds=1)
_NONE: Final = datetime.timedelta()


def member(target: Any, name: str) -> Any:
    """A member of a row, record or map; null on null or when absent."""
    if target is None:
        return None
    # The first is quick, and nearly always so.
    return target.get(name) if isinstance(target, (dict, Mapping)) else getattr(target, name, None)


def json_member(target: Any, name: str) -> Any:
    """A member of a JSON value, or the length of an array or text; null when there is no such thing."""
    if name == "length" and isinstance(target, list | tuple | str):
        return len(target)
    return target.get(name) if isinstance(target, Mapping) else None


def item(target: Any, index: Any) -> Any:
    """An element of a list, map or JSON value; null when there is none."""
    if isinstance(target, list | tuple):
        return target[index] if isinstance(index, int) and -len(target) <= index < len(target) else None
    return target.get(str(index)) if isinstance(target, Mapping) else None


def less(left: Any, right: Any) -> bool:
    """``<``; false with a null or with values of kinds that have no order."""
    return left is not None and right is not None and _ordered(left, right) and bool(left < right)


def less_equal(left: Any, right: Any) -> bool:
    """``<=``, as ``less``."""
    return left is not None and right is not None and _ordered(left, right) and bool(left <= right)


def _ordered(left: Any, right: Any) -> bool:
    return type(left) is type(right) or (isinstance(left, int | float | Decimal) and isinstance(right, int | float | Decimal))


def json_equal(left: Any, right: Any) -> bool:
    """Equality of JSON values: numbers by value, but ``true`` is not 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(json_equal, left, right))
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(json_equal(left[key], right[key]) for key in left)
    return bool(left == right)


def is_in(value: Any, values: Any) -> bool:
    """``in``; false with a null, and in what is no list."""
    return value is not None and isinstance(values, list | tuple) and value in values


def contains(value: Any, part: Any) -> bool:
    """``contains`` on texts and lists; false with a null, and of what is neither."""
    if isinstance(value, str):
        return isinstance(part, str) and part in value
    return part is not None and isinstance(value, list | tuple) and part in value


def starts_with(value: Any, part: Any) -> bool:
    """``starts_with``; false with what is no text."""
    return isinstance(value, str) and isinstance(part, str) and value.startswith(part)


def ends_with(value: Any, part: Any) -> bool:
    """``ends_with``; false with what is no text."""
    return isinstance(value, str) and isinstance(part, str) and value.endswith(part)


@lru_cache(maxsize=512)
def _pattern(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(portable(pattern).python)
    except PatternError as error:
        raise EvaluationError(str(error)) from None


def matches(value: Any, pattern: Any) -> bool:
    """``matches``: whether the pattern is found in the text; false with what is no text."""
    return isinstance(value, str) and isinstance(pattern, str) and _pattern(pattern).search(value) is not None


def whole(value: int) -> int:
    """A result of int arithmetic, if it fits in 64 bits."""
    if -_INT_LIMIT <= value < _INT_LIMIT:
        return value
    raise EvaluationError("the result does not fit in 64 bits")


def arithmetic(operator: str, left: Any, right: Any) -> Any:
    """``+ - * / %`` on any operands; null with a null."""
    if left is None or right is None:
        return None
    if operator == "/":
        return divide(left, right)
    if operator == "%":
        return remainder(left, right)
    try:
        if isinstance(left, Decimal) and isinstance(right, Decimal):
            return unsigned_zero(_EXACT_OPERATIONS[operator](left, right))
        if operator == "-" and isinstance(left, datetime.datetime) and isinstance(right, datetime.datetime):
            return between(left, right)
        if operator == "-":
            # Python takes only whole days from a date: adding the opposite counts what is less than a day, as databases do.
            result = left + -right if isinstance(right, datetime.timedelta) else left - right
        else:
            result = left + right if operator == "+" else left * right
    except (OverflowError, decimal.DecimalException):
        raise EvaluationError("the result is out of range") from None
    if isinstance(result, Decimal):
        return unsigned_zero(result)
    return whole(result) if isinstance(result, int) else result


def unsigned_zero(value: Decimal) -> Decimal:
    """A decimal as the language knows it: there is one zero."""
    return value if value else value.copy_abs()


def between(left: datetime.datetime, right: datetime.datetime) -> datetime.timedelta:
    """The duration from ``right`` to ``left``; durations count whole milliseconds."""
    found = left - right
    rest = abs(found) % _MILLISECOND
    return found + rest if found < _NONE else found - rest


_EXACT_OPERATIONS: Final[dict[str, Callable[[Decimal, Decimal], Decimal]]] = {
    "+": EXACT.add,
    "-": EXACT.subtract,
    "*": EXACT.multiply,
}


def divide(left: Any, right: Any) -> Any:
    """Division: exact to 16 places, half-even, for int and decimal; IEEE for float; by zero is an error."""
    if left is None or right is None:
        return None
    if right == 0:
        raise EvaluationError("division by zero")
    if isinstance(left, float) or isinstance(right, float):
        return float(left) / float(right)
    return unsigned_zero(EXACT.divide(Decimal(left), Decimal(right)).quantize(_PLACES, context=EXACT))


def remainder(left: Any, right: Any) -> Any:
    """``%`` with the sign of the dividend."""
    if left is None or right is None:
        return None
    if right == 0:
        raise EvaluationError("division by zero")
    if isinstance(left, int) and isinstance(right, int):
        result = abs(left) % abs(right)
        return -result if left < 0 else result
    if isinstance(left, float) or isinstance(right, float):
        import math

        return math.fmod(left, right)
    return unsigned_zero(EXACT.remainder(Decimal(left), Decimal(right)))


def negate(value: Any) -> Any:
    """Unary minus."""
    if value is None:
        return None
    if isinstance(value, Decimal):
        return unsigned_zero(value.copy_negate())
    return whole(-value) if isinstance(value, int) else -value


def text(value: Any) -> str:
    """A value inside a string: null gives nothing, decimals keep their digits, times are RFC 3339."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, datetime.timedelta):
        return duration_text(value)
    return str(value)


def duration_text(value: datetime.timedelta) -> str:
    """A duration as the language writes it: ``1h30m``."""
    rest = value // datetime.timedelta(milliseconds=1)
    sign, rest = ("-", -rest) if rest < 0 else ("", rest)
    parts = []
    for unit, length in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, rest = divmod(rest, length)
        if count:
            parts.append(f"{count}{unit}")
    return sign + ("".join(parts) or "0s")


def to_json(value: Any) -> Any:
    """A value as JSON has it: numbers stay, everything else that JSON lacks becomes text."""
    if value is None or isinstance(value, bool | int | float | Decimal | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): to_json(part) for key, part in value.items() if not str(key).startswith("@")}
    if isinstance(value, list | tuple):
        return [to_json(part) for part in value]
    return text(value)


def converter(target: t.Type) -> Callable[[Any], Any]:
    """The conversion to a type; it raises ValueError (or a kin) for what does not fit."""
    for kind, function in _CONVERTERS.items():
        if isinstance(target, kind):
            return function
    if isinstance(target, t.List):
        inner = converter(t.required(target.item))
        return lambda values: [None if value is None else inner(value) for value in as_list(values)]
    if isinstance(target, t.Record):
        return _record_converter(target)
    if isinstance(target, t.Map):
        member = converter(t.required(target.value))
        return lambda value: {name: None if part is None else member(part) for name, part in as_map(value).items()}
    return lambda value: value


def _record_converter(target: t.Record) -> Callable[[Any], Any]:
    """From JSON to a record; members that the type does not name stay."""
    members = {field.name: converter(t.required(field.type)) for field in target.fields}

    def convert(value: Any) -> dict[str, Any]:
        given = as_map(value)
        return {name: members[name](part) if name in members and part is not None else part for name, part in given.items()}

    return convert


def as_map(value: Any) -> Mapping[str, Any]:
    """An object of JSON; ValueError for anything else."""
    if isinstance(value, Mapping):
        return value
    raise ValueError("not an object")


def as_list(value: Any) -> list[Any]:
    """An array of JSON; ValueError for anything else."""
    if isinstance(value, list | tuple):
        return list(value)
    raise ValueError("not an array")


def _to_int(value: Any) -> int:
    if isinstance(value, bool):
        raise ValueError("not a number")
    if isinstance(value, int):
        return value
    if isinstance(value, str):
        return int(value.strip(), 10)
    if value == int(value):
        return int(value)
    raise ValueError("not a whole number")


def _to_decimal(value: Any) -> Decimal:
    if isinstance(value, bool):
        raise ValueError("not a number")
    found = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not found.is_finite():
        raise ValueError("not a number")
    return found


def _to_timestamp(value: Any) -> datetime.datetime:
    if isinstance(value, datetime.datetime):
        return value
    if isinstance(value, datetime.date):
        return datetime.datetime(value.year, value.month, value.day, tzinfo=datetime.UTC)
    found = datetime.datetime.fromisoformat(value)
    return found.astimezone(datetime.UTC) if found.tzinfo else found.replace(tzinfo=datetime.UTC)


def _to_date(value: Any) -> datetime.date:
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.UTC).date()
    return value if isinstance(value, datetime.date) else datetime.date.fromisoformat(value)


def _to_bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError("not a bool")


def _to_uuid(value: Any) -> uuid.UUID:
    if isinstance(value, uuid.UUID):
        return value
    if isinstance(value, str) and len(value) == 36:
        return uuid.UUID(value)
    raise ValueError("not a uuid")


def _to_text(value: Any) -> str:
    if isinstance(value, Mapping | list | tuple):
        raise ValueError("not a string")
    return text(value)


_CONVERTERS: Final[dict[type[t.Type], Callable[[Any], Any]]] = {
    t.Json: to_json,
    t.Uuid: _to_uuid,
    t.Int: _to_int,
    t.Decimal: _to_decimal,
    t.Float: float,
    t.Bool: _to_bool,
    t.Timestamp: _to_timestamp,
    t.Date: _to_date,
    t.Time: lambda value: value if isinstance(value, datetime.time) else datetime.time.fromisoformat(value),
    t.String: _to_text,
    t.Text: _to_text,
    t.Email: _to_text,
    t.Url: _to_text,
    t.Enum: _to_text,
}

FAILURES: Final = (ValueError, TypeError, ArithmeticError, AttributeError)
