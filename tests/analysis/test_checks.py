"""Checks that need more than one case: what they say, and what they leave alone."""

import pytest

from language.samples import analysed


def said(program: str, code: str) -> list[str]:
    """``severity: message (help)`` without its place."""
    checked = analysed(program)
    return [
        f"{item.severity.value}: {item.message}" + (f" ({item.help})" if item.help else "")
        for item in checked.diagnostics
        if item.code == code
    ]


FUNCTION = "function f(n: int) -> int {{ {} }}\nendpoint GET /x {{ auth: public  do {{ return f(1) }} }}\n"


@pytest.mark.parametrize(
    "body",
    [
        "return f(n - 1)",
        "let m = f(n)  return m",
        "if f(n) > 1 { return 1 }  return 2",
        "if n > 1 { return f(1) } else { return 1 + f(2) }",
        'log info "{f(n)}"  return 1',
        "return f(n) > 1 and n > 2 ? 1 : 2",
        "require f(n) > 1  return 1",
        'for i in [f(n)] { log info "{i}" }  return 1',
    ],
)
def test_a_function_that_never_comes_back_is_a_warning(body: str) -> None:
    assert said(FUNCTION.format(body), "CAI0351") == [
        "warning: function 'f' calls itself on every way (return before it under some condition)"
    ]


@pytest.mark.parametrize(
    "body",
    [
        "if n <= 0 { return 0 }  return f(n - 1)",
        "return n <= 0 ? 0 : f(n - 1)",
        "require n > 0  return f(n - 1)",
        "return n > 0 and f(n) > 0 ? 1 : 2",
        "return [1].map(i => f(i)).length",
        "for i in [1, 2] { return 1 }  return f(n)",
        "if n > 1 { return f(1) } else { return 1 }",
        'fail 409 "no"',
    ],
)
def test_a_function_that_may_come_back_is_left_alone(body: str) -> None:
    assert said(FUNCTION.format(body), "CAI0351") == []


ROUTES = """
entity Book { id: uuid, primary, auto  title: string }
resource Book at /books { auth: public }
endpoint GET /books/{id}/loans { auth: public  path { id: uuid }  do { return 1 } }
endpoint POST /search { auth: public  do { return 1 } }
"""


@pytest.mark.parametrize(
    ("request_", "finding"),
    [
        ("GET /books?page=2", None),
        ("GET /books/7/loans", None),
        ("GET /books/{b.id}/loans?x={b.id}", None),
        ("GET /search", None),  # 405 is an answer
        ("GET /health", None),
        ("GET /api/v1/executions", None),
        ("GET {path}", None),
        ("GET /", None),
        ("GET /boks", "error: no endpoint answers 'GET /boks' (did you mean '/books'?)"),
        ("GET /books/{b.id}/loan", "error: no endpoint answers 'GET /books/{…}/loan' (did you mean '/books/{id}/loans'?)"),
        ("POST /saerch { q: 1 }", "error: no endpoint answers 'POST /saerch' (did you mean '/search'?)"),
        ("GET /nothing/of/this", "warning: no endpoint answers 'GET /nothing/of/this'"),
    ],
)
def test_requests_of_tests_go_to_endpoints(request_: str, finding: str | None) -> None:
    lines = [
        'test "t" {',
        'let path = "/x"',
        'let b = create Book { title: "{path}" }',
        f"let r = {request_}",
        "expect r.status == 200",
        "}",
    ]
    test = "\n".join(lines)
    assert said(ROUTES + test, "CAI0519") == ([finding] if finding else [])


def test_the_prefix_belongs_to_the_path() -> None:
    program = 'config { api_prefix: "/v1"  default_auth: public }\nendpoint GET /ok { do { return 1 } }\n'
    assert said(program + 'test "t" {\n    let r = GET /v1/ok\n    expect r.status == 200\n}\n', "CAI0519") == []
    missing = said(program + 'test "t" {\n    let r = GET /ok\n    expect r.status == 200\n}\n', "CAI0519")
    assert missing == ["warning: no endpoint answers 'GET /ok'"]


