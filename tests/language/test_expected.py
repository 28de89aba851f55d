"""What could stand where the text goes wrong: a set in words, in the data and for people."""

import pytest

from codeai.language.parser import parse_expression
from codeai.language.rendering.text import rich
from codeai.language.source import Sources
from language.samples import analysed, findings


@pytest.mark.parametrize(
    ("text", "message", "expected"),
    [
        ("function f() { return [1, 2 3] }\n", "expected ']', got '3'", ("','", "']'")),
        ("function f() { return f(1 2) }\n", "expected ')', got '2'", ("','", "')'")),
        ("function f() { return (1 2) }\n", "expected ')', got '2'", ("')'",)),
        ("role admin { permissions: [a b] }\n", "expected ']', got 'b'", ("','", "']'")),
        ("role admin { inherit: [a] }\n", "unknown clause 'inherit'", ("'inherits'", "'permissions'")),
        ("endpoint GRAB /x { }\n", "unknown method 'GRAB'", ("'DELETE'", "'GET'", "'PATCH'", "'POST'", "'PUT'")),
        ("event a { }\non a do dance b\n", "unknown target 'dance'", ("'emit'", "'integration'", "'job'", "'webhook'", "'workflow'")),
    ],
)
def test_the_alternatives_are_in_the_data(text: str, message: str, expected: tuple[str, ...]) -> None:
    found = findings(analysed(text))[0]
    assert (found.message, found.expected) == (message, expected)


@pytest.mark.parametrize(
    ("text", "offered", "not_offered"),
    [
        ("gizmo A { }\n", {"'entity'", "'endpoint'", "'workflow'"}, {"'model'", "'database'"}),
        ("webhook w { zzz: 1 }\n", {"'url'", "'retry'", "'secret'"}, set()),
        ("entity A { id: uuid, zzz }\n", {"'primary'", "'unique'"}, {"'primary_key'", "'not_null'"}),
    ],
)
def test_older_words_are_understood_and_not_offered(text: str, offered: set[str], not_offered: set[str]) -> None:
    found = findings(analysed(text))[0]
    assert offered <= set(found.expected)
    assert not not_offered & set(found.expected)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("function f() { return [1, 2 3] }\n", "  = expected: ',' or ']'"),
        ("role admin { zzz: [a] }\n", "  = expected: 'inherits' or 'permissions'"),
        ("role admin { inherit: [a] }\n", "  = help: did you mean 'inherits'?"),
        ("function f() { return [1, 2", "  = help: expected ',' or ']'"),
    ],
)
def test_people_are_shown_them_where_no_better_advice_is_known(text: str, line: str) -> None:
    program = analysed(text)
    shown = rich(findings(program)[0], program.sources).splitlines()
    assert [part for part in shown if part.startswith("  = ")] == [line]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("@name", "unexpected character '@'"),
        ("find 123", "expected identifier, got '123'"),
        ("name ==", "unexpected end of input"),
    ],
)
def test_the_texts_for_queries_are_kept(text: str, message: str) -> None:
    found = parse_expression(Sources().add("<query>", text)).diagnostics
    assert found[0].message == message
