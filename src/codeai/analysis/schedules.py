"""When something runs: cron expressions, intervals, instants and time zones, checked."""

from __future__ import annotations

import datetime
import zoneinfo
from typing import Final

from cronsim import CronSim, CronSimError

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


def cron_problem(text: str) -> str | None:
    """What is wrong with a cron expression of five fields, or of six with seconds first; None when it is fine."""
    if text.startswith("@"):
        return None if text in NAMED else f"unknown schedule '{text}'"
    fields = text.split()
    if len(fields) not in (5, 6):
        return f"a cron expression has 5 or 6 fields, this has {len(fields)}"
    if len(fields) == 6:
        problem = _seconds_problem(fields[0])
        if problem is not None:
            return problem
    try:
        next(CronSim(" ".join(fields[-5:]), _ANY))
    except CronSimError as error:
        return f"malformed cron expression: {str(error).lower()}"
    except StopIteration:
        return "this schedule never comes"
    return None


def _seconds_problem(field: str) -> str | None:
    for part in field.split(","):
        body, _, step = part.partition("/")
        bounds = body.split("-") if body != "*" else ["0", "59"]
        numbers = [*bounds, *([step] if "/" in part else [])]
        if len(bounds) > 2 or not all(number.isdigit() and len(number) <= 2 and int(number) <= 59 for number in numbers):
            return f"malformed cron expression: bad seconds '{field}'"
        if ("/" in part and int(step) == 0) or int(bounds[0]) > int(bounds[-1]):
            return f"malformed cron expression: bad seconds '{field}'"
    return None


def is_timezone(name: str) -> bool:
    """Whether the IANA database knows the zone."""
    return name in zoneinfo.available_timezones()
