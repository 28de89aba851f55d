"""One thing done to all that a filter finds, and waiting for an end."""

import datetime
import json
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result
from operating import Operator

from codeai.cli.main import cli


def moment() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat()


def command(operator: Operator, *arguments: str, code: int = 0) -> Result:
    done = CliRunner().invoke(cli, [*arguments, "--url", operator.base])
    assert done.exit_code == code, (arguments, done.output, done.exception)
    return done


def asked(operator: Operator, path: str, **body: Any) -> dict[str, Any]:
    answer = operator.http.post(path, json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def failed(operator: Operator, count: int) -> list[str]:
    ids = [operator.start("Order", item=f"many {number}") for number in range(count)]
    for id_ in ids:
        assert operator.ended(id_)["status"] == "failed"
    return ids


def test_all_that_failed_are_retried_piece_by_piece(operator: Operator) -> None:
    since = moment()
    ids = failed(operator, 5)
    first = asked(operator, "/executions/retry", workflow_id="Order", since=since, limit=2)
    assert (first["done"], first["refused"], first["next"]) == (ids[:2], [], ids[1])
    second = asked(operator, "/executions/retry", workflow_id="Order", since=since, limit=2, after=first["next"])
    last = asked(operator, "/executions/retry", workflow_id="Order", since=since, limit=2, after=second["next"])
    assert (second["done"], last["done"], last["next"]) == (ids[2:4], ids[4:], None)
    for id_ in ids:
        assert operator.ended(id_)["attempt"] == 2
        assert ("operator", "retry") in [("operator", action) for _, action in operator.audit(id_)]


def test_all_that_failed_are_undone_by_command(operator: Operator) -> None:
    since = moment()
    ids = failed(operator, 3)
    found = json.loads(command(operator, "executions", "compensate", "--workflow", "Order", "--since", since, "--output", "json").stdout)
    assert (found["done"], found["refused"]) == (ids, [])
    assert [operator.ended(id_, "compensated")["status"] for id_ in ids] == ["compensated"] * 3
    assert command(operator, "executions", "retry", "--since", since).stdout == "done 0, refused 0\n"


def test_all_that_wait_are_cancelled_and_once_is_enough(operator: Operator) -> None:
    since = moment()
    ids = [operator.start("Ask") for _ in range(3)]
    assert command(operator, "executions", "cancel", "--workflow", "Ask", "--since", since).stdout == "done 3, refused 0\n"
    assert [operator.ended(id_)["status"] for id_ in ids] == ["cancelled"] * 3
    assert asked(operator, "/executions/cancel", workflow_id="Ask", since=since)["done"] == []


def test_what_is_refused_is_said_and_hinders_nobody(operator: Operator) -> None:
    key = "many refused"
    since = moment()
    (first,) = failed(operator, 1)
    operator.sql(f"UPDATE executions SET key = '{key}', active_key = NULL WHERE id = '{first}'")
    holder = operator.start("Ask")
    operator.sql(f"UPDATE executions SET workflow_id = 'Order', key = '{key}', active_key = '{key}' WHERE id = '{holder}'")
    (second,) = failed(operator, 1)
    found = asked(operator, "/executions/retry", workflow_id="Order", since=since)
    assert (found["done"], [each["id"] for each in found["refused"]]) == ([second], [first])
    assert f"has its key '{key}'" in found["refused"][0]["hint"]
    operator.ended(second)
    said = command(operator, "executions", "retry", "--workflow", "Order", "--since", since, code=1)
    assert first in said.stderr
    operator.http.post(f"/executions/{holder}/cancel")


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("/executions/retry", {}, "say which: by workflow_id, since or until"),
        ("/executions/cancel", {"workflow_id": "Order", "limit": 0}, "limit"),
        ("/executions/cancel", {"workflow_id": "Order", "limit": 100_000}, "limit"),
        ("/executions/compensate", {"workflow": "Order"}, "workflow"),
        ("/executions/retry", {"workflow_id": "Order", "after": "x"}, "after"),
        ("/executions/retry", {"since": "yesterday"}, "since"),
        ("/dead-letters/replay", {"force": True}, "say which: by kind, target, event, since or until"),
    ],
)
def test_what_is_not_said_well_does_nothing(operator: Operator, path: str, body: dict[str, Any], message: str) -> None:
    answer = operator.http.post(path, json=body)
    assert answer.status_code == 422
    assert message in answer.text


