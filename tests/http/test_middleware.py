"""Middleware of the other types: who may call, logs, compression, Python."""

import gzip
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from surroundings import served

from codeai.analysis.middleware import LOGGED
from codeai.http.middleware.logging import FIELDS
from codeai.language.diagnostics import Severity
from codeai.server.errors import StartError
from codeai.server.loading import load_program
from services.service import Service

HOOKS = '''
"""Hooks of the test."""
from codeai.http.middleware.python import HookResponse

async def stamp(request, call_next):
    response = await call_next()
    response.headers["x-stamp"] = f"{request.method} {request.route} {response.status}"
    return response

async def closed(request, call_next):
    if "x-open" in request.headers:
        return await call_next()
    return HookResponse(503, {"content-type": "text/plain"}, "closed")

async def broken(request, call_next):
    raise RuntimeError("a bug")

async def wrong(request, call_next):
    return "nothing"

def plain(request, call_next):
    return None
'''
PROGRAM = """
config { name: "around" }
auth main { method: jwt }
auth keys { method: api_key  header: "X-API-Key"  keys: "machine:k-123:robot" }
role admin { permissions: ["notes:*"] }
role robot { permissions: ["notes:read"] }
entity Note { id: uuid, primary, auto  text: string, required }
middleware by_key { type: authentication  provider: keys }
middleware inline { type: authentication  method: api_key  header: "X-Inline"  keys: "inline:i-1" }
middleware admins { type: authorization  roles: [admin] }
middleware readers { type: authorization  permissions: ["notes:read"] }
middleware lines { type: logging  level: info  headers: true  body: true }
middleware few { type: logging  level: warn  fields: ["method", "status", "client"] }
middleware small { type: compression  min_size: 10  types: ["application/json"] }
middleware never { type: compression  min_size: 100mb }
middleware stamp { type: python  function: "hooks.stamp" }
middleware closed { type: python  function: "hooks.closed" }
middleware broken { type: python  function: "hooks.broken" }
middleware wrong { type: python  function: "hooks.wrong" }
endpoint GET /key { use: [by_key]  do { return user.id } }
endpoint GET /inline { use: [inline]  do { return user.id } }
endpoint GET /admins { use: [admins]  do { return 1 } }
endpoint GET /readers { auth: public  use: [readers]  do { return 1 } }
endpoint POST /lines { auth: public  use: [lines]  body { name: string, password: string }  do { return body.name } }
endpoint GET /few { auth: public  use: [few]  do { fail 409 "no" } }
endpoint GET /small { auth: public  use: [small]  do { return "a text that is longer than ten" } }
endpoint GET /never { auth: public  use: [never]  do { return "LONG" } }
endpoint GET /stamp { auth: public  use: [stamp]  do { return 1 } }
endpoint GET /stamped_error { auth: public  use: [stamp]  do { fail 409 "no" } }
endpoint GET /closed { auth: public  use: [stamp, closed]  do { return 1 } }
endpoint GET /broken { auth: public  use: [broken]  do { return 1 } }
endpoint GET /wrong { auth: public  use: [wrong]  do { return 1 } }
""".replace("LONG", "z" * 2_000)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("around")
    (folder / "middleware").mkdir()
    (folder / "middleware" / "hooks.py").write_text(HOOKS)
    found = served(folder, PROGRAM)
    yield found
    found.close()


@pytest.mark.parametrize(
    ("target", "headers", "status", "value"),
    [
        ("/key", {"x-api-key": "k-123"}, 200, "machine"),
        ("/key", {"x-api-key": "bad"}, 401, None),
        ("/key", {}, 401, None),
        ("/inline", {"x-inline": "i-1"}, 200, "inline"),
        ("/inline", {"x-api-key": "k-123"}, 401, None),
    ],
)
def test_authentication_says_by_which_provider(service: Service, target: str, headers: dict[str, str], status: int, value: Any) -> None:
    answer = service.request("GET", target, headers=headers)
    assert answer.status == status
    assert value is None or answer.json == value


