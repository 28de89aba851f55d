"""Rows that several requests write in one statement: it stores what the statement of one row stores, for every type that it takes."""

import datetime
from decimal import Decimal
from typing import Any

import pytest
from world import NOW, Opening, World, caller, key

from codeai.query.inputs import Inputs
from codeai.query.writes.companions import Companion, CompanionTable
from codeai.query.writes.create import Insert
from codeai.storage.many import OneOfMany

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


def insert(world: World, entity: str) -> tuple[Insert, Any]:
    """What inserts rows, and the values that it asks for."""
    model, inputs = world.statements.model, Inputs()
    made = Insert(model, model.entity(entity), inputs, system=False)
    return made, world.evaluator.values(inputs.expressions)(world.context(caller(1)))


class Taken:
    """A session that keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Any]] = []

    async def fetch_row(self, statement: str, values: Any) -> Any:
        self.sent.append((statement, tuple(values)))
        return (None,)

    def after_commit(self, work: Any) -> None:
        work()


@pytest.mark.parametrize("entity", ["All", "Free"])
async def test_many_rows_are_stored_as_each_alone_would_be(world: World, entity: str) -> None:
    full = FULL if entity == "All" else {"more": {"a": [1, "x'"]}}
    taken, (made, values) = Taken(), insert(world, entity)
    rows = [await made.run(taken, values, given) for given in (full, {}, {**full, **dict.fromkeys(list(full)[-1:])})]  # type: ignore[arg-type]
    (one,) = {statement for statement, _ in taken.sent}
    assert isinstance(one, OneOfMany) == (world.database.dialect == "postgresql")
    if not isinstance(one, OneOfMany):
        return
    found = await world.database.fetch(one.many, [list(column) for column in zip(*(sent for _, sent in taken.sent), strict=True)])
    assert {record[0] for record in found} == {row["id"] for row in rows} == {sent[one.key] for _, sent in taken.sent}
    stored = {row["id"]: row for row in await world.run(f"select {entity}")}
    assert stored == {row["id"]: row for row in rows}


async def test_companions_of_many_rows_are_written_beside_their_own(world: World) -> None:
    """Events, above all; a row that the database leaves out has none."""
    if world.database.dialect == "sqlite":
        return
    await world.database.execute("CREATE FUNCTION leave() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'", ())
    left = "CREATE TRIGGER leave BEFORE INSERT ON owners FOR EACH ROW WHEN (NEW.id = '{}') EXECUTE FUNCTION leave()"
    await world.database.execute(left.format(key(12)), ())
    table = CompanionTable("codeai_traces", (("subject", "uuid"), ("context", "text"), ("at_ms", "bigint")))
    taken, (made, values), told = Taken(), insert(world, "Owner"), []
    for at in (11, 12, 13):
        beside = Companion(table, (key(100 + at), f"of {at}", at), lambda: told.append(1))
        await made.run(taken, values, {"id": key(at)}, lambda row, beside=beside: [beside])  # type: ignore[arg-type, misc]
    ((one),) = {statement for statement, _ in taken.sent}
    assert isinstance(one, OneOfMany) and len(told) == 3
    found = await world.database.fetch(one.many, [list(column) for column in zip(*(sent for _, sent in taken.sent), strict=True)])
    assert {record[0] for record in found} == {key(11), key(13)}
    rows = await world.database.fetch("SELECT subject, context, at_ms FROM codeai_traces ORDER BY at_ms", ())
    assert [tuple(row) for row in rows] == [(key(111), "of 11", 11), (key(113), "of 13", 13)]


@pytest.mark.parametrize("entity", ["Numbered", "Listed", "Guarded"])
async def test_rows_that_depend_on_more_than_themselves_go_alone(world: World, entity: str) -> None:
    taken, (made, values) = Taken(), insert(world, entity)
    await made.run(taken, values, {})  # type: ignore[arg-type]  # all it asks for
    assert [isinstance(statement, OneOfMany) for statement, _ in taken.sent] == [False]
