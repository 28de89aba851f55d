"""What waits for its next try is tried now, when an operator says so: one execution by its id, or all that wait."""

import json

from click.testing import CliRunner
from operating import Operator

from codeai.cli.main import cli


def patient(operator: Operator) -> str:
    """An execution that waits for the second try of a step, an hour from now."""
    id_ = operator.start("Patient")
    operator.until(lambda: tries(operator, id_) == [("note", "done", 1), ("ask", "retrying", 1)])
    return id_


def tries(operator: Operator, id_: str) -> list[tuple[str, str, int]]:
    return [(step["name"], step["status"], step["attempts"]) for step in operator.http.get(f"/executions/{id_}/steps").json()["data"]]


def shell(operator: Operator, *arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(cli, [*arguments, "--url", operator.base])
    assert done.exit_code == code, (arguments, done.output, done.exception)
    return done.output


def test_a_step_that_waits_for_its_next_try_is_tried_now(operator: Operator) -> None:
    id_ = patient(operator)
    note, ask = operator.http.get(f"/executions/{id_}/steps").json()["data"]
    assert note["due_at"] is None
    assert ask["due_at"] > ask["started_at"]
    assert ask["due_at"][:16].replace("T", " ") in shell(operator, "executions", "show", id_)
    shell(operator, "executions", "retry", id_)
    operator.until(lambda: tries(operator, id_)[1] == ("ask", "retrying", 2))
    assert operator.execution(id_)["attempt"] == 1  # it has not failed yet
    assert operator.audit(id_)[-1] == ("operator", "retry")
    operator.http.post(f"/executions/{id_}/cancel").raise_for_status()
    operator.ended(id_, "cancelled")
    operator.http.post(f"/executions/{id_}/compensate").raise_for_status()
    undoing = f"/executions/{id_}/steps"
    operator.until(lambda: operator.http.get(undoing).json()["data"][0]["compensation"]["error"] is not None)
    shown = shell(operator, "executions", "show", id_)
    assert "note is not undone: " in shown


def test_all_that_wait_for_a_try_are_tried_now(operator: Operator) -> None:
    ids = [patient(operator) for _ in range(3)]
    found = json.loads(shell(operator, "executions", "retry", "--workflow", "Patient", "--waiting", "--output", "json"))
    assert set(ids) <= set(found["done"])
    for id_ in ids:
        operator.until(lambda id_=id_: tries(operator, id_)[1] == ("ask", "retrying", 2))
    shell(operator, "executions", "cancel", "--workflow", "Patient")
    for id_ in ids:
        operator.ended(id_, "cancelled")
    assert "an ID says which" in shell(operator, "executions", "retry", ids[0], "--waiting", code=2)


def test_a_run_that_was_to_begin_later_begins_now(operator: Operator) -> None:
    id_ = operator.enqueue("Clean", delay="1h")
    assert operator.http.post(f"/admin/jobs/{id_}/retry").status_code == 202
    assert operator.ended(id_)["status"] == "completed"


def test_what_no_try_would_help_says_what_would(operator: Operator) -> None:
    id_ = operator.start("Ask")
    operator.ended(id_, "waiting")
    refused = operator.http.post(f"/executions/{id_}/retry")
    assert refused.status_code == 409
    assert refused.json()["hint"] == "step 'answer' waits for its time or for an event, which 'signal' gives it"
    operator.http.post(f"/executions/{id_}/cancel").raise_for_status()
    operator.ended(id_, "cancelled")


def test_items_that_are_many_are_counted_and_those_that_failed_are_shown(operator: Operator) -> None:
    id_ = operator.start("Wide", numbers=[*range(1_100), -1])
    operator.ended(id_, "failed")
    counted = operator.http.get(f"/executions/{id_}/steps?items=false").json()["data"]
    assert [(step["name"], step["items"]["failed"]) for step in counted] == [("each", 1)]
    assert [step["name"] for step in operator.http.get(f"/executions/{id_}/steps?status=failed").json()["data"]] == ["each[1100]", "each"]
    failed = operator.http.get(f"/executions/{id_}/steps?status=failed&limit=1").json()["data"][0]
    assert failed["input"] == {"n": -1, "index": 1_100}
    shown = shell(operator, "executions", "show", id_)
    assert "1 failed" in shown and "each[1100]" in shown and "each[1]" not in shown
    total = operator.http.get(f"/executions/{id_}/steps?limit=1").json()["pagination"]["total"]
    assert len(json.loads(shell(operator, "executions", "show", id_, "--output", "json"))["steps"]) == total
    lines = shell(operator, "executions", "watch", id_, code=1).splitlines()
    assert lines[-1] == "Wide: failed" and lines[0].startswith("each")
    for wrong in ("items=no", "status=gone"):
        assert operator.http.get(f"/executions/{id_}/steps?{wrong}").status_code == 422
