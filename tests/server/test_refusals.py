"""What stops a start: said in one place of the program or one line, with the exit code that says which kind."""

import json
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from codeai.server.database import synchronise_here
from codeai.server.loading import load_program
from codeai.storage.settings import from_url
from services.ports import free_port
from services.process import SECRET

GOOD = "entity Item { id: uuid, primary, auto  name: string, required }\nresource Item at /items { auth: public }\n"


@dataclass
class Refusal:
    """What a start came to."""

    returncode: int
    stderr: str


INHERITED = {name: value for name, value in os.environ.items() if not name.startswith(("DB_", "DATABASE_", "JWT_", "LOG_", "CODEAI_"))}


@pytest.fixture(scope="module")
def starter() -> Iterator[subprocess.Popen[str]]:
    """A process that has all modules at hand and forks for each start: see ``starting.py``."""
    command = [sys.executable, str(Path(__file__).parent / "starting.py")]
    process = subprocess.Popen(command, env=INHERITED, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    yield process
    process.stdin.close()
    process.wait(20)


@pytest.fixture
def serve(starter, tmp_path) -> Callable[..., Refusal]:
    def start(text: str | None, **case: Any) -> Refusal:
        if text is not None:
            (tmp_path / "app.cai").write_text(text)
        env = {"CODEAI_PORT": str(free_port())} | case.get("env", {})
        starter.stdin.write(json.dumps({"folder": str(tmp_path), "flags": case.get("flags", {}), "env": env}) + "\n")
        starter.stdin.flush()
        return Refusal(**json.loads(starter.stdout.readline()))

    return start


@pytest.mark.parametrize(
    ("text", "env", "code", "said"),
    [
        ("entity {", {}, 1, "app.cai:1:8"),
        (GOOD + "\nendpoint GET /x { auth: public  do { return nothing } }", {}, 1, "undefined variable 'nothing'"),
        (GOOD + "\nconfig {\n  mail: env(MAIL_HOST)\n}", {}, 3, "app.cai:5:9: environment variable 'MAIL_HOST' is not set"),
        (GOOD + "\nauth main { method: jwt  secret: secret(MY_SECRET) }", {}, 3, "environment variable 'MY_SECRET' is not set"),
        (GOOD + '\nauth main {\n  method: jwt\n  public_key: "no key"\n}', {}, 3, "app.cai:4:1: the public key of auth 'main'"),
        (GOOD.replace("}\nres", '  check: name != "{now()}" }\nres'), {}, 1, "'now' is another value each time"),
        (GOOD, {"CODEAI_PORTT": "1"}, 3, "unknown variable CODEAI_PORTT, did you mean CODEAI_PORT?"),
        (GOOD, {"CODEAI_REQUEST_TIMEOUT": "soon"}, 3, "CODEAI_REQUEST_TIMEOUT is 'soon', expected a duration"),
        (GOOD, {"DATABASE_URL": "oracle://x/y"}, 3, "unknown database 'oracle'"),
        (GOOD, {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}, 3, "connection refused; is PostgreSQL running there?"),
        (GOOD, {"CODEAI_ENV": "production"}, 3, "production needs a database"),
        (GOOD, {"JWT_SECRET_FILE": "/nowhere/secret"}, 3, "JWT_SECRET_FILE: cannot read /nowhere/secret"),
        (None, {}, 2, "no such file: 'app.cai'"),
    ],
)
def test_a_start_that_cannot_be(serve, tmp_path, text, env, code, said):
    done = serve(text, env=env)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / ".codeai" / "app.db").exists() or "app.cai" in done.stderr


def test_t17_a_short_secret_in_production(serve, postgres):
    text = GOOD + "\nauth main {\n  method: jwt\n  secret: secret(JWT_SECRET)\n}"
    done = serve(text, env={"CODEAI_ENV": "production", "JWT_SECRET": "short", "DATABASE_URL": postgres.dsn()})
    assert (done.returncode, "app.cai:4:1" in done.stderr, "32 bytes" in done.stderr) == (3, True, True), done.stderr
    assert "short" not in done.stderr.replace("shorter", "")


