"""A database in trouble while the program serves: requests get a problem that says so, in time, and service comes back by itself."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from storage_program import PROGRAM

from services.network import Network
from services.polling import comes_to, eventually
from services.postgres import PostgresServer
from services.service import Service


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server of these tests' own, to be stopped and killed."""
    with PostgresServer() as found:
        yield found


Opening = Callable[..., Service]


@pytest.fixture
def open_(server: PostgresServer, tmp_path: Path) -> Iterator[Opening]:
    opened: list[Service] = []
    (tmp_path / "app.cai").write_text(PROGRAM)

    def open_one(**limits: object) -> Service:
        server.sql("DROP DATABASE IF EXISTS faults WITH (FORCE)")
        url = server.create_database("faults")
        server.sql("ALTER DATABASE faults SET synchronous_commit = on")  # the server is killed in these tests
        opened.append(Service(tmp_path / "app.cai", url, **limits))
        opened[-1].request("POST", "/counters", {"name": "a"})
        opened[-1].request("POST", "/counters", {"name": "b"})
        return opened[-1]

    yield open_one
    for service in opened:
        service.close()


def statuses(answers):
    return sorted(answer.status for answer in answers)


async def many(service, count, method, target):
    return await asyncio.gather(*(service.exchange(method, target) for _ in range(count)))


def test_s2_while_the_database_is_down_requests_get_503_and_then_all_is_well_again(server, open_):
    service = open_()
    for end in (server.stop, server.kill):
        end()
        for method, target in (("GET", "/counters"), ("POST", "/add/a"), ("POST", "/strict/a"), ("GET", "/counters")):
            began = time.monotonic()
            answer = service.request(method, target)
            assert (answer.status, answer.code) == (503, "database_unavailable")
            assert answer.header("retry-after") == "1"
            assert b"127.0.0.1" not in answer.body and b"codeai@" not in answer.body
            assert time.monotonic() - began < 30
        health = service.request("GET", "/health")
        assert (health.status, health.json["checks"]["database"]["status"]) == (503, "unhealthy")
        assert service.request("GET", "/health/live").status == 200
        server.start()
        assert service.request("GET", "/counters").status == 200
        assert service.request("POST", "/add/a").status == 200
        assert service.request("GET", "/health").status == 200
    assert service.request("GET", "/counters?name=a").json["data"][0]["value"] == 2


def test_s69_terminated_sessions_are_replaced(server, open_):
    service = open_(max_connections=5)
    service.run(many(service, 5, "GET", "/counters"))
    for _ in range(3):
        server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'faults' AND pid <> pg_backend_pid()")
        answers = service.run(many(service, 5, "GET", "/counters"))
        assert statuses(answers) == [200] * 5  # reads are sent once more
        assert service.request("POST", "/add/a").status == 200
    assert service.all_given_back()
    assert service.database.statistics().open_connections <= 5


# Ends all sessions as soon as one of them is inside a transaction.
_CUT = """DO $$ BEGIN FOR try IN 1..20000 LOOP
    IF EXISTS (SELECT FROM pg_stat_activity WHERE datname = 'faults' AND state = 'idle in transaction') THEN
        PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'faults' AND pid <> pg_backend_pid(); RETURN;
    END IF;
    PERFORM pg_sleep(0.005); PERFORM pg_stat_clear_snapshot();
END LOOP; END $$"""


def test_a_transaction_whose_session_is_terminated_answers_503_and_leaves_nothing(server, open_):
    service = open_()

    async def watched() -> bool:
        looking = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'DO %' AND state = 'active'"
        row = await service.database.fetch_row(looking, ())
        return bool(row[0])

    async def cut():
        cutting = asyncio.create_task(asyncio.to_thread(server.sql, _CUT))
        await eventually(watched)
        answer, _ = await asyncio.gather(service.exchange("POST", "/keep"), cutting)
        return answer

    answer = service.run(cut())
    assert (answer.status, answer.code) == (503, "database_unavailable")
    assert service.request("GET", "/counters?total=exact").json["pagination"]["total"] == 2
    assert service.request("POST", "/hold").status == 200


