"""The expressions of policies and hide rules have names of their own, whatever the statement around them calls its rows."""

import pytest
from world import Opening, caller

PROGRAM = """
entity Member { id: int, primary  name: string  tags: list(string) }
entity Room {
    id: int, primary
    name: string
    labels: list(string)
    host: ref(Member)
    allow read: exists(Member where name == user.id) and labels.any(x => x == "open")
    hide labels unless count(Member where name == user.id) > 0
}
entity Desk { id: int, primary  room: ref(Room)  words: list(string) }
"""
QUERIES = {
    "select id, name from Room where id > 0 order by name desc": [3, 1],
    "select Room where name != null order by id": [1, 3],
    "select id from Desk where words.any(x => room.name == x and x != null) order by id": [1, 3],
    "select id from Desk where room.name != null order by room.name desc": [3, 1],
}


@pytest.mark.parametrize("query", QUERIES)
async def test_a_statement_keeps_its_names_beside_those_of_policies(world_of: Opening, query: str) -> None:
    world = await world_of(PROGRAM)
    await world.insert("Member", {"id": 1, "name": "ada"})
    await world.insert("Room", *({"id": at, "name": f"r{at}", "labels": ["shut" if at == 2 else "open"], "host": 1} for at in (1, 2, 3)))
    await world.insert("Desk", *({"id": at, "room": at, "words": [f"r{at}"]} for at in (1, 2, 3)))
    assert await world.names(query, caller("ada"), "id") == QUERIES[query]
    assert await world.names(query, caller("bob"), "id") == []
