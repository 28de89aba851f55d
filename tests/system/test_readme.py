"""The README, word by word: its commands run against a server that its own command starts."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from services.polling import until
from services.ports import free_port

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def _blocks() -> list[str]:
    return re.findall(r"```sh\n(.*?)```", README, re.DOTALL)


@pytest.fixture
def checkout(tmp_path):
    """A copy of the examples with the tools of this environment, as `make run` would leave it."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    subprocess.run(["cp", "-r", str(ROOT / "examples"), str(folder / "examples")], check=True)
    (folder / ".venv").mkdir()
    (folder / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    return folder


def _ready(server: "subprocess.Popen[bytes]", port: int) -> bool:
    assert server.poll() is None
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health/ready").status_code == 200
    except httpx.HTTPError:
        return False


def test_the_commands_of_the_quick_start_do_what_it_says(checkout):
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("JWT_", "DATABASE_", "CODEAI_"))}
    commands = "\n".join(block for block in _blocks() if "curl" in block).replace("127.0.0.1:8080", f"127.0.0.1:{port}")
    run = re.search(r"^run:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert run is not None
    serve = run.group(1).strip().replace("$(BIN)", ".venv/bin")
    server = subprocess.Popen(
        ["/bin/sh", "-c", f"exec {serve} --port {port}"], cwd=checkout, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    try:
        until(lambda: _ready(server, port))
        lines = [f"{line}; echo" if "curl" in line else line for line in commands.splitlines()]
        done = subprocess.run(
            ["/bin/bash", "-ec", "\n".join(lines)], cwd=checkout, env=environment, capture_output=True, text=True, check=True
        )
    finally:
        server.send_signal(signal.SIGTERM)
        banner = server.communicate(timeout=60)[1].decode()

    sorted_page, filtered, condition, created, refused = (json.loads(line) for line in done.stdout.splitlines() if line.startswith("{"))
    assert [book["title"] for book in sorted_page["data"]] == ["The Dispossessed", "Solaris"]
    assert sorted_page["data"][0]["author"]["name"] == "Ursula K. Le Guin"
    assert {book["title"] for book in filtered["data"]} == {"The Hobbit", "A Wizard of Earthsea"}
    assert {book["title"] for book in condition["data"]} == {"The Hobbit", "A Wizard of Earthsea"}
    assert created["name"] == "Octavia E. Butler"
    assert refused["code"] == "AUTH005"
    assert f"http://127.0.0.1:{port}/docs" in banner
    assert "embedded" in banner and "codeai token examples/bookshop --role admin" in banner
    assert server.returncode == 0


def test_a_new_program_runs_at_once(tmp_path):
    codeai = [sys.executable, "-m", "codeai"]
    made = subprocess.run([*codeai, "new", "shop"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "codeai server shop" in made.stdout
    checked = subprocess.run([*codeai, "validate", "shop"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert checked.stdout == "valid\n"
    tested = subprocess.run([*codeai, "test", "shop"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert tested.stdout.endswith("1 passed, 0 failed\n")
    again = subprocess.run([*codeai, "new", "shop"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert again.returncode == 2
    assert again.stderr == "codeai: 'shop' exists already\n"
