"""Signs and letters that other languages and keyboards have: one finding each, which says what to write."""

import pytest

from language.samples import analysed, findings

PROGRAM = "entity B { id: uuid, primary, auto  a: string  n: int }\nendpoint GET /x { auth: public  do { return %s } }\n"
# What is returned, the finding, its advice, and what the edits make of it ("" where there are none).
LIKE = "write 'starts_with', 'ends_with' or 'contains' without '%', or 'matches' with a pattern"
OPERATORS = [
    ("count(B where a not contains 'x')", "not contains", "write 'not (a contains b)'", "count(B where not (a contains 'x'))"),
    ("count(B where n not between 1 and 2)", "not between", "write 'not (a between b)'", "count(B where not (n between 1 and 2))"),
    ("count(B where a not like 'x%')", "like", LIKE, ""),
    ("count(B where a like 'x%')", "like", LIKE, ""),
    ("1 === 2", "===", "write '=='", "1 == 2"),
    ("1 !== 2", "!==", "write '!='", "1 != 2"),
    ("1 <> 2", "<>", "write '!='", "1 != 2"),
    ("2 ** 3", "**", "a power is written as a product: 'a * a'", ""),
]  # fmt: skip
CHARACTERS = [
    ("1 \N{EN DASH} 2", "\N{EN DASH}", "write '-'"),
    ("1 \N{LESS-THAN OR EQUAL TO} 2", "\N{LESS-THAN OR EQUAL TO}", "write '<='"),
    ("true & false", "&", "write 'and'"),
    ("2 ^ 3", "^", "a power is written as a product: 'a * a'"),
    ("\N{FULLWIDTH LEFT PARENTHESIS}1)", "\N{FULLWIDTH LEFT PARENTHESIS}", "write '('"),
    ("\N{LEFT DOUBLE QUOTATION MARK}abc\N{RIGHT DOUBLE QUOTATION MARK}", "\N{LEFT DOUBLE QUOTATION MARK}", 'texts stand in "…"'),
    ("`a ${now()}`", "`", 'texts stand in "…"; what is to be put in, in braces: "{name}"'),
    ("😀", "😀", ""),
]


@pytest.mark.parametrize(("written", "name", "advice", "mended"), OPERATORS, ids=[case[0] for case in OPERATORS])
def test_an_operator_of_another_language_is_one_finding(written: str, name: str, advice: str, mended: str) -> None:
    text = PROGRAM % written
    (found,) = findings(analysed(text))
    assert (found.message, found.help) == (f"no operator is called '{name}'", advice)
    for edit in sorted(found.edits, key=lambda edit: edit.start, reverse=True):
        text = text[: edit.start] + edit.replacement + text[edit.end :]
    assert text == PROGRAM % (mended or written)
    if mended:
        assert findings(analysed(text)) == []


@pytest.mark.parametrize(("value", "sign"), [("1 is 5", "=="), ("1 is not 5", "!="), ("true is true", "=="), ("'a' is 'x'", "==")])
def test_is_asks_for_null_alone(value: str, sign: str) -> None:
    (found,) = findings(analysed(PROGRAM % value))
    assert found.help == f"'is' asks for null only: write '{sign}'"


@pytest.mark.parametrize(("written", "sign", "advice"), CHARACTERS, ids=[f"U+{ord(case[1]):04X}" for case in CHARACTERS])
def test_a_sign_of_another_keyboard_is_one_finding(written: str, sign: str, advice: str) -> None:
    (found,) = findings(analysed(PROGRAM % written))
    assert (found.message, found.help) == (f"unexpected character '{sign}'", advice)


NAMES = "names have the letters a to z, digits and '_'; this is "


@pytest.mark.parametrize(
    ("name", "sign", "called"),
    [
        ("n\N{CYRILLIC SMALL LETTER A}me", "\N{CYRILLIC SMALL LETTER A}", f"{NAMES}'cyrillic small letter a'"),
        ("größe", "ö", f"{NAMES}'latin small letter o with diaeresis'"),
        ("na\N{ZERO WIDTH SPACE}me", "\\u200b", "take it out; it is 'zero width space', which is not shown"),
    ],
    ids=["look-alike", "umlaut", "invisible"],
)
def test_a_letter_that_names_do_not_have_is_one_finding(name: str, sign: str, called: str) -> None:
    (found,) = findings(analysed(f"entity B {{ id: uuid, primary, auto  {name}: string }}\n"))
    assert found.message == f"unexpected character '{sign}'"
    assert found.help == called


def test_words_that_are_operators_elsewhere_are_names() -> None:
    program = (
        "entity B { id: uuid, primary, auto  like: int }\n"
        "endpoint GET /x { auth: public  do {\nlet like = 1\nlet ilike = like\nreturn { like: like, other: ilike }\n} }\n"
    )
    assert findings(analysed(program)) == []


LINES = 'close it on its line; several lines stand between """ and """'


@pytest.mark.parametrize(
    ("value", "message", "advice"),
    [
        ('"hello\nworld"', "unterminated string", LINES),
        ('"hello\n  if you { can }\n\n  world"', "unterminated string", LINES),
        ('"hello {name\n}"', "unterminated string", LINES),
        (
            "\"{true ? {a: 1} : 2}\"",
            "a map within braces of a text stands in parentheses",
            "as in \"{({ a: 1 }).a}\", or name it before, with 'let'",
        ),
    ],
    ids=["two lines", "braces between", "within an interpolation", "a map within one"],
)  # fmt: skip
def test_a_text_that_is_no_text_of_one_line_is_one_finding(value: str, message: str, advice: str) -> None:
    (found,) = findings(analysed(PROGRAM % value))
    assert (found.message, found.help) == (message, advice)


def test_texts_that_do_not_end_in_two_declarations_are_two_findings() -> None:
    other = "endpoint GET /y { auth: public  do { return 'x } }\n"
    assert [found.message for found in findings(analysed(PROGRAM % '"hello' + other))] == ["unterminated string"] * 2


GRAPHQL = (
    'integration G {{ type: graphql  base_url: "https://x.example"\n    operation a {{ {} }}\n}}\non E {{ call G.a }}\nevent E {{ }}\n'
)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("query { viewer { login } }", 'query: """{ viewer { login } }"""'),
        ("query: { viewer { login } }", 'query: """{ viewer { login } }"""'),
        ("mutation { x(n: 1) { id } }", 'mutation: """mutation { x(n: 1) { id } }"""'),
    ],
)
def test_a_document_of_graphql_belongs_into_a_text(written: str, meant: str) -> None:
    text = GRAPHQL.format(written)
    (found,) = findings(analysed(text))
    assert found.message == "a document of GraphQL stands in a text"
    for edit in sorted(found.edits, key=lambda edit: edit.start, reverse=True):
        text = text[: edit.start] + edit.replacement + text[edit.end :]
    assert text == GRAPHQL.format(meant)
    assert findings(analysed(text)) == []