def test_an_exhausted_pool_answers_503_after_the_acquire_timeout(server, open_):
    service = open_(max_connections=2, acquire_timeout=1.0)

    async def more_than_fit():
        holding = [asyncio.ensure_future(service.exchange("POST", target)) for target in ("/keep", "/lock")]
        await eventually(lambda: service.database.statistics().in_use == 2)
        waiting = await many(service, 4, "POST", "/add/a")
        return waiting, await asyncio.gather(*holding)

    waiting, held = service.run(more_than_fit())
    assert {(answer.status, answer.code) for answer in waiting} == {(503, "pool_exhausted")}
    assert statuses(held) == [200, 200]
    comes_to(lambda: statuses(service.run(many(service, 10, "GET", "/counters"))), [200] * 10)
    assert service.all_given_back()


def test_those_who_wait_for_a_connection_get_it_in_turn(server, open_):
    service = open_(max_connections=2, acquire_timeout=60.0)
    assert statuses(service.run(many(service, 40, "POST", "/add/a"))) == [200] * 40
    assert service.request("GET", "/counters?name=a").json["data"][0]["value"] == 40
    assert service.database.statistics().open_connections == 2


def test_a_statement_that_takes_too_long_is_ended(server, open_):
    service = open_(statement_timeout=1.5, lock_timeout=60.0)

    async def locked():
        async with service.database.transaction() as session:
            await session.execute("UPDATE counters SET value = value WHERE name = 'a'", ())
            return await service.exchange("POST", "/add/a")

    answer = service.run(locked())
    assert (answer.status, answer.code) == (504, "statement_timeout")
    assert service.request("POST", "/add/a").status == 200


def test_a_lock_that_is_not_granted_answers_503(server, open_):
    service = open_(lock_timeout=0.2)

    async def locked():
        async with service.database.transaction() as session:
            await session.execute("UPDATE counters SET value = value WHERE name = 'a'", ())
            return await service.exchange("POST", "/add/a")

    answer = service.run(locked())
    assert (answer.status, answer.code) == (503, "lock_timeout")


def test_updates_of_one_row_wait_for_each_other(server, open_):
    """A row that the block reads and then changes is locked when it is read (language page, section 6)."""
    service = open_()
    assert statuses(service.run(many(service, 20, "POST", "/add/b"))) == [200] * 20
    assert service.request("GET", "/counters?name=b").json["data"][0]["value"] == 20


def test_serialization_failures_are_retried_three_times(server, open_):
    service = open_()
    answers = service.run(many(service, 8, "POST", "/strict/a"))
    done = [answer for answer in answers if answer.status == 200]
    for answer in answers:
        assert answer.status == 200 or (answer.status, answer.code) == (409, "concurrent_change")
    assert service.request("GET", "/counters?name=a").json["data"][0]["value"] == len(done)
    assert len(done) >= 2


def test_a_deadlock_ends_one_of_both(server, open_):
    service = open_()

    service.run(many(service, 2, "GET", "/counters"))  # both have a connection, and begin together

    async def crosswise():
        return await asyncio.gather(service.exchange("POST", "/swap/a/b"), service.exchange("POST", "/swap/b/a"))

    answers = service.run(crosswise())
    assert statuses(answers) == [200, 409]
    refused = next(answer for answer in answers if answer.status == 409)
    assert (refused.code, refused.header("retry-after")) == ("concurrent_change", "1")
    values = {row["name"]: row["value"] for row in service.request("GET", "/counters").json["data"]}
    assert values == {"a": 1, "b": 1}


