"""Fields that a newcomer declares and rows must really have: numbers beside the key, records of a declared type; on both databases."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
config { name: "fields"  default_auth: public }
type Wide { parcel: Parcel.pick(receiver) }
type Place { zip: string(10), required, length(5)  spot: Spot }
type Spot { x: int, required  at: timestamp  cost: decimal }
entity Invoice {
    id: uuid, primary, auto
    number: int, auto, unique
    page: int, auto
    amount: int
    allow create: amount > 0
    allow read, delete: public
}
entity Ticket { id: int, primary, auto  number: int, auto  name: string }
entity Parcel {
    id: uuid, primary, auto
    receiver: Place, required
    stops: list(Place)
    again: Place = receiver
}
resource Invoice at /invoices { auth: public }
resource Parcel at /parcels { auth: public }
endpoint GET /deep/{id} {
    path { id: uuid }
    returns: { x: int, year: string, cost: decimal, stop: string, again: string }
    do {
        let row = get Parcel(path.id)
        let spot = row.receiver.spot
        return { x: spot.x, year: format_date(spot.at, "YYYY"), cost: spot.cost + 1, stop: row.stops[0].zip, again: row.again.zip }
    }
}
endpoint POST /wide { body: Wide  returns: { zip: string }  do { return { zip: body.parcel.receiver.zip } } }

test "each row gets the next number, whoever makes it" {
    let first = create Invoice { amount: 5 }
    let second = POST /invoices { amount: 6 }
    let third = create Invoice { amount: 7 }
    expect first.number == 1 and first.page == 1
    expect second.status == 201 and second.body.number == 2
    expect third.number == 3 and get Invoice(third.id).page == 3 and get Invoice(third.id).amount == 7
    let refused = POST /invoices { amount: 0 }
    expect refused.status == 403
}
test "a key and another field are numbered" {
    create Ticket { name: "a" }
    let ticket = create Ticket { name: "b" }
    expect ticket.id == 2 and ticket.number == 2 and ticket.name == "b"
}
test "members of records are values of their types" {
    let made = POST /parcels {
        receiver: { zip: "10115", spot: { x: 3, at: "2026-11-24T12:00:00Z", cost: 1.50 } }
        stops: [{ zip: "20095" }]
    }
    expect made.status == 201
    let deep = GET /deep/{made.body.id}
    expect deep.body.x == 3 and deep.body.year == "2026" and deep.body.cost == 2.50
    expect deep.body.stop == "20095" and deep.body.again == "10115"
    expect count(Parcel where receiver.zip == "10115" and receiver.spot.x == 3) == 1
    expect count(Parcel where receiver.zip == "20095") == 0
}
test "rules of records hold for what clients send" {
    let short = POST /parcels { receiver: { zip: "1" } }
    expect short.status == 422
    let empty = POST /parcels { receiver: { spot: { x: 1 } } }
    expect empty.status == 422
}
test "a shape in a record has the records of its entity" {
    let wide = POST /wide { parcel: { receiver: { zip: "99999" } } }
    expect wide.body.zip == "99999"
}
"""


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_numbers_and_records_are_kept(tmp_path: Path, database: str, request: pytest.FixtureRequest) -> None:
    program = tmp_path / "app.cai"
    program.write_text(PROGRAM)
    command = [sys.executable, "-m", "codeai", "test", str(program)]
    if database == "postgresql":
        command += ["--database", request.getfixturevalue("postgres").create_database()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280)
    assert done.stdout.endswith("5 passed, 0 failed\n"), done.stdout + done.stderr
