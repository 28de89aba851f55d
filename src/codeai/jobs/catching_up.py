"""Which ticks of a schedule run now, when some were missed because nobody was there. Pure."""

from __future__ import annotations

import datetime
from itertools import islice
from typing import Final, Literal

import msgspec

from codeai.jobs.timetable import Instant, Timetable, ticks

CatchUp = Literal["none", "latest", "all"]
WINDOW: Final = datetime.timedelta(hours=24)  # ticks missed for longer are gone
PUNCTUAL: Final = datetime.timedelta(seconds=30)  # a tick handled within this time was not missed
AT_ONCE: Final = 500  # ticks of one schedule in one round, so that a long absence is worked off in pieces


class Due(msgspec.Struct, frozen=True):
    """What is to be done: ``run`` these ticks, in order, and go on ``until`` there; ``missed`` ones were left out."""

    run: tuple[Instant, ...]
    missed: int
    until: Instant


def due(table: Timetable, since: Instant, now: Instant, policy: CatchUp) -> Due:
    """The ticks that became due in (``since``, ``now``].

    :param since: up to where the schedule has been handled
    :param policy: ``none`` runs punctual ticks only, ``latest`` the last of all, ``all`` each one of the last 24 hours
    """
    if since >= now:
        return Due((), 0, since)
    if policy == "latest":
        return _latest(table, since, now)
    start = max(since, now - (WINDOW if policy == "all" else PUNCTUAL))
    found = tuple(islice(ticks(table, start, now), AT_ONCE))
    until = found[-1] if len(found) == AT_ONCE else now
    return Due(found, _count(table, since, start), until)


def _latest(table: Timetable, since: Instant, now: Instant) -> Due:
    last = table.before(now + datetime.timedelta(microseconds=1))
    if last is None or last <= since:
        return Due((), 0, now)
    run = (last,) if last > now - WINDOW else ()
    return Due(run, _count(table, since, last, open_end=bool(run)), now)


def _count(table: Timetable, since: Instant, until: Instant, *, open_end: bool = False) -> int:
    """How many ticks lie in between, counted to 10,000 at most: it is a figure for people."""
    found = islice(ticks(table, since, until), 10_000)
    return sum(1 for instant in found if not open_end or instant < until)
