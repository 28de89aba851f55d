"""Who calls in test blocks: ``as user`` with and without a block, and with any provider of tokens."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
entity Note {
    id: uuid, primary, auto
    by: string, required
    index: [by]
    allow read, create: user.id == by
}
endpoint GET /me { auth: required  returns: { id: string?, tenant: string?, may: bool }
    do { return { id: user.id, tenant: user.tenant, may: user.has_role(editor) } } }
role editor { permissions: ["a:b"] }
role viewer { permissions: ["a:c"] }
endpoint GET /nobody { auth: optional  returns: { known: bool }  do { return { known: user.id is not null } } }
endpoint GET /granted { auth: public  returns: { token: string }  do { return { token: issue_token("zoe", ["viewer"], 1h) } } }
test "the callers follow each other" {
    let before = GET /nobody
    expect before.body.known == false
    as user { id: "ada", roles: [editor], tenant: "t1" }
    let first = GET /me
    expect first.body.id == "ada" and first.body.tenant == "t1" and first.body.may
    as user { id: "ben", roles: [viewer] } {
        let second = GET /me
        expect second.body.id == "ben" and not second.body.may
        as user { id: "cid", roles: [viewer] } { let third = GET /me  expect third.body.id == "cid" }
        let fourth = GET /me
        expect fourth.body.id == "ben"
    }
    advance 2d
    let last = GET /me
    expect last.body.id == "ada"
}
test "the end of a block without a caller before it is nobody again" {
    as user { id: "ben", roles: [viewer] } { let r = GET /nobody  expect r.body.known }
    let r = GET /nobody
    expect r.body.known == false
}
test "statements see every row, those of a block only what their user sees" {
    create Note { by: "zoe" }
    as user { id: "ada", roles: [viewer] }
    expect count(Note) == 1
    as user { id: "ada", roles: [viewer] } { expect count(Note) == 0 }
    expect count(Note) == 1
}
"""
OWN_TOKENS = """
test "tokens of the program itself are checked as they are declared" {
    let granted = GET /granted
    let r = GET /me headers { Authorization: "Bearer {granted.body.token}" }
    expect r.status == STATUS
}
"""


def outcome(folder: Path, text: str) -> tuple[int, str]:
    """The exit code of ``codeai test`` and what it wrote."""
    program = folder / "app.cai"
    program.write_text(text)
    done = subprocess.run([sys.executable, "-m", "codeai", "test", str(program)], capture_output=True, text=True, timeout=280)
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("settings", "status"),
    [
        ("method: jwt  secret: secret(JWT_SECRET)", 200),
        ('method: jwt  secret: secret(JWT_SECRET)  issuer: "https://login.example.com"  audience: "shop"', 200),
        ('method: jwt  secret: secret(OTHER)  roles_claim: "groups"  tenant_claim: "org"', 200),
        ("method: jwt  public_key: secret(PUBLIC_KEY)", 401),
        ('method: oauth2  jwks_url: "https://login.example.com/keys"', 400),
    ],
    ids=["plain", "issuer", "claims", "key", "oauth2"],
)
def test_the_user_of_a_test_is_known_to_every_provider(tmp_path: Path, settings: str, status: int) -> None:
    code, output = outcome(tmp_path, f"auth main {{ {settings} }}\n" + PROGRAM + OWN_TOKENS.replace("STATUS", str(status)))
    assert output.endswith("4 passed, 0 failed\n"), output
    assert code == 0
