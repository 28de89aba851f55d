"""Integrations of a real server: what callers, logs and health see while a peer fails and recovers."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import httpx

from services.peer import Peer, Reply, Seen
from services.polling import until
from services.process import ServerProcess

Start = Callable[..., ServerProcess]

PROGRAM = """
config { name: "shop" default_auth: public }
integration Payments {
    base_url: env(PAYMENTS_URL)
    auth: bearer(secret(PAYMENTS_KEY))
    circuit_breaker { threshold: 5 failures in 1m  reset_after: 400ms  half_open: 3 }
    operation charge { method: POST  path: "/charges"  body { amount: int, required, min(1) }  returns { id: string, required } }
}
endpoint POST /charges {
    body { amount: int, required }
    error 502: "the bank has a problem"
    do { let made = call Payments.charge { amount: body.amount }
         return { charged: made.id } status 201 }
}
"""


def _started(start_server: Start, tmp_path: Path, peer: Peer, **env: str) -> ServerProcess:
    program = tmp_path / "app.cai"
    program.write_text(PROGRAM)
    return start_server(program, env={"PAYMENTS_URL": peer.url, "PAYMENTS_KEY": "very secret", **env})


def _charge(server: ServerProcess) -> httpx.Response:
    return httpx.post(server.base_url + "/charges", json={"amount": 5})


def _check(server: ServerProcess) -> dict[str, object]:
    found: dict[str, object] = httpx.get(server.base_url + "/health").json()["checks"]["integration_Payments"]
    return found


def test_s38_s39_s40_s45_a_peer_fails_the_breaker_opens_and_closes_again(start_server: Start, tmp_path: Path) -> None:
    def script(seen: Seen) -> Reply:
        return Reply(200, b'{"id":"ch_1"}') if well else Reply(500, b'{"cause":"internal detail"}')

    well = True
    with Peer(script) as peer:
        server = _started(start_server, tmp_path, peer, LOG_FORMAT="text")
        answer = _charge(server)
        assert (answer.status_code, answer.json()) == (201, {"charged": "ch_1"})
        assert peer.seen[0].headers["authorization"] == "Bearer very secret"
        well = False
        for _ in range(5):
            answer = _charge(server)
            assert (answer.status_code, answer.json()["code"], answer.json()["detail"]) == (502, "peer_error", "the bank has a problem")
            assert "internal detail" not in answer.text

        def refused() -> httpx.Response | None:  # on a busy machine the breaker may be half open by now, and open again by a failure
            calls = len(peer.seen)
            answer = _charge(server)
            return answer if len(peer.seen) == calls else None

        answer = until(refused)
        assert (answer.status_code, answer.json()["code"]) == (503, "circuit_open")
        assert int(answer.headers["retry-after"]) >= 1
        assert _check(server)["status"] == "degraded"
        assert httpx.get(server.base_url + "/health").json()["status"] == "degraded"
        assert httpx.get(server.base_url + "/health/ready").status_code == 200
        well = True
        until(lambda: _charge(server).status_code == 201)
        until(lambda: _charge(server).status_code == 201 and _check(server)["status"] == "healthy")
        server.terminate()
    assert "circuit breaker state changed from=closed to=open integration=Payments" in server.output
    assert "circuit breaker state changed from=open to=half-open" in server.output
    assert "circuit breaker state changed from=half-open to=closed" in server.output
    assert "very secret" not in server.output


def test_t4_s42_s43_s100_five_failures_open_by_default_and_the_log_says_it_in_fields(start_server: Start, tmp_path: Path) -> None:
    with Peer(lambda seen: Reply(500)) as peer:
        program = tmp_path / "app.cai"
        program.write_text(re.sub(r"circuit_breaker \{.*\}\n", "", PROGRAM))
        server = start_server(program, env={"PAYMENTS_URL": peer.url, "PAYMENTS_KEY": "very secret"})
        codes = [_charge(server).json()["code"] for _ in range(5)]
        refused = _charge(server)
        assert (codes, len(peer.seen)) == (["peer_error"] * 5, 5)
        assert (refused.json()["code"], refused.json()["detail"]) == ("circuit_open", "Payments.charge: circuit breaker is open")
        assert 50 < int(refused.headers["retry-after"]) <= 60  # S47
        server.terminate()
    lines = [json.loads(line) for line in server.output.splitlines() if line.startswith("{")]
    changes = [line for line in lines if line["msg"] == "circuit breaker state changed"]
    assert [(line["from"], line["to"], line["level"]) for line in changes] == [("closed", "open", "warn")]


def test_arguments_that_break_the_operations_rules_are_the_callers_error(start_server: Start, tmp_path: Path) -> None:
    with Peer(lambda seen: Reply()) as peer:
        server = _started(start_server, tmp_path, peer)
        answer = httpx.post(server.base_url + "/charges", json={"amount": 0})
        assert (answer.status_code, answer.json()["errors"][0]["field"], peer.seen) == (422, "amount", [])


def test_a_missing_secret_stops_the_start_with_its_place(start_server: Start, tmp_path: Path) -> None:
    program = tmp_path / "app.cai"
    program.write_text(PROGRAM)
    server = start_server(program, wait=False, env={"PAYMENTS_URL": "https://pay.example"})
    assert server.wait() == 3
    assert "app.cai:5:" in server.output
    assert "environment variable 'PAYMENTS_KEY' is not set" in server.output
