"""When something runs: cron expressions, intervals, instants and time zones, checked."""

from __future__ import annotations

import datetime
import re
import zoneinfo
from collections.abc import Iterable
from typing import Final

from cronsim import CronSim, CronSimError

from codeai.language.suggestions import nearest

NAMED: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_ANY: Final = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)


_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
# The name of each field with its least and most number and the names that its numbers have.
_FIELDS: Final[tuple[tuple[str, int, int, tuple[str, ...]], ...]] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("weekday", 0, 7, _DAYS),
)
_FORM: Final = "as in '0 6 * * *': minute hour day month weekday"

Problem = tuple[str, str]


def cron_problem(text: str) -> Problem | None:
    """What is wrong with a cron expression of five fields, or of six with seconds first, and what to write; None when it is fine."""
    if text.startswith("@"):
        return None if text in NAMED else (f"unknown schedule '{text}'", _meant(text, NAMED) or f"one of {', '.join(NAMED)}")
    fields = text.split()
    if len(fields) not in (5, 6):
        return f"a cron expression has 5 or 6 fields, this has {len(fields)}", _FORM
    if len(fields) == 6 and (problem := _seconds_problem(fields[0])) is not None:
        return problem
    for field, part in zip(_FIELDS, fields[-5:], strict=True):
        if (problem := _field_problem(field, part)) is not None:
            return problem
    try:
        next(CronSim(" ".join(fields[-5:]), _ANY))
    except CronSimError as error:
        return f"malformed cron expression: {str(error).lower()}", _FORM
    except StopIteration:
        return "this schedule never comes", _FORM
    return None


def _seconds_problem(field: str) -> Problem | None:
    for part in field.split(","):
        body, _, step = part.partition("/")
        bounds = body.split("-") if body != "*" else ["0", "59"]
        numbers = [*bounds, *([step] if "/" in part else [])]
        if len(bounds) > 2 or not all(number.isdigit() and len(number) <= 2 and int(number) <= 59 for number in numbers):
            return f"malformed cron expression: bad seconds '{field}'", _FORM
        if ("/" in part and int(step) == 0) or int(bounds[0]) > int(bounds[-1]):
            return f"malformed cron expression: bad seconds '{field}'", _FORM
    return None


def _field_problem(field: tuple[str, int, int, tuple[str, ...]], text: str) -> Problem | None:
    """A name or number that a field does not know; how its parts go together is said by who reads them."""
    name, low, high, names = field
    for word in re.findall(r"[A-Za-z]+|[0-9]+", re.sub(r"/[0-9]+|[Ll]\b|#[0-9]+", "", text)):
        if word.isdigit() and not low <= int(word) <= high:
            return f"{name} '{word}' is not one from {low} to {high}", _FORM
        if not word.isdigit() and word.upper() not in names:
            shown = f"one of {', '.join(names)}" if names else f"a number from {low} to {high}"
            return f"unknown {name} '{word}'", _meant(word.upper(), names) or _meant(word.upper()[:3], names) or shown
    return None


def _meant(word: str, known: Iterable[str]) -> str | None:
    near = nearest(word, known)
    known = list(known)
    found = word if word in known else near.name if near is not None else None
    return f"did you mean '{found}'?" if found is not None else None


def is_timezone(name: str) -> bool:
    """Whether the IANA database knows the zone."""
    return name in zoneinfo.available_timezones()


def near_timezone(name: str) -> str:
    """What to write instead of a zone that nobody knows."""
    return _meant(name, sorted(zoneinfo.available_timezones())) or "as in 'Europe/Berlin'"