@pytest.mark.parametrize(
    ("target", "roles", "status"),
    [
        ("/admins", None, 401),
        ("/admins", ["robot"], 403),
        ("/admins", ["admin"], 200),
        ("/readers", None, 401),
        ("/readers", ["robot"], 200),
    ],
)
def test_authorization_asks_for_roles_and_permissions(service: Service, target: str, roles: list[str] | None, status: int) -> None:
    token = service.token("ada", *roles) if roles is not None else None
    assert service.request("GET", target, token=token).status == status


def test_a_tokens_bearer_is_no_user_of_an_endpoint_that_wants_keys(service: Service) -> None:
    assert service.request("GET", "/key", token=service.token("ada", "admin")).status == 401


def test_logging_shows_headers_and_bodies_without_secrets(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "codeai.http.requests")
    headers = {"authorization": "Bearer abc", "x-token": "abc", "x-plain": "shown"}
    service.request("POST", "/lines", {"name": "Ada", "password": "very secret"}, headers=headers)
    record: Any = next(record for record in caplog.records if record.name == "codeai.http.requests")
    assert (record.method, record.route, record.status) == ("POST", "/lines", 200)
    assert record.headers["x-plain"] == "shown"
    assert record.request_body == '{"name":"Ada","password":"[redacted]"}'
    assert record.response_body == '"Ada"'
    assert "abc" not in repr(record.__dict__)
    assert "very secret" not in repr(record.__dict__)


def test_logging_shows_only_the_fields_that_are_named(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "codeai.http.requests")
    service.request("GET", "/few")
    record: Any = next(record for record in caplog.records if record.name == "codeai.http.requests")
    assert (record.levelname, record.method, record.status, record.client) == ("WARNING", "GET", 409, "127.0.0.1")
    assert not hasattr(record, "path")


def test_compression_by_an_endpoints_own_rule(service: Service) -> None:
    answer = service.request("GET", "/small", headers={"accept-encoding": "gzip"})
    assert (answer.header("content-encoding"), gzip.decompress(answer.body)) == ("gzip", b'"a text that is longer than ten"')
    answer = service.request("GET", "/never", headers={"accept-encoding": "gzip"})
    assert (answer.header("content-encoding"), len(answer.body) > 2_000) == (None, True)


def test_python_sees_the_request_and_changes_the_answer(service: Service) -> None:
    assert service.request("GET", "/stamp").header("x-stamp") == "GET /stamp 200"


def test_python_sees_errors_as_answers(service: Service) -> None:
    answer = service.request("GET", "/stamped_error")
    assert (answer.status, answer.code, answer.header("x-stamp")) == (409, "conflict", "GET /stamped_error 409")


def test_python_may_answer_itself_and_layers_lie_in_the_order_of_use(service: Service) -> None:
    answer = service.request("GET", "/closed")
    assert (answer.status, answer.body, answer.header("x-stamp")) == (503, b"closed", "GET /closed 503")
    assert service.request("GET", "/closed", headers={"x-open": "1"}).json == 1


@pytest.mark.parametrize("target", ["/broken", "/wrong"])
def test_python_that_fails_is_an_error_of_the_server_and_says_nothing(service: Service, target: str) -> None:
    answer = service.request("GET", target)
    assert (answer.status, answer.code) == (500, "internal_error")
    assert b"bug" not in answer.body


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("hooks.missing", "needs 'async def missing"),
        ("hooks.plain", "needs 'async def plain"),
        ("f", "'function' takes a function"),
        ("../../etc.passwd", "'function' takes a function"),
        ("syntax.f", "is no Python"),
    ],
)
def test_python_that_cannot_be_called_is_found_by_the_check(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "middleware").mkdir()
    (tmp_path / "middleware" / "hooks.py").write_text(HOOKS)
    (tmp_path / "middleware" / "syntax.py").write_text("def f(:")
    text = f'middleware m {{ type: python  function: "{name}" }} endpoint GET /x {{ auth: public  use: [m]  do {{ return 1 }} }}'
    (tmp_path / "app.cai").write_text(text)
    (found,) = (item for item in load_program(tmp_path).diagnostics if item.severity is Severity.ERROR)
    assert message in found.message
    assert found.primary.start == text.index(f'"{name}"')


