"""``validate { f exists }`` asks as the caller: a row of another tenant is one that does not exist, told like any other."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from codeai.cli.test import command

PROGRAM = """
config { name: "x" }
auth main { method: jwt  secret: env(JWT_SECRET, "x")  tenant_claim: "org" }
entity Site { id: uuid, primary, auto  org: string, required  name: string  traits: [tenant(org)] }
entity Meter {
    id: uuid, primary, auto  org: string, required  site: ref(Site), required  spare: ref(Site)  serial: string, unique
    traits: [tenant(org)]
}
resource Meter at /meters { auth: required  create, update { validate { site exists  spare exists  serial is unique } } }
endpoint POST /made { auth: required  body: Meter.create  returns: Meter status 201  validate { site exists } }
test "sites of others do not exist" {
    let mine = create Site { org: "a" }
    let other = create Site { org: "b" }
    as user { id: "u", tenant: "a" }
    let made = POST /meters { site: mine.id, serial: "1" }
    expect made.status == 201
    let wrong = POST /meters { site: other.id, serial: "2" }
    expect wrong.status == 409
    expect wrong.body.errors[0].field == "site"
    let again = PATCH /meters/{made.body.id} { spare: other.id }
    expect again.status == 409
    expect again.body.errors[0].field == "spare"
    let said = POST /made { site: other.id, serial: "3" }
    expect said.status == 409
    expect count(Meter) == 1
    let nobody = POST /meters { site: "01a2171a-71f8-7f10-9fe5-4c176bc74076", serial: "4" }
    expect nobody.status == 409
    expect nobody.body.errors == wrong.body.errors
}
"""


def test_a_row_refers_to_rows_that_its_writer_may_see(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.cai").write_text(PROGRAM)
    said = CliRunner().invoke(command, [])
    assert said.output.endswith("1 passed, 0 failed\n"), said.output
