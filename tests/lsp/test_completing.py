"""What is offered where: exactly what the checker accepts there."""

from pathlib import Path

import pytest
from cursor import FOLDER, MARK, program
from test_reading import SHOP

from codeai.language.parser import entities, parse_module
from codeai.language.source import SourceFile
from codeai.lsp import locating, outlining
from codeai.lsp.belonging import home_of
from codeai.lsp.checked import Buffers, check
from codeai.lsp.completion.candidates import ENTITY
from codeai.lsp.completion.completing import complete
from codeai.lsp.hovering import hover
from codeai.lsp.lines import Normal

MODULES = [parse_module(SourceFile("shop", SHOP)).module]


def offered(text: str, modules=None, *, snippets: bool = True) -> dict:
    lines = Normal(text.replace(MARK, ""))
    found = complete(lines, text.index(MARK), MODULES if modules is None else modules, snippets=snippets)
    return {one.label: one for one in found}


def within(statements: str) -> str:
    return (
        "endpoint POST /x/{id} {\n    path { id: uuid }\n    body { total: decimal  lines: list(Line) }\n    do {\n        "
        + statements
        + "\n    }\n}\n"
    )


OFFERS = [
    (f"{MARK}", "entity endpoint workflow import", "string"),
    (f"ent{MARK}", "entity", ""),
    ("entity X {\n    a: " + MARK + "\n}", "uuid string list ref Customer Tier Line", "varchar required"),
    ("entity X {\n    a: list(" + MARK + ")\n}", "int Line", ""),
    ("entity X {\n    a: int, " + MARK + "\n}", "required default unique", "int"),
    ("entity X {\n    a: int, req" + MARK + "uired\n}", "required default", ""),
    ("entity X {\n    a: int\n    " + MARK + "\n}", "allow hide index check table traits", "do required"),
    ("entity X {\n    a: int\n    allow " + MARK + "\n}", "read create update delete", "public"),
    ("entity X {\n    a: int\n    allow read: " + MARK + "\n}", "user a", "let select"),
    ("entity X {\n    a: int\n    allow read: user." + MARK + "\n}", "id roles", ""),
    ("entity X {\n    a: int\n    allow read: user.has_role(" + MARK + ")\n}", "clerk chief", "Customer"),
    ("entity X {\n    a: int\n    hide " + MARK + "\n}", "a", ""),
    ("entity X {\n    a: int\n    index: [" + MARK + "]\n}", "a", ""),
    ("entity X {\n    a: ref(" + MARK + ")\n}", "Customer Order X", "Tier"),
    ("entity X {\n    a: many(Order." + MARK + ")\n}", "customer_id", "total"),
    ("resource " + MARK, "Customer Order", "Line"),
    ("resource Order at /orders {\n    " + MARK + "\n}", "auth list create", "do"),
    ("endpoint GET /x {\n    " + MARK + "\n}", "auth do returns body", "schedule"),
    ("endpoint GET /x {\n    use: [" + MARK + "]\n}", "slow", ""),
    ("endpoint GET /x {\n    roles: [" + MARK + "]\n}", "clerk chief", ""),
    ('endpoint GET /x {\n    roles: ["' + MARK + '"]\n}', "clerk chief", ""),
    ("endpoint GET /x {\n    auth: " + MARK + "\n}", "required public", ""),
    ("endpoint GET /x {\n    returns: " + MARK + "\n}", "Order list", ""),
    ("on " + MARK, "OrderPlaced", ""),
    ("workflow W {\n    trigger: " + MARK + "\n}", "OrderPlaced", ""),
    ("workflow W {\n    " + MARK + "\n}", "trigger steps", "schedule"),
    ("workflow W {\n    steps { a { call: " + MARK + " } }\n}", "Bank", ""),
    ("workflow W {\n    steps { a { call: Bank." + MARK + " } }\n}", "charge", ""),
    ("workflow W {\n    steps { a { do { return 1 } } b { when: steps." + MARK + " == 1 do { } } }\n}", "a", "b"),
    ("job J {\n    " + MARK + "\n}", "schedule queue do", "trigger"),
    ("job J {\n    overlap: " + MARK + "\n}", "skip queue allow", ""),
    ("middleware m {\n    type: " + MARK + "\n}", "rate_limiting cors", ""),
    ("middleware m {\n    " + MARK + "\n}", "type", ""),
    ("middleware m {\n    type: cors\n    " + MARK + "\n}", "origins max_age", ""),
    ("auth a {\n    " + MARK + "\n}", "method issuer", ""),
    ("webhook w {\n    " + MARK + "\n}", "event url secret", ""),
    ("config {\n    " + MARK + "\n}", "name cors database", "origins"),
    ("config {\n    cors {\n        " + MARK + "\n    }\n}", "origins", "name"),
    ("@" + MARK + "\nendpoint GET /x { }", "tag deprecated", ""),
    ("endpoint GET /x {\n    body: Order." + MARK + "\n}", "create update pick", ""),
    ("entity X {\n    a: ref(Order), on_delete(" + MARK + ")\n}", "cascade restrict", ""),
    ("workflow W {\n    steps { a { do { } on_fail: " + MARK + " } }\n}", "rollback continue", ""),
    (within("let a = select Order where total > 1 " + MARK), "limit with", "total"),
    (within("as user { roles: [" + MARK + "] }"), "clerk", ""),
    ("role r { inherits: [" + MARK + "] }", "clerk", ""),
    (within(MARK), "let return create path user gross", "mock expect"),
    (within("let a = 1\n        " + MARK), "a let", ""),
    (within("let a = 1\n        let b = " + MARK), "a round select gross body true", "let b"),
    (within("let a = get " + MARK), "Customer Order", "Tier"),
    (within("let a = get Cust" + MARK + "(path.id)"), "Customer", ""),
    (within("let a = select " + MARK), "Order", ""),
    (within("let a = select Order where " + MARK), "total customer body", "let"),
    (within("let a = select Order where customer." + MARK), "name tier", "total"),
    (within("let a = select Order with " + MARK), "customer notes", "total"),
    (within("let a = first Order where customer == 1\n        print(a." + MARK + ")"), "total customer notes", "upper"),
    (within("let a = count(Customer where tier == " + MARK + ")"), '"new" "old" tier', ""),
    (within('let a = count(Customer where tier == "' + MARK + '")'), "new old", "tier"),
    (within("let a = Tier." + MARK), "new old", "total"),
    (within("emit " + MARK), "OrderPlaced", ""),
    (within("emit OrderPlaced { " + MARK + " }"), "order_id total", "body"),
    (within("call " + MARK), "Bank", ""),
    (within("call Bank." + MARK), "charge", ""),
    (within("call Bank.charge { " + MARK + " }"), "amount", "body"),
    (within("create " + MARK), "Order", ""),
    (within("create Order { " + MARK + " }"), "customer_id total", "notes customer"),
    (within("create Order { customer_id: path.id, " + MARK + " }"), "total", "customer_id"),
    (within("create Order { total: " + MARK + " }"), "body", ""),
    (within("update Order set " + MARK), "total", ""),
    (within("start " + MARK), "Pay Later", ""),
    (within("start Later { " + MARK + " }"), "note", ""),
    (within("let l = body." + MARK), "total lines", ""),
    (within("let l = path." + MARK), "id", ""),
    (within("for l in body.lines { print(l." + MARK + ") }"), "sku pieces", ""),
    (within("print(body.lines." + MARK + ")"), "map filter count length", "upper"),
    (within("print(body.lines.map(l => l." + MARK + "))"), "sku", ""),
    (within('let s = "x"\n        print(s.' + MARK + ")"), "upper length split", "map"),
    (within('log info "{' + MARK + '}"'), "body user", ""),
    (within('log info "{body.' + MARK + '}"'), "total", ""),
    (within("let a = config." + MARK), "rate", ""),
    (within("return first Order order by " + MARK), "total", ""),
    ('test "a" {\n    ' + MARK + "\n}", "expect mock advance let", ""),
    ('test "a" {\n    mock Bank.' + MARK + " returns { }\n}", "charge", ""),
]


