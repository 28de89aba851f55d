"""Verdicts are those of the statements, on both databases: of stored rows, of the same rows given by hand, and of callers alone."""

import datetime
import itertools
from decimal import Decimal

import pytest
from world import ANONYMOUS, SYSTEM, Opening, caller

from codeai.query.errors import RowNotFound
from codeai.query.verdicts import VerdictPlan

PROGRAM = """
role editor { }
entity Team { id: int, primary  lead: string }
entity Paper {
    id: int, primary
    org: string
    owner: string
    title: string
    price: decimal(10,2)
    due: date
    tags: list(string)
    team: ref(Team)
    gone: timestamp, soft_delete
    traits: [tenant(org)]
    allow read: user.id == owner or user.has_role(editor) or price < 3 or "free" in tags or starts_with(title, "Open")
    allow read: due != null and exists(Team where lead == user.id)
    allow update: user.id == team.lead
    allow delete: user.has_role(editor) and price >= 3
    hide price unless user.has_role(editor)
}
"""
CALLERS = [ANONYMOUS, SYSTEM, caller("ada", tenant="acme"), caller("lea", tenant="acme"), caller("bob", "editor", tenant="other")]


async def filled(world_of: Opening):
    world = await world_of(PROGRAM)
    await world.insert("Team", {"id": 1, "lead": "lea"})
    rows = [
        {"id": 1, "org": "acme", "owner": "ada", "title": "Own", "price": Decimal("5.00"), "team": 1, "tags": []},
        {"id": 2, "org": "acme", "owner": "bob", "title": "Open", "price": Decimal("5.00"), "due": datetime.date(2026, 5, 1)},
        {"id": 3, "org": "other", "owner": "ada", "price": Decimal("2.99"), "tags": ["free"]},
        {"id": 4, "org": "acme", "owner": "x", "price": Decimal("9.00"), "due": datetime.date(2025, 5, 1), "team": 1},
        {"id": 5, "org": "acme", "owner": "ada", "gone": datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)},
        {"id": 6, "org": "other"},
    ]
    await world.insert("Paper", *rows)
    return world, rows


async def verdict(world, user, action, **asked):
    plan = VerdictPlan(world.statements.model, world.application.entity("Paper"), action, **asked)
    return await plan.run(world.session, world.evaluator.values(plan.values)(world.context(user)))


async def test_a_verdict_is_what_the_statement_does(world_of: Opening) -> None:
    world, rows = await filled(world_of)
    seen = set()
    for user, row in itertools.product(CALLERS, rows):
        found = await verdict(world, user, "read", key=row["id"])
        got = await world.run(f"select id from Paper where id == {row['id']}", user)
        assert found.allowed is bool(got), (user, row)
        assert found == await verdict(world, user, "read", row=row), (user, row)
        seen.add(found.allowed)
        for action in ("update", "delete"):
            asked = await verdict(world, user, action, key=row["id"])
            assert asked == await verdict(world, user, action, row=row)
            seen.add((action, asked.allowed))
    assert seen == {True, False, *itertools.product(("update", "delete"), (True, False))}


async def test_what_a_caller_alone_decides_holds_for_every_row(world_of: Opening) -> None:
    world, rows = await filled(world_of)
    for user, action in itertools.product(CALLERS, ("read", "update", "delete")):
        alone = await verdict(world, user, action)
        for row in rows[:4]:
            found = await verdict(world, user, action, key=row["id"])
            known = zip((alone.allowed, *(rule.applies for rule in alone.rules)), (found.allowed, *(rule.applies for rule in found.rules)))
            assert all(before in (None, after) for before, after in known), (user, action, row)
    assert (await verdict(world, ANONYMOUS, "create")).allowed is False
    assert (await verdict(world, SYSTEM, "create")).allowed is True


async def test_a_row_that_is_not_there(world_of: Opening) -> None:
    world, _ = await filled(world_of)
    with pytest.raises(RowNotFound):
        await verdict(world, SYSTEM, "read", key=99)
