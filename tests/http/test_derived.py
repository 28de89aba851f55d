"""What follows from other rows, functions and the time is the same in every answer, whichever way a row came to it, on both databases."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from codeai.language.diagnostics import Diagnostic
from codeai.query.inputs import Inputs
from codeai.query.writes.create import Insert
from language.samples import analysed, findings
from services.service import Service

PROGRAM = """
config { name: "derived"  version: "1.0.0"  vat: 19 }
auth main { method: jwt  secret: secret(JWT_SECRET) }
role staff { permissions: ["*:*"] }

function gross(price: decimal) -> decimal { return round(price * (100 + config.vat) / 100, 2) }
function level(price: decimal) -> string {
    let taxed = gross(price)
    if taxed > 100 { return "high" } else if taxed > 10 { return "middle" }
    return "low"
}
function stamped(name: string) -> string { return "{name}@{today()}" }
function longest(names: list(string)) -> int { return max(names.map(n => n.length)) ?? 0 }

entity Owner {
    id: uuid, primary, auto
    name: string, required
    limit: decimal, default(1000)
    shout: string = name.upper()
    items: many(Item.owner)
    allow read, create, update, delete: public
}

entity Item {
    id: uuid, primary, auto
    name: string, required
    price: decimal(10,2), default(1)
    due: timestamp
    owner: ref(Owner)
    note: string
    late: bool = due != null and due < now()
    taxed: decimal = gross(price)
    level: string = level(price)
    label: string = "{name}/{late}/{level}"
    whose: string = owner.name
    loud: string = owner.shout
    greeting: string = "{whose}!"
    day: string = stamped(name)
    allow read, create, update, delete: public
    hide note unless owner.name == user.id
}

resource Owner at /owners { auth: optional  create { auth: optional } }
resource Item at /items { auth: optional  list { filter_by: [late, taxed, whose] }  create, update { auth: optional } }

