"""The lines of docs/operations/faults.md that no other page of tests shows: what each fault says everywhere."""

import re
import socket
import subprocess
import time
import uuid
from pathlib import Path

import httpx
import jwt
import pytest

from acceptance.conftest import token, until
from services.ports import free_port
from services.redis import RedisServer

PAGE = Path(__file__).parents[2] / "docs" / "operations" / "faults.md"


def metric(operator, start: str) -> float:
    found = re.search(rf"^{re.escape(start)} (\S+)$", operator.shell("curl -s http://localhost:8080/metrics"), re.MULTILINE)
    return float(found.group(1)) if found else 0.0


def test_every_line_of_the_page_names_what_happens():
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= 12
    assert all(row.count("|") == 6 for row in rows)


def test_a_slow_database_is_a_504_and_the_server_goes_on(launch, postgres):
    name = f"slow{uuid.uuid4().hex[:12]}"
    operator = launch(env={"DATABASE_URL": postgres.create_database(name), "DB_STATEMENT_TIMEOUT": "1s"})
    lock = subprocess.Popen(
        ["psql", postgres.dsn(name), "-qc", "BEGIN; LOCK TABLE tickets IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(20)"],
        stdout=subprocess.DEVNULL,
    )
    try:
        held = "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted AND relation = 'tickets'::regclass"
        until(lambda: postgres.sql(held, name) == "1")
        answer = httpx.get(f"{operator.server.base_url}/tickets", timeout=15)
        assert (answer.status_code, answer.json()["code"]) == (504, "statement_timeout")
        assert httpx.get(f"{operator.server.base_url}/health").json()["status"] == "healthy"
    finally:
        postgres.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(20)' AND pid <> pg_backend_pid()")
        lock.wait()
    assert metric(operator, 'http_problems_total{code="statement_timeout",status="504"}') == 1
    assert operator.log_line(lambda line: line["msg"].startswith("request failed: StatementTimeout"))["request_id"]
    until(lambda: httpx.get(f"{operator.server.base_url}/tickets", timeout=15).status_code == 200)


def test_s34_s35_s36_redis_down_degrades_and_fails_nothing(launch):
    redis = RedisServer()
    redis.start()
    try:
        operator = launch(env={"REDIS_URL": redis.url})
        url = operator.server.base_url
        assert httpx.get(f"{url}/health").json()["checks"]["cache"]["status"] == "healthy"
        redis.stop()
        for _ in range(3):
            assert httpx.get(f"{url}/tickets").status_code == 200
        health = httpx.get(f"{url}/health", timeout=10)
        assert (health.status_code, health.json()["status"]) == (200, "degraded")
        assert health.json()["checks"]["cache"]["status"] == "unhealthy"
        assert httpx.get(f"{url}/health/ready").status_code == 200
        assert operator.log_line(lambda line: line["msg"] == "cache ping failed")["level"] == "error"
        redis.start()
        until(lambda: httpx.get(f"{url}/health", timeout=10).json()["status"] == "healthy", 30)
    finally:
        redis.remove()


def test_s11_a_key_set_that_is_down_is_said_and_counted_apart(launch):
    source = """
    auth main { method: jwt  jwks_url: env(KEYS) }
    endpoint GET /mine { auth: required  returns: string  do { return "yours" } }
    """
    operator = launch(source=source, env={"KEYS": f"http://127.0.0.1:{free_port()}/keys"})
    signed = jwt.encode({"sub": "ada", "exp": time.time() + 60}, "x" * 32, algorithm="HS256", headers={"kid": "one"})
    unsigned = signed.replace(signed.split(".")[0], "eyJhbGciOiJSUzI1NiIsImtpZCI6Im9uZSIsInR5cCI6IkpXVCJ9")
    answer = httpx.get(f"{operator.server.base_url}/mine", headers={"Authorization": f"Bearer {unsigned}"}, timeout=15)
    assert (answer.status_code, answer.json()["code"]) == (500, "AUTH009")
    assert metric(operator, 'auth_failures_total{code="AUTH009"}') == 1
    operator.log_line(lambda line: line["msg"].startswith("authentication failed: JWKS fetch failed"))
    assert httpx.get(f"{operator.server.base_url}/health").json()["status"] == "healthy"


def test_a_client_that_never_sends_its_body_gets_408(launch):
    operator = launch(env={"CODEAI_BODY_TIMEOUT": "1s"})
    with socket.create_connection(("127.0.0.1", operator.server.port), timeout=20) as lazy:
        lazy.sendall(b"POST /tickets HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
        assert lazy.recv(100).startswith(b"HTTP/1.1 408 ")
    assert metric(operator, 'http_requests_total{method="POST",route="/tickets",status="408"}') == 1


@pytest.mark.parametrize("header", ["X-Request-ID", "Authorization", "traceparent", "X-Debug"])
def test_hostile_headers_of_operators_routes_break_nothing(embedded, header):
    for value in ("", "x" * 8000, "\xff\xfe", "'; DROP TABLE tickets; --", f"Bearer {token('admin')}"):
        answer = httpx.get(f"{embedded.server.base_url}/metrics", headers={header: value.encode("latin-1")})
        assert answer.status_code in (200, 401)