JOIN = """
entity Author {{ id: uuid, primary, auto  name: string, unique  town: string }}
entity Book {{ id: uuid, primary, auto  title: string  town: string  author: ref(Author)  by: string }}
endpoint GET /x {{ auth: public  do {{ return select Book join Author on {} }} }}
"""


@pytest.mark.parametrize(
    ("condition", "keyed"),
    [
        ("author == Author.id", True),
        ('Author.id == author and Author.town == "Bonn"', True),
        ("by == Author.name", True),
        ("town == Author.town", False),
        ('town == "Bonn"', False),
        ("Author.town != title", False),
        ("author == Author.id or town == Author.town", False),
        ("Author.id == Author.id", False),
    ],
)
def test_a_join_needs_a_key(condition: str, keyed: bool) -> None:
    assert bool(said(JOIN.format(condition), "CAI0333")) is not keyed


@pytest.mark.parametrize(
    ("type_", "fits"),
    [("uuid", 1), ("string", 1), ("int", 1), ("ref(Org)", 1), ("bool", 0), ("json", 0), ("list(string)", 0), ("timestamp", 0)],
)
def test_the_field_of_a_tenant_can_be_compared_with_the_claim(type_: str, fits: int) -> None:
    program = (
        "entity Org {{ id: uuid, primary, auto }}\nentity Note {{ id: uuid, primary, auto  org: {}, required  traits: [tenant(org)] }}\n"
    )
    assert len(said(program.format(type_), "CAI0214")) == 1 - fits


@pytest.mark.parametrize("value", ["n / 0", "n % 0", "1 / 0", "n / 0.0"])
def test_a_literal_zero_divides_nothing(value: str) -> None:
    assert said(FUNCTION.replace("-> int", "").format(f"return {value}"), "CAI0334") == ["error: division by zero"]


@pytest.mark.parametrize(
    ("key", "finding"),
    [
        ("api_prefx", "warning: nothing reads the setting 'api_prefx' (did you mean 'api_prefix'?)"),
        ("api_prafixx", "hint: nothing reads the setting 'api_prafixx' (did you mean 'api_prefix'?)"),
        ("support_address", None),
    ],
)
def test_settings_that_nothing_reads_and_that_look_like_others(key: str, finding: str | None) -> None:
    assert said(f'config {{ {key}: "/v1" }}\n', "CAI0135") == ([finding] if finding else [])


def test_a_setting_that_the_program_reads_is_its_own() -> None:
    program = 'config { api_prafixx: "/v1" }\nendpoint GET /x { auth: public  do { return config.api_prafixx } }\n'
    assert said(program, "CAI0135") == []


INTEGRATION = 'integration Pay { base_url: "https://pay.example.com"  operation charge { path: "/a" }  operation refund { path: "/b" } }\n'
CALL = "endpoint POST /x { auth: public  do { return call Pay.charge } }\n"


@pytest.mark.parametrize(
    ("program", "unused"),
    [
        (INTEGRATION + CALL, ["hint: operation 'Pay.refund' is never used"]),
        (INTEGRATION, ["warning: integration 'Pay' is never used (use it, or leave it out)"]),
        (INTEGRATION + CALL + "event Paid { }\non Paid do integration Pay.refund\n", []),
    ],
)
def test_unused_operations_are_named_where_the_integration_is_used(program: str, unused: list[str]) -> None:
    assert said(program, "CAI0131") == unused


ASKING = "middleware m {{ type: {} }}\nrole admin {{ permissions: [] }}\nendpoint GET /x {{ use: [m]  do {{ return 1 }} }}\n"


@pytest.mark.parametrize(
    ("middleware", "warned"),
    [
        ("authentication  method: api_key  keys: secret(KEYS)", False),
        ("authorization  roles: [admin]", False),
        ("logging", True),
    ],
)
def test_an_endpoint_whose_middleware_asks_who_calls_is_not_called_open(middleware: str, warned: bool) -> None:
    assert bool(said(ASKING.format(middleware), "CAI0504")) is warned
