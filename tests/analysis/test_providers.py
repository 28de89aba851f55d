"""Providers that give a method and nothing else: left out while nothing relies on them."""

import pytest

from codeai.language.diagnostics import Severity
from language.samples import analysed

BARE = "auth google { method oauth2 }\n"
WHOLE = "auth main { method: jwt  secret: secret(KEY) }\n"
OPEN = "endpoint GET /x { auth: public  do { return 1 } }\n"
ANY = "endpoint GET /x { auth: required  do { return 1 } }\n"
NAMED = "endpoint GET /x { auth: google  do { return 1 } }\n"
BY_MIDDLEWARE = "middleware m { type: authentication  provider: google }\nendpoint GET /x { use: [m]  do { return 1 } }\n"
ANYBODY = "middleware m { type: authentication }\nendpoint GET /x { auth: public  use: [m]  do { return 1 } }\n"


@pytest.mark.parametrize(
    ("program", "severity", "left"),
    [
        (BARE + OPEN, Severity.WARNING, []),
        (BARE + WHOLE + ANY, Severity.WARNING, ["main"]),
        (BARE + ANY, Severity.ERROR, []),
        (BARE + "endpoint GET /x { do { return 1 } }\n", Severity.ERROR, []),
        (BARE + WHOLE + NAMED, Severity.ERROR, ["main"]),
        (BARE + WHOLE + BY_MIDDLEWARE, Severity.ERROR, ["main"]),
        (BARE + ANYBODY, Severity.ERROR, []),
        ("auth keys { method: api_key }\n" + OPEN, Severity.WARNING, []),
        ("auth people { method: basic }\n" + ANY, Severity.ERROR, []),
        ("auth main { method: jwt }\n" + ANY, None, ["main"]),  # the environment says the rest
    ],
)
def test_a_bare_provider_is_an_error_where_something_relies_on_it(program: str, severity: Severity | None, left: list[str]) -> None:
    found = analysed(program)
    assert [item.severity for item in found.diagnostics if item.code == "CAI0136"] == ([severity] if severity else [])
    assert [provider.name for provider in found.application.providers] == left
