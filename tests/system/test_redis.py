"""A real server with a real Redis that stops, hangs and comes back (acceptance S34 to S37, S124, S130)."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from services.peer import Peer, Reply
from services.polling import comes_to
from services.process import ServerProcess
from services.redis import RedisServer

Start = Callable[..., ServerProcess]
PROGRAM = """
config { name: "shop"  default_auth: public }
entity Product { id: uuid, primary, auto  name: string, required }
resource Product at /products { auth: public  cache: 5m  rate_limit: 1000 per 1m by ip }
integration Peer { base_url: env(PEER_URL)  circuit_breaker { threshold: 2 failures }  operation o { path: "/" } }
endpoint GET /call { do { return call Peer.o { } } }
"""


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    server = RedisServer()
    server.start()
    yield server
    server.remove()


def _started(start_server: Start, tmp_path: Path, redis: RedisServer | None, peer: str = "http://127.0.0.1:1") -> ServerProcess:
    folder = tmp_path / str(len(list(tmp_path.iterdir())))
    folder.mkdir()
    program = folder / "app.cai"
    program.write_text(PROGRAM)
    return start_server(program, env={"PEER_URL": peer, **({"REDIS_URL": redis.url} if redis else {})})


def _check(server: ServerProcess) -> dict[str, object]:
    found: dict[str, object] = httpx.get(server.base_url + "/health").json()["checks"]["cache"]
    return found


def _status(server: ServerProcess) -> str:
    answer = httpx.get(server.base_url + "/products")
    assert answer.status_code == 200
    return answer.headers["cache-status"].removeprefix("codeai; ")


def test_s34_s36_s37_an_outage_of_redis_shows_in_health_and_in_no_answer(
    start_server: Start, tmp_path: Path, own_redis: RedisServer
) -> None:
    assert own_redis.cli("ping") == "PONG"
    server = _started(start_server, tmp_path, own_redis)
    assert _status(server) == "fwd=miss"
    comes_to(lambda: _status(server), "hit")
    assert own_redis.cli("--scan", "--pattern", "shop:cache:*")
    comes_to(lambda: _check(server)["status"], "healthy")
    for end, begin in ((RedisServer.stop, RedisServer.start), (RedisServer.pause, RedisServer.resume)):
        end(own_redis)
        answers = [httpx.get(server.base_url + "/products") for _ in range(20)]
        assert {answer.status_code for answer in answers} == {200}
        assert {answer.headers["cache-status"] for answer in answers} == {"codeai; fwd=miss"}
        assert {answer.headers["ratelimit-limit"] for answer in answers} == {"1000"}
        health = httpx.get(server.base_url + "/health")
        assert (health.status_code, health.json()["status"], health.json()["checks"]["cache"]["status"]) == (200, "degraded", "unhealthy")
        assert httpx.get(server.base_url + "/health/ready").status_code == 200
        begin(own_redis)
        comes_to(lambda: _status(server), "hit")
        comes_to(lambda: _check(server)["status"], "healthy")
    server.terminate()
    assert server.output.count("redis does not answer, going on without it") >= 2
    assert "redis answers again" in server.output


def test_s35_the_check_gives_up_after_a_second(start_server: Start, tmp_path: Path, own_redis: RedisServer) -> None:
    server = _started(start_server, tmp_path, own_redis)
    own_redis.pause()
    shown = str(_check(server)["duration"])
    assert shown.endswith("s")
    assert not shown.endswith("ms") or float(shown.removesuffix("ms")) > 900


def test_s124_without_redis_the_check_is_there_and_says_what_is_used(start_server: Start, tmp_path: Path) -> None:
    server = _started(start_server, tmp_path, None)
    checks = httpx.get(server.base_url + "/health").json()["checks"]
    assert {"database", "cache"} <= checks.keys()
    assert (checks["cache"]["status"], checks["cache"]["details"]["type"]) == ("healthy", "memory")
    # its statistics, in health and in metrics
    assert [_status(server) for _ in range(4)] == ["fwd=miss", "hit", "hit", "hit"]
    details = httpx.get(server.base_url + "/health").json()["checks"]["cache"]["details"]
    assert {name: details[name] for name in ("hits", "misses", "items")} == {"hits": 3, "misses": 1, "items": 1}
    shown = httpx.get(server.base_url + "/metrics").text
    for figure in ("cache_hits 3.0", "cache_misses 1.0", "cache_items 1.0", f"cache_size {details['bytes']:.1f}", "cache_failures 0.0"):
        assert f"\n{figure}\n" in shown


def test_s130_the_state_of_a_breaker_is_a_metric_and_two_servers_share_it(
    start_server: Start, tmp_path: Path, own_redis: RedisServer
) -> None:
    with Peer(lambda seen: Reply(500)) as peer:
        one, two = (_started(start_server, tmp_path, own_redis, peer.url) for _ in range(2))
        assert 'circuit_breaker_state{integration="Peer"} 0' in httpx.get(one.base_url + "/metrics").text
        assert [httpx.get(server.base_url + "/call").json()["code"] for server in (one, two, one, two)] == [
            *("peer_error", "peer_error", "circuit_open", "circuit_open")
        ]
        for server in (one, two):
            assert 'circuit_breaker_state{integration="Peer"} 2' in httpx.get(server.base_url + "/metrics").text
        shown = httpx.get(one.base_url + "/metrics").text
        for outcome in ("500", "circuit_open"):  # a call and a refusal each
            assert f'integration_calls_total{{integration="Peer",operation="o",outcome="{outcome}"}} 1' in shown
        assert 'integration_call_duration_seconds_count{integration="Peer",operation="o"} 1' in shown
        shown = httpx.get(one.base_url + "/api/v1/integrations").json()
        assert "open" in str(shown)
        assert httpx.post(two.base_url + "/api/v1/integrations/Peer/breaker/reset").status_code in (200, 202)
        assert httpx.get(one.base_url + "/call").json()["code"] == "peer_error"


def test_a_wrong_address_of_redis_stops_the_start(start_server: Start, tmp_path: Path) -> None:
    program = tmp_path / "app.cai"
    program.write_text(PROGRAM)
    server = start_server(program, wait=False, env={"PEER_URL": "https://peer.example", "REDIS_URL": "localhost:6379"})
    assert server.wait() == 3
    assert "REDIS_URL is wrong, expected an address, as in redis://localhost:6379/0" in server.output
