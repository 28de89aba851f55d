"""Health: what checks say, how they run, who sees what."""

import asyncio
import re

import pytest

from codeai.observability.health import Check, Degraded, Health, duration


async def fine() -> None:
    pass


async def broken() -> None:
    raise OSError("host 10.0.0.7 is down")


async def hangs() -> None:
    await asyncio.sleep(60)


async def limps() -> None:
    raise Degraded("breaker open")


def health(*checks: Check) -> Health:
    return Health("1.0.0", checks, 0.0)


@pytest.mark.parametrize(
    ("checks", "status", "served"),
    [
        ([], "healthy", True),
        ([Check("database", fine, 1)], "healthy", True),
        ([Check("database", broken, 1), Check("cache", fine, 1, False)], "unhealthy", False),
        ([Check("database", fine, 1), Check("cache", broken, 1, False)], "degraded", True),
        ([Check("database", fine, 1), Check("pay", limps, 1, False)], "degraded", True),
        ([Check("database", hangs, 0.05)], "unhealthy", False),
    ],
)
async def test_critical_checks_decide(checks, status, served):
    assert (found := await health(*checks).report())[0] is served
    assert found[1]["status"] == status


async def test_checks_run_at_the_same_time_each_within_its_own():
    _, document = await asyncio.wait_for(health(*(Check(f"c{number}", hangs, 1) for number in range(50))).report(), 30)
    assert {found["reason"] for found in document["checks"].values()} == {"no answer within 1s"}


async def test_many_who_ask_at_once_are_one_question():
    asked = 0

    async def counted():
        nonlocal asked
        asked += 1
        await asyncio.sleep(0.05)

    checked = health(Check("database", counted, 60))
    reports = await asyncio.gather(*(checked.report() for _ in range(100)))
    assert asked == 1
    assert {document["status"] for _, document in reports} == {"healthy"}
    await checked.report()
    assert asked == 2


async def test_somebody_who_goes_away_does_not_take_the_answer_from_others():
    checked = health(Check("database", lambda: asyncio.sleep(0.1), 60))
    first = asyncio.ensure_future(checked.report())
    second = asyncio.ensure_future(checked.report())
    await asyncio.sleep(0.01)
    first.cancel()
    assert (await second)[0]


async def test_readiness_asks_the_critical_ones_and_fails_first_when_the_server_ends():
    checked = health(Check("database", fine, 1), Check("cache", broken, 1, False))
    served, document = await checked.report(critical_only=True)
    assert served
    assert list(document["checks"]) == ["database"]
    checked.draining = True
    assert (await checked.report(critical_only=True))[0] is False
    served, document = await checked.report()
    assert served
    assert document["status"] == "draining"


async def test_figures_and_reasons_are_for_operators():
    checked = health(Check("database", broken, 1, details=lambda: {"in_use": 3}))
    _, document = await checked.report(details=True)
    assert document["checks"]["database"]["reason"] == "host 10.0.0.7 is down"
    assert document["checks"]["database"]["details"] == {"in_use": 3}
    _, document = await checked.report(details=False)
    assert set(document["checks"]["database"]) == {"status", "duration"}


async def test_figures_of_all_processes_are_summed_where_that_is_asked_for():
    checked = health(
        Check("database", fine, 1, details=lambda: {"in_use": 3}, summed=True), Check("cache", fine, 1, details=lambda: {"items": 1})
    )

    async def everywhere():
        return [checked.figures(), {"database": {"in_use": 4}}, {}]

    checked.siblings = everywhere
    _, document = await checked.report()
    assert document["checks"]["database"]["details"] == {"in_use": 7}
    assert document["checks"]["cache"]["details"] == {"items": 1}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (86_730, "24h5m30s"),
        (330, "5m30s"),
        (30, "30s"),
        (3600, "1h0m0s"),
        (0, "0s"),
        (2.0015, "2.002s"),
        (0.0015, "1.5ms"),
        (0.00025, "250µs"),
        (0.000_000_3, "300ns"),
        (0.123456, "123.456ms"),
        (90.5, "1m30.5s"),
    ],
)
def test_durations_read_as_in_go(seconds, text):
    assert duration(seconds) == text


async def test_the_document_has_the_form_of_the_guide():
    _, document = await health(Check("database", fine, 1)).report()
    assert list(document) == ["status", "timestamp", "version", "uptime", "checks"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", document["timestamp"])
    assert document["version"] == "1.0.0"
