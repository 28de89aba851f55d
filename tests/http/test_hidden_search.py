"""``search`` tells nobody what a hidden field holds: a match would say it."""

from collections.abc import Callable

import pytest

from services.service import Service

PROGRAM = """
config { name: "people" }
auth main { method: jwt }
role admin { permissions: ["*:*"] }
entity Person {
    id: uuid, primary, auto
    name: string(100), required, searchable
    diary: text, searchable
    hint: string(100), searchable, write_only
    owner: string
    allow read, create: public
    hide diary unless user.has_role(admin) or owner == user.id
}
entity Letter {
    id: uuid, primary, auto
    text: text, required, searchable
    allow read, create: public
    hide text unless user.has_role(admin)
}
resource Person at /people { auth: optional }
resource Letter at /letters { auth: optional }
endpoint GET /found {
    auth: optional
    query { words: string, required }
    returns: list(Person)
    do { return select Person search query.words }
}
"""


@pytest.fixture(scope="module")
def service(service_of: Callable[..., Service]) -> Service:
    found = service_of(PROGRAM)
    body = {"name": "Ann Lee", "diary": "the treasure lies below", "hint": "mother's maiden name", "owner": "ann"}
    assert found.request("POST", "/people", body).status == 201
    assert found.request("POST", "/letters", {"text": "dear treasure"}).status == 201
    return found


@pytest.mark.parametrize(
    ("target", "nobody", "other", "owner", "admin"),
    [
        ("/people?search=ann", 1, 1, 1, 1),
        ("/people?search=treasure", 0, 0, 1, 1),
        ("/people?search=ann+treasure", 0, 0, 1, 1),
        ("/people?search=maiden", 0, 0, 0, 0),
        ("/people?search=ann+maiden", 0, 0, 0, 0),
        ("/people?search=treasure&total=exact", 0, 0, 1, 1),
        ("/people?search=%22)+OR+treasure", 0, 0, 0, 0),
        ("/people?search=%7Bdiary%7D+%3A+treasure", 0, 0, 0, 0),
        ("/people?search=", 0, 0, 0, 0),
        ("/letters?search=treasure", 0, 0, 0, 1),
    ],
)
def test_only_who_sees_a_field_finds_rows_by_it(service: Service, target: str, nobody: int, other: int, owner: int, admin: int) -> None:
    tokens = (None, service.token("bob"), service.token("ann"), service.token("eve", "admin"))
    found = [len(service.request("GET", target, token=token).json["data"]) for token in tokens]
    assert found == [nobody, other, owner, admin]


def test_so_it_is_in_programs(service: Service) -> None:
    tokens = (None, service.token("bob"), service.token("ann"), service.token("eve", "admin"))
    for words, wanted in (("treasure", [0, 0, 1, 1]), ("ann", [1, 1, 1, 1]), ("maiden", [0, 0, 0, 0])):
        assert [len(service.request("GET", f"/found?words={words}", token=token).json) for token in tokens] == wanted
