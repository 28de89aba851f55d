"""S1 to S9, S69, S71, S116 to S125, S143: health, and what happens when the database does not."""

import re
import subprocess
import uuid

import httpx
import pytest

from services.polling import until
from services.postgres import PostgresServer


@pytest.fixture(scope="module")
def own_postgres():
    """A server that these tests may stop."""
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="module")
def desk(launch, own_postgres):
    name = f"desk{uuid.uuid4().hex[:12]}"
    operator = launch(env={"DATABASE_URL": own_postgres.create_database(name)})
    operator.database = name
    return operator


def test_s116_s119_s120_s121_s122_health_has_the_form_of_the_guide(operator):
    document = operator.json("curl -s http://localhost:8080/health | jq .")
    assert list(document) == ["status", "timestamp", "version", "uptime", "checks"]
    assert document["status"] == "healthy"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", document["timestamp"])
    assert document["version"] == "1.0.0"
    assert re.fullmatch(r"(\d+h)?(\d+m)?\d+s", document["uptime"])


def test_s117_s118_liveness_and_readiness(operator):
    assert operator.json("curl -s http://localhost:8080/health/live")["status"] == "healthy"
    ready = operator.json("curl -s http://localhost:8080/health/ready")
    assert ready["status"] == "healthy"
    assert list(ready["checks"]) == ["database"]


def test_s5_s7_s123_s124_s143_each_check_has_status_duration_and_details(operator):
    for component in ("database", "cache"):
        check = operator.json(f"curl -s http://localhost:8080/health | jq '.checks.{component}'")
        assert check["status"] == "healthy"
        assert re.fullmatch(r"\d+(\.\d+)?(ns|µs|ms|s)", check["duration"])
    details = operator.json("curl -s http://localhost:8080/health | jq '.checks.database.details'")
    assert list(details) == ["max_connections", "open_connections", "in_use", "idle"]


def test_s8_t18_the_counts_are_live_and_of_all_workers(fleet):
    details = fleet.json("curl -s http://localhost:8080/health | jq '.checks.database.details'")
    assert details["max_connections"] == 25
    assert details["open_connections"] == details["in_use"] + details["idle"]
    assert details["open_connections"] >= 2


def test_t9_details_are_for_operators(operator):
    seen = httpx.get(f"{operator.server.base_url}/health", headers={"X-Forwarded-For": "10.0.0.7"}).json()
    assert set(seen["checks"]["database"]) == {"status", "duration"}


def test_s69_the_server_survives_the_termination_of_its_sessions(desk, own_postgres):
    terminate = (
        f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{desk.database}' AND pid <> pg_backend_pid()"
    )
    assert httpx.get(f"{desk.server.base_url}/tickets").status_code == 200  # so that there is a session
    assert int(own_postgres.sql(terminate)) >= 1
    for _ in range(5):
        assert httpx.get(f"{desk.server.base_url}/tickets").status_code == 200


def test_s8_an_exhausted_pool_shows_and_answers_503(launch, own_postgres):
    name = f"full{uuid.uuid4().hex[:12]}"
    settings = {"DATABASE_URL": own_postgres.create_database(name), "DB_MAX_OPEN_CONNS": "2", "DB_ACQUIRE_TIMEOUT": "1s"}
    operator = launch(env=settings)
    url = operator.server.base_url
    lock = subprocess.Popen(
        ["psql", own_postgres.dsn(name), "-qc", "BEGIN; LOCK TABLE tickets IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(600)"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    stuck: list[subprocess.Popen[bytes]] = []
    with httpx.Client(base_url=url) as client:
        try:
            until(lambda: own_postgres.sql("SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted") != "0")
            stuck += [subprocess.Popen(["curl", "-s", "-o", "/dev/null", f"{url}/tickets"]) for _ in range(2)]
            gauge = "curl -s localhost:8080/metrics | grep '^db_connections_in_use'"
            until(lambda: operator.shell(gauge).split()[1] == "2.0", explain=lambda: operator.shell(gauge))
            answer = client.get("/tickets")
            assert (answer.status_code, answer.json()["code"]) == (503, "pool_exhausted")
            assert answer.headers["retry-after"]
            details = client.get("/health").json()["checks"]["database"]
            assert details["status"] == "unhealthy"
            assert details["details"]["in_use"] == details["details"]["max_connections"] == 2
        finally:
            holder = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted"
            own_postgres.sql(holder)
            lock.wait(60)
            for process in stuck:
                process.wait(60)
    assert until(lambda: httpx.get(f"{url}/health").json()["status"] == "healthy")


def test_s4_a_database_that_hangs_is_given_up_after_two_seconds(desk, own_postgres):
    own_postgres.freeze()
    try:
        check = desk.json("curl -s http://localhost:8080/health | jq .checks.database")
        assert (check["status"], check["reason"]) == ("unhealthy", "no answer within 2s")
        assert 2.0 <= float(re.fullmatch(r"(\d+(?:\.\d+)?)s", check["duration"])[1]) < 20  # S4: the ping has two seconds
        assert httpx.get(f"{desk.server.base_url}/health/live").status_code == 200
    finally:
        own_postgres.thaw()
    until(lambda: httpx.get(f"{desk.server.base_url}/health").json()["status"] == "healthy")


def test_s1_s2_s3_s4_a_database_that_is_down_and_comes_back(desk, own_postgres):
    url = desk.server.base_url
    own_postgres.stop()
    answer = httpx.get(f"{url}/tickets")
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    health = httpx.get(f"{url}/health")
    assert health.status_code == 503
    assert health.json()["status"] == health.json()["checks"]["database"]["status"] == "unhealthy"
    assert health.json()["checks"]["database"]["details"]["open_connections"] == 0  # what has ended does not count
    assert httpx.get(f"{url}/health/ready").status_code == 503
    assert httpx.get(f"{url}/health/live").status_code == 200
    assert desk.log_line(lambda line: line["msg"] == "database ping failed")["level"] == "error"
    failed = "curl -s localhost:8080/metrics | grep '^http_problems_total{code=\"database_unavailable\"'"
    assert float(desk.shell(failed).split()[1]) >= 1
    own_postgres.start()
    until(lambda: httpx.get(f"{url}/tickets").status_code == 200)
    until(lambda: httpx.get(f"{url}/health").json()["status"] == "healthy")


def test_s71_a_backup_restores_a_working_database(launch, own_postgres, desk, tmp_path):
    httpx.post(f"{desk.server.base_url}/tickets", json={"title": "kept"})
    copy = f"copy{uuid.uuid4().hex[:12]}"
    own_postgres.create_database(copy)
    dump = tmp_path / "backup.dump"
    subprocess.run(["pg_dump", "-Fc", "-f", dump, own_postgres.dsn(desk.database)], check=True)
    subprocess.run(["pg_restore", "-d", own_postgres.dsn(copy), dump], check=True)
    restored = launch(env={"DATABASE_URL": own_postgres.dsn(copy)})
    assert "tables" not in restored.server.output.split("\n{")[0]
    titles = [row["title"] for row in httpx.get(f"{restored.server.base_url}/tickets").json()["data"]]
    assert "kept" in titles


def test_s125_a_program_that_was_made_for_one_has_health_too(start_server, embedded, tmp_path):
    embedded.shell(f"cd {tmp_path} && codeai new shop && codeai validate shop")
    server = start_server(tmp_path / "shop")
    health = httpx.get(f"{server.base_url}/health").json()
    assert (health["status"], health["checks"]["database"]["status"]) == ("healthy", "healthy")
