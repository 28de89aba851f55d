"""Servers for the operator's statements: one per module and database, with the tools that operators use."""

import functools
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from codeai.server.database import synchronise_here
from codeai.server.loading import load_source
from codeai.storage.settings import from_url
from services.polling import until
from services.process import SECRET, ServerProcess

PROGRAM = """
config { name: "desk"  version: "1.0.0" }

role admin { permissions: ["*:*"] }
role clerk { permissions: [] }
auth main { method: jwt  secret: secret(JWT_SECRET) }

entity Ticket {
    id: uuid, primary, auto
    title: string(200), required
    done: bool, default(false)
    created_at: timestamp, auto
    allow read, create, update, delete: public
}

resource Ticket at /tickets { auth: public  list { filter_by: [done]  sort_by: [created_at] } create, update, delete { auth: public } }

endpoint GET /mine { auth: required  returns: string  do { return "yours" } }
endpoint GET /broken { auth: public  returns: decimal  do { let zero = 0  return 1 / zero } }
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """These tests start servers, several each: on a busy machine a start takes half a minute."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(600))


class Operator:
    """What an operator types; every ``localhost:8080`` of a command means the server."""

    def __init__(self, server: ServerProcess, folder: Path) -> None:
        self.server = server
        self.folder = folder

    def shell(self, command: str, *, check: bool = True, timeout: float = 240) -> str:
        """What a command prints."""
        text = command.replace("localhost:8080", f"127.0.0.1:{self.server.port}")
        environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PPROF_TMPDIR": str(self.folder)}
        done = subprocess.run(
            ["/bin/bash", "-c", text], cwd=self.folder, env=environment, capture_output=True, text=True, timeout=timeout, errors="replace"
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def json(self, command: str) -> object:
        """What it prints, as JSON."""
        return json.loads(self.shell(command))

    def log(self) -> list[dict]:
        """The lines of the log that are JSON."""
        found = []
        for line in self.server.output.splitlines(keepends=True):
            if line.startswith("{") and line.endswith("\n"):  # the last one may just be written
                found.append(json.loads(line))
        return found

    def log_line(self, predicate) -> dict:
        """The first line of the log that fits; waits for it."""
        return until(lambda: next(filter(predicate, self.log()), None), explain=lambda: self.server.output[-3000:])


@functools.cache
def _desk():
    program = load_source(PROGRAM.encode())
    assert program.valid, program.diagnostics
    return program.application


def _give_tables(folder: Path, env: dict[str, str]) -> None:
    """Gives the usual program its tables, which its server then finds: it would load what makes them anew, for half of what a start takes.

    Servers of other programs, and of all tests elsewhere, make their own.
    """
    if not any(name.startswith(("CODEAI_ENV", "DB_")) for name in env):
        synchronise_here(from_url(env.get("DATABASE_URL", f"sqlite:///{folder}/.codeai/app.db")), _desk(), development=True)


@pytest.fixture(scope="module")
def launch(tmp_path_factory):
    """Starts servers that live as long as the module."""
    started: list[ServerProcess] = []

    def start(*, env: dict[str, str] | None = None, arguments: tuple[str, ...] = (), source: str = PROGRAM, wait: bool = True) -> Operator:
        folder = tmp_path_factory.mktemp("operator")
        (folder / "app.cai").write_text(source)
        if source is PROGRAM:
            _give_tables(folder, env or {})
        server = ServerProcess(folder, folder, env=env, arguments=arguments)
        started.append(server)
        server.start(wait=False)
        if wait:
            server.wait_until_ready()
        return Operator(server, folder)

    yield start
    for server in started:
        server.remove()


@pytest.fixture(scope="module")
def embedded(launch) -> Operator:
    """A server with the embedded database."""
    return launch()


@pytest.fixture(scope="module")
def fleet(launch, postgres) -> Operator:
    """A server of two workers on PostgreSQL, which have both begun: one answers for itself while the other starts."""
    found = launch(env={"DATABASE_URL": postgres.create_database()}, arguments=("--workers", "2"))
    until(lambda: found.server.output.count('"msg":"listening"') == 2, explain=lambda: found.server.output)
    return found


@pytest.fixture(scope="module", params=["embedded", "fleet"])
def operator(request) -> Operator:
    """Each of both."""
    return request.getfixturevalue(request.param)


def token(*roles: str, subject: str = "ada") -> str:
    """A token of the program."""
    from codeai.auth.issuing import SigningKey, issue_token

    return issue_token(SigningKey(secret=SECRET), subject, roles, None, time.time())
