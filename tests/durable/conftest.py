"""Databases and processes, once per module and kind: SQLite, PostgreSQL, and PostgreSQL whose work DBOS distributes."""

from collections.abc import AsyncIterator, Iterator

import pytest
from dispatching import Make, Worker
from programs import Peer, Process, Time, prepared
from shared_engine import SharedEngine

from codeai.model.application import Application
from codeai.storage.interface import Database
from codeai.storage.opening import open_database
from codeai.storage.settings import DatabaseSettings
from services.programs import application_of


@pytest.fixture(scope="module", params=["sqlite", "postgresql", "dbos"])
def kind(request: pytest.FixtureRequest) -> str:
    """A module may have kinds of its own."""
    return str(request.param)


@pytest.fixture(scope="module")
def application(request: pytest.FixtureRequest) -> Application:
    """The ``PROGRAM`` of a module, if it has one."""
    text = getattr(request.module, "PROGRAM", None)
    return application_of(text) if text is not None else Application(name="nothing")


@pytest.fixture(scope="module")
def settings(
    kind: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, application: Application
) -> DatabaseSettings:
    """A database with the tables of the program; tests empty what they use."""
    if kind == "sqlite":
        return prepared(f"sqlite:///{tmp_path_factory.mktemp('durable')}/app.db", application)
    return prepared(request.getfixturevalue("postgres").create_database(), application)


@pytest.fixture(scope="module")
def engine(kind: str, settings: DatabaseSettings) -> Iterator[SharedEngine | None]:
    """DBOS, for the kind that has it."""
    found = SharedEngine(settings) if kind == "dbos" else None
    yield found
    if found is not None:
        found.end()


@pytest.fixture
async def database(settings: DatabaseSettings) -> AsyncIterator[Database]:
    """Without anything that an earlier test has left to do, to hear or to wait for."""
    found = open_database(settings)
    await found.start()
    for table in ("codeai_activations", "codeai_waits", "codeai_events"):
        await found.writing().execute(f"DELETE FROM {table}", ())
    yield found
    await found.close()


@pytest.fixture
def peer() -> Peer:
    """The other systems of a process."""
    return Peer()


@pytest.fixture
async def process(database: Database, engine: SharedEngine | None, application: Application, peer: Peer) -> AsyncIterator[Process]:
    """A process whose time stands still."""
    found = Process(application, database, Time(), peer, engine=engine.share() if engine is not None else None)
    await found.durable.register()
    yield found
    await found.dispatcher.stop(5)


@pytest.fixture
async def make(database: Database, engine: SharedEngine | None) -> AsyncIterator[Make]:
    """Makes workers, which are stopped in the end."""
    made: list[Worker] = []

    def one(database: Database, **arguments: object) -> Worker:
        made.append(Worker(database, engine, **arguments))
        return made[-1]

    yield one
    for worker in made:
        await worker.dispatcher.stop(5)


@pytest.fixture
def worker(database: Database, make: Make) -> Worker:
    """One of them."""
    return make(database)
