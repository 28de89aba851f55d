"""A member of a record with a default has it wherever the record comes from: a body, the program, an event, another system."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from surroundings import served

from codeai.cli.test import command

PROGRAM = """
type Address { street: string, required  country: enum(de, at), default("de")  tags: list(string), default(["a"]) }
type Parcel { to: Address, required  from: Address, default({ street: "Home" })  size: { w: int, default(3)  h: int } }
entity Store {
    id: int, primary, auto
    address: Address
    parcels: list(Parcel)
    open: bool, default(true)
    since: date, default(today())
}
endpoint POST /a {
    auth: public
    body { to: Address, required  many: list(Address) }
    returns: json
    do { return { to: body.to, many: body.many } }
}
endpoint POST /b { auth: public  body: Parcel returns: Parcel do { return body } }
endpoint POST /c { auth: public  body: Store.create returns: Store }
endpoint GET /d {
    auth: public
    returns: Store
    do { return create Store { address: { street: "x" }, parcels: [{ to: { street: "y" } }] } }
}
endpoint GET /e { auth: public returns: Address do { return call I.a {} } }
integration I { base_url: "https://x.example"  operation a { path: "/a" returns: Address } }
event Ev { payload { a: Address, required } }
on Ev { log info "{event.a.country}"  create Store { address: event.a } }
endpoint POST /f { auth: public do { emit Ev { a: { street: "z" } } } }
test "defaults" {
    let a = POST /a { to: { street: "x" }, many: [{ street: "y", country: "at" }, { street: "z" }] }
    expect a.body.to.country == "de" and a.body.many[0].country == "at" and a.body.many[1].country == "de"
    expect a.body.to.tags[0] == "a"
    let b = POST /b { to: { street: "x" } , size: { h: 2 } }
    expect b.body.from.street == "Home" and b.body.from.country == "de" and b.body.size.w == 3
    let c = POST /c { address: { street: "x" } }
    expect c.body.address.country == "de"
    let d = GET /d
    expect d.body.address.country == "de" and d.body.parcels[0].to.country == "de"
    expect d.body.parcels[0].from.country == "de"
    mock I.a returns { street: "k" }
    let e = GET /e
    expect e.body.country == "de"
    let f = POST /f {}
    let s = first Store where address is not null order by id desc
    expect s.address.country == "de"
    let bad = POST /a { to: { street: "x", country: "xx" } }
    expect bad.status == 422
}
"""


def test_what_is_left_out_has_its_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.cai").write_text(PROGRAM)
    said = CliRunner().invoke(command, [])
    assert said.output.endswith("1 passed, 0 failed\n"), said.output


def test_the_description_says_so(tmp_path: Path) -> None:
    service = served(tmp_path, PROGRAM)
    schemas = service.request("GET", "/openapi.json").json["components"]["schemas"]
    service.close()
    assert schemas["Address"]["required"] == ["street"]
    assert schemas["Address"]["properties"]["country"] == {"type": "string", "enum": ["de", "at"], "default": "de"}
    assert schemas["Address"]["properties"]["tags"]["default"] == ["a"]
    assert schemas["Parcel"]["properties"]["from"]["default"] == {"street": "Home", "country": "de", "tags": ["a"]}
    fields = schemas["StoreCreate"]["properties"]
    assert (fields["open"]["default"], "default" in fields["since"], "default" in schemas["Store"]["properties"]["open"]) == (
        True,
        False,
        False,
    )
