"""When a delivery that failed is tried again."""

from __future__ import annotations

import random
from typing import Final

from codeai.model.event import Retry

# The schedule that Standard Webhooks suggests, in milliseconds: eight retries over two days.
_MINUTE, _HOUR = 60_000, 3_600_000
STANDARD: Final = (5_000, 5 * _MINUTE, 30 * _MINUTE, 2 * _HOUR, 5 * _HOUR, 10 * _HOUR, 14 * _HOUR, 20 * _HOUR)
# Handlers: quick at first, since most failures are short; eight retries over about a day.
HANDLERS: Final = (1_000, 10_000, 60_000, 10 * _MINUTE, 30 * _MINUTE, 2 * _HOUR, 6 * _HOUR, 15 * _HOUR)
_LONGEST: Final = 24 * _HOUR


class Schedule:
    """The delays of one kind of delivery.

    :param delays: milliseconds before each retry; after the last one the delivery is dead
    """

    def __init__(self, delays: tuple[int, ...]) -> None:
        self.delays = delays

    def delay(self, failures: int, *, at_least: float = 0.0, draw: float | None = None) -> int | None:
        """Milliseconds until the next attempt, with up to 20 % more or less; None when there is none.

        :param failures: how often it has failed
        :param at_least: seconds that the peer asked for (``Retry-After``)
        :param draw: a number from 0 to 1 instead of chance
        """
        if failures > len(self.delays):
            return None
        chance = random.random() if draw is None else draw  # noqa: S311  # spreads load, keeps no secret
        jittered = self.delays[failures - 1] * (0.8 + 0.4 * chance)
        return min(max(int(jittered), int(at_least * 1000)), _LONGEST)


def of_retry(retry: Retry | None, default: tuple[int, ...]) -> Schedule:
    """The schedule that a ``retry`` clause describes; the default where it says nothing but how often."""
    if retry is None:
        return Schedule(default)
    plain = Retry(times=retry.times)
    if retry == plain:
        more = max(retry.times - len(default), 0)
        return Schedule((*default[: retry.times], *default[-1:] * more))
    return Schedule(tuple(int(retry.delay(number)) for number in range(1, retry.times + 1)))
