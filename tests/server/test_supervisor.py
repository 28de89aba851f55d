"""Several processes on PostgreSQL: workers that die, and the end in good order (acceptance S69, S106 to S110, T18, T19)."""

import concurrent.futures
import contextlib
import http.client
import os
import signal
import time
from pathlib import Path

import httpx
import psutil
import pytest

from faults.faultpage import Observed
from services.polling import until

PROGRAM = """
entity Item { id: uuid, primary, auto  name: string, required }
resource Item at /items { auth: public }
endpoint GET /slow { auth: public  returns: json  do { sleep 2500ms  return { done: true } } }
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    file = tmp_path / "app.cai"
    file.write_text(PROGRAM)
    return file


@pytest.fixture
def url(postgres) -> str:
    return postgres.create_database()


def workers(server) -> list[psutil.Process]:
    assert server.process is not None
    found = []
    for child in psutil.Process(server.process.pid).children():
        with contextlib.suppress(psutil.NoSuchProcess):  # also of zombies, which have no command line
            if "cai-worker: http" in " ".join(child.cmdline()):
                found.append(child)
    return found


def test_a_killed_worker_is_replaced_and_the_others_serve_on(start_server, program, url):
    server = start_server(program, env={"DATABASE_URL": url}, arguments=("--workers", "2"))
    before = until(lambda: found if len(found := workers(server)) == 2 else None)
    assert psutil.Process(server.process.pid).cmdline()[0].startswith("codeai server")  # S106
    os.kill(before[0].pid, signal.SIGKILL)
    until(lambda: len(workers(server)) == 2 and before[0].pid not in {worker.pid for worker in workers(server)})
    until(lambda: httpx.get(server.base_url + "/health/ready").status_code == 200)
    observed = Observed(server)
    for _ in range(10):
        assert observed.ask("GET", "/items").status_code == 200
    assert observed.look().json()["status"] == "healthy"
    observed.shows("worker killed")
    assert server.terminate() == 0
    assert not any(psutil.pid_exists(worker.pid) for worker in before)


def test_five_deaths_within_a_minute_end_the_server(start_server, program, url):
    server = start_server(program, env={"DATABASE_URL": url}, arguments=("--workers", "1"))
    for _ in range(5):
        pid = until(lambda: workers(server))[0].pid
        os.kill(pid, signal.SIGKILL)
        until(lambda dead=pid: server.process.poll() is not None or dead not in {worker.pid for worker in workers(server)})
    assert server.wait() == 4
    Observed(server).shows("five workers die in a minute")


def test_a_worker_that_is_terminated_hands_it_to_the_server(start_server, program, url):
    server = start_server(program, env={"DATABASE_URL": url}, arguments=("--workers", "2"))
    found = until(lambda: found if len(found := workers(server)) == 2 else None)
    os.kill(found[0].pid, signal.SIGTERM)
    assert server.wait() == 0
    assert not any(psutil.pid_exists(worker.pid) for worker in found)


@pytest.mark.parametrize("kind", ["postgresql", "sqlite"])
def test_s107_sigterm_lets_requests_finish_and_stops_accepting(start_server, program, kind, request):
    env = {"CODEAI_DRAIN_DELAY": "1500ms"}
    if kind == "postgresql":
        env["DATABASE_URL"] = request.getfixturevalue("url")
    server = start_server(program, env=env)
    kept = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    kept.request("GET", "/items")
    assert kept.getresponse().read() is not None
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        slow = [pool.submit(httpx.get, server.base_url + "/slow", timeout=20) for _ in range(3)]
        time.sleep(0.4)  # they are on their way; the end must not come before they are
        server.process.send_signal(signal.SIGTERM)
        assert until(lambda: _ready(server.base_url) == 503) is True  # S109: readiness fails first
        kept.request("GET", "/items")
        answer = kept.getresponse()
        assert (answer.status, bool(answer.read())) == (200, True)
        assert [future.result().status_code for future in slow] == [200, 200, 200]
    began = time.monotonic()
    assert server.wait() == 0
    assert time.monotonic() - began < 30  # S108
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.base_url + "/items", timeout=2)


def _ready(base_url: str) -> int:
    try:
        return httpx.get(base_url + "/health/ready", timeout=2).status_code
    except httpx.HTTPError:
        return 0


def test_s110_a_restart_begins_with_a_new_pool(start_server, program, url):
    first = start_server(program, env={"DATABASE_URL": url})
    made = httpx.post(first.base_url + "/items", json={"name": "kept"})
    assert made.status_code == 201
    assert first.terminate() == 0
    second = start_server(program, env={"DATABASE_URL": url})
    assert httpx.get(second.base_url + f"/items/{made.json()['id']}").json()["name"] == "kept"
