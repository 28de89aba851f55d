"""A server that runs only durable work, and still answers monitors and operators (``--role worker``)."""

import signal
from pathlib import Path

import httpx
import pytest

from services.polling import until

PROGRAM = """
entity Item { id: uuid, primary, auto  name: string, required }
resource Item at /items { auth: public }
workflow Make { input { name: string }  steps { rest { sleep: 300ms }  make { do { create Item { name: input.name } } } } }
"""

REST = """
import pathlib, time


def rest():
    while not pathlib.Path({gate!r}).exists():
        time.sleep(0.02)
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    file = tmp_path / "app.cai"
    file.write_text(PROGRAM)
    return file


@pytest.fixture
def env(postgres) -> dict[str, str]:
    return {"DATABASE_URL": postgres.create_database()}


def figure(text: str, name: str) -> float:
    return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith((name + " ", name + "{")))


def test_a_worker_answers_probes_metrics_and_profiles_and_nothing_of_the_program(start_server, program, env):
    worker = start_server(program, env=env, arguments=("--role", "worker"))  # waits for /health/ready, as Kubernetes does
    assert httpx.get(worker.base_url + "/health/live").json() == {"status": "healthy"}
    report = httpx.get(worker.base_url + "/health").json()
    assert report["status"] == "healthy" and report["checks"]["database"]["details"]["max_connections"] == 25
    assert httpx.get(worker.base_url + "/items").status_code == 404
    stacks = httpx.get(worker.base_url + "/debug/pprof/goroutine?debug=2").text
    assert stacks.startswith("goroutine ")
    started = httpx.post(worker.base_url + "/api/v1/workflows/Make/executions", json={"input": {"name": "made"}})
    assert started.status_code == 202, started.text
    metrics = worker.base_url + "/metrics"
    until(lambda: figure(httpx.get(metrics).text, "workflow_executions_total") == 1)
    text = httpx.get(metrics).text
    assert figure(text, "db_connections_max") == 25
    assert "codeai_build_info{" in text
    assert worker.terminate() == 0


def test_others_than_operators_see_health_without_causes_and_nothing_else(start_server, program, env):
    worker = start_server(
        program, env={**env, "CODEAI_OPERATOR_ACCESS": "token", "CODEAI_OPERATOR_TOKEN": "operators"}, arguments=("--role", "worker")
    )
    for page in ("/metrics", "/debug/pprof/heap", "/api/v1/executions"):
        assert httpx.get(worker.base_url + page).status_code == 401, page
    assert "details" not in httpx.get(worker.base_url + "/health").json()["checks"]["database"]
    assert httpx.get(worker.base_url + "/metrics", headers={"Authorization": "Bearer operators"}).status_code == 200


def test_readiness_fails_while_what_runs_is_finished(start_server, program, env):
    file = program.parent / "slow.cai"
    file.write_text(PROGRAM.replace("sleep: 300ms", "activity: slow.rest { }"))
    (program.parent / "activities").mkdir()
    gate = program.parent / "gate"
    (program.parent / "activities" / "slow.py").write_text(REST.format(gate=str(gate)))
    worker = start_server(file, env=env, arguments=("--role", "worker"))
    assert httpx.post(worker.base_url + "/api/v1/workflows/Make/executions", json={"input": {"name": "made"}}).status_code == 202
    until(lambda: httpx.get(worker.base_url + "/api/v1/executions?status=running").json()["data"])
    worker.process.send_signal(signal.SIGTERM)
    until(lambda: httpx.get(worker.base_url + "/health/ready").status_code == 503)
    gate.touch()
    assert worker.wait() == 0


def test_a_port_of_its_own_for_operators_and_an_address_that_is_taken(start_server, program, env):
    from services.ports import free_port

    port = free_port()
    worker = start_server(program, env=env, arguments=("--role", "worker", "--operator-port", str(port)))
    assert httpx.get(f"http://127.0.0.1:{port}/metrics").status_code == 200
    assert httpx.get(worker.base_url + "/metrics").status_code == 404
    second = start_server(program, wait=False, env={**env, "CODEAI_PORT": "1"}, arguments=("--role", "worker", "--port", str(worker.port)))
    assert second.wait() == 3
    assert "Address already in use" in second.output
