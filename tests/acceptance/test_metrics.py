"""S126 to S131, T6, T9, T19: what Prometheus reads."""

import os
import re
import signal
import subprocess

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from acceptance.conftest import token
from services.polling import comes_to, until


def samples(operator) -> dict[tuple[str, tuple], float]:
    text = operator.shell("curl -s http://localhost:8080/metrics")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(operator, name: str, **labels: str) -> float:
    return samples(operator).get((name, tuple(sorted(labels.items()))), 0.0)


def test_s126_metrics_are_prometheus_text(operator):
    answer = httpx.get(f"{operator.server.base_url}/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    checked = subprocess.run(["promtool", "check", "metrics"], input=answer.content, capture_output=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_s127_requests_are_counted_by_route_template_over_all_workers(operator):
    labels = {"method": "GET", "route": "/tickets/{id}", "status": "404"}
    before = value(operator, "http_requests_total", **labels)
    for number in range(20):  # each on a connection of its own, so that both workers get some
        httpx.get(f"{operator.server.base_url}/tickets/00000000-0000-0000-0000-{number:012}")
    comes_to(lambda: value(operator, "http_requests_total", **labels), before + 20)  # counted when the answer is on its way


def test_s128_durations_are_a_histogram_of_the_same_requests(operator):
    httpx.get(f"{operator.server.base_url}/tickets")
    labels = {"method": "GET", "route": "/tickets", "status": "200"}
    until(lambda: value(operator, "http_request_duration_seconds_count", **labels) >= 1)
    found = samples(operator)
    key = tuple(sorted(labels.items()))
    total = found["http_requests_total", key]
    assert found["http_request_duration_seconds_count", key] == total >= 1
    assert 0 < found["http_request_duration_seconds_sum", key] < 60
    buckets = [
        (float(dict(labels)["le"]), number)
        for (name, labels), number in found.items()
        if name == "http_request_duration_seconds_bucket" and set(key) <= set(labels)
    ]
    assert [number for _, number in sorted(buckets)] == sorted(number for _, number in buckets)
    assert max(buckets) == (float("inf"), total)


def test_s129_connections_are_live(operator):
    found = samples(operator)
    assert found["db_connections_in_use", ()] + found["db_connections_idle", ()] == found["db_connections_open", ()]
    assert found["db_connections_open", ()] >= 1
    assert found["db_connections_max", ()] <= 25


def test_s129_all_workers_of_an_instance_share_its_limit(fleet):
    assert value(fleet, "db_connections_max") == 25  # 13 and 12


def test_t6_auth_failures_are_counted_apart_from_faults(operator):
    url = operator.server.base_url

    def counted() -> tuple[float, float]:
        return value(operator, "auth_failures_total", code="AUTH001"), value(operator, "http_problems_total", code="AUTH001", status="401")

    before = counted()
    httpx.get(f"{url}/mine", headers={"Authorization": "Bearer nonsense"})
    comes_to(counted, (before[0] + 1, before[1] + 1))


def test_paths_and_methods_that_clients_invent_make_no_series(operator):
    url = operator.server.base_url
    for number in range(5):
        httpx.get(f"{url}/invented/{number}")
        httpx.request(f"INVENTED{number}", f"{url}/tickets")
    until(lambda: value(operator, "http_requests_total", method="GET", route="none", status="404") >= 5)
    until(lambda: value(operator, "http_requests_total", method="other", route="none", status="405") >= 5)
    assert not [labels for _, labels in samples(operator) if "invented" in str(labels).lower()]


def test_the_process_shows_itself(fleet):
    found = samples(fleet)
    for process in ("http-1", "http-2"):
        assert found["process_resident_memory_bytes", (("process", process),)] > 10_000_000
        assert found["process_open_fds", (("process", process),)] > 3
    assert any(name == "codeai_build_info" and ("program", "desk") in labels for name, labels in found)
    assert until(lambda: value(fleet, "event_loop_lag_seconds_count") > 2)


def test_t19_a_worker_that_dies_takes_no_count_with_it(fleet):
    labels = {"method": "GET", "route": "/health/live", "status": "200"}
    url = f"{fleet.server.base_url}/health/live"
    for _ in range(20):
        httpx.get(url)
    before = until(lambda: count if (count := value(fleet, "http_requests_total", **labels)) >= 20 else None)
    victim = next(worker for worker in fleet.server.workers() if "http 1" in " ".join(worker.cmdline()))
    os.kill(victim.pid, signal.SIGKILL)
    until(lambda: re.search(r'"msg":"worker died"', fleet.server.output))
    until(lambda: len({labels for name, labels in samples(fleet) if name == "process_threads"}) == 2)
    assert value(fleet, "http_requests_total", **labels) == before
    for _ in range(20):
        httpx.get(url)
    comes_to(lambda: value(fleet, "http_requests_total", **labels), before + 20)


def test_t9_others_need_the_role_or_the_token(launch):
    operator = launch(env={"CODEAI_OPERATOR_ACCESS": "token", "CODEAI_OPERATOR_TOKEN": "open sesame"})
    url = f"{operator.server.base_url}/metrics"
    refused = httpx.get(url)
    assert (refused.status_code, refused.json()["code"]) == (401, "AUTH005")
    assert httpx.get(url, headers={"Authorization": "Bearer open sesame"}).status_code == 200
    assert httpx.get(url, headers={"Authorization": f"Bearer {token('admin')}"}).status_code == 200
    assert httpx.get(url, headers={"Authorization": f"Bearer {token('clerk')}"}).status_code == 403


def test_t9_metrics_alone_can_be_open(launch):
    operator = launch(env={"CODEAI_OPERATOR_ACCESS": "token", "CODEAI_METRICS_ACCESS": "open"})
    assert httpx.get(f"{operator.server.base_url}/metrics").status_code == 200


@pytest.mark.parametrize("header", [{"X-Forwarded-For": "10.0.0.7"}, {"Host": "shop.example"}, {"Origin": "https://evil.example"}])
def test_t9_what_came_through_a_proxy_or_a_page_is_not_local(embedded, header):
    assert httpx.get(f"{embedded.server.base_url}/metrics", headers=header).status_code == 401


def test_t9_operators_can_have_a_port_of_their_own(launch):
    from services.ports import free_port

    port = free_port()
    operator = launch(arguments=("--operator-port", str(port)))
    assert httpx.get(f"http://127.0.0.1:{port}/metrics").status_code == 200
    assert httpx.get(f"http://127.0.0.1:{port}/health").status_code == 200
    assert httpx.get(f"http://127.0.0.1:{port}/tickets").status_code == 404
    assert httpx.get(f"{operator.server.base_url}/metrics").status_code == 404
    assert httpx.get(f"{operator.server.base_url}/tickets").status_code == 200