endpoint POST /make {
    auth: optional
    body { owner: uuid, required  name: string, required  price: decimal, required }
    returns: Item status 201
    do {
        let made = create Item { name: body.name, price: body.price, owner: body.owner, note: "n", due: add_days(now(), -1) }
        return made status 201
    }
}
endpoint POST /touch/{id} {
    auth: optional
    path { id: uuid }
    returns: Item
    do {
        let item = get Item(path.id)
        let changed = update item { price: item.price + 1 }
        return changed
    }
}
endpoint GET /read/{id} { auth: optional  path { id: uuid }  returns: Item  do { let item = get Item(path.id) as system  return item } }
endpoint GET /dear { auth: public  returns: list(Item)  do { return select Item where gross(price) > 100 order by gross(price) desc } }
endpoint GET /levels { auth: public  do { return select level(price) as l, count(*) as n from Item group by level(price) order by l } }
endpoint GET /words/{id} {
    auth: public
    path { id: uuid }
    do {
        let item = get Item(path.id)
        return { whose: item.whose, loud: item.loud, greeting: item.greeting, late: item.late, longest: longest([item.name, item.whose]) }
    }
}
endpoint GET /with/{id} { auth: optional  path { id: uuid }  returns: Owner  do { return first Owner with items where id == path.id } }
endpoint POST /checked {
    auth: public
    body { owner: uuid, required  name: string, required  price: decimal, required }
    returns: Item status 201
    validate { price <= owner.limit else "is beyond the limit"  gross(price) < 5000 else "is beyond everything" }
}
endpoint PATCH /checked/{id} {
    auth: public
    body { price: decimal }
    returns: Item
    validate { price <= owner.limit else "is beyond the limit" }
}
"""


@pytest.fixture(scope="module")
def service(service_of: Callable[..., Service]) -> Service:
    return service_of(PROGRAM)


@pytest.fixture(scope="module")
def owner(service: Service) -> str:
    return str(service.request("POST", "/owners", {"name": "ada"}).json["id"])


def told(row: dict[str, object]) -> list[object]:
    names = ("late", "taxed", "level", "label", "whose", "loud", "greeting")
    return [Decimal(str(row[name])) if name == "taxed" else row[name] for name in names]


EXPECTED = [True, Decimal("119.00"), "high", "x/true/high", "ada", "ADA", "ada!"]


def test_a_row_is_the_same_whichever_way_it_came(service: Service, owner: str) -> None:
    made = service.request("POST", "/make", {"owner": owner, "name": "x", "price": 100})
    assert made.status == 201
    id_ = made.json["id"]
    answers = [made.json, service.request("GET", f"/items/{id_}").json, service.request("GET", f"/read/{id_}").json]
    answers.append(next(row for row in service.request("GET", "/items?late=true").json["data"] if row["id"] == id_))
    answers.append(next(row for row in service.request("GET", "/dear").json if row["id"] == id_))
    answers.append(next(row for row in service.request("GET", f"/with/{owner}").json["items"] if row["id"] == id_))
    answers.append(service.request("PATCH", f"/items/{id_}", {"name": "x"}).json)
    answers.append(service.request("PATCH", f"/items/{id_}", {}).json)
    for answer in answers:
        assert told(answer) == EXPECTED
        assert answer["day"].startswith("x@")
    touched = service.request("POST", f"/touch/{id_}").json
    assert (Decimal(str(touched["taxed"])), touched["whose"]) == (Decimal("120.19"), "ada")
    words = service.request("GET", f"/words/{id_}").json
    assert words == {"whose": "ada", "loud": "ADA", "greeting": "ada!", "late": True, "longest": 3}


def test_a_new_row_without_the_other_has_null(service: Service) -> None:
    made = service.request("POST", "/items", {"name": "alone"})
    assert made.status == 201
    assert (made.json["whose"], made.json["loud"], made.json["greeting"], made.json["late"]) == (None, None, "!", False)


def test_a_rule_over_a_relation_hides_in_every_answer(service: Service, owner: str) -> None:
    body = {"owner": owner, "name": "h", "price": 1}
    mine = service.request("POST", "/make", body, token=service.token("ada"))
    assert mine.json["note"] == "n"
    id_ = mine.json["id"]
    for path in (f"/items/{id_}", f"/read/{id_}"):
        assert service.request("GET", path, token=service.token("ada")).json["note"] == "n"
        assert "note" not in service.request("GET", path, token=service.token("eve")).json
        assert "note" not in service.request("GET", path).json
    assert "note" not in service.request("POST", f"/touch/{id_}", token=service.token("eve")).json
    assert service.request("POST", f"/touch/{id_}", token=service.token("ada")).json["note"] == "n"
    assert "note" not in service.request("POST", "/make", body).json


def test_lists_filter_by_computed_fields(service: Service, owner: str) -> None:
    for name, price in (("cheap", 10), ("dear", 2000)):
        assert service.request("POST", "/make", {"owner": owner, "name": name, "price": price}).status == 201
    found = service.request("GET", "/items?min_taxed=2000&whose=ada").json["data"]
    assert [row["name"] for row in found] == ["dear"]
    assert [row["name"] for row in service.request("GET", "/items?taxed=11.9").json["data"]] == ["cheap"]
    assert service.request("GET", "/items?whose=nobody").json["data"] == []
    assert service.request("GET", "/items?late=perhaps").status == 422
    levels = {row["l"]: row["n"] for row in service.request("GET", "/levels").json}
    assert levels["high"] >= 1
    assert levels["middle"] >= 1


def test_rules_of_an_operation_see_the_related_row(service: Service, owner: str) -> None:
    body = {"owner": owner, "name": "c", "price": 1000}
    made = service.request("POST", "/checked", body)
    assert made.status == 201
    refused = service.request("POST", "/checked", {**body, "price": 1001})
    assert (refused.status, refused.json["errors"][0]["message"]) == (422, "is beyond the limit")
    both = service.request("POST", "/checked", {**body, "price": 5000})
    assert [error["message"] for error in both.json["errors"]] == ["is beyond the limit", "is beyond everything"]
    changed = service.request("PATCH", f"/checked/{made.json['id']}", {"price": 1001})
    assert changed.status == 422
    assert service.request("GET", f"/items/{made.json['id']}").json["price"] == 1000


REFUSED = {
    "loop": "var n = a  for i in [1] { n = n + i }  return n",
    "assignment": "var n = a  n = n + 1  return n",
    "failure": "require a > 0 else fail 409  return a",
    "query": "return count(Item where price > a)",
    "effect": 'log info "x"  return a',
    "itself": "if a > 1 { return f(a - 1) }  return a",
}


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize(
    "use",
    [
        "endpoint GET /a { auth: public  returns: list(Item)  do { return select Item where f(price) > 1 } }",
        "endpoint GET /a { auth: public  returns: list(Item)  do { return select Item order by f(price) } }",
        "entity Other { id: uuid, primary, auto  price: decimal, required  twice: decimal = f(price) }",
        "entity Other { id: uuid, primary, auto  price: decimal, required  allow read: f(price) > 1 }",
    ],
    ids=["where", "order", "computed", "policy"],
)
def test_what_no_database_computes_is_refused_by_the_checker(body: str, use: str) -> None:
    program = (
        f"entity Item {{ id: uuid, primary, auto  price: decimal, required }}\nfunction f(a: decimal) -> decimal {{ {body} }}\n{use}\n"
    )
    found: list[Diagnostic] = [item for item in findings(analysed(program)) if item.code == "CAI0360"]
    assert len(found) == 1
    assert "function 'f' cannot be computed for rows of the database: it " in found[0].message


def test_a_function_of_what_is_known_before_may_be_of_any_kind() -> None:
    program = """
    entity Item { id: uuid, primary, auto  price: decimal, required }
    function slow(a: decimal) -> decimal { var n = a  for i in [1, 2] { n = n + i }  return n }
    endpoint GET /a { auth: public  returns: list(Item)  do { return select Item where price > slow(2) } }
    """
    assert [item.code for item in findings(analysed(program)) if item.code == "CAI0360"] == []


MIXED = """
function slow(a: decimal) -> decimal { var n = a  for i in [1, 2] { n = n + i }  return n }
function stamped(name: string) -> string { return "{name}@{today()}" }
entity Author { id: uuid, primary, auto  name: string, required  allow read, create: public }
entity Item {
    id: uuid, primary, auto
    name: string, required
    author: ref(Author)
    day: string = stamped(name)
    by: string = author.name
    allow read: slow(2) > 1
    allow create: public
}
endpoint POST /items { auth: public  body { name: string, required  author: uuid }  returns: Item status 201
    do { return create Item { name: body.name, author: body.author } status 201 } }
"""


def test_a_policy_that_is_no_expression_leaves_the_rest_of_its_entity_written_out(service_of: Callable[..., Service]) -> None:
    answer = service_of(MIXED).request("POST", "/items", {"name": "x"})
    assert answer.status == 201
    assert answer.json["day"].startswith("x@")


def test_a_row_and_what_it_derives_from_others_are_one_transaction(service_of: Callable[..., Service]) -> None:
    model = service_of(MIXED).composition.foundation.statements.model
    alone = {name: Insert(model, model.entity(name), Inputs(), system=True).alone() for name in ("Author", "Item")}
    assert alone == {"Author": True, "Item": False}
