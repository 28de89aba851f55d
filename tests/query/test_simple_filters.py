"""Simple filters in ``q`` (language page, section 4), and what is neither one nor a condition, on both databases."""

from urllib.parse import quote

import pytest

PROGRAM = """
entity Note {
    id: uuid, primary, auto
    title: string, required, searchable
    status: enum(open, closed), default("open")
    price: decimal(8,2)
    archived: bool, default(false)
    tags: list(string)
    mail: string
    due: date
}
resource Note at /notes { auth: public }
"""
NOTES = [
    {"title": "Reading light", "price": 120, "tags": ["a", "b"], "mail": "ada@example.com", "due": "2026-01-01"},
    {"title": "Light reading", "price": 80, "status": "closed", "tags": ["c"], "archived": True},
    {"title": "O'Hara, C++ & naïve-te", "tags": ["b"], "due": "2026-02-01"},
]


@pytest.fixture(scope="module")
def notes(service_of):
    service = service_of(PROGRAM)
    for note in NOTES:
        assert service.request("POST", "/notes", note).status == 201
    return service


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("status:open", [0, 2]),
        ("status:open,closed", [0, 1, 2]),
        ("status:open price:>100", [0]),
        ("price:<=80", [1]),
        ('"reading light"', [0]),
        ("reading light", [0, 1]),
        ("light -archived", [0]),
        ("-archived", [0, 2]),
        ("tags:a,c", [0, 1]),
        ("-tags:b", [1]),
        ("mail:ada@example.com", [0]),
        ('mail:"ada@example.com"', [0]),
        ("mail:null archived:false", [2]),
        ("due:>2026-01-15", [2]),
        ('title:"Reading light"', [0]),
        ("o'hara naïve-te", [2]),
        ('"C++ &"', [2]),
        ("status == 'open' and price > 100", [0]),
    ],
)
def test_filters_find_their_rows(notes, text, found):
    answer = notes.request("GET", f"/notes?q={quote(text)}")
    assert answer.status == 200, answer.body
    assert {row["title"] for row in answer.json["data"]} == {NOTES[at]["title"] for at in found}


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("@", "LexerError", "unexpected character '@'"),
        ("price <", "ParserError", "unexpected end of input"),
        ("price < 100 and", "ParserError", "unexpected end of input"),
        ("light (", "ParserError", None),
        ("price:>100 status ==", "ParserError", None),
        ("title == 'x", "LexerError", "unterminated string"),
        ("nonsense:1", "CompilerError", "unknown field 'nonsense' on entity 'Note'"),
        ("price:cheap", "CompilerError", "type mismatch for field 'price': expected decimal, got string"),
        ("pirce > 1", "CompilerError", "unknown field 'pirce' on entity 'Note'"),
    ],
)
def test_what_is_neither_a_condition_nor_a_simple_filter_is_said_as_the_language_says_it(notes, text, kind, message):
    answer = notes.request("GET", f"/notes?q={quote(text)}")
    assert (answer.status, answer.fields) == (422, [("q", kind)]), answer.body
    if message:
        assert answer.json["errors"][0]["message"] == message
