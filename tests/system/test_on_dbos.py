"""Real servers whose durable work DBOS distributes."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg
import pytest

from services.polling import until
from services.process import ServerProcess

PROGRAM = """
config { name: "shipping" }
entity Parcel { id: uuid, primary, auto   code: string, required, unique   steps: int, default(0) }
event ParcelMade { payload { code: string } }
workflow Ship {
    input { code: string }
    steps {
        pack { do { update Parcel set steps = steps + 1 where code == input.code } }
        rest { sleep: 300ms }
        send { do { update Parcel set steps = steps + 1 where code == input.code } }
    }
}
workflow Count { trigger: ParcelMade  steps { count { do { update Parcel set steps = steps + 10 where code == trigger.code } } } }
endpoint POST /parcels {
    auth: public
    body { code: string, required, broken: bool }
    do {
        create Parcel { code: body.code }
        emit ParcelMade { code: body.code }
        start Ship { code: body.code }
        require not (body.broken ?? false) else fail 409
    }
}
endpoint GET /undone { auth: public  do { return { count: count(Parcel where steps != 12) } } }
"""

Start = Callable[..., ServerProcess]


@pytest.fixture
def program(tmp_path: Path) -> Path:
    file = tmp_path / "app.cai"
    file.write_text(PROGRAM)
    return file


@pytest.fixture
def env(postgres: Any) -> dict[str, str]:
    return {"DATABASE_URL": postgres.create_database(), "CODEAI_DISPATCHER": "dbos"}


def make(server: ServerProcess, *codes: str) -> None:
    with httpx.Client(base_url=server.base_url) as client:
        for code in codes:
            assert client.post("/parcels", json={"code": code}).status_code == 204


def done(server: ServerProcess) -> bool:
    return httpx.get(server.base_url + "/undone").json() == {"count": 0}


def has_dbos(process: psutil.Process) -> bool:
    """Whether it has loaded the driver of DBOS, which nothing else here uses."""
    return any("psycopg" in mapped.path for mapped in process.memory_maps())


def asked(env: dict[str, str], statement: str) -> list[Any]:
    with psycopg.connect(env["DATABASE_URL"]) as connection:
        return [row[0] for row in connection.execute(statement)]  # type: ignore[call-overload]  # a text of this file


def test_only_the_durable_worker_has_dbos_in_it(start_server: Start, program: Path, env: dict[str, str]) -> None:
    server = start_server(program, env=env)
    assert httpx.post(server.base_url + "/parcels", json={"code": "broken", "broken": True}).status_code == 409
    make(server, "a", "b")
    until(lambda: done(server))
    assert server.process is not None
    loaded = {name: has_dbos(process) for name, process in server.children().items()}
    assert loaded == {"cai-worker: durable": True, "cai-worker: http 1": False}
    assert not has_dbos(psutil.Process(server.process.pid))
    until(lambda: asked(env, "SELECT count(*) FROM dbos.workflow_status WHERE status NOT IN ('ENQUEUED', 'PENDING')")[0] < 3)
    assert asked(env, "SELECT count(*) FROM executions WHERE status = 'completed'") == [4]
    assert server.terminate() == 0
    assert "Traceback" not in server.output


def test_workers_share_and_take_over_from_those_that_die_or_end(start_server: Start, program: Path, env: dict[str, str]) -> None:
    api = start_server(program, env=env, arguments=("--role", "api"))  # it makes the tables
    both = [start_server(program, wait=False, env=env, arguments=("--role", "worker")) for _ in range(2)]
    for worker in both:
        worker.wait_until_ready()
    numbers = itertools.count()

    def both_work() -> bool:
        make(api, *(f"p{next(numbers)}" for _ in range(10)))
        return len(asked(env, "SELECT DISTINCT executor_id FROM dbos.workflow_status WHERE executor_id IS NOT NULL")) == 2

    until(both_work)
    both[0].kill()
    make(api, *(f"q{number}" for number in range(20)))
    # How soon the other one gets to it says how busy the machine is; from when on it may is what the dead one has left behind.
    held = "SELECT count(*) FROM codeai_activations WHERE state = 1 AND ready_ms > 1000 * (extract(epoch FROM clock_timestamp()) + 15)"
    assert asked(env, held) == [0]
    until(lambda: done(api))
    make(api, *(f"r{number}" for number in range(20)))
    assert both[1].terminate() == 0
    assert asked(env, "SELECT count(*) FROM codeai_activations WHERE state = 1 OR attempts > 0") == [0]
    start_server(program, env=env, arguments=("--role", "worker"))
    until(lambda: done(api))
    assert asked(env, "SELECT count(*) FROM codeai_steps WHERE status <> 'done'") == [0]
    assert "Traceback" not in both[1].output


def test_workflows_that_operators_register_run_in_the_durable_worker(start_server: Start, tmp_path: Path, env: dict[str, str]) -> None:
    file = tmp_path / "plain.cai"
    file.write_text("entity Item { id: uuid, primary, auto  name: string, required }\nresource Item at /items { auth: public }\n")
    server = start_server(file, env=env)
    source = 'workflow Made { steps { make { do { create Item { name: "made" } } } } }'
    found = httpx.post(server.base_url + "/api/v1/workflows", json={"source": source})
    assert found.status_code == 201, found.text
    assert httpx.post(server.base_url + "/api/v1/workflows/Made/executions", json={}).status_code == 202
    until(lambda: httpx.get(server.base_url + "/items").json()["data"] != [])
    assert not has_dbos(server.children()["cai-worker: http 1"])


def test_the_embedded_database_says_what_to_do(start_server: Start, program: Path, tmp_path: Path) -> None:
    env = {"DATABASE_URL": f"sqlite:///{tmp_path}/x.db", "CODEAI_DISPATCHER": "dbos"}
    server = start_server(program, wait=False, env=env)
    assert server.wait() == 3
    assert "CODEAI_DISPATCHER=dbos needs PostgreSQL: set DATABASE_URL" in server.output
