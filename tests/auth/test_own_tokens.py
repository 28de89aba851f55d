"""The tokens that a program issues, or ``codeai token`` for it, are those that its own ``auth`` takes."""

from pathlib import Path

import jwt
import pytest
from click.testing import CliRunner

from codeai.cli.token import command

PROGRAM = """
auth machines { method: api_key  keys: env(API_KEYS, "k1") }
auth main {
    method: jwt
    secret: env(OWN_SECRET, "")
    issuer: "https://shop.example.com"
    audience: ["shop", "app"]
    roles_claim: "realm.roles"
    tenant_claim: "org"
}
role editor { permissions: ["books:write"] }
endpoint POST /login { auth: public  returns: { token: string }  do { return { token: issue_token("ada", ["editor"], 1h) } } }
endpoint GET /me { roles: [editor]  returns: { id: string?, tenant: string? }  do { return { id: user.id, tenant: user.tenant } } }
"""
OWN = "a secret of the program's own, not that of the environment"


@pytest.fixture(scope="module")
def program(tmp_path_factory) -> Path:
    found = tmp_path_factory.mktemp("own") / "app.cai"
    found.write_text(PROGRAM)
    return found


def test_a_program_takes_the_tokens_that_it_issues(sqlite_service_of, program):
    service = sqlite_service_of(program, env={"OWN_SECRET": OWN})
    token = service.request("POST", "/login").json["token"]
    claims = jwt.decode(token, OWN, algorithms=["HS256"], audience="shop")
    assert (claims["iss"], claims["realm"]) == ("https://shop.example.com", {"roles": ["editor"]})
    assert service.request("GET", "/me", token=token).json == {"id": "ada", "tenant": None}
    assert service.request("GET", "/me", token=service.token("ada", "editor")).status == 401  # signed with JWT_SECRET


def test_the_command_issues_what_the_program_takes(sqlite_service_of, program):
    service = sqlite_service_of(program, env={"OWN_SECRET": OWN})
    said = CliRunner().invoke(command, [str(program), "--role", "editor", "--sub", "bob", "--tenant", "acme"], env={"OWN_SECRET": OWN})
    assert service.request("GET", "/me", token=said.stdout.strip()).json == {"id": "bob", "tenant": "acme"}


def test_in_development_a_default_secret_gives_way_to_that_of_the_folder_for_tokens_as_for_the_server(tmp_path: Path) -> None:
    (tmp_path / "app.cai").write_text('config { auth: jwt { secret: env(JWT_SECRET, "only of the program, thirty-two bytes") } }\n')
    said = CliRunner().invoke(command, [str(tmp_path)], env={"JWT_SECRET": None, "CODEAI_ENV": "development"})
    secret = (tmp_path / ".codeai" / "dev-secret").read_text().strip()
    assert jwt.decode(said.output.strip(), secret, algorithms=["HS256"])["sub"]
