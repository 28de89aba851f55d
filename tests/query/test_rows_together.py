"""Rows that several requests write in one statement: it stores what the statement of one row stores, for every type that it takes."""

import datetime
from decimal import Decimal
from typing import Any

import pytest
from world import NOW, Opening, World, key

from codeai.query.inputs import Inputs
from codeai.query.writes.create import Insert
from codeai.storage.interface import OneOfMany

PROGRAM = """
enum Kind { small, large }
entity Owner { id: uuid, primary }
entity All {
    id: uuid, primary, auto
    text: text  short: string(10)  mail: email  page: url  kind: Kind
    whole: int  part: float  price: decimal(10,2)  exact: decimal  yes: bool
    at: timestamp  day: date  hour: time  span: duration  raw: bytes
    owner: ref(Owner)
}
entity Numbered { id: int, primary, auto  name: string }
entity Listed { id: uuid, primary, auto  names: list(string) }
entity Free { id: uuid, primary, auto  more: json }
entity Guarded { id: uuid, primary, auto  name: string  allow create: name != "no" }
entity Watched { id: uuid, primary, auto  name: string  traits: [audited] }
"""
FULL = {
    "text": "tëxt\n\"'",
    "short": "s",
    "mail": "a@example.com",
    "page": "https://example.com",
    "kind": "small",
    "whole": 2**63 - 1,
    "part": 0.1,
    "price": Decimal("1.10"),
    "exact": Decimal("1e-20"),
    "yes": True,
    "at": NOW,
    "day": datetime.date(2026, 2, 28),
    "hour": datetime.time(23, 59, 59),
    "span": datetime.timedelta(milliseconds=1500),
    "raw": b"\x00\xff",
    "owner": key(1),
}


@pytest.fixture
async def world(world_of: Opening) -> World:
    found = await world_of(PROGRAM)
    await found.insert("Owner", {"id": key(1)})
    return found


def insert(world: World, entity: str) -> tuple[Insert, OneOfMany | None]:
    model = world.statements.model
    made = Insert(model, model.entity(entity), Inputs(), system=False)
    return made, made.together()


class Taken:
    """A session that keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Any]] = []

    async def fetch_row(self, statement: str, values: Any) -> Any:
        self.sent.append((statement, tuple(values)))
        return (None,)


async def test_many_rows_are_stored_as_each_alone_would_be(world: World) -> None:
    made, together = insert(world, "All")
    if world.database.dialect == "sqlite":
        assert together is None
        return
    assert together is not None
    taken = Taken()
    values = (NOW,)
    rows = [await made.run(taken, values, given) for given in (FULL, {}, {**FULL, "owner": None})]  # type: ignore[arg-type]  # all it asks for
    assert {statement for statement, _ in taken.sent} == {together.one}
    found = await world.database.fetch(together.many, [list(column) for column in zip(*(sent for _, sent in taken.sent), strict=True)])
    assert {record[0] for record in found} == {row["id"] for row in rows} == {sent[together.key] for _, sent in taken.sent}
    stored = {row["id"]: row for row in await world.run("select All")}
    assert stored == {row["id"]: row for row in rows}


@pytest.mark.parametrize("entity", ["Numbered", "Listed", "Free", "Guarded", "Watched"])
async def test_rows_that_depend_on_more_than_themselves_go_alone(world: World, entity: str) -> None:
    assert insert(world, entity)[1] is None
