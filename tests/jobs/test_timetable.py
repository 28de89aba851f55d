"""The instants of schedules, daylight saving included."""

import datetime
import zoneinfo
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as some

from codeai.jobs.timetable import Timetable, shown, ticks, timetable
from codeai.jobs.zones import instant_of, wall
from codeai.model.workflow import Schedule

UTC = datetime.UTC
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Havana", "Asia/Kathmandu", "Pacific/Apia")


def instant(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text).astimezone(UTC)


def cron(text: str, zone: str = "UTC") -> Timetable:
    return timetable(Schedule(kind="cron", cron=text, timezone=zone))


def following(table: Timetable, since: str, number: int = 3) -> list[str]:
    found = islice(ticks(table, instant(since), instant("2100-01-01T00:00:00Z")), number)
    return [item.strftime("%Y-%m-%dT%H:%M:%SZ") for item in found]


CRON = {
    "every day": ("0 6 * * *", "UTC", "2026-01-01T06:00:00Z", ["2026-01-02T06:00:00Z", "2026-01-03T06:00:00Z", "2026-01-04T06:00:00Z"]),
    "a name": ("@daily", "UTC", "2026-01-01T06:00:00Z", ["2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z", "2026-01-04T00:00:00Z"]),
    "the hour": ("@hourly", "UTC", "2026-01-01T06:00:01Z", ["2026-01-01T07:00:00Z", "2026-01-01T08:00:00Z", "2026-01-01T09:00:00Z"]),
    "the week begins on sunday": ("@weekly", "UTC", "2026-01-01T00:00:00Z",
        ["2026-01-04T00:00:00Z", "2026-01-11T00:00:00Z", "2026-01-18T00:00:00Z"],
    ),
    "seconds": ("*/20 * * * * *", "UTC", "2026-01-01T00:00:20Z", ["2026-01-01T00:00:40Z", "2026-01-01T00:01:00Z", "2026-01-01T00:01:20Z"]),
    "a zone": ("0 6 * * *", "Europe/Berlin", "2026-01-01T00:00:00Z",
        ["2026-01-01T05:00:00Z", "2026-01-02T05:00:00Z", "2026-01-03T05:00:00Z"],
    ),
    "a leap day": ("0 0 29 2 *", "UTC", "2026-01-01T00:00:00Z", ["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z", "2036-02-29T00:00:00Z"]),
    "day or weekday": ("0 0 13 * 5", "UTC", "2026-02-01T00:00:00Z",
        ["2026-02-06T00:00:00Z", "2026-02-13T00:00:00Z", "2026-02-20T00:00:00Z"],
    ),
    "the last day": ("0 0 L * *", "UTC", "2026-02-01T00:00:00Z", ["2026-02-28T00:00:00Z", "2026-03-31T00:00:00Z", "2026-04-30T00:00:00Z"]),
    "spring: a skipped time runs when clocks have jumped": (
        "30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z",
        ["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"],
    ),
    "spring: several skipped times are one tick": (
        "0,15,30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z",
        ["2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z", "2026-03-30T00:15:00Z"],
    ),
    "spring: a skipped time and the one that clocks jump to are one tick": (
        "0 2,3 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z",
        ["2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z", "2026-03-30T01:00:00Z"],
    ),
    "autumn: a doubled time runs once, the first time": (
        "30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z",
        ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z", "2026-10-27T01:30:00Z"],
    ),
    "autumn: asked in the second of the doubled hours": (
        "30 2 * * *", "Europe/Berlin", "2026-10-25T01:10:00Z",
        ["2026-10-26T01:30:00Z", "2026-10-27T01:30:00Z", "2026-10-28T01:30:00Z"],
    ),
    "autumn: every hour of the clock, once": (
        "0 * * * *", "Europe/Berlin", "2026-10-24T23:00:00Z",
        ["2026-10-25T00:00:00Z", "2026-10-25T02:00:00Z", "2026-10-25T03:00:00Z"],
    ),
    "half an hour of daylight saving": (
        "15 2 * * *", "Australia/Lord_Howe", "2026-10-02T16:00:00Z",
        ["2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z", "2026-10-05T15:15:00Z"],
    ),
    "midnight is skipped": (
        "0 0 * * *", "America/Havana", "2026-03-07T06:00:00Z",
        ["2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z", "2026-03-10T04:00:00Z"],
    ),
    "a whole day is skipped": (
        "0 12 * * *", "Pacific/Apia", "2011-12-29T00:00:00Z",
        ["2011-12-29T22:00:00Z", "2011-12-30T10:00:00Z", "2011-12-30T22:00:00Z"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "zone", "since", "expected"), CRON.values(), ids=CRON)
def test_cron_expressions_give_their_instants(text: str, zone: str, since: str, expected: list[str]) -> None:
    assert following(cron(text, zone), since) == expected


@pytest.mark.parametrize(("text", "zone", "since", "expected"), CRON.values(), ids=CRON)
def test_the_instant_before_a_tick_is_the_tick_before(text: str, zone: str, since: str, expected: list[str]) -> None:
    table = cron(text, zone)
    first, second, third = map(instant, expected)
    assert table.before(third) == second
    assert table.before(second) == first
    assert table.before(second + datetime.timedelta(seconds=1)) == second


def test_a_schedule_that_is_over_has_no_next_instant() -> None:
    once = timetable(Schedule(kind="at", at_time="2027-01-01T00:00:00Z"))
    assert following(once, "2026-12-31T00:00:00Z") == ["2027-01-01T00:00:00Z"]
    assert once.after(instant("2027-01-01T00:00:00Z")) is None
    assert once.before(instant("2027-01-01T00:00:00Z")) is None
    assert once.before(instant("2027-01-01T00:00:01Z")) == instant("2027-01-01T00:00:00Z")


ONCE = {
    "an offset": ("2027-01-01T00:00:00+02:00", "UTC", "2026-12-31T22:00:00Z"),
    "local": ("2027-01-01T00:00:00", "Europe/Berlin", "2026-12-31T23:00:00Z"),
    "local and skipped": ("2026-03-29T02:30:00", "Europe/Berlin", "2026-03-29T01:00:00Z"),
    "local and doubled": ("2026-10-25T02:30:00", "Europe/Berlin", "2026-10-25T00:30:00Z"),
    "a date": ("2027-01-01", "Europe/Berlin", "2026-12-31T23:00:00Z"),
}


@pytest.mark.parametrize(("text", "zone", "expected"), ONCE.values(), ids=ONCE)
def test_single_instants_are_local_unless_they_say_otherwise(text: str, zone: str, expected: str) -> None:
    assert following(timetable(Schedule(kind="at", at_time=text, timezone=zone)), "2026-01-01T00:00:00Z") == [expected]


def test_intervals_count_from_the_epoch() -> None:
    table = timetable(Schedule(kind="every", every=7 * 60_000))
    assert following(table, "1970-01-01T00:00:00Z", 2) == ["1970-01-01T00:07:00Z", "1970-01-01T00:14:00Z"]
    for tick in islice(ticks(table, instant("2026-05-05T05:05:05Z"), instant("2027-01-01T00:00:00Z")), 5):
        assert int(tick.timestamp()) % 420 == 0


SHOWN = {
    "cron": (Schedule(kind="cron", cron="0 6 * * *"), "0 6 * * *"),
    "minutes": (Schedule(kind="every", every=900_000), "every 15m"),
    "parts": (Schedule(kind="every", every=5_400_000), "every 90m"),
    "once": (Schedule(kind="at", at_time="2027-01-01T00:00:00Z"), "at 2027-01-01T00:00:00Z"),
}


@pytest.mark.parametrize(("schedule", "expected"), SHOWN.values(), ids=SHOWN)
def test_schedules_are_shown_as_they_are_written(schedule: Schedule, expected: str) -> None:
    assert shown(schedule) == expected


moments = some.datetimes(
    instant("2000-01-01T00:00:00Z").replace(tzinfo=None), instant("2037-01-01T00:00:00Z").replace(tzinfo=None), timezones=some.just(UTC)
)
minutes = some.sampled_from(["*", "0", "30", "*/7", "15,45", "59"])
hours = some.sampled_from(["*", "0", "2", "1-3", "*/5", "23"])
days = some.sampled_from(["*", "1", "L", "28-31", "*/2"])
schedules = some.one_of(
    some.builds(lambda m, h, d, z: cron(f"{m} {h} {d} * *", z), minutes, hours, days, some.sampled_from(ZONES)),
    some.builds(lambda ms: timetable(Schedule(kind="every", every=ms)), some.integers(1, 10**9)),
)


@given(schedules, moments)
def test_before_and_after_are_inverse(table: Timetable, moment: datetime.datetime) -> None:
    following = table.after(moment)
    assert following is not None and following > moment
    assert table.before(following + datetime.timedelta(microseconds=1)) == following
    previous = table.before(following)
    assert previous is not None and previous <= moment
    assert table.after(previous) == following


@given(moments, some.sampled_from(ZONES))
def test_each_local_time_has_one_instant_in_order(moment: datetime.datetime, zone_name: str) -> None:
    zone = zoneinfo.ZoneInfo(zone_name)
    local = wall(moment, zone).replace(microsecond=0)
    instants = [instant_of(local + datetime.timedelta(minutes=10 * step), zone) for step in range(30)]
    assert instants == sorted(instants)
    assert all(wall(found, zone) >= local for found in instants)
