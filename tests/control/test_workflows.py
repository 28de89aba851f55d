"""Definitions for operators: shown, started, paused, archived, registered."""

import json
from pathlib import Path
from typing import Any

import pytest
from operating import Operator


def test_a_workflow_is_shown_with_source_trigger_and_counts(operator: Operator) -> None:
    operator.ended(operator.start("Greet", name="shown"))
    found = operator.http.get("/workflows/Greet").json()
    assert found["source"].startswith("workflow Greet {")
    assert found["trigger"] == {"kind": "manual", "input": ["name", "times"]}
    assert found["executions"]["completed"] >= 1
    yearly = operator.http.get("/workflows/Yearly").json()
    assert yearly["trigger"] == {"kind": "schedule", "schedule": "0 0 1 1 *", "timezone": "UTC"}
    assert operator.http.get("/workflows/Gret").status_code == 404
    listed = {row["name"]: row for row in operator.http.get("/workflows?limit=100").json()["data"]}
    assert listed["Yearly"] == yearly and listed["Greet"]["executions"]["completed"] >= 1


def test_input_is_typed_and_defaults_are_filled_in(operator: Operator) -> None:
    id_ = operator.start("Greet", name="typed")
    assert operator.execution(id_)["input"] == {"name": "typed", "times": 1}
    assert operator.ended(id_)["output"]["count"] == 1


INPUTS = {
    "a missing field": ({}, ["input.name"]),
    "a wrong type": ({"name": "ab", "times": "many"}, ["input.times"]),
    "a broken rule": ({"name": "a"}, ["input.name"]),
    "an unknown field": ({"name": "ab", "age": 1}, ["input.age"]),
    "several": ({"name": "a", "age": 1}, ["input.name", "input.age"]),
    "a list": ([], []),
    "null": (None, []),
}


@pytest.mark.parametrize(("given", "fields"), INPUTS.values(), ids=INPUTS)
def test_wrong_input_is_refused_with_every_field(operator: Operator, given: Any, fields: list[str]) -> None:
    answer = operator.http.post("/workflows/Greet/executions", json={"input": given})
    assert answer.status_code in (400, 422), answer.text
    if fields:
        assert {error["field"] for error in answer.json()["errors"]} <= set(fields)


