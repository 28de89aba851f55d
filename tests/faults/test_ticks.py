"""Processes that die while they decide ticks: no tick is lost, none runs twice."""

import datetime
import itertools
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

PROGRAM = """
config { name: "ticks"  default_auth: public }
entity Note { id: uuid, primary, auto  text: string, required }
job Second { schedule: every 1s  overlap: allow  catch_up: all  do { create Note { text: "tick" } } }
"""


def rows(file: Path, statement: str) -> list[Any]:
    connection = sqlite3.connect(file, timeout=10)
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


@pytest.mark.parametrize("point", ["before-tick", "after-tick", "ticks-decided"])
def test_a_tick_runs_once_wherever_the_process_dies(start_server: Any, tmp_path: Path, point: str) -> None:
    program, file = tmp_path / "ticks.cai", tmp_path / "app.db"
    program.write_text(PROGRAM)
    env = {"DATABASE_URL": f"sqlite:///{file}"}
    dying = start_server(program, env={**env, "CODEAI_FAULT_POINT": f"{point}:3"}, wait=False)
    assert dying.wait(120) == -9
    before = len(rows(file, "SELECT 1 FROM executions"))
    assert before >= 2
    start_server(program, env=env, wait=False).wait_until_ready()
    deadline = time.monotonic() + 60
    while len(rows(file, "SELECT 1 FROM executions WHERE status = 'completed'")) < before + 3:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    ticks = [datetime.datetime.fromisoformat(row[0]) for row in rows(file, "SELECT scheduled_for FROM executions ORDER BY 1")]
    assert {later - sooner for sooner, later in itertools.pairwise(ticks)} == {datetime.timedelta(seconds=1)}
