"""Circuit breakers (acceptance S38 to S48): the states, in this process."""

import logging
from typing import Any

import pytest
from calling import Clock

from codeai.integrations.breaker import CircuitBreaker, CircuitOpen, LocalMachine
from codeai.model.integration import Breaker

WINDOWED = Breaker(failures=3, window=60_000, reset_after=30_000, half_open=2)


def breaker(model: Breaker, clock: Clock) -> tuple[CircuitBreaker, list[str]]:
    changes: list[str] = []
    return CircuitBreaker("Peer", LocalMachine(model), clock.seconds, lambda name, state: changes.append(state)), changes


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
async def test_s41_states_follow_the_results(name: str, model: Breaker, script: str, states: list[str]) -> None:
    clock = Clock()
    found, _ = breaker(model, clock)
    assert await run(found, clock, script) == states


async def test_s38_s100_a_refused_call_says_that_the_breaker_is_open_and_how_long() -> None:
    clock = Clock()
    found, _ = breaker(Breaker(), clock)
    await run(found, clock, "f f f f f +20")
    with pytest.raises(CircuitOpen, match=r"^circuit breaker is open$") as raised:
        await found.admit()
    assert (raised.value.retry_after, raised.value.status, raised.value.code) == (40, 503, "circuit_open")


async def test_s44_half_open_lets_a_limited_number_through_at_the_same_time() -> None:
    clock = Clock()
    found, _ = breaker(Breaker(), clock)
    await run(found, clock, "f f f f f +60")
    permits = [await found.admit() for _ in range(3)]
    with pytest.raises(CircuitOpen):
        await found.admit()
    for permit in permits:
        await found.report(permit, "success")
    assert found.state == "closed"


async def test_probes_that_never_come_back_are_given_up_after_a_while() -> None:
    clock = Clock()
    found, _ = breaker(WINDOWED, clock)
    await run(found, clock, "f f f +30")
    lost = [await found.admit(), await found.admit()]
    with pytest.raises(CircuitOpen):
        await found.admit()
    clock.advance(30)
    assert await run(found, clock, "s s") == ["half-open", "closed"]
    await found.report(lost[0], "failure")
    assert found.state == "closed"


async def test_a_result_of_an_earlier_period_does_not_count() -> None:
    clock = Clock()
    found, _ = breaker(Breaker(failures=1), clock)
    late = await found.admit()
    await run(found, clock, "f +60 s s s")
    await found.report(late, "failure")
    assert found.state == "closed"


async def test_s46_reset_closes_by_hand() -> None:
    clock = Clock()
    found, changes = breaker(Breaker(), clock)
    await run(found, clock, "f f f f f")
    await found.reset()
    assert await run(found, clock, "s") == ["closed"]
    assert changes == ["open", "closed"]


async def test_s39_s135_transitions_are_logged_with_from_and_to(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    clock = Clock()
    found, changes = breaker(Breaker(), clock)
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
