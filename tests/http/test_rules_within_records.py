"""Members of record types keep their rules in what the program itself stores, emits and sends; a null is no absent member."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from codeai.cli.test import command

PROGRAM = """
config { name: "x"  default_auth: public }
type Zip { code: string(5), required, min_length(2)  land: string, default("DE") }
type Address { zip: Zip, required  floor: int, max(9)  note: string?, default("none")  others: list(Zip) }
entity Owner { id: int, primary, auto  name: string, default("n")  address: Address  zips: map(Zip) }
event Moved { payload { to: Address  again: list(Zip) } }
integration Maps {
    base_url: "https://maps.example"
    operation find { method: POST  path: "/find"  body { at: Address  tries: int, default(3) }  returns: Zip }
}
resource Owner at /owners { }

endpoint POST /made {
    body { code: string  land: string, default("DE")  floor: int  bare: json }
    returns: json
    do {
        let at = { zip: { code: body.code, land: body.bare == null ? body.land : null }, floor: body.floor }
        let owner = create Owner { address: { zip: { code: body.code, land: body.bare == null ? body.land : null }, floor: body.floor } }
        update owner { zips: { home: { code: body.code } } }
        return { owner: owner, at: at }
    }
}
endpoint POST /lists { body { code: string }  returns: void  do { emit Moved { again: [{ code: "ok" }, { code: body.code }] } } }
endpoint POST /asked {
    body { code: string  tries: int  tried: bool, default(false) }
    returns: json
    do {
        let at: Address = { zip: { code: body.code } }
        return body.tried ? (call Maps.find { at: at, tries: body.tries }) : (call Maps.find { at: at })
    }
}
endpoint POST /read { body { x: json }  returns: Address  do { return body.x as Address } }

test "what is stored" {
    let none = POST /made { }
    let short = POST /made { code: "1" }
    let long = POST /made { code: "123456" }
    let high = POST /made { code: "123", floor: 10 }
    let bare = POST /made { code: "123", bare: 1 }
    expect [none, short, long, high, bare].all(r => r.status == 422)
    let named = POST /made { code: "123", floor: 10 }
    expect named.body.errors.map(e => e.field) == ["address.floor"]
    let deeper = POST /made { code: "1" }
    expect deeper.body.errors.map(e => e.field) == ["address.zip.code"]
    expect count(Owner) == 0
    let fine = POST /made { code: "123", floor: 9 }
    expect fine.status == 200
    expect (first Owner).address.note == "none" and (first Owner).address.zip.land == "DE"
}

test "what is emitted and sent" {
    mock Maps.find returns { code: "77" }
    let emitted = POST /lists { code: "1" }
    expect emitted.status == 422
    expect emitted.body.errors.map(e => e.field) == ["Moved.again.1.code"]
    let sent = POST /asked { code: "1" }
    expect sent.status == 422
    expect sent.body.errors.map(e => e.field) == ["at.zip.code"]
    let counted = POST /asked { code: "12", tried: true }
    expect counted.status == 422
    let answered = POST /asked { code: "12" }
    expect answered.status == 200
    expect answered.body.land == "DE"
    expect calls(Maps.find).map(c => c.at.zip.land) == ["DE"]
}

test "a null is no absent member" {
    let absent = POST /read { x: { zip: { code: "12" } } }
    expect absent.body.zip.land == "DE" and absent.body.note == "none"
    let nulls = POST /read { x: { zip: { code: "12" }, note: null, floor: null } }
    expect nulls.status == 200 and nulls.body.note == null
    let refused = POST /read { x: { zip: { code: "12", land: null } } }
    expect refused.status == 422
    expect refused.body.detail contains "'zip.land' must not be null"
    let missing = POST /read { x: { zip: { } } }
    expect missing.body.detail contains "'zip.code' is missing"
    let sent = POST /owners { address: { zip: { code: "12", land: null } } }
    expect sent.status == 422
    let field = POST /owners { name: null }
    expect field.status == 422
}
"""


def test_rules_within_records_hold_wherever_the_record_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.cai").write_text(PROGRAM)
    said = CliRunner().invoke(command, [])
    assert said.output.endswith("3 passed, 0 failed\n"), said.output
