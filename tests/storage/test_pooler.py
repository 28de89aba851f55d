"""Behind PgBouncer in transaction mode (``DB_POOLER=transaction``): no state of sessions, no kept statements."""

import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from storage_program import PROGRAM

from services.pgbouncer import PgBouncer
from services.polling import comes_to
from services.postgres import PostgresServer
from services.service import Service


@pytest.fixture(scope="module")
def bouncer(postgres: PostgresServer) -> Iterator[PgBouncer]:
    found = PgBouncer(postgres.port, size=2)
    try:
        found.start()
        yield found
    finally:
        found.remove()


@pytest.fixture
def limit() -> float:
    """Seconds that a statement may take: on a busy machine fifty that share two sessions wait for each other for long."""
    return 60.0


@pytest.fixture
def service(postgres: PostgresServer, bouncer: PgBouncer, tmp_path: Path, limit: float) -> Iterator[Service]:
    (tmp_path / "app.cai").write_text(PROGRAM)
    name = f"p{uuid.uuid4().hex[:12]}"
    postgres.create_database(name)
    found = Service(tmp_path / "app.cai", bouncer.dsn(name), pooler="transaction", statement_timeout=limit, max_connections=12)
    found.request("POST", "/counters", {"name": "a"})
    yield found
    found.close()


def test_everything_works_on_two_shared_sessions(service):
    async def busy():
        return await asyncio.gather(
            *(service.exchange("GET", "/counters?name=a&sort=-value&total=exact") for _ in range(30)),
            *(service.exchange("POST", "/add/a") for _ in range(10)),
            *(service.exchange("POST", "/counters", {"name": f"n{at}"}, headers={"idempotency-key": f"k{at}"}) for at in range(10)),
        )

    answers = service.run(busy())
    assert {answer.status for answer in answers} == {200, 201}
    assert service.request("GET", "/counters?name=a").json["data"][0]["value"] == 10
    again = service.request("POST", "/counters", {"name": "n3"}, headers={"idempotency-key": "k3"})
    assert (again.status, again.header("idempotency-replayed")) == (201, "true")


@pytest.mark.parametrize("limit", [2.0])
def test_limits_hold_although_sessions_are_shared(service):
    async def locked():
        async with service.database.transaction() as session:
            await session.execute("UPDATE counters SET value = value WHERE name = 'a'", ())
            return await service.exchange("POST", "/add/a")

    answer = service.run(locked())
    assert (answer.status, answer.code) == (504, "statement_timeout")
    comes_to(lambda: service.request("GET", "/counters").status, 200)


def test_sessions_keep_nothing(service, postgres):
    service.run(asyncio.sleep(0))
    rows = service.run(service.database.fetch("SELECT count(*) FROM pg_prepared_statements WHERE name <> ''", ()))
    assert rows[0][0] == 0
    rows = service.run(service.database.fetch("SELECT current_setting('statement_timeout')", ()))
    assert rows[0][0] == "1min"
    assert postgres.sql("SELECT setting FROM pg_settings WHERE name = 'statement_timeout'") == "0"
