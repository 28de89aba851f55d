"""Built-ins that only the program computes give exactly this; null in, null out; what cannot be is an error that says so."""

import datetime
from decimal import Decimal
from typing import Any

import pytest

from codeai.analysis.builtins import STRICT
from codeai.evaluate.builtins import PLAIN
from codeai.evaluate.errors import EvaluationError
from codeai.evaluate.operations import text

D = Decimal
DAY = datetime.date(2024, 1, 31)
AT = datetime.datetime(2024, 1, 31, 23, 5, 9, 123456, tzinfo=datetime.UTC)

CASES: list[tuple[str, tuple[Any, ...], Any]] = [
    ("split", ("a,b,,c", ","), ["a", "b", "", "c"]),
    ("split", ("", ","), [""]),
    ("split", ("añb", ""), ["a", "ñ", "b"]),
    ("join", (["a", 1, None, D("1.50")], "-"), "a-1--1.50"),
    ("join", ([], ","), ""),
    ("join", (None,), ""),
    ("slug", ("Crème Brûlée & Straße!",), "creme-brulee-strasse"),
    ("slug", ("--- ***",), ""),
    ("format_date", (DAY, "DD.MM.YYYY"), "31.01.2024"),
    ("format_date", (AT, "YYYY-MM-DD HH:mm:ss"), "2024-01-31 23:05:09"),
    ("parse_date", ("2024-02-29",), datetime.date(2024, 2, 29)),
    ("parse_date", ("2023-02-29",), None),
    ("parse_date", ("31.01.2024", "DD.MM.YYYY"), DAY),
    ("parse_date", ("x",), None),
    ("add_months", (DAY, 1), datetime.date(2024, 2, 29)),
    ("add_months", (AT, -11), datetime.datetime(2023, 2, 28, 23, 5, 9, 123456, tzinfo=datetime.UTC)),
    ("add_hours", (DAY, 25), datetime.datetime(2024, 2, 1, 1, tzinfo=datetime.UTC)),
    ("start_of", (AT, "hour"), datetime.datetime(2024, 1, 31, 23, tzinfo=datetime.UTC)),
    ("start_of", (DAY, "week"), datetime.date(2024, 1, 29)),
    ("start_of", (DAY, "year"), datetime.date(2024, 1, 1)),
    ("end_of", (DAY, "month"), DAY),
    ("end_of", (AT, "day"), datetime.datetime(2024, 1, 31, 23, 59, 59, 999999, tzinfo=datetime.UTC)),
    ("parse_int", (" -12 ",), -12),
    ("parse_decimal", ("1.50",), D("1.50")),
    ("replace", ("aXa", "X", ""), "aa"),
    ("replace", ("abc", "", "-"), "abc"),
    ("round", (D("2.5"),), D("2")),
    ("round", (D("-0.005"), 2), D("0.00")),
    ("round", (15, -1), 20),
    ("round", (25, -1), 20),
    ("round", (2.675, 2), 2.68),
    ("floor", (D("-0.1"),), -1),
    ("ceil", (D("-0.1"),), 0),
    ("abs", (D("-12345678901234567890123456789012345.5"),), D("12345678901234567890123456789012345.5")),
    ("merge", ({"a": 1}, {"a": 2, "b": 3}), {"a": 2, "b": 3}),
    ("keys", ({"a": 1, "b": 2},), ["a", "b"]),
    ("unique", ([1, 2, 1, D("1.0")],), [1, 2, D("1.0")]),
    ("hash", ("abc",), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    ("hmac", ("abc", "key"), "9c196e32dc0175f86f4b1cb89289d6619de6bee699e4c378e68309ed97a1a6ab"),
    ("parse_json", ('{"a": 1.10}',), {"a": D("1.10")}),
]


@pytest.mark.parametrize(("name", "arguments", "expected"), CASES)
def test_a_builtin_gives_exactly_this(name: str, arguments: tuple[Any, ...], expected: Any) -> None:
    found = PLAIN[name](*arguments)
    assert (type(found), found) == (type(expected), expected)
    if isinstance(expected, Decimal):
        assert text(found) == text(expected)  # also the digits, and no sign on zero


@pytest.mark.parametrize("name", sorted(STRICT & PLAIN.keys()))
def test_null_in_null_out(name: str) -> None:
    assert PLAIN[name](None) is None
    assert PLAIN[name]("a", None) is None


REFUSED: list[tuple[str, tuple[Any, ...], str]] = [
    ("parse_int", ("1.5",), "'1.5' is not a whole number"),
    ("parse_int", ("9223372036854775808",), "64 bits"),
    ("parse_decimal", ("NaN",), "'NaN' is not a number"),
    ("parse_json", ("{",), "not JSON"),
    ("add_months", (DAY, 12 * 8000), "out of range"),
    ("add_days", (DAY, 10**9), "out of range"),
    ("start_of", (DAY, "decade"), "unknown unit 'decade'"),
    ("ceil", (D("9223372036854775807.5"),), "64 bits"),
    ("round", (9223372036854775807, -1), "64 bits"),
    ("sort", ([1, "a"],), "no common order"),
]


@pytest.mark.parametrize(("name", "arguments", "said"), REFUSED)
def test_what_cannot_be_is_an_error_that_says_so(name: str, arguments: tuple[Any, ...], said: str) -> None:
    with pytest.raises(EvaluationError, match=said):
        PLAIN[name](*arguments)
