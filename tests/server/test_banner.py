"""What a start says to people: a token that the program knows what to do with."""

import pytest

from codeai.server.banner import show_banner
from codeai.server.listening import Place
from codeai.server.loading import load_program
from codeai.server.settings import read_settings
from codeai.storage.settings import from_url

JWT = "auth main { method: jwt  secret: secret(JWT_SECRET) }\n"
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
    place, database = Place("127.0.0.1", 8080), from_url(f"sqlite:///{tmp_path}/app.db")
    show_banner(program.application, read_settings({}, {}), database, place, tmp_path, "unchanged", ())
    lines = [line.strip() for line in capsys.readouterr().err.splitlines() if line.startswith("  token ")]
    assert [line.partition("token ")[2].partition("token ")[2] for line in lines] == ([] if said is None else [f"{tmp_path}{said}"])
