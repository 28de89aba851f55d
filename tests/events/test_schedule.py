"""When failed deliveries are tried again."""

import pytest

from codeai.events.schedule import HANDLERS, STANDARD, Schedule, of_retry
from codeai.model.event import Retry

HOUR = 3_600_000


def test_handlers_are_tried_eight_times_more_over_about_a_day():
    assert len(HANDLERS) == 8
    assert 20 * HOUR < sum(HANDLERS) < 28 * HOUR


def test_webhooks_follow_the_schedule_of_the_specification():
    assert [delay // 1000 for delay in STANDARD] == [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000]


@pytest.mark.parametrize(("draw", "factor"), [(0.0, 0.8), (0.5, 1.0), (1.0, 1.2)])
def test_delays_are_spread_by_a_fifth(draw, factor):
    assert Schedule((10_000,)).delay(1, draw=draw) == 10_000 * factor


def test_after_the_last_retry_there_is_none():
    schedule = Schedule((1, 2))
    assert [schedule.delay(failures, draw=0.5) for failures in (1, 2, 3)] == [1, 2, None]


def test_a_peer_may_ask_for_more_time_but_not_for_ever():
    schedule = Schedule((1_000,))
    assert schedule.delay(1, at_least=120.0) == 120_000
    assert schedule.delay(1, at_least=1e12) == 24 * HOUR


@pytest.mark.parametrize(
    ("retry", "delays"),
    [
        (None, STANDARD),
        (Retry(times=8), STANDARD),
        (Retry(times=3), STANDARD[:3]),
        (Retry(times=10), (*STANDARD, STANDARD[-1], STANDARD[-1])),
        (Retry(times=0), ()),
        (Retry(times=3, backoff="fixed", initial=500), (500, 500, 500)),
        (Retry(times=3, backoff="linear", initial=500, maximum=1_200), (500, 1_000, 1_200)),
        (Retry(times=4, initial=100, maximum=500, multiplier=3.0), (100, 300, 500, 500)),
    ],
)
def test_a_retry_clause_describes_the_schedule(retry, delays):
    assert of_retry(retry, STANDARD).delays == delays
