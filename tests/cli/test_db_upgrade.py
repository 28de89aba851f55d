"""``codeai db upgrade`` brings the tables of a program in production along, while servers of the program before go on."""

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.process import SECRET, ServerProcess

BEFORE = """
config { name: "desk"  default_auth: public }
entity Ticket { id: uuid, primary, auto  title: string, required }
resource Ticket at /tickets { auth: public }
"""
AFTER = (
    BEFORE.replace("title: string, required", "title: string, required  note: text  index: [title]")
    + "entity Tag { id: uuid, primary, auto  name: string }\n"
)
CHANGED = BEFORE.replace("title: string, required", "title: int, required")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/data.db"
    postgres: Any = request.getfixturevalue("postgres")
    return str(postgres.create_database(f"up{uuid.uuid4().hex[:12]}"))


def codeai(folder: Path, url: str, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CODEAI_ENV": "production", "DATABASE_URL": url, "JWT_SECRET": SECRET}
    command = [sys.executable, "-m", "codeai", *words, str(folder)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=280)


def program(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "app.cai").write_text(text)
    return folder


def test_what_is_missing_is_added_and_the_server_of_before_goes_on(tmp_path: Path, url: str) -> None:
    before, after = program(tmp_path / "before", BEFORE), program(tmp_path / "after", AFTER)
    env = {"CODEAI_ENV": "production", "DATABASE_URL": url, "JWT_SECRET": SECRET, "CODEAI_DRAIN_DELAY": "0s"}
    server = ServerProcess(before, tmp_path, env=env)
    server.start()
    try:
        tickets = f"{server.base_url}/tickets"
        assert httpx.post(tickets, json={"title": "one"}).status_code == 201
        if url.startswith("postgresql"):  # the file of SQLite is in use
            refused = codeai(after, url, "server")
            assert refused.returncode == 3
            assert f"'codeai db upgrade {after}' changes what loses nothing" in refused.stderr
        done = codeai(after, url, "db", "upgrade")
        assert done.returncode == 0, done.stderr
        assert ": changed\n" in done.stdout
        assert "note" in done.stdout
        assert "tags" in done.stdout
        again = json.loads(codeai(after, url, "db", "upgrade", "--output", "json").stdout)
        assert (again["outcome"], again["changes"]) == ("unchanged", [])
        assert httpx.post(tickets, json={"title": "two"}).status_code == 201
        assert {item["title"] for item in httpx.get(tickets).json()["data"]} == {"one", "two"}
    finally:
        server.remove()
    newer = ServerProcess(after, tmp_path, env=env)
    newer.start()
    try:
        found = httpx.get(f"{newer.base_url}/tickets").json()["data"]
        assert sorted((item["title"], item["note"]) for item in found) == [("one", None), ("two", None)]
    finally:
        newer.remove()


def test_what_touches_rows_is_refused_and_nothing_is_changed(tmp_path: Path, url: str) -> None:
    assert ": created\n" in codeai(program(tmp_path / "before", BEFORE), url, "db", "upgrade").stdout
    done = codeai(program(tmp_path / "changed", CHANGED), url, "db", "upgrade")
    assert done.returncode != 0
    assert "so nothing was changed" in done.stderr
    assert "title" in done.stderr
    assert ": unchanged\n" in codeai(tmp_path / "before", url, "db", "upgrade").stdout
