"""``retry`` of all declarations is one model, and the delays between tries are computed in one place."""

import pytest

from codeai.events.schedule import STANDARD, of_retry
from codeai.model.event import Retry
from language.samples import analysed


@pytest.mark.parametrize(
    ("retry", "delays"),
    [
        (Retry(times=4), [1_000, 2_000, 4_000, 8_000]),
        (Retry(times=4, initial=40_000, multiplier=3.0), [40_000, 60_000, 60_000, 60_000]),
        (Retry(times=3, backoff="linear"), [1_000, 2_000, 3_000]),
        (Retry(times=3, backoff="fixed", initial=300_000), [300_000, 300_000, 300_000]),
        (Retry(times=4, delays=(1_000, 7_000, 5_000)), [1_000, 7_000, 5_000, 5_000]),
    ],
)
def test_the_delays_between_tries(retry: Retry, delays: list[int]) -> None:
    assert [retry.delay(attempt) for attempt in range(1, retry.times + 1)] == delays
    assert list(of_retry(retry, STANDARD).delays) == delays or retry == Retry(times=retry.times)


def test_a_thousand_tries_do_not_overflow() -> None:
    assert Retry(times=1_000, multiplier=10.0).delay(1_000) == 60_000


PROGRAM = """
event Sold {{ }}
webhook partner {{ event: Sold  url: "https://partner.example.com"  {} }}
"""


@pytest.mark.parametrize(
    ("clause", "retry"),
    [
        ("retry: 3 times { delays: [1s, 7s, 2m] }", Retry(times=3, delays=(1_000, 7_000, 120_000))),
        ("retry { delays: [1s, 7s] }", Retry(times=2, delays=(1_000, 7_000))),
        ("retry: 5 times { delays: [1s] }", Retry(times=5, delays=(1_000,))),
    ],
)
def test_delays_may_be_said_one_by_one(clause: str, retry: Retry) -> None:
    program = analysed(PROGRAM.format(clause))
    assert program.valid, [found.message for found in program.diagnostics]
    assert program.application.webhooks[0].retry == retry


def test_older_delays_are_kept_as_they_are_written() -> None:
    program = analysed('integration Pay { base_url: "https://pay.example.com"  retry_delays: ["1s", "7s", 120] }\n')
    assert program.application.integrations[0].retry == Retry(times=3, delays=(1_000, 7_000, 120_000))


@pytest.mark.parametrize("value", ["3", "[]", "[1s, 2]", '"soon"'])
def test_delays_are_durations(value: str) -> None:
    program = analysed(PROGRAM.format(f"retry: 3 times {{ delays: {value} }}"))
    assert [found.code for found in program.diagnostics] == ["CAI0505"]
