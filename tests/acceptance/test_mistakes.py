"""What operators mistype: each answer says what happened, where, and what to do next."""

import json

import pytest

from acceptance.conftest import token

SOURCE = """
config { name: "desk"  default_auth: public }
role admin { permissions: ["*:*"] }
auth main { method: jwt  secret: secret(JWT_SECRET) }
auth machine { method: api_key  header: "X-Desk-Key"  keys: secret(DESK_KEYS) }
entity Ticket { id: uuid, primary, auto  title: string, required  allow read, create: public }
resource Ticket at /tickets { auth: public  create { auth: public } }
endpoint GET /mine { auth: required  returns: string  do { return "yours" } }
workflow Greet { trigger: manual  input { name: string, required }  steps { write { do { create Ticket { title: input.name } } } } }
integration Peer { base_url: "https://peer.example"  operation ping { method: GET  path: "/" } }
"""
START = "-X POST localhost:8080/api/v1/workflows/Greet/executions"
JSON = "-H 'content-type: application/json'"
OPERATORS = (
    "only operators may do this: send `Authorization: Bearer` with a token of the role 'admin', "
    "or ask from the server's own machine, past every proxy"
)


@pytest.fixture(scope="module")
def desk(launch):
    return launch(source=SOURCE, env={"DESK_KEYS": "bot:a-key-of-the-bot"})


def asked(desk, arguments: str) -> dict:
    """The problem that a curl command gets."""
    body = desk.shell(f"curl -s -w '\\n%{{http_code}} %{{content_type}}' {arguments}")
    document, _, status = body.rpartition("\n")
    problem = json.loads(document)
    assert status == f"{problem['status']} application/problem+json"
    assert problem["request_id"]
    return problem


@pytest.mark.parametrize(
    ("arguments", "status", "detail", "hint"),
    [
        ("localhost:8080/health/", 404, "nothing is at /health/", "did you mean '/health'?"),
        ("localhost:8080/healthz", 404, "nothing is at /healthz", "did you mean '/health'?"),
        ("localhost:8080/api/v1/workflow", 404, "nothing is at /api/v1/workflow", "did you mean '/api/v1/workflows'?"),
        ("localhost:8080/debug/pprof/heep", 404, "nothing is at /debug/pprof/heep", "did you mean '/debug/pprof/heap'?"),
        ("localhost:8080/tickets/", 404, "nothing is at /tickets/", "did you mean '/tickets'?"),
        ("-X DELETE localhost:8080/api/v1/workflows/Greet", 405, "DELETE is not allowed here", "allowed here: GET, HEAD, OPTIONS, PATCH"),
        ("localhost:8080/api/v1/executions/x/retry", 405, "GET is not allowed here", "allowed here: OPTIONS, POST"),
        ("-X POST localhost:8080/api/v1/executions/x/retry", 404, "no execution 'x'", None),
        ("-X POST localhost:8080/api/v1/integrations/peer/breaker/reset", 404, "no integration 'peer'", None),
        ("'localhost:8080/debug/pprof/profile?second=1'", 400, "unknown parameter 'second'", "did you mean 'seconds'?"),
        ("'localhost:8080/debug/pprof/heap?x=1'", 400, "unknown parameter 'x'", "known are seconds, process, gc, trace, debug"),
        (f"{START} -d '{{}}'", 415, "the body must be application/json", "send the header `Content-Type: application/json`"),
        (
            "-X POST localhost:8080/tickets -d '{}'",
            415,
            "the body must be application/json, the content type is another",
            "send the header `Content-Type: application/json`",
        ),
        ("localhost:8080/metrics -H 'X-Forwarded-For: 10.0.0.7'", 401, "missing authentication token", OPERATORS),
        (
            "localhost:8080/mine",
            401,
            "missing authentication token",
            "send the header `Authorization: Bearer <token>` or `X-Desk-Key: <key>`",
        ),
        (
            "localhost:8080/mine -H 'Authorization: Bearer nonsense'",
            401,
            "invalid token",
            "get a new token: this one is malformed, or another secret signed it",
        ),
    ],
)
def test_the_answer_says_what_to_do(desk, arguments, status, detail, hint):
    problem = asked(desk, arguments)
    assert (problem["status"], problem["detail"], problem.get("hint")) == (status, detail, hint)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (f"{START}", {"field": "input.name", "code": "required", "message": "is missing"}),
        (
            START + ' %s -d \'{"input": {"name": 5}}\'',
            {"field": "input.name", "code": "wrong_type", "message": "expected 'string', got 'int'"},
        ),
        (START + ' %s -d \'{"name": "x"}\'', {"field": "name", "code": "unknown_field", "message": "is not a field of this request"}),
        ("localhost:8080/api/v1/query %s -d '{}'", {"field": "q", "code": "required", "message": "is missing"}),
        ("localhost:8080/api/v1/query %s -d '{\"q\": 1}'", {"field": "q", "code": "wrong_type", "message": "expected 'string', got 'int'"}),
        (
            "'localhost:8080/api/v1/admin/jobs?status=pendng'",
            {
                "field": "status",
                "code": "wrong_value",
                "message": "must be one of pending, scheduled, running, completed, failed, cancelled",
            },
        ),
        (
            "-X POST 'localhost:8080/api/v1/admin/jobs/purge?status=failed&older_then=1h'",
            {"field": "older_then", "code": "unknown_parameter", "message": "is not a parameter of this endpoint"},
        ),
        (
            "-X POST 'localhost:8080/api/v1/admin/jobs/purge?status=failed&older_than=1day'",
            {"field": "older_than", "code": "wrong_value", "message": "must be a duration, as in 30s or 24h, of a year at most"},
        ),
    ],
)
def test_the_field_that_is_wrong_is_named(desk, arguments, error):
    problem = asked(desk, arguments.replace("%s", JSON))
    assert problem["status"] == 422
    assert problem["errors"] == [error]


@pytest.mark.parametrize(
    "path", ["/health", "/health/live", "/health/ready", "/metrics", "/tickets", "/api/v1/workflows", "/debug/pprof/goroutine"]
)
def test_head_says_what_get_would_without_its_body(desk, path):
    head = desk.shell(f"curl -s -I localhost:8080{path}")
    get = desk.shell(f"curl -s -o body.txt -D - localhost:8080{path}")
    assert head.startswith("HTTP/1.1 200 OK\n")
    assert {line.partition(":")[0] for line in head.splitlines()} == {line.partition(":")[0] for line in get.splitlines()}
    kinds = [line for line in (head + get).splitlines() if line.startswith("content-type")]
    assert len(set(kinds)) == 1


def test_a_stranger_with_a_token_of_an_operator_is_one(desk):
    forwarded = f"-H 'X-Forwarded-For: 10.0.0.7' -H 'Authorization: Bearer {token('admin')}'"
    assert desk.json(f"curl -s {forwarded} localhost:8080/api/v1/workflows")["data"][0]["name"] == "Greet"
