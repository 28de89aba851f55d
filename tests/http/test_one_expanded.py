"""One row with its relations: ``GET /orders/{id}?expand=customer`` shows what a list shows of it."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from surroundings import served

from services.service import Service

PROGRAM = """
auth main { method: jwt  secret: secret(JWT_SECRET) }
entity Customer {
    id: int, primary
    name: string, required
    owner: string, required
    orders: many(Order.customer)
    allow read: owner == user.id
    allow create: true
}
entity Order {
    id: int, primary
    customer: ref(Customer), required
    items: many(Item.order)
    allow read: id < 100
    allow create: true
}
entity Item { id: int, primary  order: ref(Order), required  text: string  allow read, create: true }
resource Customer at /customers { auth: required }
resource Order at /orders { auth: required }
resource Item at /items { auth: required }
endpoint GET /customers/{customer}/orders/{id} { auth: required  path { customer: int  id: int }  returns: Order }
endpoint GET /plain/{id} { auth: required  path { id: int }  query { expand: string }
    filter { id > 0 or query.expand == "x" if provided }
    returns: Order
}
"""
ADA, BOB = UUID(int=1), UUID(int=2)


@pytest.fixture
def service(tmp_path: Path, database_url: str) -> Iterator[Service]:
    found = served(tmp_path, PROGRAM, url=database_url)
    token = found.token(ADA)
    for path, value in (
        ("/customers", {"id": 1, "name": "Ada", "owner": str(ADA)}),
        ("/orders", {"id": 7, "customer": 1}),
        ("/orders", {"id": 100, "customer": 1}),
        ("/items", {"id": 1, "order": 7, "text": "a"}),
        ("/items", {"id": 2, "order": 7}),
    ):
        made = found.request("POST", path, value, token=token)
        assert made.status == 201, made.body
    yield found
    found.close()


def test_a_row_is_shown_as_a_list_shows_it(service: Service) -> None:
    token = service.token(ADA)
    [listed] = service.request("GET", "/orders?expand=customer,items", token=token).json["data"]
    one = service.request("GET", "/orders/7?expand=customer,items", token=token)
    assert one.json == listed and one.json["customer"]["name"] == "Ada" and len(one.json["items"]) == 2
    assert service.request("GET", "/customers/1/orders/7?expand=customer.orders", token=token).json["customer"]["orders"][0]["id"] == 7
    plain = service.request("GET", "/orders/7", token=token)
    assert plain.json == {"id": 7, "customer": 1} and plain.header("etag") != one.header("etag")
    again = service.request("GET", "/orders/7?expand=customer,items", token=token, headers={"if-none-match": one.header("etag") or ""})
    assert (again.status, again.body) == (304, b"")


def test_what_the_caller_may_not_read_stays_away(service: Service) -> None:
    token = service.token(BOB)
    assert service.request("GET", "/orders/7?expand=customer", token=token).json == {"id": 7, "customer": None}
    for path in ("/orders/100?expand=items", "/orders/8?expand=items", "/customers/2/orders/7?expand=items"):
        assert service.request("GET", path, token=token).status == 404


@pytest.mark.parametrize(
    ("expand", "code"), [("", "wrong_value"), ("nothing", "unknown_relation"), (".".join(["items", "order"] * 3), "too_deep")]
)
def test_an_expansion_that_there_is_not_is_refused(service: Service, expand: str, code: str) -> None:
    answer = service.request("GET", f"/orders/7?expand={expand}", token=service.token(ADA))
    assert (answer.status, answer.fields) == (422, [("expand", code)])


def test_a_parameter_of_the_program_is_its_own(service: Service) -> None:
    assert service.request("GET", "/plain/7?expand=x", token=service.token(ADA)).json == {"id": 7, "customer": 1}


def test_the_description_says_which_relations_there_are(service: Service) -> None:
    paths = service.request("GET", "/openapi.json").json["paths"]
    [expand] = [parameter for parameter in paths["/orders/{id}"]["get"]["parameters"] if parameter["name"] == "expand"]
    assert expand["schema"]["pattern"] == "^(?:items|customer)(?:,(?:items|customer)){0,2}$"
    assert [parameter["name"] for parameter in paths["/plain/{id}"]["get"]["parameters"]].count("expand") == 1
