"""Fields of inline records keep their rules wherever the record stands, as those of declared types do."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from surroundings import served

from codeai.cli.test import command

PROGRAM = """
config { name: "x" default_auth: public }
type Zip { zip: string, required, pattern("^[0-9]{5}$") }
entity Site {
    id: uuid, primary, auto
    a: { zip: string, required, pattern("^[0-9]{5}$") }
    b: Zip
    c: list({ n: int, max(3) })
}
resource Site at /sites { }
endpoint POST /x {
    body { a: { zip: string, required, pattern("^[0-9]{5}$") }  c: list({ n: int, required, max(3) }) }
    do { return body.a }
}
test "inline" {
    let one = POST /sites { b: { zip: "1" } }
    expect one.status == 422
    let two = POST /sites { a: { zip: "1" } }
    expect two.status == 422
}
test "lists" {
    let two = POST /sites { c: [{ n: 4 }] }
    expect two.status == 422
}
test "bodies" {
    let one = POST /x { a: { zip: "1" } }
    expect one.status == 422
}
"""


def test_rules_within_inline_records_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.cai").write_text(PROGRAM)
    said = CliRunner().invoke(command, [])
    assert said.output.endswith("3 passed, 0 failed\n"), said.output


def test_the_description_shows_them_in_their_place(tmp_path: Path) -> None:
    service = served(tmp_path, PROGRAM)
    schemas = service.request("GET", "/openapi.json").json["components"]["schemas"]
    service.close()
    assert [name for name in schemas if name.startswith("Inline")] == []
    assert schemas["SiteCreate"]["properties"]["c"]["items"]["properties"]["n"]["maximum"] == 3
