"""Ticks that nobody was there for."""

import datetime

import pytest

from codeai.jobs.catching_up import AT_ONCE, due
from codeai.jobs.timetable import timetable
from codeai.model.workflow import Schedule

NOW = datetime.datetime(2026, 5, 10, 12, 0, 5, tzinfo=datetime.UTC)
HOURLY = timetable(Schedule(kind="cron", cron="0 * * * *"))


def hours(*ago: float) -> list[datetime.datetime]:
    return [NOW.replace(second=0) - datetime.timedelta(hours=number) for number in ago]


SCENARIOS = {
    # policy, hours since the last tick that was handled, hours ago of those that run, left out
    "punctual": ("latest", 1, [0], 0),
    "punctual, none": ("none", 1, [0], 0),
    "punctual, all": ("all", 1, [0], 0),
    "nothing is due": ("all", 0, [], 0),
    "down for three hours, none": ("none", 3, [0], 2),
    "down for three hours, latest": ("latest", 3, [0], 2),
    "down for three hours, all": ("all", 3, [2, 1, 0], 0),
    "down for three days, all": ("all", 72, list(range(23, -1, -1)), 48),
    "down for three days, latest": ("latest", 72, [0], 71),
}


@pytest.mark.parametrize(("policy", "since", "run", "missed"), SCENARIOS.values(), ids=SCENARIOS)
def test_catching_up(policy: str, since: float, run: list[float], missed: int) -> None:
    found = due(HOURLY, hours(since)[0], NOW, policy)  # type: ignore[arg-type]
    assert list(found.run) == hours(*run)
    assert found.missed == missed
    assert found.until == NOW


def test_a_single_instant_missed_for_longer_than_a_day_is_gone() -> None:
    once = timetable(Schedule(kind="at", at_time="2026-05-08T00:00:00Z"))
    found = due(once, NOW - datetime.timedelta(days=30), NOW, "latest")
    assert (found.run, found.missed) == ((), 1)


def test_a_single_instant_of_this_morning_runs() -> None:
    once = timetable(Schedule(kind="at", at_time="2026-05-10T06:00:00Z"))
    assert due(once, NOW - datetime.timedelta(days=30), NOW, "latest").run == (datetime.datetime(2026, 5, 10, 6, tzinfo=datetime.UTC),)


def test_a_long_absence_is_worked_off_in_pieces() -> None:
    secondly = timetable(Schedule(kind="every", every=1000))
    since, seen = NOW - datetime.timedelta(seconds=2 * AT_ONCE + 10), 0
    for expected in (AT_ONCE, AT_ONCE, 10, 0):
        found = due(secondly, since, NOW, "all")
        assert len(found.run) == expected
        since, seen = found.until, seen + len(found.run)
    assert seen == 2 * AT_ONCE + 10


def test_a_clock_that_went_back_makes_nothing_due() -> None:
    found = due(HOURLY, NOW + datetime.timedelta(hours=1), NOW, "all")
    assert found.run == () and found.until == NOW + datetime.timedelta(hours=1)
