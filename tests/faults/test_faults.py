"""What may go wrong around executions, and what must hold then."""

import datetime
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from extent import ALL

from codeai.durable.failures import MAX_OUTPUT
from codeai.model.application import Application
from codeai.storage.interface import Database
from codeai.storage.opening import open_database
from codeai.storage.settings import DatabaseSettings
from durable.programs import Peer, Process, Time, prepared
from services.programs import application_of

BASE = """
entity Ledger { id: int, primary, auto   execution: string, required   what: string, required }
integration Peer { base_url: "https://peer.example.com"  operation get { method: GET path: "/" returns json } }
workflow Write {
    steps {
        a { do { create Ledger { execution: "{execution.id}", what: "a" } } }
        nap { sleep: 30ms }
        b { do { create Ledger { execution: "{execution.id}", what: "b" } } }
    }
}
workflow Fetch { steps { get { call: Peer.get { }  retry: 0 times } } }
workflow Nap { steps { nap { sleep: 1h }  b { do { create Ledger { execution: "{execution.id}", what: "woke" } } } } }
workflow Tiny { steps { a { do { return 1 } } } }
"""
FIRST = BASE + 'function word() -> string { return "one" }\nworkflow Changing { steps { nap { sleep: 1h }  say { action: word() } } }\n'
SECOND = BASE + 'function word() -> string { return "two" }\nworkflow Changing { steps { nap { sleep: 1h }  say { action: word() } } }\n'

QUEUED = 10_000 if ALL else 2_000
Open = Callable[..., Any]


@pytest.fixture(scope="module")
def application() -> Application:
    return application_of(FIRST)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, application: Application) -> DatabaseSettings:
    if request.param == "sqlite":
        return prepared(f"sqlite:///{tmp_path_factory.mktemp('faults')}/app.db", application)
    return prepared(request.getfixturevalue("postgres").create_database(), application)


@pytest.fixture
async def database(settings: DatabaseSettings) -> AsyncIterator[Database]:
    found = open_database(settings)
    await found.start()
    for table in ("codeai_activations", "ledgers"):
        await found.writing().execute(f"DELETE FROM {table}", ())
    yield found
    await found.close()


@pytest.fixture
async def process(database: Database, application: Application) -> Process:
    found = Process(application, database, Time(), Peer())
    await found.durable.register()
    return found


async def another(program: str, database: Database, time: Time | None) -> Process:
    """A process with another program on the same database."""
    found = Process(application_of(program), database, time, Peer())
    await found.durable.register()
    return found


async def test_an_execution_finishes_on_the_definition_with_which_it_began(process: Process) -> None:
    old = await process.start("Changing")
    await process.run()
    later = await another(SECOND, process.database, process.time)
    new = await later.start("Changing")
    await later.run()
    await later.advance(hours=1, seconds=1)
    assert [(await later.show(id_))[0].output for id_ in (old, new)] == ["one", "two"]
    assert (await later.show(old))[0].version != (await later.show(new))[0].version


async def test_an_execution_finishes_although_its_definition_has_vanished(process: Process) -> None:
    id_ = await process.start("Changing")
    await process.run()
    later = await another(BASE, process.database, process.time)
    await later.advance(hours=1, seconds=1)
    execution, _ = await later.show(id_)
    assert (execution.status, execution.output) == ("completed", "one")


async def test_an_execution_whose_definition_nobody_knows_fails_and_says_so(process: Process) -> None:
    id_ = await process.start("Tiny")
    await process.database.writing().execute("UPDATE executions SET version = 'gone' WHERE workflow_id = 'Tiny'", ())
    await process.run()
    execution, _ = await process.show(id_)
    assert (execution.status, execution.error and execution.error["message"]) == ("failed", "the definition 'gone' is not known")


async def test_an_activation_that_kills_its_workers_is_given_up(process: Process) -> None:
    id_ = await process.start("Tiny")
    await process.database.writing().execute("UPDATE codeai_activations SET attempts = 20", ())
    await process.run()
    execution, _ = await process.show(id_)
    assert execution.status == "failed"
    assert execution.error is not None
    assert execution.error["message"] == "given up: 20 attempts to work on it failed"


async def test_an_output_of_ten_megabytes_is_kept(process: Process) -> None:
    process.peer.answer["Peer.get"] = {"text": "x" * 10_000_000}
    execution, records = await process.complete("Fetch")
    assert execution.status == "completed", execution.error
    assert len(records["get"].output["text"]) == 10_000_000


async def test_a_larger_output_is_a_failure_that_names_the_limit(process: Process) -> None:
    process.peer.answer["Peer.get"] = {"text": "x" * (MAX_OUTPUT + 1)}
    execution, _ = await process.complete("Fetch")
    assert execution.error is not None
    assert (execution.status, execution.error["code"]) == ("failed", "output_too_large")
    assert execution.error["message"] == "the output is larger than 16 MiB"


async def test_a_clock_that_jumps_wakes_sleepers_once(process: Process) -> None:
    assert process.time is not None
    id_ = await process.start("Nap")
    await process.run()
    process.time.now += datetime.timedelta(days=3)
    await process.run()
    process.time.now -= datetime.timedelta(days=5)
    await process.run()
    assert (await process.show(id_))[0].status == "completed"
    assert await process.rows("SELECT what FROM ledgers") == [("woke",)]


async def test_a_clock_that_jumps_back_only_delays(process: Process) -> None:
    assert process.time is not None
    id_ = await process.start("Nap")
    await process.run()
    process.time.now -= datetime.timedelta(days=1)
    await process.run()
    assert (await process.show(id_))[0].status == "waiting"
    await process.advance(days=1, hours=2)
    assert (await process.show(id_))[0].status == "completed"


async def test_many_queued_executions_all_end(process: Process) -> None:
    async with process.database.transaction() as session:
        for _ in range(QUEUED):
            await process.durable.executions.begin(session, "workflow", "Tiny", {})
    await process.run()
    text = "SELECT status, count(*) FROM executions WHERE workflow_id = 'Tiny' AND status <> 'failed' GROUP BY status"
    assert await process.rows(text) == [("completed", QUEUED)]
