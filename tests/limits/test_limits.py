"""The four strategies: the same suite in memory, in a mapped file and in Redis, on a clock of the tests'."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeai.limits.mapped import MappedLimits
from codeai.limits.rules import Rule, State, Strategy, take
from codeai.limits.stores import LimitStore, LocalLimits, RedisLimits
from codeai.storage.redis import Redis
from services.redis import RedisServer

BEGIN = 1_764_072_000_000.0  # begins a minute
STRATEGIES: tuple[Strategy, ...] = ("fixed_window", "sliding_window", "token_bucket", "leaky_bucket")


class Time:
    def __init__(self) -> None:
        self.now = BEGIN

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture(params=["memory", "mapped", "redis"])
async def store(request: pytest.FixtureRequest, time: Time, tmp_path: Path) -> AsyncIterator[LimitStore]:
    if request.param == "memory":
        yield LocalLimits(time)
        return
    if request.param == "mapped":
        mapped = MappedLimits(tmp_path / "limits", time)
        yield mapped
        mapped.close()
        return
    server: RedisServer = request.getfixturevalue("redis_server")
    redis = Redis(server.url, timeout=60)
    yield RedisLimits(redis, f"{uuid.uuid4().hex}:", LocalLimits(time), time)
    await redis.close()


async def passed(store: LimitStore, time: Time, rule: Rule, script: str) -> str:
    """Plays a script: ``5`` requests at once, ``+20`` seconds later (``-20``: the clock goes back); a digit says how many passed."""
    found: list[str] = []
    for word in script.split():
        if word.startswith(("+", "-")):
            time.now += float(word) * 1000
        else:
            found.append(str(sum([(await store.take("limit", "me", rule)).allowed for _ in range(int(word))])))
    return " ".join(found)


SCRIPTS: list[tuple[Rule, str, str]] = [
    (Rule(5, 60_000, "fixed_window"), "9 +30 9 +29.9 9 +0.1 9", "5 0 0 5"),
    (Rule(5, 60_000, "fixed_window"), "+59 9 +1 9", "5 5"),
    (Rule(6, 60_000, "sliding_window"), "9 +59 9 +1 9 +10 9 +10 9", "6 0 0 1 1"),
    (Rule(6, 60_000, "sliding_window"), "9 +120 9", "6 6"),
    (Rule(6, 60_000, "token_bucket"), "9 +10 9 +20 9 +600 9", "6 1 2 6"),
    (Rule(6, 60_000, "token_bucket", 2), "9 +10 9 +600 9", "2 1 2"),
    (Rule(6, 60_000, "leaky_bucket"), "9 +9.9 9 +0.1 9 +600 9", "1 0 1 1"),
    (Rule(6, 60_000, "leaky_bucket", 3), "9 +10 9 +20 9", "3 1 2"),
    # the clock goes back by an hour: nobody is kept out for it
    (Rule(5, 60_000, "fixed_window"), "9 -3600 9 +60 9", "5 5 5"),
    (Rule(6, 60_000, "sliding_window"), "9 -3600 9 +120 9", "6 6 6"),
    (Rule(6, 60_000, "token_bucket"), "9 -3600 9 +10 9", "6 6 1"),
    (Rule(6, 60_000, "leaky_bucket"), "9 -3600 9 +10 9", "1 1 1"),
]


@pytest.mark.parametrize(("rule", "script", "expected"), SCRIPTS, ids=[f"{rule.strategy} {script}" for rule, script, _ in SCRIPTS])
async def test_a_strategy_lets_through_what_it_promises(store: LimitStore, time: Time, rule: Rule, script: str, expected: str) -> None:
    assert await passed(store, time, rule, script) == expected


@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_waiting_as_long_as_is_asked_is_enough_and_shorter_is_not(store: LimitStore, time: Time, strategy: Strategy) -> None:
    rule = Rule(7, 60_000, strategy, 3)
    for offset in (0.0, 1_234.0, 40_000.0):
        time.now += offset
        while (decision := await store.take("limit", "me", rule)).allowed:
            assert decision.retry_after == 0
        assert decision.remaining == 0
        time.now += decision.retry_after * 1000 - 5
        assert not (await store.take("limit", "me", rule)).allowed
        time.now += 6
        assert (await store.take("limit", "me", rule)).allowed


@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_keys_and_names_are_counted_apart(store: LimitStore, strategy: Strategy) -> None:
    rule = Rule(1, 60_000, strategy)
    assert [(await store.take(name, key, rule)).allowed for name, key in (("a", "x"), ("a", "y"), ("b", "x"), ("a", "x"))] == [
        *(True, True, True, False)
    ]


@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_many_at_the_same_time_get_no_more_than_the_limit(store: LimitStore, strategy: Strategy) -> None:
    rule = Rule(5, 60_000, strategy, 5)
    found = await asyncio.gather(*(store.take("limit", "me", rule) for _ in range(40)))
    assert sum(decision.allowed for decision in found) == 5


@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_what_remains_and_when_it_is_free_again_is_said(store: LimitStore, time: Time, strategy: Strategy) -> None:
    rule = Rule(4, 60_000, strategy, 4)
    first = await store.take("limit", "me", rule)
    assert (first.limit, first.remaining) == (4, 3)
    assert 0 < first.reset <= 60


@given(
    strategy=st.sampled_from(STRATEGIES),
    requests=st.integers(1, 20),
    steps=st.lists(st.floats(0, 90_000, allow_nan=False), min_size=1, max_size=60),
)
def test_no_window_holds_more_than_twice_the_limit_and_a_first_request_always_passes(
    strategy: Strategy, requests: int, steps: list[float]
) -> None:
    rule, state, now = Rule(requests, 60_000, strategy), State(), BEGIN
    times: list[float] = []
    for step in steps:
        now += step
        decision = take(rule, state, now)
        assert decision.remaining >= 0
        assert decision.allowed == (decision.retry_after == 0)
        if decision.allowed:
            times.append(now)
    assert times[:1] == [BEGIN + steps[0]]
    for at in times:
        assert sum(at <= other < at + 60_000 for other in times) <= 2 * requests


async def test_a_process_forgets_keys_instead_of_growing(time: Time) -> None:
    store = LocalLimits(time, keys=100)
    rule = Rule(5, 1_000, "fixed_window")
    for number in range(1_000):
        await store.take("limit", str(number), rule)
    assert len(store._states) <= 101
    time.now += 5_000
    for number in range(200):
        await store.take("limit", f"later {number}", rule)
    assert len(store._states) <= 101


async def test_without_redis_each_process_counts_for_itself() -> None:
    redis = Redis("redis://127.0.0.1:1/0")
    store = RedisLimits(redis, "", LocalLimits())
    rule = Rule(2, 60_000, "token_bucket")
    assert [(await store.take("limit", "me", rule)).allowed for _ in range(3)] == [True, True, False]
    await redis.close()