@pytest.mark.parametrize(("text", "there", "absent"), OFFERS)
def test_what_the_checker_accepts_is_offered(text: str, there: str, absent: str) -> None:
    found = offered(text)
    assert set(there.split()) <= set(found), sorted(found)
    assert not set(absent.split()) & set(found), sorted(found)


@pytest.mark.parametrize(
    "text",
    [
        f"// {MARK}",
        f"entity A {{ // a {MARK}\n}}",
        within(f'log info "a {MARK}"'),
        "entity " + MARK,
        within("let " + MARK),
        within(f"# {MARK}"),
    ],
)
def test_where_names_are_free_nothing_is_offered(text: str) -> None:
    assert list(offered(text)) == []


@pytest.mark.parametrize(
    "rest", ["let a = (1 +", "if body.total > {", '"', "}}}", "let x = [1, 2", "create Order { total: }", "return select from where"]
)
def test_what_is_broken_elsewhere_in_the_block_does_not_matter(rest: str) -> None:
    assert "total" in offered(within(f"print(body.{MARK})\n        {rest}"))


def test_needed_fields_come_first_and_are_said_with_their_types() -> None:
    found = offered(within("create Order { " + MARK + " }"))
    order = sorted(found.values(), key=lambda one: one.sort_text)
    assert [one.label for one in order][:2] == ["customer_id", "total"]
    assert found["total"].detail == "decimal(10,2)"
    assert found["total"].text_edit.new_text == "total: $0"


