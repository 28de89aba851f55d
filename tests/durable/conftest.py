"""Databases with the tables of ours, once per kind; tests empty what they use."""

import uuid
from collections.abc import AsyncIterator

import pytest

from codeai.model.application import Application
from codeai.storage.interface import Database
from codeai.storage.opening import open_database
from codeai.storage.schema.synchronise import synchronise
from codeai.storage.settings import DatabaseSettings, from_url


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    """Which database; a module may have kinds of its own."""
    return str(request.param)


@pytest.fixture(scope="module")
def system_settings(kind: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> DatabaseSettings:
    """A database with the tables of ours alone."""
    if kind == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('durable')}/app.db"
    else:
        url = request.getfixturevalue("postgres").create_database(f"d{uuid.uuid4().hex[:16]}")
    settings = from_url(url)
    synchronise(settings, Application(name="nothing"), check_text=None, development=True)
    return settings


@pytest.fixture
async def database(system_settings: DatabaseSettings) -> AsyncIterator[Database]:
    found = open_database(system_settings)
    await found.start()
    await found.writing().execute("DELETE FROM codeai_activations", ())
    yield found
    await found.close()
