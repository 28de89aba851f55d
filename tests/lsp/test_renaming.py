"""Renaming: everywhere or not at all."""

import pytest
from cursor import FOLDER, MARK, address, at
from test_reading import SHOP, cursor

from codeai.lsp.changes import applied
from codeai.lsp.checked import check
from codeai.lsp.documents import Document
from codeai.lsp.renaming import RenameRefused, rename, renameable


def renamed(text: str, new: str, **named: str) -> dict[str, str]:
    """All files after renaming what is at the mark."""
    checked, path, offset = at(text, **named)
    documents = _documents(text, **named)
    found = rename(checked, path, offset, new, documents, address)
    return {uri: applied(edits, checked.lines[FOLDER / uri]) for uri, edits in (found.changes or {}).items()}


def _documents(text: str, **named: str) -> dict:
    files = {"app": text.replace(MARK, ""), **named}
    return {FOLDER / f"{name}.cai": Document(f"{name}.cai", 1, content) for name, content in files.items()}


RENAMES = [
    ("Customer", "ref(Customer)", "Client", 5),
    ("customer_id", "create Order { customer_id", "buyer_id", 4),
    ("total", "total: decimal(10,2)", "amount_due", 9),
    ("clerk", "inherits: [clerk]", "seller", 6),
    ("charge", "call: Bank.charge", "collect", 3),
    ("Bank", "call: Bank.charge", "Credit", 3),
    ("gross", "total: gross(", "with_tax", 2),
    ("who", "who.id", "buyer", 2),
    ("rate", "config.tax.rate", "share", 2),
    ("Later", "start: Later", "Afterwards", 2),
    ("bill", "steps.bill", "invoice", 2),
    ("note", "input.note", "text", 3),
    ("r", "r.customer", "row", 2),
    ("id", "path.id", "customer", 3),
    ("slow", "use: [slow]", "slowly", 2),
]


@pytest.mark.parametrize(("near", "within", "new", "_count"), RENAMES, ids=[f"{one[0]} in {one[1]}" for one in RENAMES])
def test_a_renamed_program_says_the_same(near: str, within: str, new: str, _count: int) -> None:
    text = cursor(near, within)
    (after,) = renamed(text, new).values()
    assert after != SHOP and len(after.split("\n")) == len(SHOP.split("\n"))
    path = FOLDER / "app.cai"
    checked = check(at(text)[0].home, {path: Document("app.cai", 1, after)}, "utf-16")
    assert [found.message for found in checked.loaded.diagnostics if found.severity == "error"] == []


def test_events_keep_the_spelling_of_each_place() -> None:
    (after,) = renamed(cursor("order_placed", "emit order_placed"), "OrderBought").values()
    for text in ("event OrderBought {", "emit order_bought {", 'on "order.bought" where', "trigger: OrderBought"):
        assert text in after


def test_a_field_takes_its_relation_along() -> None:
    (after,) = renamed(cursor("customer_id", "customer_id: ref"), "buyer_id").values()
    for text in ("buyer_id: ref(Customer)", "with buyer, notes", "buyer.tier == Tier.old", "r.buyer.name"):
        assert text in after
    (after,) = renamed(cursor("customer", "r.customer.name"), "buyer").values()
    assert "buyer: ref(Customer)" in after and "create Order { buyer: who.id" in after


def test_all_files_are_renamed() -> None:
    found = renamed(f"type A {{ a: B{MARK}ox }}", "Crate", other="type Box { size: int }\ntype C { b: list(Box) }")
    assert found == {"app.cai": "type A { a: Crate }", "other.cai": "type Crate { size: int }\ntype C { b: list(Crate) }"}


def test_a_section_of_settings_is_renamed_where_it_is_read() -> None:
    (after,) = renamed(cursor("tax", "config.tax.rate"), "vat").values()
    assert "vat { rate: 0.19 }" in after and "config.vat.rate" in after


def test_a_field_is_renamed_as_the_column_that_it_is() -> None:
    text = f"entity A {{ id: uuid, primary, auto  n{MARK}: int }}\n"
    text += "function f() -> int { let l = select n from A order by n return l.length }"
    (after,) = renamed(text, "size").values()
    assert "select size from A order by size" in after


def test_roles_of_tokens_are_renamed() -> None:
    text = (
        f'role guest{MARK} {{ permissions: ["a:b"] }}\nendpoint POST /t {{ auth: public  do {{ return issue_token("x", ["guest"], 1h) }} }}'
    )
    (after,) = renamed(text, "visitor").values()
    assert 'issue_token("x", ["visitor"], 1h)' in after


def test_what_is_tied_by_its_name_alone_is_not_torn_apart() -> None:
    """A parameter of a list filters by the field of its name."""
    text = f"entity A {{ id: uuid, primary, auto  kind{MARK}: string }}\n"
    text += "endpoint GET /a { auth: public  query { kind: string }  returns: paginated(A)  sort: kind }"
    with pytest.raises(RenameRefused):
        renamed(text, "sort_of")


REFUSALS = [
    (cursor("old", "Tier.old"), "ancient", "stand in rows"),
    (cursor("amount", "amount: trigger"), "sum", "the other system knows"),
    (cursor("name", 'name: "shop"'), "title", "a meaning of its own"),
    (cursor("round", "round(net"), "nearest", "no name here"),
    (cursor("Customer", "get Customer"), "Order", "duplicate declaration 'Order'"),
    (cursor("who", "who.id"), "made", "duplicate declaration 'made'"),
    (cursor("who", "who.id"), "a b", "is no name"),
    (cursor("who", "who.id"), "", "is no name"),
    (cursor("who", "who.id"), "1st", "is no name"),
    (f"function f(a: int) -> list(int) {{ let b = 1 return [a].map(x{MARK} => x + b) }}", "b", "something else"),
    (f"function f(a: int) -> int {{ let b{MARK} = 1 return a + b }}", "a", "duplicate declaration 'a'"),
    (
        "entity A { id: uuid, primary, auto  n: int }\nfunction f(m: int) -> int { return count(A where n < 2 * m" + MARK + ") }",
        "n",
        "something else",
    ),
    (
        "database postgres { things { id uuid primary_key  n: int } }\nfunction f() -> int { return count(Th" + MARK + "ing) }",
        "Item",
        "older spelling",
    ),
]


@pytest.mark.parametrize(("text", "new", "reason"), REFUSALS)
def test_what_cannot_be_renamed_is_refused_with_the_reason(text: str, new: str, reason: str) -> None:
    with pytest.raises(RenameRefused, match=reason):
        renamed(text, new)


def test_the_name_is_offered_without_its_quotes() -> None:
    checked, path, offset = at(cursor("clerk", 'roles: ["clerk"]'))
    place, name = renameable(checked, path, offset)
    assert (name, place.end.character - place.start.character) == ("clerk", 5)