def test_words_have_their_meaning_and_a_snippet_where_more_must_follow() -> None:
    found = offered(MARK)["endpoint"]
    assert "One method and path" in found.documentation.value and found.text_edit.new_text.startswith("endpoint ${1|GET,")
    assert offered(MARK, snippets=False)["endpoint"].text_edit.new_text == "endpoint"
    clause = offered("endpoint GET /x {\n    " + MARK + "\n}")
    assert (clause["do"].text_edit.new_text, clause["use"].text_edit.new_text) == ("do { $0 }", "use: $0")
    assert offered("endpoint GET /x {\n    au" + MARK + ": public\n}")["auth"].text_edit.new_text == "auth"
    function = offered(within("let a = gr" + MARK))["gross"]
    assert (function.detail, function.documentation.value) == ("(net: decimal) -> decimal", "With tax")


def test_the_word_before_the_cursor_is_replaced() -> None:
    found = offered("entity X {\n    a: int, req" + MARK + "\n}")["required"]
    place = found.text_edit.range
    assert (place.start.line, place.start.character, place.end.character) == (1, 12, 15)


def test_clauses_of_entities_are_those_of_the_parser() -> None:
    assert set(ENTITY) == set(entities._ENTITY) - {"unique"}


def test_other_files_of_the_program_count() -> None:
    checked = program("", other="entity Elsewhere { id: uuid, primary, auto }")
    assert FOLDER / "other.cai" in checked.lines
    assert "Elsewhere" in offered("type A {\n    a: " + MARK + "\n}", checked.loaded.modules)


def test_later_variables_are_not_offered_before_they_are() -> None:
    assert "later" not in offered(within(MARK + "\n        let later = 1\n        print(later)"))


@pytest.mark.parametrize("name", ["bookshop/orders", "clinic/app", "travel/app"])
def test_nothing_raises_anywhere_in_the_examples(name: str) -> None:
    path = Path(__file__).parents[2] / "examples" / f"{name}.cai"
    checked = check(home_of(path, Buffers({}), [path.parent]), {}, "utf-16")
    file, lines = checked.file(path), checked.lines[path]
    assert file is not None
    for offset in range(0, len(lines.text), 97):
        complete(lines, offset, checked.loaded.modules, snippets=True)
        hover(checked, path, file.base + offset)
        locating.type_definition(checked, path, file.base + offset, str)
        outlining.selections(checked, path, file.base + offset)