BODIES = {
    "no JSON": (b"{", "application/json", 400),
    "not UTF-8": (b'{"input": "\xff"}', "application/json", 400),
    "blanks": (b"  ", "application/json", 400),
    "another media type": (b"input=1", "application/x-www-form-urlencoded", 415),
    "an unknown member": (b'{"inptu": {}}', "application/json", 422),
    "deep": (b'{"input": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "application/json", 400),
    "huge": (b'{"key": "' + b"x" * 5_000_000 + b'"}', "application/json", 413),
    "a long key": (b'{"input": {"name": "ab"}, "key": "' + b"x" * 300 + b'"}', "application/json", 422),
}


@pytest.mark.parametrize(("body", "kind", "status"), BODIES.values(), ids=BODIES)
def test_malformed_bodies_are_problems(operator: Operator, body: bytes, kind: str, status: int) -> None:
    answer = operator.http.post("/workflows/Greet/executions", content=body, headers={"content-type": kind})
    assert answer.status_code == status, answer.text[:300]
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_taken_key_answers_the_execution_that_has_it(operator: Operator) -> None:
    first = operator.http.post("/workflows/Ask/executions", json={"key": "one"}).json()
    second = operator.http.post("/workflows/Ask/executions", json={"key": "one"}).json()
    assert first["id"] == second["id"]
    operator.http.post(f"/executions/{first['id']}/cancel")


def test_a_paused_workflow_begins_nothing_until_it_is_resumed(operator: Operator) -> None:
    for _ in range(2):
        assert operator.http.patch("/workflows/Greet", json={"status": "paused"}).json()["status"] == "paused"
    id_ = operator.start("Greet", name="patience")
    assert operator.execution(id_)["status"] == "pending"
    assert "Greet" in [row["name"] for row in operator.http.get("/workflows?status=paused").json()["data"]]
    operator.http.patch("/workflows/Greet", json={"status": "active"})
    assert operator.ended(id_)["status"] == "completed"
    assert operator.audit("Greet")[-2:] == [("operator", "paused"), ("operator", "active")]


def test_an_archived_workflow_cannot_be_started(operator: Operator) -> None:
    operator.http.patch("/workflows/Yearly", json={"status": "archived"})
    assert operator.http.post("/workflows/Yearly/executions", json={}).status_code == 409
    operator.http.patch("/workflows/Yearly", json={"status": "active"})
    assert operator.http.patch("/workflows/Yearly", json={"status": "sleeping"}).status_code == 422


# -- registering -------------------------------------------------------------------------------------------------------


def register(operator: Operator, source: str) -> Any:
    return operator.http.post("/workflows", json={"source": source})


def test_a_registered_workflow_runs(operator: Operator) -> None:
    source = (
        'workflow Fresh { trigger: manual  input { n: int, default(1) }  steps { w { do { create Note { text: "fresh {input.n}" } } } } }'
    )
    answer = register(operator, source)
    assert answer.status_code == 201
    assert answer.headers["location"] == "/api/v1/workflows/Fresh"
    assert answer.json()["source"] == source
    assert operator.ended(operator.start("Fresh", n=1))["status"] == "completed"
    assert "fresh 1" in operator.notes()
    again = register(operator, source.replace("fresh", "newer"))
    assert again.json()["version"] != answer.json()["version"]
    assert operator.ended(operator.start("Fresh", n=2))["status"] == "completed"
    assert "newer 2" in operator.notes()
    assert ("operator", "register") in operator.audit("Fresh")
    operator.http.patch("/workflows/Fresh", json={"status": "archived"})


def test_a_registered_workflow_hears_events_and_has_a_schedule(operator: Operator) -> None:
    register(operator, 'workflow OnApproval { trigger: Approved  steps { w { do { create Note { text: "heard {trigger.who}" } } } } }')
    register(operator, 'workflow Often { trigger: schedule every 1s  steps { w { do { create Note { text: "often" } } } } }')
    register(operator, 'workflow Tell { trigger: manual  steps { w { emit: Approved { who: "ada" } } } }')
    # The process that works takes registrations up within two seconds.
    operator.until(lambda: operator.ended(operator.start("Tell")) and "heard ada" in operator.notes())
    operator.until(lambda: "often" in operator.notes())
    for name in ("OnApproval", "Often", "Tell"):
        operator.http.patch(f"/workflows/{name}", json={"status": "archived"})
    operator.until(lambda: "Often" not in [row["name"] for row in operator.http.get("/admin/schedules").json()["data"]])


INVALID = {
    "an unknown entity": (
        "workflow W { trigger: manual  steps { w { do { create Nope { } } } } }",
        "CAI0104",
        "unknown entity 'Nope'",
    ),
    "no syntax": ("workflow {", "CAI", "expected"),
    "nothing": ("", "CAI", "one workflow and nothing else"),
    "a name of the program": (
        "workflow Greet { trigger: manual  steps { } }",
        "CAI0102",
        "duplicate declaration 'Greet'",
    ),
    "more than a workflow": (
        "workflow W { trigger: manual  steps { w { check: true } } } entity E { id: uuid, primary }",
        "CAI",
        "one workflow and nothing else",
    ),
    "a missing variable": (
        'workflow W { trigger: manual  steps { w { check: env(NOT_THERE) == "1" } } }',
        "CAI",
        "NOT_THERE",
    ),
}


@pytest.mark.parametrize(("source", "code", "message"), INVALID.values(), ids=INVALID)
def test_an_invalid_source_is_refused_with_its_diagnostics(operator: Operator, source: str, code: str, message: str) -> None:
    answer = register(operator, source)
    assert answer.status_code == 422, answer.text
    problem = answer.json()
    assert problem["code"] == "invalid_source"
    first = problem["diagnostics"][0]
    assert first["code"].startswith(code) and message in json.dumps(problem["diagnostics"])
    assert first["place"]["file"] == "source"
    assert operator.http.get("/workflows/W").status_code == 404


def test_t10_a_program_without_anything_runs_what_is_registered(start_server: Any, tmp_path: Path, database_url: str) -> None:
    program = tmp_path / "empty.cai"
    program.write_text('config { name: "empty"  default_auth: public }\nentity Note { id: uuid, primary, auto  text: string, required }\n')
    server = start_server(program, env={"DATABASE_URL": database_url}, wait=False)
    server.wait_until_ready()
    operator = Operator(server, tmp_path, None)
    register(operator, 'workflow First { trigger: manual  steps { w { do { create Note { text: "first" } } } } }').raise_for_status()
    assert operator.ended(operator.start("First"))["status"] == "completed"


def test_archiving_outlives_a_restart_and_holds_back_what_events_start(start_server: Any, tmp_path: Path) -> None:
    program = tmp_path / "app.cai"
    program.write_text("""
        config { name: "archive"  default_auth: public }
        event Asked { payload { n: int } }
        workflow Hears { trigger: Asked  steps { w { check: 1 == 1 } } }
        workflow Asks { trigger: manual  steps { w { emit: Asked { n: 1 } } } }
    """)
    env = {"DATABASE_URL": f"sqlite:///{tmp_path}/app.db"}
    for attempt in range(2):
        server = start_server(program, env=env, wait=False)
        server.wait_until_ready()
        operator = Operator(server, tmp_path, None)
        if attempt == 0:
            operator.http.patch("/workflows/Hears", json={"status": "archived"}).raise_for_status()
            server.terminate()
    assert operator.http.get("/workflows/Hears").json()["status"] == "archived"
    operator.ended(operator.start("Asks"))
    held = operator.until(lambda: operator.http.get("/executions?workflow_id=Hears").json()["data"])
    assert [row["status"] for row in held] == ["pending"]
    operator.http.patch("/workflows/Hears", json={"status": "active"})
    assert operator.ended(held[0]["id"])["status"] == "completed"


def test_one_that_is_started_with_a_delay_begins_later(operator: Operator) -> None:
    answer = operator.http.post("/workflows/Greet/executions", json={"input": {"name": "a later one"}, "delay": "1h", "priority": 1})
    assert answer.status_code == 202
    found = answer.json()
    assert (found["status"], found["priority"], found["scheduled_for"] > found["created_at"]) == ("pending", 1, True)
    soon = operator.http.post("/workflows/Greet/executions", json={"input": {"name": "a sooner one"}, "delay": 0.2}).json()
    assert operator.ended(soon["id"])["status"] == "completed"
    operator.http.post(f"/executions/{found['id']}/cancel").raise_for_status()
    wrong = operator.http.post("/workflows/Greet/executions", json={"input": {"name": "wrong"}, "delay": "soon"})
    assert (wrong.status_code, "must be a duration" in wrong.text) == (422, True)
