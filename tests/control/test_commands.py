"""The commands that ask a server: tables for people, JSON for programs. They are here for the server that is here."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from operating import Operator

from codeai.cli.main import cli
from codeai.cli.remote import nearby


def run(operator: Operator, *arguments: str, code: int = 0) -> Result:
    done = CliRunner().invoke(cli, [*arguments, "--url", operator.base])
    assert done.exit_code == code, (arguments, done.output, done.exception)
    return done


def answer(operator: Operator, *arguments: str) -> Any:
    return json.loads(run(operator, *arguments, "--output", "json").stdout)


def test_executions_by_command(operator: Operator) -> None:
    id_ = operator.start("Order", item="by command")
    operator.ended(id_)
    table = run(operator, "executions", "list", "--workflow", "Order", "--status", "failed").stdout
    assert id_ in table and "the peer is down" in table
    assert answer(operator, "executions", "list", "--workflow", "Order")["data"][0]["workflow_id"] == "Order"
    shown = run(operator, "executions", "show", id_).stdout
    assert "reserve" in shown and "charge" in shown and "the peer is down" in shown
    assert [step["name"] for step in answer(operator, "executions", "show", id_)["steps"]] == ["reserve", "charge"]
    assert answer(operator, "executions", "retry", id_)["attempt"] == 2
    operator.ended(id_)
    assert answer(operator, "executions", "fork", id_, "--step", "charge")["forked_from"] == id_
    assert answer(operator, "executions", "compensate", id_)["id"] == id_
    operator.ended(id_, "compensated")
    assert re.search(r"reserve +done .* done ", run(operator, "executions", "show", id_).stdout)
    wrong = run(operator, "executions", "fork", id_, "--step", "reserv", code=1).stderr
    assert "'Order' has no step 'reserv'; it has reserve, charge" in wrong
    assert "cannot retry an execution that is 'compensated'" in run(operator, "executions", "retry", id_, code=1).stderr


def test_signals_and_cancels_by_command(operator: Operator) -> None:
    id_ = operator.start("Ask")
    answer(operator, "executions", "signal", id_, "Approved", "--payload", '{"who": "ada"}')
    assert operator.ended(id_)["status"] == "completed"
    other = operator.start("Ask")
    run(operator, "executions", "cancel", other)
    assert operator.ended(other)["status"] == "cancelled"
    wrong = run(operator, "executions", "signal", other, "Aproved", code=1).stderr
    assert "event: no event 'Aproved'" in wrong
    assert "is no JSON" in run(operator, "executions", "signal", other, "Approved", "--payload", "{", code=2).stderr


def test_watching_follows_an_execution_to_its_end(operator: Operator) -> None:
    good, bad = operator.start("Greet", name="watched"), operator.start("Order", item="watched")
    lines = run(operator, "executions", "watch", good, "--every", "0.1").stdout.splitlines()
    assert lines[-1] == "Greet: completed" and "write: done" in lines
    lines = run(operator, "executions", "watch", bad, "--every", "0.1", code=1).stdout.splitlines()
    assert lines[-1] == "Order: failed" and {"reserve: done", "charge: failed"} <= set(lines)


def test_jobs_by_command(operator: Operator) -> None:
    id_ = answer(operator, "jobs", "enqueue", "Clean", "--input", '{"older": 9}', "--delay", "1h", "--priority", "2")["id"]
    assert id_ in run(operator, "jobs", "list", "--status", "scheduled").stdout
    assert answer(operator, "jobs", "show", id_)["input"]["older"] == 9
    run(operator, "jobs", "cancel", id_)
    assert operator.ended(id_)["status"] == "cancelled"
    failed = answer(operator, "jobs", "enqueue", "Fails")["id"]
    operator.ended(failed)
    assert answer(operator, "jobs", "retry", failed)["attempt"] == 2
    assert run(operator, "jobs", "purge", "--status", "completed", "--older-than", "300d").stdout == "removed 0\n"
    assert "input.older" in run(operator, "jobs", "enqueue", "Clean", "--input", '{"older": "x"}', code=1).stderr


def test_queues_by_command(operator: Operator) -> None:
    assert answer(operator, "jobs", "queue", "low", "--rate", "5 per 1m", "--concurrency", "2")["rate"] == "5 per 1m"
    assert "5 per 1m" in run(operator, "jobs", "queues").stdout
    assert answer(operator, "jobs", "queue", "low", "--rate", "none", "--concurrency", "none")["rate"] is None


def test_schedules_by_command(operator: Operator) -> None:
    assert "Europe/Berlin" in run(operator, "schedules", "list").stdout
    assert answer(operator, "schedules", "pause", "Hourly")["status"] == "paused"
    assert answer(operator, "schedules", "resume", "Hourly")["status"] == "active"
    id_ = answer(operator, "schedules", "trigger", "Hourly")["execution_id"]
    assert operator.ended(id_)["status"] == "completed"
    filled = answer(operator, "schedules", "backfill", "Hourly", "--since", "2026-02-01T00:30:00Z", "--until", "2026-02-01T02:30:00Z")
    assert len(filled["executions"]) == 2
    assert "2026-02-01 02:00:00" in run(operator, "schedules", "show", "Hourly").stdout


def test_events_by_command(operator: Operator) -> None:
    assert "data" in answer(operator, "events", "list")
    assert run(operator, "events", "dead-letters", "--kind", "email").stdout == "nothing\n"
    assert "nobody" in run(operator, "events", "webhooks").stdout
    assert "no event 'abc'" in run(operator, "events", "replay", "abc", code=1).stderr
    assert "no delivery 'abc'" in run(operator, "events", "redeliver", "abc", code=1).stderr


def test_workflows_by_command(operator: Operator, tmp_path: Path) -> None:
    assert "Greet" in run(operator, "workflow", "list").stdout
    assert "workflow Greet {" in run(operator, "workflow", "show", "Greet").stdout
    id_ = answer(operator, "workflow", "start", "Greet", "--input", '{"name": "commanded"}')["id"]
    assert operator.ended(id_)["status"] == "completed"
    file = tmp_path / "w.cai"
    file.write_text("workflow ByCommand { trigger: manual  steps { w { check: 1 == 1 } } }")
    assert answer(operator, "workflow", "register", str(file))["name"] == "ByCommand"
    assert answer(operator, "workflow", "pause", "ByCommand")["status"] == "paused"
    assert answer(operator, "workflow", "resume", "ByCommand")["status"] == "active"
    assert answer(operator, "workflow", "archive", "ByCommand")["status"] == "archived"
    file.write_text("workflow ByCommand { trigger: manual  steps { w { do { create Nope { } } } } }")
    assert "source:1:63: SemanticError: unknown entity 'Nope' [CAI0104]" in run(operator, "workflow", "register", str(file), code=1).stderr


def test_a_server_that_does_not_answer_is_named() -> None:
    done = CliRunner().invoke(cli, ["executions", "list", "--url", "http://127.0.0.1:9"])
    assert done.exit_code == 3
    assert "no server answers at http://127.0.0.1:9" in done.stderr and "CODEAI_URL" in done.stderr


@pytest.mark.parametrize(
    ("environment", "url"),
    [
        ({}, "http://127.0.0.1:8080"),
        ({"CODEAI_PORT": "9000"}, "http://127.0.0.1:9000"),
        ({"CODEAI_HOST": "0.0.0.0", "CODEAI_PORT": "9000"}, "http://127.0.0.1:9000"),
        ({"CODEAI_HOST": "::", "CODEAI_OPERATOR_PORT": "9090", "CODEAI_PORT": "9000"}, "http://127.0.0.1:9090"),
        ({"CODEAI_HOST": "::1"}, "http://[::1]:8080"),
        ({"CODEAI_HOST": "shop.example", "CODEAI_TLS_CERT": "c.pem"}, "https://shop.example:8080"),
        ({"CODEAI_URL": "https://elsewhere.example", "CODEAI_PORT": "9000"}, "https://elsewhere.example"),
    ],
)
def test_commands_find_the_server_that_their_environment_describes(environment: dict[str, str], url: str) -> None:
    assert nearby(environment) == url


def test_a_command_asks_where_the_server_of_its_environment_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODEAI_PORT", "9")
    monkeypatch.delenv("CODEAI_URL", raising=False)
    done = CliRunner().invoke(cli, ["executions", "list"])
    assert "no server answers at http://127.0.0.1:9: " in done.stderr


@pytest.mark.parametrize("group", ["executions", "jobs", "schedules", "events", "workflow"])
def test_help_names_every_command(group: str) -> None:
    done = CliRunner().invoke(cli, [group, "--help"])
    assert done.exit_code == 0
    assert "list" in done.stdout
