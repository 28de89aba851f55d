"""Rate limits of endpoints: who is counted, what is said, and what never counts."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from surroundings import Moved, from_address, served

from codeai.http.middleware.clients import ClientAddresses, parse_proxies
from services.redis import RedisServer
from services.service import Service

PROGRAM = """
config { name: "limits" }
auth main { method: jwt }
role admin { permissions: ["*:*"] }
entity Note { id: uuid, primary, auto  text: string, required }
middleware by_ip { type: rate_limiting  requests: 2  window: 10s  strategy: fixed_window  by: ip }
middleware bucket { type: rate_limiting  requests: 4  window: 1m  strategy: token_bucket  burst: 2  by: all }
endpoint GET /mine { rate_limit: 3 per 1m by user  do { return 1 } }
endpoint GET /open { auth: public  rate_limit: 3 per 1m  do { return 1 } }
endpoint GET /address { auth: public  use: [by_ip]  do { return 1 } }
endpoint GET /guarded { use: [by_ip]  do { return 1 } }
endpoint GET /all { auth: public  use: [bucket]  do { return 1 } }
endpoint GET /tenant { rate_limit: 1 per 1m by tenant  do { return 1 } }
endpoint GET /fails { auth: public  rate_limit: 2 per 1m by ip  do { fail 409 "no" } }
endpoint POST /body { auth: public  rate_limit: 1 per 1m  body { n: int, required }  do { return body.n } }
endpoint GET /free { auth: public  do { return 1 } }
@rate_limit("2 per 1m by ip") endpoint GET /annotated { auth: public  do { return 1 } }
@rate_limit(2) endpoint GET /bare { auth: public  do { return 1 } }
resource Note at /notes { auth: public  rate_limit: 2 per 1m by ip }
"""


@pytest.fixture
def clock() -> Moved:
    return Moved()


@pytest.fixture(params=["memory", "redis"])
def service(request: pytest.FixtureRequest, tmp_path: Path, clock: Moved) -> Iterator[Service]:
    env = {"CODEAI_TRUSTED_PROXIES": "10.0.0.0/8"}
    if request.param == "redis":
        server: RedisServer = request.getfixturevalue("redis_server")
        server.cli("FLUSHALL")
        env["REDIS_URL"] = server.url
    found = served(tmp_path, PROGRAM, env, clock)
    yield found
    found.close()


def statuses(service: Service, target: str, times: int, token: str | None = None) -> list[int]:
    return [service.request("GET", target, token=token).status for _ in range(times)]


def test_users_are_counted_apart_and_told_where_they_stand(service: Service) -> None:
    ada, bob = service.token("ada"), service.token("bob")
    assert statuses(service, "/mine", 4, ada) == [200, 200, 200, 429]
    answer = service.request("GET", "/mine", token=bob)
    assert answer.status == 200
    shown = {name: answer.header(name) for name in ("ratelimit-limit", "ratelimit-remaining", "ratelimit-policy")}
    assert shown == {"ratelimit-limit": "3", "ratelimit-remaining": "2", "ratelimit-policy": "3;w=60"}
    assert 0 < int(answer.header("ratelimit-reset") or "0") <= 60


def test_too_many_is_a_problem_that_says_when_to_come_back(service: Service) -> None:
    assert statuses(service, "/open", 3) == [200] * 3
    answer = service.request("GET", "/open")
    assert (answer.status, answer.code) == (429, "rate_limited")
    assert answer.json["detail"] == "at most 3 requests per 1 m are accepted here"
    assert answer.header("ratelimit-remaining") == "0"
    assert int(answer.header("retry-after") or "0") >= 1


def test_a_window_that_has_passed_is_forgotten(tmp_path: Path, clock: Moved) -> None:
    service = served(tmp_path, PROGRAM, clock=clock)
    assert statuses(service, "/address", 3) == [200, 200, 429]
    clock.advance(10)
    assert statuses(service, "/address", 3) == [200, 200, 429]
    service.close()


def test_a_limit_by_address_protects_the_guard_too(service: Service) -> None:
    assert statuses(service, "/guarded", 3, "no.good.token") == [401, 401, 429]


def test_middleware_counts_over_all_endpoints_that_use_it(service: Service) -> None:
    assert statuses(service, "/address", 1) + statuses(service, "/guarded", 1) + statuses(service, "/address", 1) == [200, 401, 429]


def test_a_bucket_for_all_lets_its_burst_through(service: Service) -> None:
    assert statuses(service, "/all", 3) == [200, 200, 429]
    assert from_address(service, "192.0.2.9", "/all").status == 429


def test_tenants_are_counted_together(service: Service) -> None:
    tokens = [service.token("a", tenant="x"), service.token("b", tenant="x"), service.token("c", tenant="y")]
    assert [service.request("GET", "/tenant", token=token).status for token in tokens] == [200, 429, 200]


def test_answers_that_are_errors_carry_the_fields_too(service: Service) -> None:
    answer = service.request("GET", "/fails")
    assert (answer.status, answer.header("ratelimit-remaining")) == (409, "1")


def test_a_body_that_is_wrong_counts_as_well(service: Service) -> None:
    assert service.request("POST", "/body", {"n": "x"}).status == 422
    assert service.request("POST", "/body", {"n": 1}).status == 429


def test_an_endpoint_without_a_limit_says_nothing_of_limits(service: Service) -> None:
    answer = service.request("GET", "/free")
    assert [name for name, _ in answer.headers if name.startswith("ratelimit")] == []


@pytest.mark.parametrize("target", ["/annotated", "/bare", "/notes"])
def test_annotations_and_resources_mean_the_clause(service: Service, target: str) -> None:
    assert statuses(service, target, 3) == [200, 200, 429]


def test_addresses_are_those_of_clients_and_not_of_headers_that_anybody_writes(service: Service) -> None:
    spoofed = [from_address(service, "203.0.113.5", "/address", headers=[("X-Forwarded-For", f"192.0.2.{n}")]).status for n in range(3)]
    assert spoofed == [200, 200, 429]
    behind = [from_address(service, "10.0.0.1", "/address", headers=[("X-Forwarded-For", f"198.51.100.{n}")]).status for n in range(3)]
    assert behind == [200, 200, 200]


CHAINS: list[tuple[str | None, list[tuple[str, str]], str]] = [
    ("198.51.100.7", [], "198.51.100.7"),
    ("198.51.100.7", [("x-forwarded-for", "192.0.2.1")], "198.51.100.7"),
    ("10.0.0.1", [], "10.0.0.1"),
    ("10.0.0.1", [("x-forwarded-for", "192.0.2.1")], "192.0.2.1"),
    ("10.0.0.1", [("x-forwarded-for", "6.6.6.6, 192.0.2.1, 10.0.0.2")], "192.0.2.1"),
    ("10.0.0.1", [("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "192.0.2.1")], "192.0.2.1"),
    ("10.0.0.1", [("x-forwarded-for", "10.0.0.3, 10.0.0.2")], "10.0.0.3"),
    ("10.0.0.1", [("x-forwarded-for", "nonsense")], "10.0.0.1"),
    ("10.0.0.1", [("x-forwarded-for", "192.0.2.1:4711")], "192.0.2.1"),
    ("10.0.0.1", [("x-forwarded-for", "[2001:db8::1]:4711")], "2001:db8::1"),
    ("10.0.0.1", [("forwarded", 'for=192.0.2.1;proto=https, for="[2001:db8::7]:80"')], "2001:db8::7"),
    ("::ffff:10.0.0.1", [("x-forwarded-for", "192.0.2.1")], "192.0.2.1"),
    (None, [("x-forwarded-for", "192.0.2.1")], "192.0.2.1"),
    (None, [], "local"),
]


@pytest.mark.parametrize(("peer", "headers", "address"), CHAINS)
def test_the_chain_of_proxies_is_believed_as_far_as_it_is_ours(peer: str | None, headers: list[tuple[str, str]], address: str) -> None:
    from codeai.http.messages import Request

    pairs = [(name.encode(), value.encode()) for name, value in headers]
    request = Request("GET", "/", pairs, peer=peer)
    assert ClientAddresses(parse_proxies("10.0.0.0/8")).of(request) == address


def test_one_client_of_ipv6_is_its_network(service: Service) -> None:
    found = [from_address(service, f"2001:db8:1:2::{n}", "/address").status for n in range(1, 4)]
    assert found == [200, 200, 429]


def test_a_redis_that_ends_takes_no_request_with_it(tmp_path: Path) -> None:
    server = RedisServer()
    server.start()
    service = served(tmp_path, PROGRAM, {"REDIS_URL": server.url})
    assert statuses(service, "/open", 1) == [200]
    server.kill()
    assert statuses(service, "/open", 4) == [200, 200, 200, 429]
    service.close()
    server.remove()
