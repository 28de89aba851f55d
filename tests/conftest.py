"""Fixtures that all tests share."""

import os
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from services.postgres import PostgresServer
from services.process import ServerProcess
from services.redis import RedisServer

ROOT = Path(__file__).parent.parent

# A run of the tests repeats itself; EXPLORE=1 looks for new examples.
hypothesis.settings.register_profile("repeatable", derandomize=True, database=None)
hypothesis.settings.load_profile("default" if os.environ.get("EXPLORE") else "repeatable")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    server = PostgresServer()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    server = RedisServer()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, once on each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/data/app.db"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.create_database(f"t{uuid.uuid4().hex[:16]}")


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[object]:
    """A function that starts a server process; all are ended after the test."""
    started: list[ServerProcess] = []

    def start(program: Path, *, wait: bool = True, env: dict[str, str] | None = None, arguments: tuple[str, ...] = ()) -> ServerProcess:
        folder = tmp_path / f"server{len(started)}"
        folder.mkdir()
        server = ServerProcess(program, folder, env=env, arguments=arguments)
        started.append(server)
        server.start(wait=wait)
        return server

    yield start
    for server in started:
        server.remove()
