"""Hovering, definitions, uses, symbols: of a program that uses most of the language."""

from pathlib import Path

import pytest
from cursor import FOLDER, MARK, address, at, program, shown

from codeai.lsp import locating, outlining
from codeai.lsp.belonging import home_of
from codeai.lsp.checked import Buffers, check
from codeai.lsp.hovering import hover

SHOP = """/// Who buys
entity Customer {
    id: uuid, primary, auto
    /// As it is written on letters
    name: string(80), required
    tier: Tier, default("new")

    allow read: public
}

enum Tier { new, old }

entity Order {
    id: uuid, primary, auto
    customer_id: ref(Customer), required
    total: decimal(10,2), required, min(0)
    notes: many(Note.order)

    index: [total desc]
    allow read: user.has_role(clerk)
    hide total unless user.has_role(clerk)
}

entity Note {
    id: uuid, primary, auto
    order: ref(Order), required
    text: text
}

type Line { sku: string, required  pieces: int }

event OrderPlaced { payload { order_id: uuid, required  total: decimal } key: order_id }

role clerk { permissions: ["orders:read"] }
role chief { inherits: [clerk] }
middleware slow { type: rate_limiting  requests: 10  window: 1m }
integration Bank {
    type: rest
    base_url: "https://bank.example"
    operation charge { method: POST  path: "/charges"  body { amount: decimal, required } }
}
config { name: "shop"  tax { rate: 0.19 } }

/// With tax
function gross(net: decimal) -> decimal { return round(net * (1 + config.tax.rate), 2) }

endpoint POST /customers/{id}/orders {
    auth: public
    path { id: uuid }
    use: [slow]
    body { total: decimal, required  lines: list(Line) }
    returns: Order status 201
    do {
        let who = get Customer(path.id)
        let made = create Order { customer_id: who.id, total: gross(body.total) }
        for line in body.lines { log info "{line.sku}" }
        emit order_placed { order_id: made.id, total: made.total }
        let rich = select Order with customer, notes where total > 10 and customer.tier == Tier.old order by total desc
        print(rich.map(r => r.customer.name))
        return made status 201
    }
}

on "order.placed" where event.total > 5 { log info "placed" { id: event.order_id } }

workflow Pay {
    trigger: OrderPlaced
    steps {
        bill { call: Bank.charge { amount: trigger.total } }
        tell { when: steps.bill.ok  start: Later { note: "x" } }
    }
}
workflow Later { trigger: manual  input { note: string, required } steps { a { do { log info input.note } } } }

resource Order at /orders { auth: required  roles: ["clerk"]  list { filter_by: [total] } }

test "buying" {
    let c = create Customer { name: "Ada" }
    as user { id: "u", roles: [clerk] }
    mock Bank.charge returns { }
    expect executions(Pay).count() == 0 and c.name == "Ada"
    expect calls(Bank.charge).length == 0 and events(OrderPlaced).length == 0
}
"""


def cursor(near: str, within: str, count: int = 1) -> str:
    """The shop with the mark in the middle of a word of a line."""
    line = [line for line in SHOP.split("\n") if within in line][count - 1]
    at_ = SHOP.index(line) + line.index(within) + within.index(near) + len(near) // 2
    return SHOP[:at_] + MARK + SHOP[at_:]


def test_the_program_of_these_tests_is_right() -> None:
    assert [found.message for found in program(SHOP).loaded.diagnostics if found.severity == "error"] == []


