"""Signatures, types beside names, colours."""

import pytest
from cursor import FOLDER, MARK, at, program, shown
from lsprotocol import types as lsp
from test_reading import SHOP, cursor

from codeai.lsp import colouring
from codeai.lsp.hinting import hints
from codeai.lsp.signing import signature

SYMBOLS = program(SHOP).loaded.symbols


def within(statements: str) -> str:
    return "endpoint POST /x {\n    body { total: decimal }\n    do {\n        " + statements + "\n    }\n}\n"


SIGNATURES = [
    (within(f"let a = gross({MARK})"), "gross(net: decimal) -> decimal", "net: decimal"),
    (within(f"let a = gross({MARK}"), "gross(net: decimal) -> decimal", "net: decimal"),
    (within(f"let a = gross(body.total{MARK})"), "gross(net: decimal) -> decimal", "net: decimal"),
    (within(f"let a = round(1.5, {MARK})"), "round(number, int?)", "int?"),
    (within(f"let a = round(gross({MARK}), 2)"), "gross(net: decimal) -> decimal", "net: decimal"),
    (within(f"let a = [1].map({MARK})"), "map(list, x => …)", "x => …"),
    (within(f"let a = now({MARK})"), "now()", None),
    (within(f"emit OrderPlaced {{ {MARK} }}"), "emit OrderPlaced { order_id: uuid, total: decimal? }", None),
    (within(f"emit OrderPlaced {{ total: {MARK} }}"), "emit OrderPlaced { order_id: uuid, total: decimal? }", "total: decimal?"),
    (within(f"call Bank.charge {{ amount: {MARK}"), "call Bank.charge { amount: decimal } -> json", "amount: decimal"),
    (within(f"start Later {{ note: {MARK} }}"), "start Later { note: string }", "note: string"),
    (within(f"create Note {{ text: {MARK} }}"), "create Note { order: ref(Order), text: text? }", "text: text?"),
]


@pytest.mark.parametrize(("text", "label", "active"), SIGNATURES)
def test_the_signature_of_what_is_being_called(text: str, label: str, active: str | None) -> None:
    found = signature(text.replace(MARK, ""), text.index(MARK), SYMBOLS)
    assert found is not None
    (one,) = found.signatures
    assert one.label == label
    parameters = [parameter.label for parameter in one.parameters or ()]
    assert (parameters[found.active_parameter] if found.active_parameter < len(parameters) else None) == active  # type: ignore[index,operator]


@pytest.mark.parametrize("text", [within(f"let a = {MARK}1"), within(f"let a = nothing({MARK})"), f"{MARK}", within(f"gro{MARK}ss(1)")])
def test_there_is_no_signature_where_nothing_is_called(text: str) -> None:
    assert signature(text.replace(MARK, ""), text.index(MARK), SYMBOLS) is None


def test_types_are_shown_where_nobody_sees_them() -> None:
    text = within("let a = gross(body.total)\n        let b = 1\n        let c = get Customer(uuid())\n        let d = select Customer")
    checked = program(SHOP + text)
    found = list(hints(checked, FOLDER / "app.cai", SHOP.index("test ") + len('test "buying"'), len(SHOP + text)))
    assert sorted(str(one.label) for one in found) == [": decimal", ": list(Customer)"]
    assert list(hints(checked, FOLDER / "app.cai", 0, 10)) == []


def decoded(checked, found: lsp.SemanticTokens) -> list[tuple[str, str, int]]:
    line = column = 0
    result = []
    for at_ in range(0, len(found.data), 5):
        down, right, length, kind, modifiers = found.data[at_ : at_ + 5]
        line, column = line + down, right + column * (down == 0)
        (text,) = shown(checked, [lsp.Range(lsp.Position(line, column), lsp.Position(line, column + length))])
        result.append((text, colouring.LEGEND.token_types[kind], modifiers))
    return result


def test_names_have_the_colour_of_what_they_refer_to() -> None:
    checked = program(SHOP)
    found = decoded(checked, colouring.tokens(checked, FOLDER / "app.cai"))
    assert found[:3] == [("Customer", "class", 1), ("id", "property", 1), ("name", "property", 1)]
    for one in [
        ("who", "variable", 3),
        ("r", "parameter", 3),
        ("r", "parameter", 2),
        ("gross", "function", 0),
        ("order_placed", "event", 0),
    ]:
        assert one in found
    assert ("old", "enumMember", 0) in found and ("Bank", "namespace", 0) in found and ("clerk", "enumMember", 0) in found


def test_a_part_has_the_colours_of_the_whole() -> None:
    checked, path, offset = at(cursor("gross", "total: gross("))
    (one,) = decoded(checked, colouring.tokens(checked, path, (offset, offset)))
    assert one == ("gross", "function", 0)
