"""DBOS behind PgBouncer in transaction mode (``DB_POOLER=transaction``). By itself: a process has one DBOS at a time."""

import uuid
from collections.abc import Iterator

import pytest
from programs import prepared

from codeai.durable.dispatch.dbos.dispatcher import DbosDispatcher
from codeai.durable.dispatch.dbos.engine import DbosEngine
from codeai.durable.dispatch.protocol import Claim
from codeai.model.application import Application
from codeai.storage.opening import open_database
from codeai.storage.settings import DatabaseSettings, from_url
from services.pgbouncer import PgBouncer
from services.postgres import PostgresServer


@pytest.fixture
def pooled(postgres: PostgresServer) -> Iterator[DatabaseSettings]:
    name = f"b{uuid.uuid4().hex[:12]}"
    prepared(postgres.create_database(name), Application(name="nothing"))
    bouncer = PgBouncer(postgres.port, size=6)
    try:
        bouncer.start()
        yield from_url(bouncer.dsn(name), pooler="transaction")
    finally:
        bouncer.remove()


async def test_activations_run_once_on_shared_sessions(pooled: DatabaseSettings) -> None:
    database = open_database(pooled)
    await database.start()
    dispatcher = DbosDispatcher(database, DbosEngine(pooled, concurrency=20, polling=0.01))
    seen: list[str] = []

    async def handle(claim: Claim) -> None:
        seen.append(claim.subject)
        async with database.transaction() as session:
            await dispatcher.done(session, claim)

    dispatcher.register("work", handle)
    async with database.transaction() as session:
        for number in range(60):
            await dispatcher.offer(session, "work", str(number))
    assert await dispatcher.run_due() == 60
    await dispatcher.stop(5)
    await database.close()
    assert sorted(seen, key=int) == [str(number) for number in range(60)]
