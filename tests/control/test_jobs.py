"""Runs of jobs for operators: enqueued now, later, once, debounced; retried and purged."""

from typing import Any

import pytest
from operating import Operator


def job(operator: Operator, id_: str) -> Any:
    answer = operator.http.get(f"/admin/jobs/{id_}")
    assert answer.status_code == 200
    return answer.json()


def test_a_job_runs_with_typed_input_in_its_queue(operator: Operator) -> None:
    id_ = operator.enqueue("Clean", input={"older": 5}, priority=1)
    operator.ended(id_)
    found = job(operator, id_)
    assert (found["name"], found["status"], found["queue"], found["priority"], found["input"]["older"]) == (
        "Clean",
        "completed",
        "low",
        1,
        5,
    )


def test_a_secret_of_the_input_is_not_shown(operator: Operator) -> None:
    id_ = operator.enqueue("Clean", input={"password": "hunter2"})
    operator.ended(id_)
    texts = [operator.http.get(path).text for path in (f"/admin/jobs/{id_}", f"/executions/{id_}", f"/executions/{id_}/steps")]
    texts.append(operator.http.get("/executions", params={"workflow_id": "Clean"}).text)
    texts.append(operator.http.post("/query", json={"q": "select job limit 100"}).text)
    assert not [text for text in texts if "hunter2" in text]


def test_a_delayed_job_is_scheduled_and_may_be_cancelled(operator: Operator) -> None:
    id_ = operator.enqueue("Clean", delay="1h", queue="critical")
    found = job(operator, id_)
    assert (found["status"], found["queue"]) == ("scheduled", "critical")
    assert found["scheduled_for"] > found["created_at"]
    assert id_ in [row["id"] for row in operator.http.get("/admin/jobs?status=scheduled").json()["data"]]
    assert operator.http.delete(f"/admin/jobs/{id_}").status_code == 204
    assert operator.ended(id_)["status"] == "cancelled"


def test_a_short_delay_is_kept(operator: Operator) -> None:
    id_ = operator.enqueue("Clean", delay=0.3)
    ended = operator.ended(id_)
    assert ended["started_at"] >= ended["scheduled_for"]


def test_one_key_has_one_unfinished_run(operator: Operator) -> None:
    first, second = (operator.enqueue("Nap", key="dedup") for _ in range(2))
    assert first == second
    operator.http.delete(f"/admin/jobs/{first}")
    operator.ended(first)
    third = operator.enqueue("Nap", key="dedup")
    assert third != first
    operator.http.delete(f"/admin/jobs/{third}")


def test_a_request_that_is_sent_again_starts_nothing_more(operator: Operator) -> None:
    for path, body in (("/admin/jobs", {"job": "Clean"}), ("/workflows/Greet/executions", {"input": {"name": "sent again"}})):
        headers = {"idempotency-key": "k-1"}
        first = operator.http.post(path, json=body, headers=headers).json()["id"]
        operator.ended(first)
        assert operator.http.post(path, json=body, headers=headers).json()["id"] == first
        assert operator.http.post(path, json=body, headers={"idempotency-key": "k-2"}).json()["id"] != first
        assert operator.http.post(path, json=body, headers={"idempotency-key": "x" * 256}).status_code == 400


def test_of_a_burst_the_last_request_runs(operator: Operator) -> None:
    ids = {operator.enqueue("Clean", key="burst", debounce="700ms", input={"older": number}) for number in range(5)}
    assert len(ids) == 1
    (id_,) = ids
    assert job(operator, id_)["status"] == "scheduled"
    ended = operator.ended(id_)
    assert ended["input"]["older"] == 4
    assert ended["started_at"] >= ended["scheduled_for"]


def test_a_failed_job_is_retried(operator: Operator) -> None:
    id_ = operator.enqueue("Fails")
    assert operator.ended(id_)["status"] == "failed"
    answer = operator.http.post(f"/admin/jobs/{id_}/retry")
    assert (answer.status_code, answer.json()["attempt"]) == (202, 2)
    assert operator.ended(id_)["status"] == "failed"
    assert job(operator, id_)["error"]["message"] == "never works"


WRONG = {
    "an unknown job": ({"job": "Claen"}, "job"),
    "a workflow": ({"job": "Greet"}, "job"),
    "an unknown queue": ({"job": "Clean", "queue": "high"}, "queue"),
    "wrong input": ({"job": "Clean", "input": {"older": "x"}}, "input.older"),
    "a delay that is none": ({"job": "Clean", "delay": "soon"}, "delay"),
    "a delay without end": ({"job": "Clean", "delay": "10000d"}, "delay"),
    "a delay of too many seconds": ({"job": "Clean", "delay": 1e300}, "delay"),
    "a negative delay": ({"job": "Clean", "delay": -5}, "delay"),
    "debounce without a key": ({"job": "Clean", "debounce": "1s"}, "debounce"),
    "a priority too high": ({"job": "Clean", "priority": 101}, "priority"),
}


@pytest.mark.parametrize(("body", "field"), WRONG.values(), ids=WRONG)
def test_wrong_requests_are_refused(operator: Operator, body: Any, field: str) -> None:
    answer = operator.http.post("/admin/jobs", json=body)
    assert answer.status_code == 422, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]


PURGES = {
    "no status": "",
    "an unfinished status": "status=pending",
    "an unknown status": "status=everything",
    "an age that is none": "status=failed&older_than=old",
    "an unknown parameter": "status=failed&olderthan=1h",
    "twice": "status=failed&status=completed",
}


@pytest.mark.parametrize("query", PURGES.values(), ids=PURGES)
def test_a_purge_that_is_not_understood_removes_nothing(operator: Operator, query: str) -> None:
    id_ = operator.enqueue("Fails")
    operator.ended(id_)
    assert operator.http.post(f"/admin/jobs/purge?{query}").status_code == 422
    assert operator.http.get(f"/admin/jobs/{id_}").status_code == 200


def test_purges_and_enqueueings_are_audited(operator: Operator) -> None:
    id_ = operator.enqueue("Clean")
    operator.http.post("/admin/jobs/purge?status=completed&older_than=7d")
    assert operator.audit(id_) == [("operator", "enqueue")]
    assert operator.audit("")[-1] == ("operator", "purge")


def test_a_workflow_is_no_job(operator: Operator) -> None:
    id_ = operator.start("Greet", name="no job")
    assert operator.http.get(f"/admin/jobs/{id_}").status_code == 404
    assert operator.http.delete(f"/admin/jobs/{id_}").status_code == 404
