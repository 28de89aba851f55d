"""Circuit breakers (acceptance S38 to S48): the same suite on the machine of a process and on the one in Redis."""

import logging
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from calling import Clock

from codeai.integrations.breaker import CircuitBreaker, CircuitOpen, LocalMachine, Machine
from codeai.integrations.shared_breaker import RedisMachine
from codeai.integrations.told_breaker import ASK, ToldMachine
from codeai.model.integration import Breaker
from codeai.storage.redis import Redis
from services.redis import RedisServer

WINDOWED = Breaker(failures=3, window=60_000, reset_after=30_000, half_open=2)


Make = Callable[[Breaker], Machine]


@pytest.fixture(params=["process", "told", "redis"])
async def make(request: pytest.FixtureRequest) -> AsyncIterator[Make]:
    """Makes machines."""
    if request.param == "process":
        yield LocalMachine
        return
    if request.param == "told":
        yield lambda model: ToldMachine(model, lambda what: None)
        return
    server: RedisServer = request.getfixturevalue("redis_server")
    redis = Redis(server.url, timeout=60)
    yield lambda model: RedisMachine(redis, uuid.uuid4().hex, model)
    await redis.close()


def breaker(machine: Machine, clock: Clock) -> tuple[CircuitBreaker, list[str]]:
    changes: list[str] = []
    return CircuitBreaker("Peer", machine, clock.seconds, lambda name, state: changes.append(state)), changes


async def run(found: CircuitBreaker, clock: Clock, script: str) -> list[str]:
    """Plays a script: ``f`` a failing call, ``s`` a succeeding one, ``c`` a cancelled one, ``+9`` seconds. Notes the states, x: refused."""
    seen: list[str] = []
    for word in script.split():
        if word.startswith("+"):
            clock.advance(float(word))
            continue
        try:
            permit = await found.admit()
        except CircuitOpen:
            seen.append("x")
            continue
        await found.report(permit, {"f": "failure", "s": "success", "c": "cancelled"}[word])  # type: ignore[arg-type]
        seen.append(found.state)
    return seen


C, O, H = "closed", "open", "half-open"  # noqa: E741  # reads as a picture
SCRIPTS: list[tuple[str, Breaker, str, list[str]]] = [
    ("S42 five failures open by default", Breaker(), "f f f f f s", [C, C, C, C, O, "x"]),
    ("a success between starts over", Breaker(), "f f f f s f f f f f", [C] * 9 + [O]),
    ("S43 open refuses all", Breaker(), "f f f f f f s +59 s", [C, C, C, C, O, "x", "x", "x"]),
    ("S47 S48 after 60 s three successes close", Breaker(), "f f f f f +60 s s s f", [C, C, C, C, O, H, H, C, C]),
    ("a failing probe opens again", Breaker(), "f f f f f +60 s f s +60 s", [C, C, C, C, O, H, O, "x", H]),
    ("failures count within the window", WINDOWED, "f +31 f +31 f f", [C, C, C, O]),
    ("successes do not clear a window", WINDOWED, "f s f s f", [C, C, C, C, O]),
    ("cancelled calls say nothing", Breaker(failures=1), "c c f", [C, C, O]),
    ("a cancelled probe makes room for another", WINDOWED, "f f f +30 c c s s", [C, C, O, H, H, H, C]),
]


@pytest.mark.parametrize(("name", "model", "script", "states"), SCRIPTS, ids=[row[0] for row in SCRIPTS])
async def test_s41_states_follow_the_results(make: Make, name: str, model: Breaker, script: str, states: list[str]) -> None:
    clock = Clock()
    found, _ = breaker(make(model), clock)
    assert await run(found, clock, script) == states


async def test_s38_s100_a_refused_call_says_that_the_breaker_is_open_and_how_long(make: Make) -> None:
    clock = Clock()
    found, _ = breaker(make(Breaker()), clock)
    await run(found, clock, "f f f f f +20")
    with pytest.raises(CircuitOpen, match=r"^circuit breaker is open$") as raised:
        await found.admit()
    assert (raised.value.retry_after, raised.value.status, raised.value.code) == (40, 503, "circuit_open")


async def test_s44_half_open_lets_a_limited_number_through_at_the_same_time(make: Make) -> None:
    clock = Clock()
    found, _ = breaker(make(Breaker()), clock)
    await run(found, clock, "f f f f f +60")
    permits = [await found.admit() for _ in range(3)]
    with pytest.raises(CircuitOpen):
        await found.admit()
    for permit in permits:
        await found.report(permit, "success")
    assert found.state == "closed"


async def test_probes_that_never_come_back_are_given_up_after_a_while(make: Make) -> None:
    clock = Clock()
    found, _ = breaker(make(WINDOWED), clock)
    await run(found, clock, "f f f +30")
    lost = [await found.admit(), await found.admit()]
    with pytest.raises(CircuitOpen):
        await found.admit()
    clock.advance(30)
    assert await run(found, clock, "s s") == ["half-open", "closed"]
    await found.report(lost[0], "failure")
    assert found.state == "closed"


async def test_a_result_of_an_earlier_period_does_not_count(make: Make) -> None:
    clock = Clock()
    found, _ = breaker(make(Breaker(failures=1)), clock)
    late = await found.admit()
    await run(found, clock, "f +60 s s s")
    await found.report(late, "failure")
    assert found.state == "closed"