REFERENCES = [
    ("Customer", "ref(Customer)", ["Customer", "Customer", "Customer", "Customer"]),
    ("customer", "select Order with customer", ["customer_id", "customer_id", "customer", "customer", "customer"]),
    (
        "total",
        "total: decimal(10,2)",
        ["total", "total", "total", "total", "total", "total", "total", "total"],
    ),
    ("tier", "customer.tier", ["tier", "tier"]),
    ("Tier", "Tier.old", ["Tier", "Tier", "Tier"]),
    ("old", "Tier.old", ["old", "old"]),
    ("order_placed", "emit order_placed", ["OrderPlaced", "order_placed", "order.placed", "OrderPlaced", "OrderPlaced"]),
    ("order_id", "event.order_id", ["order_id", "order_id", "order_id", "order_id"]),
    ("clerk", "inherits: [clerk]", ["clerk", "clerk", "clerk", "clerk", '"clerk"', "clerk"]),
    ("slow", "use: [slow]", ["slow", "slow"]),
    ("charge", "call: Bank.charge", ["charge", "charge", "charge", "charge"]),
    ("amount", "amount: trigger.total", ["amount", "amount"]),
    ("rate", "config.tax.rate", ["rate", "rate"]),
    ("gross", "total: gross(", ["gross", "gross"]),
    ("net", "round(net", ["net", "net"]),
    ("id", "path.id", ["id", "id", "id"]),
    ("who", "who.id", ["who", "who"]),
    ("line", "{line.sku}", ["line", "line"]),
    ("sku", "{line.sku}", ["sku", "sku"]),
    ("r", "r.customer", ["r", "r"]),
    ("bill", "steps.bill", ["bill", "bill"]),
    ("note", "input.note", ["note", "note", "note"]),
    ("Later", "start: Later", ["Later", "Later"]),
    ("Pay", "executions(Pay)", ["Pay", "Pay"]),
    ("name", "c.name", ["name", "name", "name", "name"]),
    ("body", "body.total", []),
]


@pytest.mark.parametrize(("near", "within", "lines"), REFERENCES, ids=[f"{near} in {within}" for near, within, _ in REFERENCES])
def test_a_name_is_found_wherever_it_is_used(near: str, within: str, lines: list[str]) -> None:
    checked, _, offset = at(cursor(near, within))
    found = locating.references(checked, offset, address, declaration=True)
    assert sorted(shown(checked, [one.range for one in found])) == sorted(lines)


def test_each_use_leads_to_the_declaration_and_back() -> None:
    checked = program(SHOP)
    for use in checked.uses:
        place = locating.declared_place(checked, use.key)
        assert place is not None, use
        assert (place.start, place.end) in {(one.start, one.end) for one in checked.uses if one.key == use.key}, use
    only = locating.references(checked, SHOP.index("Tier.old"), address, declaration=False)
    assert shown(checked, [one.range for one in only]) == ["Tier", "Tier"]


def test_definitions_lead_into_other_files() -> None:
    checked, path, offset = at(f"type A {{ a: B{MARK}ox }}", other="/// For things\ntype Box { size: int }")
    (found,) = locating.definition(checked, path, offset, address)
    assert (found.uri, found.range.start.line) == ("other.cai", 1)
    assert [one.uri for one in locating.references(checked, offset, address, declaration=True)] == ["app.cai", "other.cai"]


@pytest.mark.parametrize(
    ("near", "within", "name"),
    [
        ("who", "who.id", "Customer"),
        ("customer_id", "create Order { customer_id", "Customer"),
        ("rich", "rich.map", "Order"),
        ("line", "{line.sku", "Line"),
    ],
)
def test_the_type_of_a_value_is_found(near: str, within: str, name: str) -> None:
    checked, path, offset = at(cursor(near, within))
    found = locating.type_definition(checked, path, offset, address)
    assert found is not None and shown(checked, [found.range])[0] == name


def test_what_is_written_is_told_apart_from_what_is_read() -> None:
    checked, path, offset = at(cursor("made", "made.total"))
    assert [one.kind for one in locating.highlights(checked, path, offset)] == [3, 2, 2, 2]


HOVERS = [
    ("Customer", "get Customer", ["entity Customer {", "Who buys"]),
    ("name", "c.name", ["// of Customer\nname: string(80), required", "As it is written on letters"]),
    ("gross", "total: gross(", ["function gross(net: decimal) -> decimal\n", "With tax"]),
    ("who", "who.id", ["let who: Customer\n"]),
    ("rich", "rich.map", ["let rich: list(Order)\n"]),
    ("old", "Tier.old", ["Tier.old"]),
    ("charge", "call: Bank.charge", ["// of Bank\noperation charge { method: POST"]),
    ("order_placed", "emit order_placed", ["event OrderPlaced { payload"]),
    ("total", "event.total", ["// of OrderPlaced\ntotal: decimal"]),
    ("round", "round(net", ["round(number, int?)", "half to even"]),
    ("map", "rich.map", ["map(list, x => …)"]),
    ("min", "min(0)", ["The smallest number."]),
    ("decimal", "total: decimal(10,2)", ["exact number"]),
    ("use", "use: [slow]", ["Middleware around the endpoint"]),
    ("hide", "hide total", ["only some callers"]),
    ("endpoint", "endpoint POST", ["One method and path"]),
    ("select", "select Order", ["rows of an entity"]),
    ("let", "let who", ["does not change"]),
    ("body", "body.total", ["body: "]),
]


