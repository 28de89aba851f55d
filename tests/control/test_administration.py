"""Schedules, queues, events, webhooks, integrations and queries for operators; and who is one."""

import time
import uuid
from typing import Any

import httpx
import jwt
import pytest
from operating import Operator

from services.process import SECRET


def token(roles: list[str]) -> str:
    """A token of somebody with roles."""
    return jwt.encode({"sub": "grace", "roles": roles, "exp": time.time() + 600}, SECRET, algorithm="HS256")


def schedule(operator: Operator, name: str) -> Any:
    return operator.http.get(f"/admin/schedules/{name}").json()


def test_schedules_say_when_they_run(operator: Operator) -> None:
    found = {row["name"]: row for row in operator.http.get("/admin/schedules").json()["data"]}
    assert {"Hourly", "Single", "Yearly"} <= set(found)
    hourly = found["Hourly"]
    assert (hourly["kind"], hourly["schedule"], hourly["timezone"], hourly["status"]) == ("job", "0 * * * *", "Europe/Berlin", "active")
    assert hourly["next_run"].endswith(":00:00Z")
    assert found["Yearly"]["kind"] == "workflow" and found["Yearly"]["next_run"].endswith("-01-01T00:00:00Z")


def test_a_schedule_is_paused_and_resumed(operator: Operator) -> None:
    for _ in range(2):
        paused = operator.http.post("/admin/schedules/Hourly/pause")
        assert (paused.status_code, paused.json()["status"], paused.json()["next_run"]) == (200, "paused", None)
    resumed = operator.http.post("/admin/schedules/Hourly/resume").json()
    assert resumed["status"] == "active" and resumed["next_run"]
    assert [action for _, action in operator.audit("Hourly")][-2:] == ["pause", "resume"]


def test_a_schedule_is_triggered_and_filled(operator: Operator) -> None:
    triggered = operator.http.post("/admin/schedules/Hourly/trigger")
    assert triggered.status_code == 202
    assert operator.ended(triggered.json()["execution_id"])["status"] == "completed"
    body = {"since": "2026-01-01T00:30:00Z", "until": "2026-01-01T03:00:00Z"}
    filled = operator.http.post("/admin/schedules/Hourly/backfill", json=body).json()
    assert (len(filled["executions"]), filled["known"]) == (3, 0)
    first = operator.ended(filled["executions"][0])
    assert first["scheduled_for"] == "2026-01-01T01:00:00Z"
    again = operator.http.post("/admin/schedules/Hourly/backfill", json=body).json()
    assert (again["executions"], again["known"]) == ([], 3)
    assert schedule(operator, "Hourly")["ticks"][0]["outcome"] == "started"


def test_a_fill_that_is_too_long_is_refused(operator: Operator) -> None:
    answer = operator.http.post("/admin/schedules/Hourly/backfill", json={"since": "2020-01-01T00:00:00Z"})
    assert (answer.status_code, answer.json()["code"]) == (422, "too_many_ticks")


@pytest.mark.parametrize("action", ["pause", "resume", "trigger"])
def test_unknown_schedules_are_not_found(operator: Operator, action: str) -> None:
    assert operator.http.post(f"/admin/schedules/Hourli/{action}").status_code == 404
    assert operator.http.get("/admin/schedules/Hourli").status_code == 404


def test_queues_are_changed_while_the_server_runs(operator: Operator) -> None:
    for given, shown in (("10 per 1m", "10 per 1m"), (None, None)):
        limit = 2 if given else None
        answer = operator.http.patch("/admin/queues/low", json={"rate": given, "concurrency": limit, "weight": limit})
        assert answer.status_code == 200
        assert [answer.json()[key] for key in ("rate", "concurrency", "weight")] == [shown, limit, limit or 1]
    for body in ({"rate": "many"}, {"rate": "0 per 1m"}, {"weight": 0}, {"concurrency": "x"}, {"unknown": 1}):
        assert operator.http.patch("/admin/queues/low", json=body).status_code == 422
    assert operator.http.patch("/admin/queues/lwo", json={}).status_code == 404


def test_events_are_listed_and_replayed(operator: Operator) -> None:
    name = f"ada {uuid.uuid4().hex[:8]}"
    source = f'workflow Emit {{ trigger: manual  steps {{ w {{ emit: Approved {{ who: "{name}", token: "hunter2" }} }} }} }}'
    operator.http.post("/workflows", json={"source": source})
    operator.ended(operator.start("Emit"))
    text = f"approved by {name}"
    operator.until(lambda: operator.notes().count(text) == 1)
    event = next(row for row in operator.http.get("/events?name=approved").json()["data"] if row["payload"]["who"] == name)
    assert "hunter2" not in str(event)
    shown = operator.http.get(f"/events/{event['id']}")
    assert "hunter2" not in shown.text
    assert [delivery["status"] for delivery in shown.json()["deliveries"]] == ["delivered"]
    assert len(operator.http.get(f"/events/{event['id']}/deliveries").json()["data"]) == 1
    assert operator.http.post(f"/events/{event['id']}/replay").status_code == 202
    operator.until(lambda: operator.notes().count(text) == 2)
    assert ("operator", "replay") in operator.audit(event["id"])
    for path in ("events", "dead-letters", "webhooks/deliveries"):
        assert operator.http.post(f"/{path}/{uuid.uuid4()}/replay").status_code == 404
        assert operator.http.post(f"/{path}/abc/replay").status_code == 404
    assert operator.http.get("/dead-letters?event=approved").json()["data"] == []
    assert [hook["name"] for hook in operator.http.get("/webhooks").json()["data"]] == ["nobody"]


