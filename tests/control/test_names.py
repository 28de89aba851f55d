"""A name that nobody has is said to be none, with the one that was probably meant; also where a filter just finds nothing."""

import datetime

import pytest
from click.testing import CliRunner, Result
from operating import Operator

from codeai.cli.main import cli

REFUSED = {
    "workflow show Gret": "no workflow 'Gret', did you mean 'Greet'?",
    "workflow start Gret": "no workflow 'Gret', did you mean 'Greet'?",
    "workflow pause Gret": "no workflow 'Gret', did you mean 'Greet'?",
    "schedules show Hurly": "no schedule 'Hurly', did you mean 'Hourly'?",
    "schedules pause Hurly": "no schedule 'Hurly', did you mean 'Hourly'?",
    "jobs enqueue Clen": "job: no job 'Clen', did you mean 'Clean'?",
    "jobs enqueue Clean --queue critcal": "queue: no queue 'critcal', did you mean 'critical'?",
    "jobs queue critcal --pause": "no queue 'critcal', did you mean 'critical'?",
    "events enable nobdy": "no webhook 'nobdy', did you mean 'nobody'?",
    "events redeliver --event lots": "event: no event 'lots', did you mean 'lost'?",
    "events redeliver --target nowhere": "target: no target 'nowhere'",
    "events redeliver --kind fax": "kind: must be one of handler, workflow, webhook, kafka, slack, email",
    "executions retry --workflow Oder": "workflow_id: no workflow or job 'Oder', did you mean 'Order'?",
    "executions cancel --workflow Oder": "workflow_id: no workflow or job 'Oder', did you mean 'Order'?",
    "executions compensate --workflow Oder": "workflow_id: no workflow or job 'Oder', did you mean 'Order'?",
}
EMPTY = {
    "executions list --workflow Oder": "no workflow or job 'Oder', did you mean 'Order'?",
    "jobs list --name Clen": "no job 'Clen', did you mean 'Clean'?",
    "jobs list --queue critcal": "no queue 'critcal', did you mean 'critical'?",
    "events list --name Aproved": "no event 'Aproved', did you mean 'approved'?",
    "events deliveries nobdy": "no webhook 'nobdy', did you mean 'nobody'?",
    "executions list --workflow Yearly": "",
}


def run(operator: Operator, command: str) -> Result:
    return CliRunner().invoke(cli, [*command.split(), "--url", operator.base])


@pytest.mark.parametrize(("command", "message"), REFUSED.items(), ids=REFUSED)
def test_a_command_with_a_wrong_name_fails_and_says_what_was_meant(operator: Operator, command: str, message: str) -> None:
    done = run(operator, command)
    assert done.exit_code == 1, done.output
    assert message in done.stderr


@pytest.mark.parametrize(("command", "hint"), EMPTY.items(), ids=EMPTY)
def test_a_list_that_is_empty_for_a_wrong_name_says_so(operator: Operator, command: str, hint: str) -> None:
    done = run(operator, command)
    assert (done.exit_code, done.stdout, done.stderr.strip()) == (0, "nothing\n", hint)


def test_a_definition_that_the_program_has_lost_is_marked(operator: Operator) -> None:
    now = datetime.datetime.now(datetime.UTC).isoformat()
    columns = "(name, kind, version, status, created_at, updated_at)"
    operator.sql(f"INSERT INTO workflows {columns} VALUES ('Vanished', 'workflow', 'gone', 'active', '{now}', '{now}')")
    found = {row["name"]: row["present"] for row in operator.http.get("/workflows?limit=100").json()["data"]}
    assert (found["Vanished"], found["Greet"]) == (False, True)
    assert "active, not in the program" in run(operator, "workflow list").stdout
    operator.sql("DELETE FROM workflows WHERE name = 'Vanished'")


def test_a_schedule_shows_what_became_of_its_ticks(operator: Operator) -> None:
    filled = operator.http.post("/admin/schedules/Broken/backfill", json={"since": "2025-12-31T00:00:00Z", "until": "2026-01-02T00:00:00Z"})
    (id_,) = filled.json()["executions"]
    operator.ended(id_, "failed")
    (tick,) = operator.http.get("/admin/schedules/Broken").json()["ticks"]
    assert (tick["outcome"], tick["status"], tick["error"]["message"], tick["execution_id"]) == ("started", "failed", "a broken tick", id_)
    assert "a broken tick" in run(operator, "schedules show Broken").stdout
    operator.sql("UPDATE codeai_schedules SET last_ms = 1767225600000, status = 'removed' WHERE name = 'Broken'")
    assert "removed" in run(operator, "schedules show Broken").stdout
    gone = operator.http.get("/admin/schedules?status=removed").json()["data"]
    assert [(row["name"], row["last_status"]) for row in gone] == [("Broken", "failed")]


def test_an_execution_that_cannot_be_read_is_called_that_and_can_be_cancelled(operator: Operator) -> None:
    id_ = operator.start("Ask")
    operator.ended(id_, "waiting")
    operator.sql(f"UPDATE executions SET input = '{{\"n\": {'1' * 5_000}}}' WHERE id = '{id_}'")  # as nobody writes it
    answer = operator.http.get(f"/executions/{id_}")
    assert (answer.status_code, answer.json()["code"]) == (500, "unreadable")
    assert operator.http.post(f"/executions/{id_}/cancel").status_code == 202
    operator.until(lambda: operator.sql(f"SELECT status FROM executions WHERE id = '{id_}'") == [["cancelled"]])
    operator.sql(f"DELETE FROM executions WHERE id = '{id_}'")
