"""Executions for operators: lists, timelines, and what may be done in which state."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from operating import Operator


def failed(operator: Operator, item: str) -> str:
    id_ = operator.start("Order", item=item)
    assert operator.ended(id_)["status"] == "failed"
    return id_


def open_peer(operator: Operator, *, up: bool) -> None:
    """Lets the step succeed that failed before."""
    operator.http.post("/query", json={"q": 'delete Switch where name == "peer"', "write": True}).raise_for_status()
    if up:
        operator.http.post("/query", json={"q": 'create Switch { name: "peer", up: true }', "write": True}).raise_for_status()


def test_an_execution_has_the_documented_members(operator: Operator) -> None:
    found = operator.execution(failed(operator, "members"))
    for member in ("id", "workflow_id", "version", "status", "key", "input", "output", "error", "attempt", "created_at", "started_at"):
        assert member in found
    assert found["input"] == {"item": "members"}
    assert set(found["error"]) >= {"step", "code", "message"}
    assert found["finished_at"].endswith("Z")


def test_an_execution_on_which_work_fails_shows_why(operator: Operator) -> None:
    id_ = operator.start("Ask")
    operator.ended(id_, "waiting")
    assert "trouble" not in operator.execution(id_)
    columns = "(kind, subject, queue, priority, state, ready_ms, fence, attempts, refused, cause, again, created_ms)"
    values = f"('execution', '{id_}', 'default', 5, 2, 4102444800000, 0, 3, 1, 'not recorded: no room', 0, 0)"
    operator.sql(f"INSERT INTO codeai_activations {columns} VALUES {values}")
    trouble = {"attempts": 3, "refusals": 1, "cause": "not recorded: no room", "next_at": "2100-01-01T00:00:00Z"}
    assert operator.execution(id_)["trouble"] == trouble
    failing = operator.shell("curl -s http://localhost:8080/metrics | grep '^queue_activations_failing'")
    assert failing.strip() == 'queue_activations_failing{kind="execution",queue="default"} 1.0'
    operator.http.post(f"/executions/{id_}/cancel")
    operator.ended(id_, "cancelled")


def test_the_timeline_shows_each_step(operator: Operator) -> None:
    id_ = failed(operator, "timeline")
    body = operator.http.get(f"/executions/{id_}/steps").json()
    assert [(step["name"], step["status"]) for step in body["data"]] == [("reserve", "done"), ("charge", "failed")]
    reserve, charge = body["data"]
    assert reserve["attempts"] == charge["attempts"] == 1
    assert reserve["finished_at"] is not None and reserve["error"] is None
    assert charge["error"]["message"] == "the peer is down"
    assert reserve["compensation"]["status"] == "none"
    assert body["pagination"]["total"] == 2
    second = operator.http.get(f"/executions/{id_}/steps?limit=1&page=2").json()
    assert [step["name"] for step in second["data"]] == ["charge"]


def test_retrying_goes_on_where_it_failed(operator: Operator) -> None:
    id_ = failed(operator, "again")
    open_peer(operator, up=True)
    assert operator.http.post(f"/executions/{id_}/retry").status_code == 202
    assert operator.ended(id_)["status"] == "completed"
    assert [operator.notes().count(f"{word} again") for word in ("reserved", "shipped")] == [1, 1]
    open_peer(operator, up=False)
    assert operator.audit(id_) == [("operator", "start"), ("operator", "retry")]


def test_many_retries_at_once_are_one(operator: Operator) -> None:
    id_ = failed(operator, "many")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: operator.http.post(f"/executions/{id_}/retry").status_code, range(8)))
    assert set(answers) <= {202, 409}
    operator.ended(id_)
    assert operator.notes().count("reserved many") == 1
    assert operator.execution(id_)["attempt"] <= 1 + answers.count(202)


def test_compensating_undoes_and_repeating_it_changes_nothing(operator: Operator) -> None:
    id_ = failed(operator, "undo")
    for _ in range(2):
        assert operator.http.post(f"/executions/{id_}/compensate").status_code == 202
        operator.ended(id_, "compensated")
    assert operator.notes().count("released undo") == 1
    steps = operator.http.get(f"/executions/{id_}/steps").json()["data"]
    assert steps[0]["compensation"]["status"] == "done"


def test_an_execution_that_waits_is_cancelled(operator: Operator) -> None:
    id_ = operator.start("Ask")
    operator.ended(id_, "waiting")
    assert operator.http.post(f"/executions/{id_}/cancel").status_code == 202
    assert operator.ended(id_)["status"] == "cancelled"
    assert operator.http.post(f"/executions/{id_}/cancel").status_code == 202


def test_a_signal_gives_a_waiting_step_its_event(operator: Operator) -> None:
    id_ = operator.start("Ask")
    operator.ended(id_, "waiting")
    body = {"event": "Approved", "payload": {"who": "ada", "token": "t"}, "id": "once"}
    assert operator.http.post(f"/executions/{id_}/signal", json=body).status_code == 202
    assert operator.ended(id_)["status"] == "completed"


SIGNALS = {
    "an unknown event": ({"event": "Aproved"}, "event", "no event 'Aproved'"),
    "a missing field": ({"event": "Approved", "payload": {}}, "payload.who", ""),
    "a wrong type": ({"event": "Approved", "payload": {"who": 5}}, "payload.who", ""),
    "an unknown field": ({"event": "Approved", "payload": {"who": "a", "x": 1}}, "payload.x", ""),
    "no event": ({}, "", "event"),
    "a list": ({"event": "Approved", "payload": []}, "", ""),
}


@pytest.mark.parametrize(("body", "field", "message"), SIGNALS.values(), ids=SIGNALS)
def test_signals_are_checked(operator: Operator, body: Any, field: str, message: str) -> None:
    id_ = operator.start("Ask")
    answer = operator.http.post(f"/executions/{id_}/signal", json=body)
    assert answer.status_code in (400, 422), answer.text
    if field:
        assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert message in answer.text
    operator.http.post(f"/executions/{id_}/cancel")


def test_forking_copies_what_came_before_the_step(operator: Operator) -> None:
    id_ = failed(operator, "fork")
    open_peer(operator, up=True)
    answer = operator.http.post(f"/executions/{id_}/fork", json={"step": "charge"})
    assert answer.status_code == 202
    fork = answer.json()
    assert fork["forked_from"] == id_ and fork["id"] != id_
    assert operator.ended(fork["id"])["status"] == "completed"
    assert operator.notes().count("reserved fork") == 1
    assert operator.execution(id_)["status"] == "failed"
    open_peer(operator, up=False)
    assert operator.http.post(f"/executions/{id_}/fork", json={"step": "chrage"}).status_code == 422
    again = [
        operator.http.post(f"/executions/{id_}/fork", json={"step": "charge"}, headers={"Idempotency-Key": "fork-1"}) for _ in range(2)
    ]
    assert [answer.status_code for answer in again] == [202, 202]
    assert again[0].json()["id"] == again[1].json()["id"] != fork["id"]
    assert operator.ended(again[0].json()["id"])["status"] == "failed"  # the peer is down again


@pytest.mark.parametrize("action", ["retry", "compensate", "cancel"])
def test_what_the_state_does_not_allow_is_a_conflict(operator: Operator, action: str) -> None:
    id_ = operator.start("Ask") if action != "cancel" else failed(operator, "conflict")
    answer = operator.http.post(f"/executions/{id_}/{action}")
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "wrong_state" and answer.json()["hint"]
    operator.http.post(f"/executions/{id_}/cancel")


UNKNOWN = ["6f1c0c5e-54d0-4b0a-9a3e-0c6f6f1d2b11", "abc", "'; DROP TABLE executions; --", "%00", "a" * 2000, "..%2f..%2fetc"]


@pytest.mark.parametrize("id_", UNKNOWN)
def test_unknown_executions_are_not_found(operator: Operator, id_: str) -> None:
    for method, path in (("GET", ""), ("GET", "/steps"), ("POST", "/retry"), ("POST", "/compensate"), ("POST", "/cancel")):
        answer = operator.http.request(method, f"/executions/{id_}{path}")
        assert answer.status_code in (400, 404, 414), (method, path, answer.status_code)
    assert operator.sql("SELECT count(*) FROM executions")


def test_secret_fields_of_rows_are_neither_recorded_nor_shown(operator: Operator) -> None:
    id_ = operator.start("Secretive")
    assert operator.ended(id_)["output"]["name"] == "ada"
    steps = operator.http.get(f"/executions/{id_}/steps").json()["data"]
    assert [step["output"]["name"] for step in steps if step["name"] == "make"] == ["ada"]
    assert "hunter2" not in operator.http.get(f"/executions/{id_}").text + str(steps)
    (item,) = [step["input"] for step in steps if step["name"] == "all[0]"]
    assert item["person"]["name"] == "ada" and item["index"] == 0
    recorded = operator.sql("SELECT output FROM codeai_steps") + operator.sql("SELECT output FROM executions")
    assert "hunter2" not in str(recorded)


def test_items_of_what_takes_secrets_are_not_shown(operator: Operator) -> None:
    id_ = operator.start("Hushed", pins=["4711"])
    operator.ended(id_, "completed")
    steps = operator.http.get(f"/executions/{id_}/steps")
    assert [(step["name"], step["input"]) for step in steps.json()["data"]] == [("each[0]", None), ("each", None)]
    assert "4711" not in steps.text


def test_lists_filter_and_page_by_cursor(operator: Operator) -> None:
    keys = [f"page {number}" for number in range(7)]
    ids = [operator.start("Greet", name=key) for key in keys]
    for id_ in ids:
        operator.ended(id_)
    since = operator.execution(ids[0])["created_at"]
    seen: list[str] = []
    parameters: dict[str, str] = {"workflow_id": "Greet", "status": "completed", "since": since, "limit": "3", "cursor": ""}
    while True:
        body = operator.http.get("/executions", params=parameters).json()
        seen += [row["id"] for row in body["data"]]
        assert len(body["data"]) <= 3
        if body["pagination"]["next_cursor"] is None:
            break
        parameters["cursor"] = body["pagination"]["next_cursor"]
    assert seen == ids[::-1]
    assert [row["id"] for row in operator.http.get("/executions", params={"key": "page 3"}).json()["data"]] == [ids[3]]
    until = operator.http.get("/executions", params={"workflow_id": "Greet", "since": since, "until": since}).json()
    assert until["data"] == []


WRONG = {
    "an unknown status": "status=broken",
    "an unknown parameter": "sattus=failed",
    "no instant": "since=yesterday",
    "no number": "limit=many",
    "too many": "limit=100000",
    "a foreign cursor": "cursor=AAAA",
}


@pytest.mark.parametrize("query", WRONG.values(), ids=WRONG)
def test_wrong_filters_are_said_to_be_wrong(operator: Operator, query: str) -> None:
    answer = operator.http.get(f"/executions?{query}")
    assert answer.status_code in (404, 422)
    assert answer.headers["content-type"] == "application/problem+json"
