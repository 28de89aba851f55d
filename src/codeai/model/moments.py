"""Dates and timestamps as the language calculates with them, in UTC: months, the beginning and end of a unit, the parts of a pattern.

One place for the evaluator, for the functions of SQLite, and for what becomes SQL (language page, section 4).
"""

from __future__ import annotations

import calendar
import datetime
import re
from typing import Final, TypeVar

UNITS: Final = ("hour", "day", "week", "month", "year")
# The parts of a pattern, and what ``strftime`` calls them.
PARTS: Final = {"YYYY": "%Y", "MM": "%m", "DD": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}
_PART: Final = re.compile(f"({'|'.join(PARTS)})")
_Moment = TypeVar("_Moment", bound=datetime.date)  # a datetime is one, too


def add_months(moment: _Moment, months: int) -> _Moment:
    """The same day some months later; the last day of a month that has no such day.

    :raises OverflowError: it would not lie in the years 1 to 9999
    """
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    if not datetime.MINYEAR <= year <= datetime.MAXYEAR:
        raise OverflowError("the date is out of range")
    return moment.replace(year=year, month=month + 1, day=min(moment.day, calendar.monthrange(year, month + 1)[1]))


def start_of(moment: _Moment, unit: str) -> _Moment:
    """The first moment, or the first day, of the unit in which one lies. Weeks begin on Monday.

    :raises ValueError: there is no such unit
    """
    if unit not in UNITS:
        raise ValueError(f"unknown unit '{unit}', expected {', '.join(UNITS[:-1])} or {UNITS[-1]}")
    if isinstance(moment, datetime.datetime):
        moment = moment.replace(minute=0, second=0, microsecond=0)
        if unit != "hour":
            moment = moment.replace(hour=0)
    if unit == "week":
        return moment - datetime.timedelta(days=moment.weekday())
    if unit in ("month", "year"):
        return moment.replace(day=1, month=1 if unit == "year" else moment.month)
    return moment


def end_of(moment: _Moment, unit: str) -> _Moment:
    """The last moment (a microsecond before the next), or the last day, of the unit in which one lies.

    :raises ValueError: there is no such unit
    :raises OverflowError: it would not lie in the years 1 to 9999
    """
    start = start_of(moment, unit)
    timed = isinstance(moment, datetime.datetime)
    if unit in ("month", "year"):
        following = add_months(start, 1 if unit == "month" else 12)
    elif unit == "hour" and timed:
        following = start + datetime.timedelta(hours=1)
    else:
        following = start + datetime.timedelta(days=7 if unit == "week" else 1)
    return following - (datetime.timedelta(microseconds=1) if timed else datetime.timedelta(days=1))


def pieces(pattern: str) -> list[tuple[bool, str]]:
    """A pattern taken apart: parts of dates (true) and the text between them."""
    return [(piece in PARTS, piece) for piece in _PART.split(pattern) if piece]


def strftime_of(pattern: str) -> str:
    """A pattern as ``strftime`` and ``strptime`` read it."""
    return "".join(PARTS[piece] if part else piece for part, piece in pieces(pattern))
