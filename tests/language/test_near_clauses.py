"""A clause of a query that is misspelt is named, wherever the query stands; what only looks like one is left alone."""

import pytest

from codeai.language.mending import mended
from codeai.language.rendering.concise import concise
from codeai.server.loading import load_source

PROGRAM = """
role admin { permissions: ["*:*"] }
auth main { method: jwt  secret: secret(JWT_SECRET) }
entity Item { id: uuid, primary, auto  name: string, required }
endpoint GET /one { auth: public  returns: any  do { %s } }
"""


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ("return first Item wher name == 'a' as system", "unknown clause 'wher'; did you mean 'where'?"),
        ("return select Item limt 3", "unknown clause 'limt'; did you mean 'limit'?"),
        ("let found = first Item were name == 'a'\nreturn found", "unknown clause 'were'; did you mean 'where'?"),
        ("return select Item serch 'a'", "unknown clause 'serch'; did you mean 'search'?"),
        ("return select Item ordr by name", "unknown clause 'ordr'; did you mean 'order'?"),
    ],
)
def test_a_misspelt_clause_is_named(block: str, said: str) -> None:
    program = load_source((PROGRAM % block).encode())
    lines = [concise(found, program.sources) for found in program.diagnostics]
    assert len(lines) == 1 and said.split(";")[0] in lines[0] and program.diagnostics[0].help == said.split("; ")[1], lines


@pytest.mark.parametrize("block", ["let found = first Item  return found", "let found = first Item where name == 'a'  return found"])
def test_a_statement_behind_a_query_is_none_of_it(block: str) -> None:
    program = load_source((PROGRAM % block).encode())
    assert program.valid, [concise(found, program.sources) for found in program.diagnostics]


def test_a_type_that_nothing_has_is_that_and_not_one_with_arguments() -> None:
    program = load_source(b"entity Item { id: uuid, primary, auto  price: decimel(10,2), required }")
    assert [(found.code, found.help) for found in program.diagnostics] == [("CAI0201", "did you mean 'decimal'?")]


def test_a_reference_to_nothing_is_one_finding() -> None:
    text = b"""entity Author { id: uuid, primary, auto  books: many(Book.author) }
entity Book { id: uuid, primary, auto  author: ref(Autor), required }"""
    assert [found.code for found in load_source(text).diagnostics] == ["CAI0104"]


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        (
            "entity Seat { id: uuid, primary, auto  row: int, required  at: int, required  unique: [row, at desc] }",
            "index: [row, at desc] unique",
        ),
        ("endpoint GET /items { auth: public  returns: paginated(Item)  sort: -name, id }", "sort: name desc, id"),
        ("endpoint GET /items { auth: public  returns: paginated(Item)  sort: id, -name desc }", ""),
    ],
)
def test_what_other_languages_write_is_one_finding_with_its_edit(wrong: str, right: str) -> None:
    text = PROGRAM % "return 1" + wrong
    program = load_source(text.encode())
    assert len(program.diagnostics) == 1, [concise(found, program.sources) for found in program.diagnostics]
    file = program.sources.files[0]
    mending = mended(file, list(program.diagnostics[0].edits), text)
    assert (right in mending and load_source(mending.encode()).valid) if right else mending == text
