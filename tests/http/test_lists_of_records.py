"""Queries and computed fields look into stored lists of records; lists are added; json has the order of what stands beside it."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from services.service import Service

PROGRAM = """
entity Paper {
    id: uuid, primary, auto
    meta: json
    tags: list({ name: string, weight: int, price: decimal })
    heavy: int = tags.map(x => x.weight).sum() ?? 0
    worth: decimal = tags.map(x => x.price).sum() ?? 0
    named: bool = tags.any(x => x.name == "a" and x.weight > 1)
    allow read, create: public
}
endpoint POST /papers { auth: public  body: Paper.create  returns: Paper }
endpoint GET /some { auth: public  do { return select Paper where meta.score > 3 } }
endpoint GET /heavy { auth: public  returns: list(Paper)  do { return select Paper where heavy > 3 and named } }
endpoint GET /texts { auth: public  returns: list(Paper)  do { return select Paper where meta.name < "m" } }
endpoint GET /all {
    auth: public
    do {
        var found = []
        for paper in select Paper order by id { found = found + [paper.heavy] + [-1] }
        return { found: found, both: [1] + [2.5], none: found.length }
    }
}
endpoint GET /grouped {
    auth: public
    do {
        let groups = (select Paper).group_by(p => p.named ? "named" : "others")
        var found = []
        for name in groups.keys() { found = found + [{ name: name, heavy: groups[name].map(p => p.heavy).sum() }] }
        return found.sort(f => f.name)
    }
}
"""


@pytest.fixture(scope="module")
def service(service_of: Callable[..., Service]) -> Service:
    found = service_of(PROGRAM)
    tags = [{"name": "a", "weight": 2, "price": 1.25}, {"name": "b", "weight": 3, "price": 2}]
    first = {"meta": {"score": 3.5, "name": "b"}, "tags": tags}
    for body in (first, {"meta": {"score": "x", "name": 1}, "tags": []}, {"meta": {"score": 3}}, {"meta": [1]}):
        assert found.request("POST", "/papers", body).status == 201
    return found


def test_sums_and_conditions_over_members(service: Service) -> None:
    assert [row["heavy"] for row in service.request("GET", "/heavy").json] == [5]
    answer = service.request("POST", "/papers", {"tags": [{"name": "a", "weight": 1, "price": 0.1}]}).json
    assert (answer["heavy"], answer["worth"], answer["named"]) == (1, Decimal("0.1"), False)


def test_json_is_compared_as_what_stands_beside_it(service: Service) -> None:
    assert len(service.request("GET", "/some").json) == 1
    assert [row["meta"]["name"] for row in service.request("GET", "/texts").json] == ["b"]


def test_lists_are_added(service: Service) -> None:
    answer = service.request("GET", "/all").json
    assert answer["found"][:2] == [5, -1]
    assert answer["both"] == [1, 2.5]
    assert answer["none"] == len(answer["found"])
    assert service.request("GET", "/grouped").json[0] == {"name": "named", "heavy": 5}
