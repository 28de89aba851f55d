"""Functions whose parameters have no type: what they are given is found out when it comes, and JSON is gone through like a list."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from codeai.cli.test import command

PROGRAM = """
config { name: "x"  default_auth: public }
entity Owner { id: uuid, primary, auto  name: string, required }
entity Thing { id: uuid, primary, auto  n: int, required  owner: ref(Owner)  tags: list(string)  note: string }
function length_of(j) { return j.length }
function named(j) { return j.name + "x" }
function next(j) { return j.n + 1 }
function negated(a) { return -a }
function added(a, b) { return a + b }
function cost(items) { var sum = 0  for i in items { sum = sum + i.price * i.quantity }  return sum }
function summed(l) { return l.map(x => x.n).sum() + 1 }
function many(l) { return l.filter(x => x.n > 1).length }
function judged(a) { return a.ok ? "y" : "n" }
function shown(a) { return "{a.b.c}" }
function stored(a) { update Thing set n = a.n, note = a.note where id == a.id  return (get Thing(a.id)).n }
function found(a) { return first Thing where n == a.n }
function loud(a) { return a.name.upper() }
function doubled(a) { let d: decimal = a * 2  return round(d, 1) }
function key(t) { return t.owner }
function record() { return { a: 1, b: [{ c: 2 }] } }
function rows() { return select Thing }
function codes(j: json) -> json { return j.map(e => e.code) }
function some(j: json) -> json { return j.filter(e => e.code == "b").map(e => e["n"]) }
function one(j: json) -> json { return [first(j).code, j.find(x => x.n > 2).code, j.sort(x => x.n).last().code] }
function total(j: json) -> decimal { return sum(j, x => x.n as decimal) * 2 }
endpoint POST /added { body { a: json  b: json }  returns: json  do { return added(body.a, body.b) } }
endpoint POST /looped { body { a: json }  returns: json  do { var n = 0  for x in body.a { n = n + 1 }  return n } }
endpoint POST /mapped { body { a: json }  returns: json  do { return body.a.map(x => x.y) } }
endpoint POST /negated { body { a: json }  returns: json  do { return negated(body.a) } }

test "what is given is used" {
    let owner = create Owner { name: "o" }
    let thing = create Thing { n: 2, owner: owner, tags: ["a", "b"] }
    expect length_of([1, 2]) == 2 and length_of("abc") == 3
    expect named({ name: "a" }) == "ax" and loud({ name: "a" }) == "A"
    expect next({ n: 1 }) == 2 and next(thing) == 3 and next({ }) == null
    expect added(1, 2) == 3 and added("a", "b") == "ab" and added(1.5, 1) == 2.5 and added([1], [2]) == [1, 2]
    expect cost([{ price: 1.5, quantity: 2 }, { price: 1, quantity: 3 }]) == 6
    expect summed([{ n: 1 }, { n: 2 }]) == 4 and many([{ n: 1 }, { n: 2 }]) == 1
    expect judged({ ok: true }) == "y" and shown({ b: { c: 1 } }) == "1"
    expect stored({ id: thing.id, n: 9, note: "x" }) == 9 and found({ n: 9 }) != null
    expect doubled(2) == 4 and key(thing) == owner.id
    expect record().a + 1 == 2 and record().b.map(x => x.c) == [2]
    expect rows().map(x => x.n) == [9] and rows()[0].note == "x"
}

test "json is gone through" {
    let j: json = [{ code: "c", n: 5 }, { code: "b", n: 1.5 }]
    expect codes(j) == ["c", "b"] and some(j) == [1.5] and one(j) == ["c", "c", "c"] and total(j) == 13
}

test "what does not fit is an error of the request" {
    let texts = POST /added { a: "x", b: 1 }
    expect texts.status == 422 and texts.body.detail contains "'+' does not fit x and 1"
    let maps = POST /added { a: { }, b: 1 }
    let truths = POST /added { a: true, b: 1 }
    let signed = POST /negated { a: "x" }
    let number = POST /looped { a: 5 }
    let text = POST /looped { a: "abc" }
    let letters = POST /mapped { a: "abc" }
    let names = POST /mapped { a: { y: 1 } }
    expect [number, text, letters, names].all(r => r.status == 422)
    let nothing = POST /looped { }
    expect nothing.status == 200 and nothing.body == 0
    let huge = POST /added { a: 9223372036854775807, b: 1 }
    expect [maps, truths, signed, huge].all(r => r.status == 422)
}
"""


def test_values_without_a_declared_type_are_used_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.cai").write_text(PROGRAM)
    said = CliRunner().invoke(command, ["--database", database_url])
    assert said.output.endswith("3 passed, 0 failed\n"), said.output