@pytest.fixture
def crowded(server: PostgresServer, tmp_path: Path) -> Iterator[Opening]:
    """A program whose role may have five connections, of which one listens."""
    (tmp_path / "app.cai").write_text(PROGRAM)
    url = server.create_database("crowded").replace("codeai@", "guest@")
    server.sql("CREATE ROLE guest LOGIN CONNECTION LIMIT 5")
    server.sql("GRANT ALL ON SCHEMA public TO guest", "crowded")
    opened: list[Service] = []

    def open_one(**limits: object) -> Service:
        opened.append(Service(tmp_path / "app.cai", url, **limits))
        return opened[-1]

    yield open_one
    for service in opened:
        service.close()
    server.sql("DROP DATABASE crowded WITH (FORCE)")
    server.sql("DROP ROLE guest")


def test_a_server_that_opens_no_more_connections_is_served_by_those_that_are_there(crowded):
    service = crowded(max_connections=10, acquire_timeout=60.0)
    assert statuses(service.run(many(service, 12, "POST", "/hold"))) == [200] * 12
    assert statuses(service.run(many(service, 2, "GET", "/counters"))) == [200] * 2
    assert service.all_given_back()
    assert service.database.statistics().open_connections <= 4


def test_too_many_clients_of_the_server_answer_503(crowded):
    service = crowded(max_connections=10, acquire_timeout=2.0)

    async def all_held():
        async with AsyncExitStack() as held:
            for _ in range(4):  # one after the other: PostgreSQL may refuse all of those that ask at the same moment
                await held.enter_async_context(service.database.transaction())
            return await many(service, 4, "POST", "/add/a")

    assert {(answer.status, answer.code) for answer in service.run(all_held())} == {(503, "pool_exhausted")}
    assert statuses(service.run(many(service, 2, "GET", "/counters"))) == [200] * 2


def test_a_server_that_opens_no_connection_at_all_answers_503(server, crowded):
    service = crowded(max_connections=10)
    server.sql("ALTER ROLE guest CONNECTION LIMIT 0")
    server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'guest'")
    answer = service.request("GET", "/counters")
    assert (answer.status, answer.code) == (503, "database_unavailable")
    server.sql("ALTER ROLE guest CONNECTION LIMIT 5")
    assert service.request("GET", "/counters").status == 200


def test_a_changed_table_is_noticed_and_not_guessed_at(server, open_):
    service = open_()
    assert service.request("GET", "/counters").status == 200
    server.sql("ALTER TABLE counters ADD COLUMN extra int", "faults")
    assert service.request("GET", "/counters").status == 200  # columns are always named
    server.sql("ALTER TABLE counters RENAME COLUMN value TO other", "faults")
    answer = service.request("GET", "/counters")
    assert (answer.status, answer.code) == (500, "storage_failure")
    assert b"column" not in answer.body


@pytest.mark.parametrize("wanted", [("GET", "/counters"), ("POST", "/strict/a")])
def test_a_network_that_says_nothing_is_answered_by_503_and_heals(server, tmp_path, wanted):
    (tmp_path / "app.cai").write_text(PROGRAM)
    server.sql("DROP DATABASE IF EXISTS silent WITH (FORCE)")
    url = server.create_database("silent")
    with Network(server.port) as network:
        service = Service(
            tmp_path / "app.cai",
            url.replace(str(server.port), str(network.port)),
            max_connections=4,
            statement_timeout=2.0,
            acquire_timeout=1.0,
            connect_timeout=2.0,
        )
        try:
            service.request("POST", "/counters", {"name": "a"})
            comes_to(lambda: statuses(service.run(many(service, 4, "GET", "/counters"))), [200] * 4)
            network.silent()
            answers = service.run(asyncio.wait_for(many(service, 8, *wanted), 60))
            assert {(answer.status, answer.code) for answer in answers} == {(503, "database_unavailable"), (503, "pool_exhausted")}
            assert service.all_given_back()
            network.whole()
            comes_to(lambda: service.request(*wanted).status, 200)
        finally:
            service.close()