@pytest.mark.parametrize(
    "arguments", [("executions", "retry"), ("executions", "cancel", "an-id", "--workflow", "Order"), ("events", "redeliver")]
)
def test_a_command_wants_an_id_or_filters(operator: Operator, arguments: tuple[str, ...]) -> None:
    assert "ID" in command(operator, *arguments, code=2).stderr


def lost(operator: Operator, count: int) -> str:
    """Events whose webhook nobody answers; since when."""
    since = moment()
    for number in range(count):
        httpx.post(f"{operator.base}/losses", json={"n": number}).raise_for_status()
    operator.until(lambda: len(letters(operator, since)) == count)
    return since


def letters(operator: Operator, since: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = operator.http.get("/dead-letters", params={"target": "nobody", "since": since}).json()["data"]
    return found


def test_all_dead_letters_of_a_target_are_replayed(operator: Operator) -> None:
    since = lost(operator, 3)
    later = "2100-01-01T00:00:00Z"
    assert command(operator, "events", "redeliver", "--target", "nobody", "--since", later).stdout == "done 0, refused 0\n"
    found = asked(operator, "/dead-letters/replay", target="nobody", event="lost", since=since, limit=2)
    assert (len(found["done"]), found["next"]) == (2, found["done"][-1])
    rest = json.loads(command(operator, "events", "redeliver", "--target", "nobody", "--since", since, "--output", "json").stdout)
    made = operator.http.get("/webhooks/nobody/deliveries", params={"since": since}).json()["data"]
    assert {*found["done"], *rest["done"]} >= {row["id"] for row in made if not row["replay_of"]}
    operator.until(lambda: len([row for row in letters(operator, since) if row["replay_of"]]) == 3)  # nobody answers them either


def test_a_webhook_is_looked_after_by_command(operator: Operator) -> None:
    since = lost(operator, 1)
    (letter,) = letters(operator, since)
    assert letter["id"] in command(operator, "events", "deliveries", "nobody", "--status", "dead", "--since", since).stdout
    found = json.loads(command(operator, "events", "attempts", letter["id"], "--output", "json").stdout)
    assert (found["delivery"]["id"], len(found["attempts"])) == (letter["id"], 1)
    assert "duration ms" in command(operator, "events", "attempts", letter["id"]).stdout
    off = json.loads(command(operator, "events", "disable", "nobody", "--reason", "moving", "--output", "json").stdout)
    assert (off["enabled"], off["reason"]) == (False, "moving")
    assert json.loads(command(operator, "events", "enable", "nobody", "--output", "json").stdout)["enabled"] is True
    assert "no webhook 'nobdy'" in command(operator, "events", "enable", "nobdy", code=1).stderr


def test_an_answer_waits_for_the_end(operator: Operator) -> None:
    id_ = operator.start("Greet", name="waited for")
    operator.until(lambda: operator.http.get(f"/executions/{id_}", params={"wait": "20s"}).json()["status"] == "completed")
    asking = operator.start("Ask")
    assert operator.http.get(f"/executions/{asking}", params={"wait": "200ms"}).json()["status"] in ("pending", "running", "waiting")
    operator.http.post(f"/executions/{asking}/cancel")
    operator.until(lambda: operator.http.get(f"/executions/{asking}", params={"wait": "20s"}).json()["status"] == "cancelled")
    assert operator.http.get("/executions/abc", params={"wait": "20s"}).status_code == 404
    assert operator.http.get(f"/executions/{id_}", params={"wait": "soon"}).status_code == 422
    assert operator.http.get(f"/executions/{id_}", params={"weit": "1s"}).status_code == 422