async def test_s46_reset_closes_by_hand(make: Make) -> None:
    clock = Clock()
    found, changes = breaker(make(Breaker()), clock)
    await run(found, clock, "f f f f f")
    await found.reset()
    assert await run(found, clock, "s") == ["closed"]
    assert changes == ["open", "closed"]


async def test_s39_s135_transitions_are_logged_with_from_and_to(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    clock = Clock()
    found, changes = breaker(make(Breaker()), clock)
    await run(found, clock, "f f f f f +60 s s s")
    records: list[Any] = [record.__dict__ for record in caplog.records if record.msg == "circuit breaker state changed"]
    assert [(record["from"], record["to"], record["integration"]) for record in records] == [
        ("closed", "open", "Peer"),
        ("open", "half-open", "Peer"),
        ("half-open", "closed", "Peer"),
    ]
    assert changes == ["open", "half-open", "closed"]
    shown = await found.snapshot()
    assert (shown.state, shown.failures) == ("closed", 0)


# -- several processes ----------------------------------------------------------------------------------------------------


async def test_processes_share_a_breaker_and_only_one_logs_the_change(redis_server: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    clock, key = Clock(), uuid.uuid4().hex
    connections = [Redis(redis_server.url, timeout=60) for _ in range(2)]
    (one, ones), (two, twos) = (breaker(RedisMachine(redis, key, Breaker()), clock) for redis in connections)
    assert await run(one, clock, "f f f") + await run(two, clock, "f f s") == [C, C, C, C, O, "x"]
    assert await run(one, clock, "s +60 s") == ["x", H]
    assert await run(two, clock, "s s s") == [H, C, C]
    assert await run(one, clock, "s") == [C]
    assert [record.to for record in caplog.records if record.msg == "circuit breaker state changed"] == [O, H, C]  # type: ignore[attr-defined]
    assert (ones, twos) == ([O, H, C], [O, H, C])
    await two.reset()
    for redis in connections:
        await redis.close()


class Told:
    """Two processes that tell each other, each with a way to be deaf."""

    def __init__(self, model: Breaker, clock: Clock) -> None:
        self.clock = clock
        self.deaf = False
        self.machines = [ToldMachine(model, lambda what, me=me: self.tell(me, what)) for me in range(2)]  # type: ignore[misc]
        self.breakers = [breaker(machine, clock)[0] for machine in self.machines]

    def tell(self, me: int, what: str) -> None:
        if not self.deaf:
            self.breakers[1 - me].told(self.machines[1 - me].told(what, self.clock.seconds()))

    async def run(self, who: int, script: str) -> list[str]:
        return await run(self.breakers[who], self.clock, script)

    @property
    def states(self) -> list[str]:
        return [found.state for found in self.breakers]


async def test_processes_that_tell_each_other_count_together_and_only_one_logs_the_change(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    pair = Told(Breaker(), Clock())
    assert await pair.run(0, "f f f") + await pair.run(1, "f f s") == [C, C, C, C, O, "x"]
    assert pair.states == [O, O]
    assert await pair.run(0, "s +60 s") == ["x", H]
    assert pair.states == [H, H]
    assert await pair.run(1, "s") == ["x"]  # the probes are the other's
    assert await pair.run(0, "s s") == [H, C]
    assert pair.states == [C, C]
    assert [record.to for record in caplog.records if record.msg == "circuit breaker state changed"] == [O, H, C]  # type: ignore[attr-defined]


async def test_a_success_in_one_process_ends_the_row_of_failures_in_the_other() -> None:
    pair = Told(Breaker(), Clock())
    assert await pair.run(0, "f f f f") == [C] * 4
    assert await pair.run(1, "s") == [C]
    assert await pair.run(0, "f f f f") == [C] * 4
    assert await pair.run(1, "f") == [O]


async def test_a_failed_probe_opens_both_and_a_reset_by_either_closes_both() -> None:
    pair = Told(Breaker(), Clock())
    await pair.run(0, "f f f f f +60")
    assert await pair.run(1, "f") == [O]
    assert pair.states == [O, O]
    assert await pair.run(0, "s +59 s") == ["x", "x"]
    await pair.breakers[0].reset()
    assert pair.states == [C, C]
    assert await pair.run(1, "s") == [C]


async def test_who_probes_and_dies_leaves_the_probes_to_the_other() -> None:
    pair = Told(Breaker(), Clock())
    await pair.run(0, "f f f f f +60")
    await pair.breakers[0].admit()  # and never comes back
    assert await pair.run(1, "s +60 s s s") == ["x", H, H, C]
    assert pair.states == [C, C]


async def test_who_has_not_heard_asks_and_whoever_knows_it_better_keeps_its_own() -> None:
    pair = Told(Breaker(), Clock())
    pair.deaf = True
    await pair.run(0, "f f f f f")
    assert pair.states == [O, C]
    pair.deaf = False
    pair.tell(1, ASK)
    assert pair.states == [O, O]
    pair.deaf = True
    await pair.run(0, "+60 s")
    pair.deaf = False
    pair.tell(0, ASK)  # the other is still open: the one that probes goes on
    assert pair.states == [H, O]
    assert await pair.run(0, "s s") == [H, C]
    assert pair.states == [C, C]


async def test_without_redis_a_process_goes_by_its_own_machine() -> None:
    clock = Clock()
    server = RedisServer()
    redis = Redis(server.url)
    found, _ = breaker(RedisMachine(redis, "own", Breaker()), clock)
    assert await run(found, clock, "f f f f f s +60 s s s") == [C, C, C, C, O, "x", H, H, C]
    server.remove()
    await redis.close()
