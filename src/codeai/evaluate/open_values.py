"""Arithmetic and loops over values whose types nobody has declared: JSON, parameters without a type, and what is made of them.

What the checker refuses where it knows the types is an error of the request here (language page, section 1, rule 7).
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from codeai.evaluate import operations
from codeai.evaluate.errors import EvaluationError

_SPANS: Final = (datetime.date, datetime.timedelta)  # a datetime is a date


def arithmetic(operator: str, left: Any, right: Any) -> Any:
    """``+ - * / %`` on numbers, texts, times and durations; ``+`` also on lists. Null with a null.

    :raises EvaluationError: the operator is not for these two
    """
    if left is None or right is None:
        return None
    if _number(left) and _number(right):
        if isinstance(left, float) != isinstance(right, float):
            left, right = float(left), float(right)
        return operations.arithmetic(operator, left, right)
    try:
        if operator == "+" and ((_text(left) and _text(right)) or (_list(left) and _list(right))):
            return left + right
        if operator in "+-*" and (isinstance(left, _SPANS) or isinstance(right, _SPANS)):
            return operations.arithmetic(operator, left, right)
    except TypeError:
        pass
    raise EvaluationError(f"'{operator}' does not fit {operations.text(left)[:40]} and {operations.text(right)[:40]}")


def items(value: Any) -> Sequence[Any]:
    """What a loop goes through; null has none.

    :raises EvaluationError: the value is no array
    """
    if value is None:
        return ()
    if _list(value):
        found: Sequence[Any] = value
        return found
    raise EvaluationError(f"cannot iterate over what is no array: {operations.text(value)[:40]}")


def negate(value: Any) -> Any:
    """Unary minus of numbers and durations.

    :raises EvaluationError: the value has no sign
    """
    if value is None or _number(value) or isinstance(value, datetime.timedelta):
        return operations.negate(value)
    raise EvaluationError(f"cannot negate {operations.text(value)[:40]}")


def _number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _list(value: Any) -> bool:
    return isinstance(value, list | tuple)
