"""Databases with the tables of ours, and a time that tests move."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from scheduling import Opening

from codeai.model.application import Application
from codeai.storage.interface import Database
from codeai.storage.opening import open_database
from codeai.storage.schema.synchronise import synchronise
from codeai.storage.settings import DatabaseSettings, from_url


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def system_settings(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> DatabaseSettings:
    """A database with the tables of ours alone."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('jobs')}/app.db"
    else:
        url = request.getfixturevalue("postgres").create_database()
    settings = from_url(url)
    synchronise(settings, Application(name="nothing"), lambda entity, check: "", development=True)
    return settings


@pytest.fixture
async def opened(system_settings: DatabaseSettings) -> AsyncIterator[Opening]:
    """A function that opens the database, emptied, once more."""
    found: list[Database] = []

    async def open_() -> Database:
        database = open_database(system_settings)
        await database.start()
        found.append(database)
        return database

    first = await open_()
    for table in ("codeai_activations", "codeai_schedules", "codeai_ticks", "codeai_queues", "executions"):
        await first.writing().execute(f"DELETE FROM {table}", ())
    yield open_
    for database in found:
        await database.close()
