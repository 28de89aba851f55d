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
from services.peer import Gate, Peer
from services.polling import until

PROGRAM = """
entity Item { id: uuid, primary, auto  name: string, required }
resource Item at /items { auth: public }
integration peer { base_url: env(PEER_URL)  operation answer { method: GET  path: "/"  returns json } }
endpoint GET /slow { auth: public  returns: json  do { let found = call peer.answer  return { done: true } } }
"""
NOWHERE = {"PEER_URL": "http://127.0.0.1:9", "CODEAI_OUTBOUND_ALLOW": "127.0.0.1"}


@pytest.fixture
def program(tmp_path: Path) -> Path:
    file = tmp_path / "app.cai"
    file.write_text(PROGRAM)
    return file


@pytest.fixture
def url(postgres) -> str:
    return postgres.create_database()


def test_a_killed_worker_is_replaced_and_the_others_serve_on(start_server, program, url):
    server = start_server(program, env={**NOWHERE, "DATABASE_URL": url}, arguments=("--workers", "2"))
    before = until(lambda: found if len(found := server.workers()) == 2 else None)
    assert psutil.Process(server.process.pid).cmdline()[0].startswith("codeai server")  # S106
    os.kill(before[0].pid, signal.SIGKILL)
    until(lambda: len(server.workers()) == 2 and before[0].pid not in {worker.pid for worker in server.workers()})
    until(lambda: httpx.get(server.base_url + "/health/ready").status_code == 200)
    observed = Observed(server)
    for _ in range(10):
        assert observed.ask("GET", "/items").status_code == 200
    assert observed.look().json()["status"] == "healthy"
    observed.shows("worker killed")
    assert server.terminate() == 0
    assert not any(psutil.pid_exists(worker.pid) for worker in before)


def test_five_deaths_within_a_minute_end_the_server(start_server, program, url):
    server = start_server(program, env={**NOWHERE, "DATABASE_URL": url}, arguments=("--workers", "1"))
    killed: set[int] = set()
    while server.process.poll() is None:  # each worker as soon as it is there: a slow start would be one death within another minute
        with contextlib.suppress(psutil.NoSuchProcess):
            for child in psutil.Process(server.process.pid).children():
                if child.pid not in killed:
                    child.kill()
                    killed.add(child.pid)
        time.sleep(0.02)
    assert server.wait() == 4
    assert server.output.count("worker died") == 5
    Observed(server).shows("five workers die in a minute")


def test_a_worker_that_is_terminated_hands_it_to_the_server(start_server, program, url):
    server = start_server(program, env={**NOWHERE, "DATABASE_URL": url}, arguments=("--workers", "2"))
    found = until(lambda: found if len(found := server.workers()) == 2 else None)
    os.kill(found[0].pid, signal.SIGTERM)
    assert server.wait() == 0
    assert not any(psutil.pid_exists(worker.pid) for worker in found)


@pytest.mark.parametrize("kind", ["postgresql", "sqlite"])
def test_s107_sigterm_lets_requests_finish_and_stops_accepting(start_server, program, kind, request):
    gate = Gate()
    env = {**NOWHERE, "CODEAI_DRAIN_DELAY": "5s"}
    if kind == "postgresql":
        env["DATABASE_URL"] = request.getfixturevalue("url")
    with Peer(lambda seen: gate) as peer, concurrent.futures.ThreadPoolExecutor(4) as pool:
        server = start_server(program, env={**env, "PEER_URL": peer.url})
        kept = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        kept.request("GET", "/items")
        assert kept.getresponse().read() is not None
        slow = [pool.submit(httpx.get, server.base_url + "/slow") for _ in range(3)]
        until(lambda: len(peer.seen) == 3)  # they are on their way
        server.process.send_signal(signal.SIGTERM)
        until(lambda: httpx.get(server.base_url + "/health/ready").status_code == 503)  # S109: readiness fails first
        kept.request("GET", "/items")
        answer = kept.getresponse()
        assert (answer.status, bool(answer.read())) == (200, True)
        gate.open()
        assert [future.result().status_code for future in slow] == [200, 200, 200]
    began = time.monotonic()
    assert server.wait() == 0
    assert time.monotonic() - began < 30  # S108
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.base_url + "/items")


def test_s110_a_restart_begins_with_a_new_pool(start_server, program, url):
    first = start_server(program, env={**NOWHERE, "DATABASE_URL": url})
    made = httpx.post(first.base_url + "/items", json={"name": "kept"})
    assert made.status_code == 201
    assert first.terminate() == 0
    second = start_server(program, env={**NOWHERE, "DATABASE_URL": url})
    assert httpx.get(second.base_url + f"/items/{made.json()['id']}").json()["name"] == "kept"
