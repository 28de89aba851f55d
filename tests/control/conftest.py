"""A server with work to look at, once per kind of database."""

import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from operating import PROGRAM, Operator

from services.process import ServerProcess


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def operator(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """An operator of a running server."""
    folder = tmp_path_factory.mktemp("operator")
    env = {"PEER_URL": "http://127.0.0.1:9", "CODEAI_OUTBOUND_ALLOW": "127.0.0.1"}
    postgres = None
    if request.param == "postgresql":
        name = f"c{uuid.uuid4().hex[:16]}"
        postgres = (request.getfixturevalue("postgres"), name)
        env["DATABASE_URL"] = postgres[0].create_database(name)
    else:
        env["DATABASE_URL"] = f"sqlite:///{folder}/app.db"
    server = ServerProcess(PROGRAM, folder, env=env)
    server.start(wait=False)
    server.wait_until_ready()
    yield Operator(server, folder, postgres)
    server.remove()
