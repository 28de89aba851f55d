"""What SQLite lacks: exact decimals, regular expressions, letter case beyond ASCII. Registered on every connection."""

from __future__ import annotations

import re
import sqlite3
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from functools import lru_cache

from codeai.storage.sqlite import numbers, times

_PRECISION = 80  # as in the evaluator


@lru_cache(maxsize=512)
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _matches(text: str | None, pattern: str | None) -> int | None:
    if text is None or pattern is None:
        return None
    return int(_pattern(pattern).search(text) is not None)


def _compare(left: str, right: str) -> int:
    a, b = Decimal(left), Decimal(right)
    return (a > b) - (a < b)


def _divide(left: str | None, right: str | None) -> str | None:
    if left is None or right is None:
        return None
    return divide(Decimal(left), Decimal(right))


def divide(left: Decimal, right: Decimal) -> str:
    """The quotient to 16 places, half-even (language page, section 3)."""
    with localcontext() as context:
        context.prec = _PRECISION
        found = (left / right).quantize(Decimal("1e-16"), ROUND_HALF_EVEN)
    return format(found if found else found.copy_abs(), "f")


def _arithmetic(operator: str, left: str | None, right: str | None) -> str | None:
    if left is None or right is None:
        return None
    a, b = Decimal(left), Decimal(right)
    with localcontext() as context:
        context.prec = _PRECISION
        result = a + b if operator == "+" else a - b if operator == "-" else a * b if operator == "*" else a % b
    return format(result if result else result.copy_abs(), "f")


class _Sum:
    """The exact sum of decimals; 0 for none."""

    def __init__(self) -> None:
        self.total = Decimal(0)
        self.count = 0

    def step(self, value: str | None) -> None:
        if value is not None:
            self.total += Decimal(value)
            self.count += 1

    def finalize(self) -> str | None:
        return format(self.total, "f") if self.count else None


class _Average(_Sum):
    """The exact average of decimals, to 16 places."""

    def finalize(self) -> str | None:
        return divide(self.total, Decimal(self.count)) if self.count else None


def register(connection: sqlite3.Connection) -> None:
    """Adds the functions to a connection."""
    numbers.register(connection)
    times.register(connection)
    connection.create_function("codeai_matches", 2, _matches, deterministic=True)
    connection.create_function("codeai_lower", 1, lambda text: None if text is None else text.lower(), deterministic=True)
    connection.create_function("codeai_upper", 1, lambda text: None if text is None else text.upper(), deterministic=True)
    connection.create_function("codeai_decimal_divide", 2, _divide, deterministic=True)
    connection.create_function("codeai_decimal", 3, _arithmetic, deterministic=True)
    connection.create_aggregate("codeai_decimal_sum", 1, _Sum)  # type: ignore[arg-type]  # sqlite3's protocol is looser than typeshed's
    connection.create_aggregate("codeai_decimal_avg", 1, _Average)  # type: ignore[arg-type]  # as above
    connection.create_collation("DECIMAL", _compare)
