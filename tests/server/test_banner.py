"""What a start says to people: a token that the program knows what to do with."""

import pytest

from codeai.server.banner import show_banner
from codeai.server.listening import Place
from codeai.server.loading import load_program
from codeai.server.settings import read_settings
from codeai.storage.settings import from_url

JWT = "auth main { method: jwt  secret: secret(JWT_SECRET) }\n"
PLACE = Place("127.0.0.1", 8080)
CASES = {
    "the role of operators": (JWT + 'role reader { }\nrole admin { permissions: ["*:*"] }', " --role admin"),
    "who may do all": (JWT + 'role reader { }\nrole boss { permissions: ["*:*"] }', " --role boss"),
    "the first": (JWT + 'role reader { permissions: ["a:read"] }\nrole writer { }', " --role reader"),
    "no role": (JWT, ""),
    "no auth": ("config { default_auth: public }", ""),
    "keys only": ('auth main { method: api_key  header: "X-Key"  keys: "k" }', None),
}


@pytest.mark.parametrize(("text", "said"), CASES.values(), ids=CASES)
def test_the_token_that_is_offered_has_a_role_that_the_program_has(tmp_path, capsys, text, said):
    (tmp_path / "app.cai").write_text(text)
    program = load_program(tmp_path / "app.cai")
    assert program.valid, program.diagnostics
    show_banner(program.application, read_settings({}, {}), from_url(f"sqlite:///{tmp_path}/app.db"), PLACE, tmp_path, "unchanged", ())
    lines = [line.strip() for line in capsys.readouterr().err.splitlines() if line.startswith("  token ")]
    assert [line.partition("token ")[2].partition("token ")[2] for line in lines] == ([] if said is None else [f"{tmp_path}{said}"])


@pytest.mark.parametrize(
    ("limit", "url", "environment", "said"),
    [
        ("rate_limit: 3 per 1m by ip", "postgresql://h/d", {}, True),
        ("rate_limit: 3 per 1m by ip", "postgresql://h/d", {"REDIS_URL": "redis://r:6379/0"}, False),
        ("rate_limit: 3 per 1m by ip", "sqlite:///x.db", {}, False),
        ("", "postgresql://h/d", {}, False),
    ],
)
def test_limits_that_several_servers_would_count_apart_are_said(tmp_path, capsys, limit, url, environment, said):
    (tmp_path / "app.cai").write_text("endpoint GET /a { auth: public  " + limit + "  returns: json  do { return 1 } }")
    program = load_program(tmp_path / "app.cai")
    show_banner(program.application, read_settings(environment, {}), from_url(url), PLACE, tmp_path, "unchanged", ())
    assert ("limits         counted by this server alone; REDIS_URL" in capsys.readouterr().err) == said
