"""Keys that clients choose: a primary field without ``auto`` comes with the new row, and no change of a row touches it."""

from pathlib import Path

import pytest
from surroundings import served

from codeai.server.loading import load_source

PROGRAM = """
entity Room { name: string(40), primary  seats: int, required, min(1) }
resource Room at /rooms { auth: public }
endpoint PUT /halls/{name} { auth: public  body: Room.update  returns: Room }
endpoint POST /halls/{name}/as { auth: public  body: Room.create  returns: Room  do {
    let room = get Room(path.name)  return update room from body
} }
endpoint POST /halls { auth: public  body: Room.create  returns: Room status 201  do { return create Room from body status 201 } }
"""


def test_a_key_of_the_client_comes_with_the_row_and_stays(tmp_path: Path, database_url: str) -> None:
    service = served(tmp_path, PROGRAM, url=database_url)
    made = service.request("POST", "/rooms", {"name": "Aula", "seats": 300})
    assert (made.status, made.header("location"), made.json) == (201, "/rooms/Aula", {"name": "Aula", "seats": 300})
    assert service.request("POST", "/halls", {"name": "Loft", "seats": 3}).status == 201
    again = service.request("POST", "/rooms", {"name": "Aula", "seats": 1})
    assert (again.status, again.fields) == (409, [("name", "not_unique")])
    lacking = service.request("POST", "/rooms", {"seats": 3})
    assert (lacking.status, lacking.fields) == (422, [("name", "required")])
    renamed = service.request("PATCH", "/rooms/Aula", {"name": "Hall"})
    assert (renamed.status, renamed.fields) == (422, [("name", "unknown_field")])
    assert service.request("PUT", "/halls/Aula", {"seats": 5}).json == {"name": "Aula", "seats": 5}
    assert service.request("POST", "/halls/Aula/as", {"name": "Hall", "seats": 6}).json == {"name": "Aula", "seats": 6}
    schemas = service.request("GET", "/openapi.json").json["components"]["schemas"]
    service.close()
    assert schemas["RoomCreate"]["required"] == ["name", "seats"] and list(schemas["RoomUpdate"]["properties"]) == ["seats"]


@pytest.mark.parametrize(("given", "codes"), [("seats: 1", ["CAI0325"]), ('name: "a"  seats: 1', [])])
def test_a_row_without_its_key_is_found_before(given: str, codes: list[str]) -> None:
    text = PROGRAM + f"endpoint POST /more {{ auth: public  do {{ create Room {{ {given} }} }} }}"
    assert [found.code for found in load_source(text.encode()).diagnostics if found.code != "CAI0131"] == codes
