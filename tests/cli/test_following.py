"""``codeai server --watch``: a server that begins anew with a changed program, as real processes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from services.files import rewrite
from services.polling import until
from services.process import ServerProcess

ENTITY = "entity Note { id: int, primary, auto  text: string, required  allow read, create: public }\n"
POLLING = {"WATCHFILES_FORCE_POLLING": "true"}  # not every sandbox tells of changes
FIRST = ENTITY + "resource Note at /notes { auth: public  actions: [list, get, create] }\n"
SECOND = FIRST + 'endpoint GET /greeting { auth: public  do { return "hello" } }\n'
BROKEN = SECOND.replace('"hello"', "helo")


@pytest.fixture
def server(tmp_path: Path):
    (tmp_path / "app.cai").write_text(FIRST)
    made = ServerProcess(tmp_path / "app.cai", tmp_path, env=POLLING, arguments=("--watch",))
    made.start()
    yield made
    made.remove()


def status(server: ServerProcess, path: str) -> int | None:
    try:
        return httpx.get(server.base_url + path).status_code
    except httpx.HTTPError:
        return None


def test_a_changed_program_is_served_and_a_broken_one_is_not(server: ServerProcess, tmp_path: Path) -> None:
    file = tmp_path / "app.cai"
    assert httpx.post(server.base_url + "/notes", json={"text": "kept"}).status_code == 201
    assert status(server, "/greeting") == 404
    rewrite(file, SECOND)
    until(lambda: status(server, "/greeting") == 200, explain=lambda: server.output)
    assert [note["text"] for note in httpx.get(server.base_url + "/notes").json()["data"]] == ["kept"]

    rewrite(file, BROKEN)
    until(lambda: "goes on with the program as it was" in server.output, explain=lambda: server.output)
    assert "helo" in server.output
    assert status(server, "/greeting") == 200

    file.unlink()
    until(lambda: "no such file" in server.output, explain=lambda: server.output)
    assert status(server, "/greeting") == 200
    rewrite(file, FIRST)
    until(lambda: status(server, "/greeting") == 404, explain=lambda: server.output)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_both_in_good_order(server: ServerProcess, number: int) -> None:
    assert server.process is not None
    server.process.send_signal(number)
    assert server.wait() == 0
    assert status(server, "/health") is None


def test_a_program_with_errors_at_the_start_is_served_once_it_is_mended(tmp_path: Path) -> None:
    file = tmp_path / "app.cai"
    file.write_text(BROKEN)
    server = ServerProcess(file, tmp_path, env=POLLING, arguments=("--watch",))
    server.start(wait=False)
    try:
        until(lambda: "waits for a change" in server.output, explain=lambda: server.output)
        rewrite(file, SECOND)
        until(lambda: status(server, "/greeting") == 200, explain=lambda: server.output)
    finally:
        server.remove()


def test_a_server_that_is_ended_from_outside_is_not_begun_anew(server: ServerProcess) -> None:
    assert server.process is not None
    [child] = subprocess.run(["pgrep", "-P", str(server.process.pid)], capture_output=True, text=True).stdout.split()
    os.kill(int(child), signal.SIGTERM)
    assert server.wait() == 0


@pytest.mark.parametrize(
    ("arguments", "environment", "code", "said"),
    [
        (["app.cai"], {"CODEAI_ENV": "production"}, 3, "--watch is for development"),
        (["nowhere.cai"], {}, 2, "no such file: 'nowhere.cai'"),
        (["app.cai"], {"CODEAI_PROT": "80"}, 3, "unknown variable CODEAI_PROT"),
    ],
)
def test_what_can_never_begin_ends_at_once(tmp_path: Path, arguments: list[str], environment: dict[str, str], code: int, said: str) -> None:
    (tmp_path / "app.cai").write_text(FIRST)
    done = subprocess.run(
        [sys.executable, "-m", "codeai", "server", "--watch", *arguments],
        cwd=tmp_path,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
