"""The lines of docs/operations/faults.md that no other page of tests shows: what each fault says everywhere."""

import re
import socket
import time

import httpx
import jwt
import pytest

from acceptance.conftest import PROGRAM, token
from faults.faultpage import Observed
from services.polling import until
from services.ports import free_port
from services.redis import RedisServer


def metric(operator, start: str) -> float:
    found = re.search(rf"^{re.escape(start)} (\S+)$", operator.shell("curl -s http://localhost:8080/metrics"), re.MULTILINE)
    return float(found.group(1)) if found else 0.0


def test_s34_s35_s36_redis_down_degrades_and_fails_nothing(launch):
    redis = RedisServer()
    redis.start()
    try:
        cached = PROGRAM.replace("resource Ticket at /tickets {", "resource Ticket at /tickets { cache: 5m ")
        operator = launch(env={"REDIS_URL": redis.url}, source=cached)
        url = operator.server.base_url
        assert httpx.get(f"{url}/health").json()["checks"]["cache"]["status"] == "healthy"
        redis.stop()
        observed = Observed(operator.server)
        for _ in range(3):
            assert observed.ask("GET", "/tickets").status_code == 200
        health = observed.look()
        assert (health.status_code, health.json()["status"]) == (200, "degraded")
        assert health.json()["checks"]["cache"]["status"] == "unhealthy"
        assert httpx.get(f"{url}/health/ready").status_code == 200
        assert operator.log_line(lambda line: line["msg"] == "cache ping failed")["level"] == "error"
        observed.ask("GET", "/tickets")
        observed.shows("Redis down")
        redis.start()
        until(lambda: httpx.get(f"{url}/health").json()["status"] == "healthy")
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
    observed = Observed(operator.server)
    answer = observed.ask("GET", "/mine", headers={"Authorization": f"Bearer {unsigned}"})
    assert (answer.status_code, answer.json()["code"]) == (500, "AUTH009")
    assert metric(operator, 'auth_failures_total{code="AUTH009"}') == 1
    operator.log_line(lambda line: line["msg"].startswith("authentication failed: JWKS fetch failed"))
    assert observed.look().json()["status"] == "healthy"
    observed.shows("key set down")


def test_a_client_that_never_sends_its_body_gets_408(launch):
    operator = launch(env={"CODEAI_BODY_TIMEOUT": "1s"})
    with socket.create_connection(("127.0.0.1", operator.server.port), timeout=20) as lazy:
        lazy.sendall(b"POST /tickets HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
        answer = lazy.recv(1000)
        assert answer.startswith(b"HTTP/1.1 408 ")
    observed = Observed(operator.server)
    observed.got(408, answer.decode("latin-1"))
    assert observed.look().json()["status"] == "healthy"
    observed.shows("client never sends its body")
    assert metric(operator, 'http_requests_total{method="POST",route="/tickets",status="408"}') == 1


@pytest.mark.parametrize("header", ["X-Request-ID", "Authorization", "traceparent", "X-Debug"])
def test_hostile_headers_of_operators_routes_break_nothing(embedded, header):
    for value in ("", "x" * 8000, "\xff\xfe", "'; DROP TABLE tickets; --", f"Bearer {token('admin')}"):
        answer = httpx.get(f"{embedded.server.base_url}/metrics", headers={header: value.encode("latin-1")})
        assert answer.status_code in (200, 401)
