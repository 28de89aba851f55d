"""What operators mistype: each answer says what happened, where, and what to do next."""

import json
import shlex

import pytest

from acceptance.conftest import token

SOURCE = """
config { name: "desk"  default_auth: public  cors { origins: ["https://app.example"]  credentials: true } }
role admin { permissions: ["*:*"] }
auth main { method: jwt  secret: secret(JWT_SECRET) }
auth machine { method: api_key  header: "X-Desk-Key"  keys: secret(DESK_KEYS) }
entity Ticket { id: uuid, primary, auto  title: string, required  count: int, default(0)  allow read, create: public }
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
        ("-X POST localhost:8080/api/v1/integrations/peer/breaker/reset", 404, "no integration 'peer', did you mean 'Peer'?", None),
        ("'localhost:8080/debug/pprof/profile?second=1'", 400, "unknown parameter 'second'", "did you mean 'seconds'?"),
        ("'localhost:8080/debug/pprof/heap?x=1'", 400, "unknown parameter 'x'", "known are seconds, process, gc, trace, debug"),
        (f"{START} -d '{{}}'", 415, "the body must be application/json", "send the header `Content-Type: application/json`"),
        (
            "-X POST localhost:8080/tickets -d '{}'",
            415,
            "the body must be application/json, the content type is application/x-www-form-urlencoded",
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
        (
            '-X PATCH localhost:8080/api/v1/workflows/Greet %s -d \'{"status": "pausd"}\'',
            {"field": "status", "code": "wrong_value", "message": "must be one of active, paused, archived"},
        ),
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
            {
                "field": "older_then",
                "code": "unknown_parameter",
                "message": "is not a parameter of this endpoint; did you mean 'older_than'?",
            },
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


def test_the_query_of_a_list_names_the_field_that_was_meant(desk):
    problem = asked(desk, "-G localhost:8080/tickets --data-urlencode \"q=titel == 'x'\"")
    assert (problem["detail"], problem["hint"]) == ("unknown field 'titel' on entity 'Ticket'", "did you mean 'title'?")
    assert asked(desk, "'localhost:8080/tickets?limt=1'")["errors"][0]["message"].endswith("; did you mean 'limit'?")


@pytest.mark.parametrize(
    ("command", "printed"),
    [
        ("codeai executions retry unknown --url %s", "codeai: no execution 'unknown'\n"),
        ("codeai executions list --url localhost:1", "codeai: no server answers at http://localhost:1: Connection refused; name another"),
        ("codeai executions list --url 'http://a b'", "codeai: no server answers at http://a b: "),
        ("codeai executions lst", "Error: No such command 'lst'.\nDid you mean 'codeai executions list'?\n"),
        ("codeai jobs purge --status runing --url %s", "'runing' is not one of 'completed', 'failed', 'cancelled'"),
    ],
)
def test_commands_say_what_is_wrong(desk, command, printed):
    done = desk.shell(command.replace("%s", "localhost:8080") + " 2>&1; echo $?", check=False)
    assert printed in done
    assert done.endswith(("1\n", "2\n", "3\n"))
    assert "Traceback" not in done


def test_a_stranger_with_a_token_of_an_operator_is_one(desk):
    forwarded = f"-H 'X-Forwarded-For: 10.0.0.7' -H 'Authorization: Bearer {token('admin')}'"
    assert desk.json(f"curl -s {forwarded} localhost:8080/api/v1/workflows")["data"][0]["name"] == "Greet"


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("select Ticket where title == @", "LexerError", "unexpected character '@'"),
        ("select Ticket where title == 'x", "LexerError", "unterminated string"),
        ("select 123", "ParserError", "expected identifier, got '123'"),
        ("select Ticket where", "ParserError", "unexpected end of input"),
        ("select users", "SemanticError", "unknown entity 'users'"),
        ("select workflow where email == 1", "CompilerError", "unknown field 'email' on entity 'workflow'"),
        ("select Ticket where title == lamp", "CompilerError", "unknown field 'lamp' on entity 'Ticket'"),  # S33: texts are quoted
        ("select Ticket where count == 'many'", "CompilerError", "type mismatch for field 'count': expected int, got string"),
    ],
)
def test_s31_s32_s33_s93_to_s98_queries_that_are_wrong(desk, text, kind, message):
    (desk.folder / "query.json").write_text(json.dumps({"q": text}))
    problem = asked(desk, f"localhost:8080/api/v1/query {JSON} -d @query.json")
    assert (problem["status"], problem["code"]) == (422, "invalid_query")
    assert problem["errors"] == [{"field": "q", "code": kind, "message": message}]
    said = desk.shell(f"CODEAI_ENV=development DESK_KEYS=x codeai query {shlex.quote(text)} 2>&1", check=False)
    assert f"{kind}: {message}" in said


WRONG = """
function process_all(name: string, name: int) {
    let i = 1
    let i = 2
    for x in 5 { log info "{x}" }
    for y in "text" { log info "{y}" }
    let data = count + process(1) + sum2(1) + i(2)
    return data
}
function sum2(a: int, b: int) -> int { return a + b }
endpoint GET /f { auth: public  do { return process_all("a", 1) } }
"""


def test_s28_s29_s86_to_s92_programs_that_are_wrong(desk):
    """All findings of the guide's table in one run, by name and place."""
    (desk.folder / "wrong").mkdir()
    (desk.folder / "wrong" / "workflow.cai").write_text(WRONG)
    found = desk.shell("cd wrong && codeai validate workflow.cai --output json | jq -c '.diagnostics[] | [.class, .message]'")
    assert {tuple(json.loads(line)) for line in found.splitlines()} >= {
        ("ScopeError", "duplicate parameter 'name'"),
        ("ScopeError", "duplicate declaration 'i'"),
        ("ScopeError", "undefined variable 'count'"),
        ("TypeError", "cannot iterate over non-array type 'int'"),
        ("TypeError", "cannot iterate over non-array type 'string'"),
        ("FunctionError", "undefined function 'process'"),
        ("FunctionError", "wrong number of arguments for 'sum2': expected 2, got 1"),
        ("FunctionError", "'i' is not a function"),
    }
    plain = desk.shell("cd wrong && codeai validate workflow.cai", check=False)
    assert "ScopeError: duplicate parameter 'name'" in plain
    assert "workflow.cai:2:36" in plain