def test_a_breaker_is_shown_open_and_reset(operator: Operator) -> None:
    for _ in range(3):
        assert httpx.get(operator.base + "/ping").status_code >= 500
    shown = operator.http.get("/integrations").json()["data"]
    assert [(one["name"], one["state"]) for one in shown] == [("Peer", "open")]
    assert operator.http.post("/integrations/Peer/breaker/reset").json()["state"] == "closed"
    assert operator.http.get("/integrations").json()["data"][0]["state"] == "closed"
    assert operator.audit("Peer") == [("operator", "reset")]
    assert operator.http.post("/integrations/Pear/breaker/reset").status_code == 404


# -- queries -----------------------------------------------------------------------------------------------------------


def query(operator: Operator, q: str, **more: Any) -> httpx.Response:
    return operator.http.post("/query", json={"q": q, **more})


def test_queries_take_parameters(operator: Operator) -> None:
    operator.ended(operator.start("Greet", name="parameters"))
    found = query(operator, "count(Note where text == params.text)", params={"text": "hello parameters"})
    assert found.json() == {"data": 1}


def test_queries_write_only_when_told_to(operator: Operator) -> None:
    text = 'create Note { text: "by hand" }'
    refused = query(operator, text)
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "SemanticError")
    assert "by hand" not in operator.notes()
    assert query(operator, text, write=True).json()["data"]["text"] == "by hand"
    assert query(operator, 'delete Note where text == "by hand"', write=True).json() == {"data": 1}
    assert ("operator", "query") in operator.audit("")


READ_ONLY = ["execution", "workflow", "job", "event", "delivery"]


@pytest.mark.parametrize("entity", READ_ONLY)
def test_what_the_server_keeps_is_never_written(operator: Operator, entity: str) -> None:
    answer = query(operator, f"delete {entity} where all", write=True)
    assert (answer.status_code, answer.json()["errors"][0]["message"]) == (422, f"'{entity}' can only be read")


MISTAKES = {
    "LexerError": ("select Note where text == @", "unexpected character '@'"),
    "ParserError": ("select", "unexpected end of input"),
    "SemanticError": ("select Notes", "unknown entity 'Notes'"),
    "CompilerError": ("select Note where txt == 1", "unknown field 'txt' on entity 'Note'"),
}


@pytest.mark.parametrize(("kind", "text", "message"), [(kind, *rest) for kind, rest in MISTAKES.items()])
def test_mistakes_have_the_class_and_text_of_the_guide(operator: Operator, kind: str, text: str, message: str) -> None:
    answer = query(operator, text)
    assert answer.status_code == 422
    assert answer.json()["errors"][0] == {"field": "q", "code": kind, "message": message}


# -- who is an operator ------------------------------------------------------------------------------------------------

ROUTES = [
    ("GET", "/workflows"),
    ("POST", "/executions/x/retry"),
    ("POST", "/admin/jobs/purge?status=failed"),
    ("POST", "/query"),
    ("GET", "/events"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_t9_others_need_a_token(operator: Operator, method: str, path: str) -> None:
    behind_a_proxy = {"x-forwarded-for": "203.0.113.9"}
    assert operator.http.request(method, path, headers=behind_a_proxy).status_code == 401
    clerk = {"authorization": f"Bearer {token(['clerk'])}", **behind_a_proxy}
    assert operator.http.request(method, path, headers=clerk).status_code == 403
    admin = {"authorization": f"Bearer {token(['admin'])}", **behind_a_proxy}
    assert operator.http.request(method, path, headers=admin).status_code not in (401, 403)


def test_the_audit_trail_names_the_operator(operator: Operator) -> None:
    headers = {"authorization": f"Bearer {token(['admin'])}", "x-forwarded-for": "203.0.113.9"}
    answer = operator.http.post("/workflows/Ask/executions", json={}, headers=headers)
    id_ = answer.json()["id"]
    assert answer.json()["actor"] == "grace"
    operator.http.post(f"/executions/{id_}/cancel", headers=headers)
    assert operator.audit(id_) == [("grace", "start"), ("grace", "cancel")]


def test_other_methods_are_said_to_be_not_allowed(operator: Operator) -> None:
    answer = operator.http.delete("/workflows")
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"] and "POST" in answer.headers["allow"]