def test_a_program_without_auth_does_not_start_in_production(serve, postgres):
    text = "endpoint GET /x { returns: json  do { return 1 } }"
    done = serve(text, env={"CODEAI_ENV": "production", "JWT_SECRET": SECRET, "DATABASE_URL": postgres.dsn()})
    assert (done.returncode, "app.cai:1:1" in done.stderr) == (3, True), done.stderr


def test_too_few_connections_for_the_workers(serve, postgres):
    done = serve(GOOD, flags={"workers": 3}, env={"DB_MAX_OPEN_CONNS": "5", "DATABASE_URL": postgres.create_database()})
    assert (done.returncode, "DB_MAX_OPEN_CONNS=5" in done.stderr) == (3, True), done.stderr


def test_a_port_that_is_taken(serve):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = serve(GOOD, env={"CODEAI_PORT": str(taken.getsockname()[1])})
    assert (done.returncode, "cannot listen on 127.0.0.1" in done.stderr and "choose another port" in done.stderr) == (3, True), done.stderr


def test_a_second_server_on_the_same_file_is_refused_with_the_first_ones_number(start_server, tmp_path):
    (tmp_path / "app.cai").write_text(GOOD)
    first = start_server(tmp_path / "app.cai")
    second = start_server(tmp_path / "app.cai", wait=False)
    assert second.wait() == 3
    assert f"is in use by process {first.process.pid}" in second.output
    assert "http://" not in second.output  # no address that nobody serves
    assert httpx.get(first.base_url + "/items").status_code == 200


def test_a_server_that_is_refused_changes_nothing_in_the_file(start_server, tmp_path):
    (tmp_path / "app.cai").write_text(GOOD)
    start_server(tmp_path / "app.cai")
    (tmp_path / "app.cai").write_text(GOOD + "\nentity Later { id: uuid, primary, auto }\n")
    assert start_server(tmp_path / "app.cai", wait=False).wait() == 3
    with closing(sqlite3.connect(tmp_path / ".codeai" / "app.db")) as database:
        assert database.execute("SELECT count(*) FROM sqlite_master WHERE name LIKE 'later%'").fetchone() == (0,)


def test_a_database_that_differs_stops_the_start_with_the_difference(serve, tmp_path):
    (tmp_path / "old.cai").write_text(GOOD)
    application = load_program(tmp_path / "old.cai").application
    (tmp_path / "old.cai").unlink()
    synchronise_here(from_url(f"sqlite:///{tmp_path}/.codeai/app.db"), application, True)
    done = serve(GOOD.replace("name: string", "name: int"))
    assert done.returncode == 3
    assert "column 'items.name' has type" in done.stderr and "codeai db reset" in done.stderr


def test_rows_that_are_in_the_way_are_counted_and_the_way_out_is_said(serve, tmp_path):
    (tmp_path / "app.cai").write_text(GOOD)
    application = load_program(tmp_path / "app.cai").application
    synchronise_here(from_url(f"sqlite:///{tmp_path}/.codeai/app.db"), application, True)
    with closing(sqlite3.connect(tmp_path / ".codeai" / "app.db")) as database:
        database.execute("INSERT INTO items (id, name) VALUES ('00000000-0000-7000-8000-000000000001', 'lamp')")
        database.commit()
    shorter = GOOD.replace("name: string", "name: string(3)")
    done = serve(shorter)
    said = "and 1 row of it would break it\nchange the rows, or the program; 'codeai db reset"
    assert (done.returncode, said in done.stderr) == (3, True), done.stderr
    elsewhere = {"CODEAI_ENV": "production", "DATABASE_URL": f"sqlite:///{tmp_path}/.codeai/app.db", "JWT_SECRET": SECRET}
    done = serve(shorter, env=elsewhere)
    assert (done.returncode, "'codeai db upgrade" in done.stderr) == (3, True), done.stderr