def test_s143_every_component_can_be_asked_for(desk):
    components = desk.json("curl -s http://localhost:8080/health | jq '.checks | keys'")
    assert components == ["cache", "database", "integration_Peer"]
    for component in components:
        check = desk.json(f"curl -s http://localhost:8080/health | jq '.checks.{component}'")
        assert (check["status"], check["duration"][-1]) == ("healthy", "s")


def test_s104_lists_of_operators_and_of_the_program_go_on_where_a_page_ends(desk):
    for number in range(3):
        desk.shell(f'curl -sf localhost:8080/tickets {JSON} -d \'{{"title": "{number}"}}\'')
        desk.shell(f'curl -sf {START} {JSON} -d \'{{"input": {{"name": "{number}"}}}}\'')
    for path in ("tickets", "api/v1/executions"):
        first = desk.json(f"curl -s 'localhost:8080/{path}?limit=2'")
        second = desk.json(f"curl -s 'localhost:8080/{path}?limit=2&page=2'")
        assert (first["pagination"]["has_next"], second["pagination"]["has_previous"]) == (True, True)
        ids = [row["id"] for page in (first, second) for row in page["data"]]
        assert len(set(ids)) == len(ids) >= 3


def test_a_browser_is_told_by_a_real_server_what_it_may_send(desk):
    preflight = "-X OPTIONS localhost:8080/tickets -H 'Access-Control-Request-Method: POST'"
    ours = desk.shell(f"curl -s -D - {preflight} -H 'Origin: https://app.example'")
    assert "access-control-allow-origin: https://app.example\n" in ours
    assert "access-control-allow-credentials: true\n" in ours
    assert "access-control" not in desk.shell(f"curl -s -D - {preflight} -H 'Origin: https://evil.example'")
