"""Numbers on SQLite as the language has them: overflow is an error, decimals are exact, rounding is half to even.

Whole numbers and scaled decimals are SQLite's integers; decimals without a small scale are texts. An exception in a function
ends the statement and becomes ``ValueOutOfRange``.
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import Any, Final

_PRECISION: Final = 1000
_LIMIT: Final = 2**63
_SCALED: Final = 10**18


def _strict(function: Callable[..., Any]) -> Callable[..., Any]:
    """Null in, null out."""

    def wrapped(*arguments: Any) -> Any:
        return None if None in arguments else function(*arguments)

    return wrapped


def _int(value: float) -> int:
    if not isinstance(value, int):
        raise OverflowError("a whole number must fit in 64 bits")
    return value


def _whole(value: Decimal | float) -> int:
    found = int(value)
    if not -_LIMIT <= found < _LIMIT:
        raise OverflowError("a whole number must fit in 64 bits")
    return found


def _float(value: float) -> float:
    found = float(value)
    if not math.isfinite(found):
        raise OverflowError("a number is too large")
    return found


def _modulo(left: int, right: int) -> int:
    return int(math.fmod(left, right)) if abs(left) < 2**53 and abs(right) < 2**53 else _long_modulo(left, right)


def _long_modulo(left: int, right: int) -> int:
    rest = abs(left) % abs(right)
    return -rest if left < 0 else rest


def _float_divide(left: float, right: float) -> float:
    return _float(left / right)


def _number(value: str | int | float) -> Decimal:
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


def rounded(value: Decimal, places: int) -> Decimal:
    """A decimal with that many places, half to even."""
    with localcontext() as context:
        context.prec = _PRECISION
        found = value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)
    return found if found else found.copy_abs()


def _decimal_round(value: str, places: int) -> str:
    return format(rounded(_number(value), places), "f")


def _unscaled(value: int | str | float, scale: int) -> str:
    return format(_number(value).scaleb(-scale), "f")


def _scaled(value: str | int | float, scale: int) -> int:
    found = int(rounded(_number(value), scale).scaleb(scale))
    if abs(found) >= _SCALED:
        raise OverflowError("a decimal has too many digits")
    return found


def _joined_sum(high: int, low: int, scale: int) -> str:
    return _unscaled(high * 2**32 + low, scale)


def _float_round(value: float, places: int) -> float:
    return float(rounded(Decimal(repr(value)), places))


def float_text(value: float) -> str:
    """A float as the language shows it: the shortest text that reads back as the same number."""
    return repr(float(value))


def _from_json(text: str, kind: str) -> Any:
    """A JSON text as a value of another type; null for what does not fit."""
    value = json.loads(text, parse_float=Decimal)
    if isinstance(value, bool):
        return int(value) if kind == "bool" else None
    if kind == "text":
        return value if isinstance(value, str) else None
    if not isinstance(value, int | Decimal) or kind == "bool":
        return None
    if kind == "int":
        return int(value) if value == int(value) and -_LIMIT <= value < _LIMIT else None
    return float(value) if kind == "float" else format(Decimal(value), "f")


def json_equal(left: Any, right: Any) -> bool:
    """Equality of JSON values: numbers by value, ``true`` is not 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(json_equal, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(json_equal(left[key], right[key]) for key in left)
    return bool(left == right)


def _json_equal(left: str, right: str) -> int:
    return int(json_equal(json.loads(left, parse_float=Decimal), json.loads(right, parse_float=Decimal)))


def _ends_with(text: str, part: str) -> int:
    return int(text.endswith(part))


def register(connection: sqlite3.Connection) -> None:
    """Adds the functions to a connection."""
    for name, count, function in (
        ("int", 1, _int),
        ("float", 1, _float),
        ("modulo", 2, _modulo),
        ("float_divide", 2, _float_divide),
        ("float_modulo", 2, math.fmod),
        ("float_round", 2, _float_round),
        ("int_round", 2, lambda value, places: _whole(round(value, places))),
        ("float_text", 1, float_text),
        ("truncate", 1, lambda value: _whole(_number(value))),
        ("ceil", 1, lambda value: _whole(math.ceil(_number(value)))),
        ("floor", 1, lambda value: _whole(math.floor(_number(value)))),
        ("decimal_round", 2, _decimal_round),
        ("unscaled", 2, _unscaled),
        ("scaled", 2, _scaled),
        ("joined_sum", 3, _joined_sum),
        ("from_json", 2, _from_json),
        ("json_equal", 2, _json_equal),
        ("ends_with", 2, _ends_with),
    ):
        connection.create_function(f"codeai_{name}", count, _strict(function), deterministic=True)
