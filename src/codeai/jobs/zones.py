"""Local times and instants. A local time that a zone skips is its first valid instant after the gap; a doubled one is the first."""

from __future__ import annotations

import datetime
from typing import Final

UTC: Final = datetime.UTC
_SECOND: Final = datetime.timedelta(seconds=1)
_DAY: Final = datetime.timedelta(days=1)


def instant_of(local: datetime.datetime, zone: datetime.tzinfo) -> datetime.datetime:
    """The one instant, in UTC, at which clocks of the zone show a local time.

    :param local: without a zone
    """
    first = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if first.astimezone(zone).replace(tzinfo=None, fold=0) == local:
        return first
    return _end_of_gap(local, zone)


def _end_of_gap(local: datetime.datetime, zone: datetime.tzinfo) -> datetime.datetime:
    """The instant at which clocks jump over a local time: the offset changes between the two readings of it (PEP 495)."""
    before = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    after = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    old = before.astimezone(zone).utcoffset()
    while after - before > _SECOND:
        middle = (before + (after - before) / 2).replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == old:
            before = middle
        else:
            after = middle
    return after


def wall(instant: datetime.datetime, zone: datetime.tzinfo) -> datetime.datetime:
    """What clocks of the zone show, without the zone."""
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


def latest_wall(instant: datetime.datetime, zone: datetime.tzinfo) -> datetime.datetime:
    """The latest local time whose instant may lie before ``instant``: in a doubled hour clocks have shown later times already."""
    return max(wall(instant, zone), wall(instant - _DAY, zone) + _DAY)
