"""Processes that are killed at every durable write point leave nothing lost, doubled or half done."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from extent import ALL, KILLS

FOLDER = Path(__file__).parent


def dispatcher(kind: str) -> dict[str, str]:
    """The environment of a matrix whose work is distributed so."""
    return {**os.environ, "DISPATCHER": "dbos" if kind == "dbos" else "local"}


EVERY = [("matrix", "sqlite"), ("matrix", "postgresql"), ("matrix", "dbos"), ("worldmatrix", "sqlite"), ("worldmatrix", "postgresql")]
LONG = [("worldmatrix", "dbos")] if ALL else []


@pytest.mark.timeout(3_000)
@pytest.mark.parametrize(("matrix", "kind"), EVERY + LONG)
def test_no_kill_loses_or_doubles_anything(matrix: str, kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    kills = KILLS // len(EVERY)
    if kind == "sqlite":
        url = f"sqlite:///{tmp_path}/app.db"
    else:
        url = request.getfixturevalue("postgres").create_database()
    progress = None if ALL else subprocess.PIPE  # whoever waits for long may see it go on
    command = [sys.executable, str(FOLDER / f"{matrix}.py"), url, str(kills), "7"]
    done = subprocess.run(command, env=dispatcher(kind), stdout=subprocess.PIPE, stderr=progress, text=True)
    assert done.returncode == 0, (done.stderr or "")[-3_000:]
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    found = f"{report['kills']} kills in {report['rounds']} rounds, {len(report['violations'])} violations, at {report['points']}"
    print(f"{matrix} on {kind}: {found}")
    assert report["violations"] == []
    assert report["kills"] >= kills


LATE = [("postgresql", point) for point in ("after-effect:1", "before-batch:2", "in-block:1", "before-commit:1")]
LATE += [("dbos", point) for point in ("before-begin:1", "after-begin:1", "before-commit:1")]


@pytest.mark.parametrize(("kind", "point"), LATE)
def test_a_process_that_comes_back_late_writes_nothing(postgres: Any, kind: str, point: str) -> None:
    url = postgres.create_database()
    command = [sys.executable, str(FOLDER / "matrix.py"), url, f"pause={point}"]
    done = subprocess.run(command, env=dispatcher(kind), capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr[-3_000:]
    assert json.loads(done.stdout.splitlines()[-1]) == {"stopped": True, "ended": 0, "violations": []}
