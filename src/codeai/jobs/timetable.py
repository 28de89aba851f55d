"""The instants of a schedule: cron expressions in a time zone, intervals counted from the epoch, single instants. Pure.

An instant is an aware ``datetime`` in UTC. Cron expressions have five fields, or six with the seconds first, or a name such as
``@daily``; day of month and day of week are both asked for when one of them begins with a star, else either will do (cron(5)).
"""

from __future__ import annotations

import datetime
import zoneinfo
from collections.abc import Iterator
from typing import Final, Protocol

from cronsim import CronSim

from codeai.analysis.schedules import NAMED
from codeai.jobs.zones import UTC, instant_of, latest_wall, wall
from codeai.language.durations import duration_text
from codeai.model.workflow import Schedule

_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = datetime.timedelta(microseconds=1)
_SECOND: Final = datetime.timedelta(seconds=1)
Instant = datetime.datetime


class Timetable(Protocol):
    """Instants in order."""

    def after(self, instant: Instant) -> Instant | None:
        """The first one later than ``instant``; None when there is none."""

    def before(self, instant: Instant) -> Instant | None:
        """The last one earlier than ``instant``; None when there is none."""


class CronTimetable:
    """The instants at which a cron expression matches the clocks of a zone."""

    def __init__(self, expression: str, zone: datetime.tzinfo) -> None:
        self._expression = NAMED.get(expression, expression)
        self._zone = zone

    def after(self, instant: Instant) -> Instant | None:
        """See ``Timetable``."""
        for local in CronSim(self._expression, wall(instant, self._zone)):
            found = instant_of(local, self._zone)
            if found > instant:
                return found
        return None

    def before(self, instant: Instant) -> Instant | None:
        """See ``Timetable``."""
        for local in CronSim(self._expression, latest_wall(instant, self._zone) + _SECOND, reverse=True):
            found = instant_of(local, self._zone)
            if found < instant:
                return found
        return None


class IntervalTimetable:
    """The multiples of an interval since 1970-01-01T00:00:00Z, so that every process and every start agrees on them.

    :param interval: milliseconds
    """

    def __init__(self, interval: int) -> None:
        self._step = interval * 1000

    def after(self, instant: Instant) -> Instant | None:
        """See ``Timetable``."""
        return self._at((instant - _EPOCH) // _MICROSECOND // self._step + 1)

    def before(self, instant: Instant) -> Instant | None:
        """See ``Timetable``."""
        return self._at(((instant - _EPOCH) // _MICROSECOND - 1) // self._step)

    def _at(self, number: int) -> Instant:
        return _EPOCH + number * self._step * _MICROSECOND


class OnceTimetable:
    """One instant."""

    def __init__(self, instant: Instant) -> None:
        self._instant = instant

    def after(self, instant: Instant) -> Instant | None:
        """See ``Timetable``."""
        return self._instant if self._instant > instant else None

    def before(self, instant: Instant) -> Instant | None:
        """See ``Timetable``."""
        return self._instant if self._instant < instant else None


def timetable(schedule: Schedule) -> Timetable:
    """The timetable of a checked schedule."""
    zone = zoneinfo.ZoneInfo(schedule.timezone)
    if schedule.kind == "cron":
        return CronTimetable(schedule.cron, zone)
    if schedule.kind == "every":
        return IntervalTimetable(schedule.every)
    given = datetime.datetime.fromisoformat(schedule.at_time)
    return OnceTimetable(instant_of(given, zone) if given.tzinfo is None else given.astimezone(UTC))


def ticks(table: Timetable, since: Instant, until: Instant) -> Iterator[Instant]:
    """The instants in (``since``, ``until``], in order."""
    found = table.after(since)
    while found is not None and found <= until:
        yield found
        found = table.after(found)


def shown(schedule: Schedule) -> str:
    """A schedule as an operator reads it: the expression, ``every 15m``, ``at 2027-01-01T00:00:00Z``."""
    if schedule.kind == "cron":
        return schedule.cron
    if schedule.kind == "at":
        return f"at {schedule.at_time}"
    return f"every {duration_text(schedule.every)}"
