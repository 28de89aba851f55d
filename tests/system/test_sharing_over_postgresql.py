"""Two workers and a durable worker without Redis: what one of them writes or learns, the others know (PostgreSQL tells them)."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from services.peer import Peer, Reply
from services.polling import comes_to, until
from services.process import ServerProcess

PROGRAM = """
entity Item { id: uuid, primary, auto  name: string, required }
entity Other { id: uuid, primary, auto  name: string }
resource Item at /items { auth: public  cache: 1h }
resource Other at /others { auth: public }
workflow Rename { input { name: string }  steps { all { do { update Item set name = input.name where all } } } }
integration Peer {
    base_url: env(PEER_URL)
    circuit_breaker { threshold: 3 failures in 1m  reset_after: 1h }
    operation ask { method: POST  path: "/"  returns { ok: bool } }
}
endpoint GET /ask { auth: public  do { let found = call Peer.ask { }  return { ok: found.ok } } }
endpoint GET /limited { auth: public  rate_limit: 5 per 1h by ip  do { return 1 } }
endpoint GET /where { auth: public  cache: 1h  do { return random(1, 1000000000) } }
"""


@pytest.fixture(scope="module")
def url(postgres: Any) -> str:
    return str(postgres.create_database())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, url: str) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("sharing")
    (folder / "app.cai").write_text(PROGRAM)
    with Peer(lambda seen: Reply(500)) as peer:
        env = {"DATABASE_URL": url, "PEER_URL": peer.url, "CODEAI_OUTBOUND_ALLOW": "127.0.0.1"}
        found = ServerProcess(folder / "app.cai", folder, env=env, arguments=("--workers", "2"))
        try:
            found.start()
            yield found
        finally:
            found.remove()


@pytest.fixture(scope="module")
def clients(server: ServerProcess) -> Iterator[list[httpx.Client]]:
    """One connection to each of the two workers: an answer that reads no table is kept by each for itself and tells them apart."""
    found: dict[int, httpx.Client] = {}

    def both() -> bool:
        client = httpx.Client(base_url=server.base_url)
        if found.setdefault(client.get("/where").json(), client) is not client:
            client.close()
        return len(found) == 2

    until(both, explain=lambda: "one of the workers does not answer")
    yield list(found.values())
    for client in found.values():
        client.close()


def names(client: httpx.Client) -> list[str]:
    return [item["name"] for item in client.get("/items").json()["data"]]


def kept(client: httpx.Client) -> bool:
    client.get("/items")
    return client.get("/items").headers["cache-status"] == "codeai; hit"


def emptied(client: httpx.Client) -> None:
    for item in client.get("/items").json()["data"]:
        client.delete(f"/items/{item['id']}")


def test_a_write_of_one_worker_makes_the_answers_of_the_other_new(server: ServerProcess, clients: list[httpx.Client]) -> None:
    one, two = clients
    assert names(one) == names(two) == []
    until(lambda: kept(one) and kept(two))
    made = one.post("/items", json={"name": "first"})
    assert made.status_code == 201
    assert names(one) == ["first"]  # its own at once
    until(lambda: names(two) == ["first"])
    until(lambda: kept(one) and kept(two))
    assert two.patch(f"/items/{made.json()['id']}", json={"name": "second"}).status_code == 200
    assert names(two) == ["second"]
    until(lambda: names(one) == ["second"])
    assert one.delete(f"/items/{made.json()['id']}").status_code == 204
    until(lambda: names(two) == [])


def test_writes_of_the_durable_worker_are_heard_and_writes_to_other_tables_leave_answers(clients: list[httpx.Client]) -> None:
    one, two = clients
    emptied(one)
    one.post("/items", json={"name": "before"})
    until(lambda: names(one) == names(two) == ["before"] and kept(one) and kept(two))
    one.post("/others", json={"name": "x"})
    until(lambda: kept(two))
    assert one.post("/api/v1/workflows/Rename/executions", json={"input": {"name": "after"}}).status_code == 202
    until(lambda: names(one) == names(two) == ["after"])


def test_what_was_written_while_nothing_could_be_heard_is_seen(clients: list[httpx.Client], postgres: Any, url: str) -> None:
    one, two = clients
    emptied(one)
    one.post("/items", json={"name": "before"})
    until(lambda: names(one) == names(two) == ["before"] and kept(one) and kept(two))
    database = url.rpartition("/")[2]
    # One transaction, so that no worker listens again between the end of its connection and the write that it misses.
    postgres.sql(
        "BEGIN; SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = 'codeai listening';"
        " UPDATE items SET name = 'missed'; COMMIT",
        database,
    )
    until(lambda: names(one) == names(two) == ["missed"])
    until(lambda: kept(one) and kept(two))  # and they listen again
    one.post("/items", json={"name": "heard"})
    until(lambda: "heard" in names(two))


def codeai(server: ServerProcess, *words: str) -> str:
    command = [sys.executable, "-m", "codeai", *words, "--url", server.base_url]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=280).stdout


def breaker(client: httpx.Client) -> str:
    found: str = client.get("/api/v1/integrations").json()["data"][0]["state"]
    return found


def test_workers_count_failures_together_show_one_state_and_a_reset_by_any_closes_all(
    server: ServerProcess, clients: list[httpx.Client]
) -> None:
    one, two = clients
    assert [client.get("/ask").json()["code"] for client in (one, two)] == ["peer_error", "peer_error"]
    until(lambda: one.get("/api/v1/integrations").json()["data"][0]["failures"] == 2)
    assert one.get("/ask").json()["code"] == "peer_error"
    assert breaker(one) == "open"
    until(lambda: breaker(two) == "open")
    assert [client.get("/ask").json()["code"] for client in (one, two)] == ["circuit_open", "circuit_open"]
    for client in clients:
        assert client.get("/health").json()["checks"]["integration_Peer"]["status"] == "degraded"
        assert 'circuit_breaker_state{integration="Peer"} 2' in client.get("/metrics").text
    assert " open " in codeai(server, "integrations", "list")
    closed = json.loads(codeai(server, "integrations", "reset", "Peer", "--output", "json"))
    assert (closed["name"], closed["state"]) == ("Peer", "closed")
    until(lambda: breaker(one) == breaker(two) == "closed")
    until(lambda: 'circuit_breaker_state{integration="Peer"} 0' in one.get("/metrics").text)
    assert one.get("/ask").json()["code"] == "peer_error"
    assert one.get("/health").json()["checks"]["integration_Peer"]["status"] == "healthy"
    comes_to(lambda: server.output.count("circuit breaker state changed"), 2)


def test_t18_connections_that_listen_are_within_the_limit(clients: list[httpx.Client], postgres: Any, url: str) -> None:
    theirs = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"

    def agreed() -> bool:
        details = clients[0].get("/health").json()["checks"]["database"]["details"]
        assert details["max_connections"] <= 25
        listening = details["in_use"] >= 3  # each of the three processes
        consistent = details["open_connections"] == details["in_use"] + details["idle"]
        return bool(listening and consistent and details["open_connections"] == int(postgres.sql(theirs, url.rpartition("/")[2])))

    until(agreed)


def test_workers_count_limits_together_also_when_one_of_them_is_another(server: ServerProcess, clients: list[httpx.Client]) -> None:
    assert [client.get("/limited").headers["ratelimit-remaining"] for client in clients * 2] == ["4", "3", "2", "1"]
    server.children()["cai-worker: http 1"].kill()
    until(lambda: '"msg":"worker died"' in server.output and httpx.get(f"{server.base_url}/health/ready").status_code == 200)
    asked = [httpx.get(f"{server.base_url}/limited").status_code for _ in range(10)]  # each on a connection of its own
    assert asked == [200] + [429] * 9
    assert "limits are counted by each process for itself" not in server.output
