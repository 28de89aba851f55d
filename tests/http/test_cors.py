"""Cross-origin requests: what browsers are allowed, by the program and by single endpoints."""

from pathlib import Path

import pytest
from surroundings import served

from codeai.http.middleware.cors import BadCors, CorsPolicy
from codeai.language.diagnostics import Severity
from codeai.server.errors import StartError
from codeai.server.loading import load_program
from services.service import Answer, Service

PROGRAM = """
config { name: "cors"  default_auth: public  CORS }
middleware partners { type: cors  origins: ["https://partner.example"]  credentials: true  max_age: 1h  headers: ["Authorization"] }
endpoint GET /a { do { return 1 } }
endpoint POST /a { body { n: int }  do { return 1 } }
endpoint GET /partners { use: [partners]  do { return 1 } }
endpoint GET /fails { do { fail 409 "no" } }
"""
NAMED = 'cors { origins: ["https://app.example", "https://*.dev.example"] }'


def asked(service: Service, origin: str, method: str, target: str = "/a", headers: str = "") -> Answer:
    """A preflight request."""
    given = {"origin": origin, "access-control-request-method": method}
    return service.request("OPTIONS", target, headers={**given, **({"access-control-request-headers": headers} if headers else {})})


@pytest.fixture
def named(tmp_path: Path) -> Service:
    return served(tmp_path, PROGRAM.replace("CORS", NAMED))


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://app.example", True),
        ("https://APP.example", True),
        ("http://app.example", False),
        ("https://app.example:8443", False),
        ("https://app.example.evil.test", False),
        ("https://evilapp.example", False),
        ("https://x.dev.example", True),
        ("https://x.y.dev.example", True),
        ("https://dev.example", False),
        ("https://evil.test/.dev.example", False),
        ("https://evil.test#.dev.example", False),
        ("null", False),
    ],
)
def test_only_origins_that_are_named_may_read_answers(named: Service, origin: str, allowed: bool) -> None:
    for answer in (named.request("GET", "/a", headers={"origin": origin}), named.request("GET", "/fails", headers={"origin": origin})):
        assert answer.header("access-control-allow-origin") == (origin if allowed else None)
        assert answer.header("access-control-allow-credentials") is None
        assert "Origin" in (answer.header("vary") or "")
        assert ("ETag" in (answer.header("access-control-expose-headers") or "")) is allowed
    assert (asked(named, origin, "POST").header("access-control-allow-origin") == origin) is allowed
    named.close()


def test_a_request_without_origin_varies_all_the_same(named: Service) -> None:
    answer = named.request("GET", "/a")
    assert (answer.header("vary"), answer.header("access-control-allow-origin")) == ("Origin", None)
    named.close()


@pytest.mark.parametrize(
    ("method", "headers", "allowed"),
    [
        ("POST", "", True),
        ("POST", "content-type, authorization", True),
        ("POST", "Content-Type,X-Other", False),
        ("DELETE", "", False),
        ("PURGE", "", False),
    ],
)
def test_a_preflight_allows_what_the_path_has_and_the_rules_name(named: Service, method: str, headers: str, allowed: bool) -> None:
    answer = asked(named, "https://app.example", method, headers=headers)
    assert answer.status == 204
    assert (answer.header("access-control-allow-origin") is not None) is allowed
    if allowed:
        assert answer.header("access-control-allow-methods") == "GET, POST"
        assert answer.header("access-control-max-age") == "600"
        names = [name.strip() for name in headers.lower().split(",") if name]
        assert (answer.header("access-control-allow-headers") or "") == ", ".join(names)
    assert "Access-Control-Request-Method" in (answer.header("vary") or "")
    assert answer.header("access-control-expose-headers") is None
    named.close()


def test_all_origins_need_no_vary_and_get_no_credentials(tmp_path: Path) -> None:
    service = served(tmp_path, PROGRAM.replace("CORS", 'cors { origins: ["*"] }'))
    answer = service.request("GET", "/a", headers={"origin": "https://any.example"})
    shown = [answer.header(name) for name in ("access-control-allow-origin", "vary", "access-control-allow-credentials")]
    assert shown == ["*", None, None]
    assert asked(service, "https://any.example", "POST").header("access-control-allow-origin") == "*"
    service.close()


def test_an_endpoint_may_have_rules_of_its_own(named: Service) -> None:
    answer = named.request("GET", "/partners", headers={"origin": "https://partner.example"})
    assert answer.header("access-control-allow-origin") == "https://partner.example"
    assert answer.header("access-control-allow-credentials") == "true"
    assert named.request("GET", "/partners", headers={"origin": "https://app.example"}).header("access-control-allow-origin") is None
    preflight = asked(named, "https://partner.example", "GET", "/partners", "authorization")
    assert (preflight.header("access-control-allow-credentials"), preflight.header("access-control-max-age")) == ("true", "3600")
    named.close()


def test_without_rules_nothing_is_said(tmp_path: Path) -> None:
    service = served(tmp_path, PROGRAM.replace("CORS", ""))
    answer = service.request("GET", "/a", headers={"origin": "https://app.example"})
    assert [name for name, _ in answer.headers if name.startswith("access-control") or name == "vary"] == []
    preflight = asked(service, "https://app.example", "POST")
    assert (preflight.status, preflight.header("access-control-allow-origin")) == (204, None)
    service.close()


@pytest.mark.parametrize(
    "settings",
    ['origins: ["*"]  credentials: true', 'origins: ["app.example"]', 'origins: ["https://app.example/path"]', 'origins: ["https://*"]'],
)
def test_rules_that_no_browser_would_accept_are_found_by_the_check(tmp_path: Path, settings: str) -> None:
    (tmp_path / "app.cai").write_text(PROGRAM.replace("CORS", f"cors {{ {settings} }}"))
    assert [item.code for item in load_program(tmp_path).diagnostics if item.severity is Severity.ERROR] == ["CAI0505"]


def test_rules_of_the_environment_that_no_browser_would_accept_stop_the_start_with_their_place(tmp_path: Path) -> None:
    with pytest.raises(StartError) as raised:
        served(tmp_path, PROGRAM.replace("CORS", "cors { origins: [env(O)] }"), {"O": "app.example"})
    assert raised.value.at >= 0


def test_credentials_go_with_named_headers_only() -> None:
    with pytest.raises(BadCors):
        CorsPolicy(["https://a.example"], credentials=True, headers=["*"])