@pytest.mark.parametrize(("near", "within", "texts"), HOVERS, ids=[f"{near} in {within}" for near, within, _ in HOVERS])
def test_what_is_shown_of_a_word(near: str, within: str, texts: list[str]) -> None:
    found = hover(*at(cursor(near, within)))
    assert found is not None
    for text in texts:
        assert text in found.contents.value  # type: ignore[union-attr]


@pytest.mark.parametrize(("near", "within"), [("{", "enum Tier {"), ("0.19", "rate: 0.19"), ("shop", '"shop"')])
def test_nothing_is_shown_where_there_is_nothing_to_say(near: str, within: str) -> None:
    assert hover(*at(cursor(near, within))) is None


def test_symbols_have_what_is_in_them() -> None:
    checked = program(SHOP)
    found = {one.name: one for one in outlining.document_symbols(checked, FOLDER / "app.cai")}
    assert list(found)[:3] == ["Customer", "Tier", "Order"]
    assert [one.name for one in found["Customer"].children or ()] == ["id", "name", "tier"]
    assert [(one.name, one.detail) for one in found["Order"].children or ()][1:3] == [
        ("customer_id", "ref(Customer)"),
        ("total", "decimal(10,2)"),
    ]
    assert [one.name for one in found["Pay"].children or ()] == ["bill", "tell"]
    assert {"POST /customers/{id}/orders", "on order.placed", 'test "buying"', "resource /orders", "config"} <= set(found)
    for symbol in found.values():
        assert symbol.range.start <= symbol.selection_range.start and symbol.selection_range.end <= symbol.range.end


def test_symbols_of_a_workspace_are_found_by_their_letters() -> None:
    found = outlining.workspace_symbols([program(SHOP), program(SHOP)], "cstmr", address)
    assert [(one.name, one.container_name) for one in found] == [
        ("Customer", None),
        ("customer_id", "Order"),
        ("POST /customers/{id}/orders", None),
    ]


def test_blocks_and_comments_fold() -> None:
    text = "// a\n// b\nentity A {\n    id: uuid\n}\n\nendpoint GET /x {\n    do {\n        return 1\n    }\n}\n"
    found = outlining.folding(program(text), FOLDER / "app.cai")
    assert [(one.start_line, one.end_line, one.kind) for one in found] == [(0, 1, "comment"), (2, 4, None), (6, 10, None), (7, 9, None)]


def test_selections_grow_from_the_word_to_the_file() -> None:
    checked, path, offset = at("endpoint GET /x { do { return 1 + tot" + MARK + "al } }")
    selection, texts = outlining.selections(checked, path, offset), []
    while selection is not None:
        texts += shown(checked, [selection.range])
        selection = selection.parent
    assert texts[:3] == ["total", "1 + total", "return 1 + total"]
    assert len(texts) == len(set(texts))


def test_imports_and_functions_in_python_lead_to_their_files(tmp_path: Path) -> None:
    text = 'import "more/*.cai"\nextern function rate(a: int) -> decimal from "rates.of"\n'
    text += "workflow W { steps { a { activity: rates.of { a: 1 } } } }\n"
    for name, content in {
        "app.cai": text,
        "more/x.cai": "",
        "activities/rates.py": "import os\n\nasync def of(a):\n    return 1\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    path = tmp_path / "app.cai"
    checked = check(home_of(path, Buffers({}), [tmp_path]), {}, "utf-16")
    found = [locating.definition(checked, path, text.index(near), address) for near in ("more", 'rates.of"', "rates.of {")]
    assert [[(one.uri, one.range.start.line) for one in each] for each in found] == [[("x.cai", 0)], [("rates.py", 2)], [("rates.py", 2)]]
