"""``as user { … } { … }`` outside of tests: in handlers, steps, functions that they call, and endpoints."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from codeai.cli.test import command

PROGRAM = """
config { name: "x" }
auth main { method: jwt  secret: env(JWT_SECRET, "x") }
role staff { permissions: ["notes:*"] }
entity Note { id: uuid, primary, auto  owner: string, required  text: text
  allow read, create: owner == user.id or user.has_role(staff)
  allow update: owner == user.id  index: [owner] }
event Asked { payload { owner: string, required } }
event Counted { payload { n: int, required  all: int, required  staff: int, required } }
function notes() -> int { return count(Note) }
on Asked {
    var n = 0
    var s = 0
    as user { id: event.owner } { n = notes() }
    as user { id: "boss", roles: [staff] } { s = count(Note) }
    emit Counted { n: n, all: notes(), staff: s }
}
workflow Count {
    trigger: manual
    input { owner: string, required }
    steps {
        mine { do {
            as user { id: input.owner } { return count(Note) }
        } }
        all { query: count(Note) }
        keep { do { update Note set text = "{steps.mine.output} of {steps.all.output}" where owner == input.owner } }
    }
}
workflow Denied {
    trigger: manual
    input { owner: string, required }
    steps { write { do { as user { id: "other" } { create Note { owner: input.owner, text: "x" } } } } }
    on_fail { create Note { owner: "log", text: error.message } }
}
endpoint POST /ask { auth: public  do { emit Asked { owner: "a" }  start Count { owner: "a" }  start Denied { owner: "a" } } }
endpoint GET /as { auth: public  do { as user { id: "b" } { return select Note } } }
on Counted { create Note { owner: "count", text: "{event.n} {event.all} {event.staff}" } }
test "as user" {
    create Note { owner: "a" }
    create Note { owner: "b" }
    let r = POST /ask {}
    expect r.status == 204
    expect exists Note where owner == "count" and text starts_with "1 "
    let mine = first Note where owner == "a"
    expect mine.text == "1 of 2"
    let log = first Note where owner == "log"
    expect log.text contains "Note"
    let b = GET /as
    expect b.body.length == 1
}
"""


def test_a_block_runs_as_the_user_that_it_names_and_what_follows_as_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.cai").write_text(PROGRAM)
    said = CliRunner().invoke(command, [])
    assert said.output.endswith("1 passed, 0 failed\n"), said.output
