"""Conditions over JSON: only ``true`` holds, in a program as in a statement of the database."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from codeai.cli.test import command

PROGRAM = """
config { name: "x"  default_auth: public }
entity Thing { id: int, primary, auto  data: json }
function chosen(j: json) -> json { return [j.filter(x => x.ok).length, j.any(x => x.ok), count(j, x => x.ok)] }
function of(untyped) { return untyped ? "yes" : "no" }
endpoint POST /asked {
    body { a: json }
    returns: json
    do {
        create Thing { data: { go: body.a } }
        var said = []
        if body.a { said = said + ["if"] }
        if not body.a { said = said + ["not"] }
        if body.a and true { said = said + ["and"] }
        let one = count(Thing where data.go) == 1 ? "if" : ""
        let two = count(Thing where not data.go) == 1 ? "not" : ""
        let three = count(Thing where data.go and true) == 1 ? "and" : ""
        let found = [one, two, three]
        return { said: said, found: found.filter(word => word != ""), of: of(body.a) }
    }
}

test "true holds" {
    let r = POST /asked { a: true }
    expect r.body == { said: ["if", "and"], found: ["if", "and"], of: "yes" }
    expect chosen([{ ok: true }, { ok: 1 }, { ok: "x" }, { }]) == [1, true, 1]
}
test "a text does not" { let r = POST /asked { a: "x" }  expect r.body == { said: ["not"], found: ["not"], of: "no" } }
test "a number does not" { let r = POST /asked { a: 1 }  expect r.body == { said: ["not"], found: ["not"], of: "no" } }
test "a list does not" { let r = POST /asked { a: [1] }  expect r.body == { said: ["not"], found: ["not"], of: "no" } }
test "false does not" { let r = POST /asked { a: false }  expect r.body == { said: ["not"], found: ["not"], of: "no" } }
"""


def test_only_true_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.cai").write_text(PROGRAM)
    said = CliRunner().invoke(command, ["--database", database_url])
    assert said.output.endswith("5 passed, 0 failed\n"), said.output
