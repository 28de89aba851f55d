"""Python beside the program in real servers: functions in requests, activities as steps, and servers that end while one runs."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.polling import comes_to
from services.process import ServerProcess

PROGRAM = """
config { name: "printing"  default_auth: public }
extern function price(copies: int, each: decimal) -> decimal from "printing.price"
extern function leaves() -> json from "printing.leaves"
workflow Print {
    input { code: string }
    steps { print { activity: printing.slow { code: input.code }  retry: 0 times }  ends { do { return steps.print.output } } }
}
workflow Leaves { steps { a { activity: printing.leaves {}  retry: 0 times } } }
endpoint GET /price/{copies} { path { copies: int }  returns: decimal  do { return price(path.copies, 0.15) } }
endpoint POST /print { body { code: string }  returns: json  do { let run = start Print { code: body.code }  return { id: run.id } } }
endpoint POST /leaves { returns: json  do { let run = start Leaves {}  return { id: run.id } } }
"""
MODULE = """
import pathlib
import sys
import time

HERE = pathlib.Path(__file__).parent

def price(copies, each):
    return copies * each

def leaves():
    sys.exit(7)

def slow(code):
    with (HERE / "log").open("a") as log:
        log.write(f"begins {code}\\n")
    deadline = time.monotonic() + 90
    while not (HERE / "go").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return code + "!"
"""

Start = Callable[..., ServerProcess]


@pytest.fixture
def program(tmp_path: Path) -> Path:
    folder = tmp_path / "program"
    (folder / "activities").mkdir(parents=True)
    (folder / "app.cai").write_text(PROGRAM)
    (folder / "activities" / "printing.py").write_text(MODULE)
    return folder


def begun(program: Path) -> list[str]:
    log = program / "activities" / "log"
    return log.read_text().splitlines() if log.exists() else []


def execution(server: ServerProcess, id_: str) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{server.base_url}/api/v1/executions/{id_}").json()
    return found


def test_functions_answer_in_requests(start_server: Start, program: Path, tmp_path: Path) -> None:
    server = start_server(program, env={"DATABASE_URL": f"sqlite:///{tmp_path}/app.db"})
    answer = httpx.get(server.base_url + "/price/3")
    assert (answer.status_code, float(answer.json())) == (200, 0.45)
    id_ = httpx.post(server.base_url + "/leaves").json()["id"]
    comes_to(lambda: execution(server, id_)["status"], "failed")
    assert "'printing.leaves' failed" in execution(server, id_)["error"]["message"]
    assert httpx.get(server.base_url + "/price/4").status_code == 200


@pytest.mark.parametrize("finishes", [True, False], ids=["one that ends in time", "one that does not"])
def test_a_server_that_ends_while_a_step_runs(start_server: Start, program: Path, database_url: str, finishes: bool) -> None:
    environment = {"DATABASE_URL": database_url, "CODEAI_SHUTDOWN_TIMEOUT": "10s"}
    first = start_server(program, env=environment)
    id_ = httpx.post(first.base_url + "/print", json={"code": "a"}).json()["id"]
    comes_to(lambda: begun(program), ["begins a"])
    assert first.process is not None
    os.kill(first.process.pid, signal.SIGTERM)
    if finishes:
        (program / "activities" / "go").touch()
    assert first.wait(60) == 0
    (program / "activities" / "go").touch()
    second = start_server(program, env=environment)
    comes_to(lambda: execution(second, id_)["status"], "completed")
    assert execution(second, id_)["output"] == "a!"
    assert begun(program) == ["begins a"] * (1 if finishes else 2)
