"""Dates and timestamps on SQLite, which are texts that sort as instants do. Arithmetic is in UTC."""

from __future__ import annotations

import datetime
import sqlite3

from codeai.model.moments import add_months, end_of, start_of
from codeai.storage.codecs import format_timestamp

_MILLISECOND = datetime.timedelta(milliseconds=1)


def _moment(text: str) -> datetime.datetime:
    found = datetime.datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)


def _as(text: str, moment: datetime.datetime) -> str:
    """A moment in the form of the text that it came from: a date stays a date."""
    return moment.date().isoformat() if len(text) == 10 else format_timestamp(moment)


def _add_milliseconds(text: str | None, amount: int | None) -> str | None:
    if text is None or amount is None:
        return None
    return _as(text, _moment(text) + amount * _MILLISECOND)


def _milliseconds_between(left: str | None, right: str | None) -> int | None:
    if left is None or right is None:
        return None
    difference = _moment(left) - _moment(right)
    whole = abs(difference) // _MILLISECOND
    return whole if difference >= datetime.timedelta() else -whole


def _days_between(left: str | None, right: str | None) -> int | None:
    if left is None or right is None:
        return None
    return (_moment(right) - _moment(left)).days


def _add_months(text: str | None, months: int | None) -> str | None:
    return None if text is None or months is None else _as(text, add_months(_moment(text), months))


def _start_of(text: str | None, unit: str) -> str | None:
    return None if text is None else _as(text, start_of(_moment(text), unit))


def _end_of(text: str | None, unit: str) -> str | None:
    if text is None:
        return None
    if len(text) == 10:
        return end_of(datetime.date.fromisoformat(text), unit).isoformat()
    return format_timestamp(end_of(_moment(text), unit))


def _format_date(text: str | None, pattern: str) -> str | None:
    """:param pattern: as ``strftime`` reads it"""
    return None if text is None else _moment(text).strftime(pattern)


def register(connection: sqlite3.Connection) -> None:
    """Adds the functions to a connection."""
    connection.create_function("codeai_add_milliseconds", 2, _add_milliseconds, deterministic=True)
    connection.create_function("codeai_milliseconds_between", 2, _milliseconds_between, deterministic=True)
    connection.create_function("codeai_days_between", 2, _days_between, deterministic=True)
    connection.create_function("codeai_add_months", 2, _add_months, deterministic=True)
    connection.create_function("codeai_start_of", 2, _start_of, deterministic=True)
    connection.create_function("codeai_end_of", 2, _end_of, deterministic=True)
    connection.create_function("codeai_format_date", 2, _format_date, deterministic=True)