def test_a_file_of_python_that_is_missing_is_warned_of_and_stops_the_start(tmp_path: Path) -> None:
    text = 'middleware m { type: python  function: "nowhere.f" } endpoint GET /x { auth: public  use: [m]  do { return 1 } }'
    (tmp_path / "app.cai").write_text(text)
    assert [item.message for item in load_program(tmp_path).diagnostics] == ["there is no 'middleware/nowhere.py' for 'nowhere.f'"]
    with pytest.raises(StartError, match="cannot read"):
        served(tmp_path, text)


def test_python_is_imported_only_where_it_is_served(tmp_path: Path) -> None:
    (tmp_path / "middleware").mkdir()
    marker = tmp_path / "imported"
    (tmp_path / "middleware" / "marks.py").write_text(
        f"open({str(marker)!r}, 'w').close()\nasync def f(request, call_next):\n    return await call_next()\n"
    )
    text = 'middleware m { type: python  function: "marks.f" } endpoint GET /x { auth: public  use: [m]  do { return 1 } }'
    from codeai.server.composition import Composition
    from codeai.server.settings import Settings
    from codeai.storage.opening import open_database
    from codeai.storage.settings import from_url

    (tmp_path / "app.cai").write_text(text)
    program = load_program(tmp_path / "app.cai")
    Composition(program.application, Settings(), open_database(from_url(f"sqlite:///{tmp_path}/x.db")), {}, folder=tmp_path)
    assert not marker.exists()
    service = served(tmp_path, text)
    assert marker.exists()
    assert service.request("GET", "/x").json == 1
    service.close()


def test_the_description_shows_who_may_call_and_that_there_may_be_too_many(tmp_path: Path) -> None:
    text = """
    config { name: "x"  default_auth: public }
    auth main { method: jwt }
    middleware inline { type: authentication  method: api_key  header: "X-Inline"  keys: "inline:i-1" }
    middleware limited { type: rate_limiting  requests: 2  window: 10s  by: ip }
    endpoint GET /a { use: [inline, limited]  do { return 1 } }
    endpoint GET /b { rate_limit: 5 per 1m  do { return 1 } }
    endpoint GET /c { do { return 1 } }
    """
    service = served(tmp_path, text)
    document = service.request("GET", "/openapi.json").json
    assert document["paths"]["/a"]["get"]["security"] == [{"inline": []}]
    assert document["components"]["securitySchemes"]["inline"] == {"type": "apiKey", "in": "header", "name": "X-Inline"}
    assert ["429" in document["paths"][path]["get"]["responses"] for path in ("/a", "/b", "/c")] == [True, True, False]
    service.close()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("type: rate_limiting  requests: env(N)", "'requests' of middleware 'm' takes a number from 1"),
        ("type: logging  fields: [env(N)]", "'fields' of middleware 'm' takes client, method"),
        ("type: logging  body: env(N)", "'body' of middleware 'm' takes true or false"),
        ("type: compression  level: env(N)", "'level' of middleware 'm' takes a number from 1 to 11"),
        ('type: cors  origins: "*"  max_age: env(N)', "'max_age' of middleware 'm' takes a duration"),
    ],
)
def test_a_setting_of_another_type_in_the_environment_stops_the_start(tmp_path: Path, settings: str, message: str) -> None:
    text = f"middleware m {{ {settings} }} endpoint GET /x {{ auth: public  use: [m]  do {{ return 1 }} }}"
    with pytest.raises(StartError, match=message) as raised:
        served(tmp_path, text, {"N": "none"})
    assert raised.value.at == 0


def test_the_checker_knows_the_fields_that_are_logged() -> None:
    assert {*LOGGED} == {*FIELDS, "client"}
