"""One mistake, one finding: seeded mistakes in valid programs, and what is said about them."""

import sys
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import recovery  # the same mistakes that are measured

from codeai.language.diagnostics import Severity
from codeai.server.loading import load_source
from language.mutations import CHANGES, Mutation, mutations
from language.samples import analysed, findings

ROOT = Path(__file__).parents[2]
# Programs with examples of all constructs; the bookshop as the one file that it could be.
TEXTS = {
    "bookshop": "\n".join(file.read_text() for file in sorted((ROOT / "examples/bookshop").glob("*.cai"))),
    **{file.stem: file.read_text() for file in sorted((ROOT / "tests/corpus/valid").glob("*.cai"))},
}
VALID = {name: text for name, text in TEXTS.items() if load_source(text.encode()).valid}


def is_one_finding(mutation: Mutation) -> bool | None:
    """Whether at most two errors are reported, the first within two lines of the mistake; None when nothing is wrong after all."""
    program = load_source(mutation.text.encode())
    errors = sorted((found for found in program.diagnostics if found.severity is Severity.ERROR), key=lambda found: found.primary.start)
    if not errors:
        return None
    line = program.sources.locate(errors[0].primary.start).line
    return len(errors) <= 2 and abs(line - mutation.line) <= 2


def test_most_mistakes_are_one_finding_in_their_place() -> None:
    assert "bookshop" in VALID
    good: Counter[str] = Counter()
    all_: Counter[str] = Counter()
    for text in VALID.values():
        for mutation in mutations(text, seed=7, each=4):
            verdict = is_one_finding(mutation)
            if verdict is not None:
                all_[mutation.kind] += 1
                good[mutation.kind] += verdict
    assert set(all_) == set(CHANGES)
    shares = {kind: good[kind] / all_[kind] for kind in all_}
    assert good.total() / all_.total() >= 0.9, shares
    assert min(shares.values()) >= 0.75, shares


def test_few_single_mistakes_have_several_findings() -> None:
    """A sample of what ``benchmarks/recovery.py`` measures, with room for the chance of a small one."""
    several, found = recovery.counted(recovery.mistakes(300, seed=5))
    assert found > 250
    assert several / found < 0.045


@pytest.mark.parametrize("within", [False, True], ids=["in another declaration", "on another line of its declaration"])
def test_a_mistake_hides_no_other_one(within: bool) -> None:
    both, all_ = recovery.pairs(20, seed=5, within=within)
    assert both >= all_ - (5 if within else 2)  # 99 and 92 of 100 in a large sample


SHOP = """entity Book {
    id: uuid, primary, auto
    title: string, required
}

endpoint GET /books/{id} {
    auth: public
    do {
        let book = get Book(path.id)
        return book.title
    }
}
"""


@pytest.mark.parametrize(
    ("wrong", "right", "line", "message"),
    [
        ("required\n}", "required\n", 3, "this block is not closed"),
        ("do {", "do ", 8, "this block is not opened"),
        ("        return book.title\n    }", "        return book.title\n", 10, "this block is not closed"),
        ("title: string", 'title: "string', 3, "unterminated string"),
        ("title: string", "title: , required", 3, "expected a type, got ','"),
        ("auth: public", "auth:", 7, "expected a value, got 'do'"),
        ("auth: public", "auth: public )", 7, "expected a clause, got ')'"),
        ("get Book(path.id)", "get Book(path.id", 9, "expected ')', got 'return'"),
        ("entity Book", "entiy Book", 1, "unknown declaration 'entiy'"),
        ("endpoint GET /books/{id}", "endpoint /books/{id}", 6, "expected identifier, got '/'"),
        ("return book.title", "return book..title", 10, "expected an expression, got '.'"),
        ("let book = get", "book let = get", 9, "expected 'let', got 'book'"),
        ("let book = get Book(path.id)", "let book = update Book set title == path.id where id == path.id", 9, "expected '=', got '=='"),
        ("GET /books/{id}", "GTE /books/{id}", 6, "unknown method 'GTE'"),
        (
            "let book = get Book(path.id)",
            "let book = first Book\n            whree id == path.id",
            10,
            "expected the end of the statement, got 'id'",
        ),
    ],
)
def test_a_mistake_is_one_finding(wrong: str, right: str, line: int, message: str) -> None:
    program = analysed(SHOP.replace(wrong, right, 1))
    found = findings(program)
    assert [(program.sources.locate(item.primary.start).line, item.message) for item in found] == [(line, message)]


def test_a_brace_is_put_in_where_the_layout_misses_it() -> None:
    program = analysed(SHOP.replace("    do {", "    do", 1))
    (found,) = findings(program)
    (edit,) = found.edits
    assert (edit.replacement, edit.safe) == (" {", False)
    mended = program.sources.files[0].text[: edit.start] + edit.replacement + program.sources.files[0].text[edit.end :]
    assert mended.split() == SHOP.split()


def test_mistakes_in_two_declarations_are_two_findings() -> None:
    program = analysed(SHOP.replace("string, required", "strng, required").replace("path.id", "path.ip"))
    assert [found.code for found in findings(program)] == ["CAI0201", "CAI0106"]


def test_an_undefined_variable_is_one_finding_in_each_declaration_with_all_of_its_places() -> None:
    text = SHOP + "\nfunction f(a) { return a + bok + bok }\n\nfunction g() {\n    let book = 2\n    return book + bok\n}\n"
    program = analysed(text)
    found = [one for one in findings(program) if one.code == "CAI0101"]
    assert [program.sources.locate(one.primary.start).line for one in found] == [14, 18]
    assert [[(span.label, text[span.start : span.end]) for span in one.secondary] for one in found] == [[("and here", "bok")], []]


def test_a_misspelt_clause_of_an_older_file_is_read_as_it_was_meant() -> None:
    older = 'workflow w { trigger manual  steps { count { acitvity "stock.count" { quantity: 1 } } } }\n'
    program = analysed(older)
    assert [found.message for found in findings(program) if found.severity is Severity.ERROR] == ["unknown clause 'acitvity'"]


@pytest.mark.parametrize(
    ("broken", "names"),
    [
        ("    title: , required", ["CAI0010"]),
        ("    title string, required]", ["CAI0010"]),
        ("    : string, required", ["CAI0010"]),
        ("    title: strng, required", ["CAI0201"]),
    ],
)
def test_what_a_broken_field_would_have_declared_is_unknown_and_not_undefined(broken: str, names: list[str]) -> None:
    program = analysed(SHOP.replace("    title: string, required", broken))
    assert [found.code for found in findings(program)] == names


def test_names_that_a_broken_field_does_not_have_are_undefined() -> None:
    program = analysed(SHOP.replace("    title: string, required", "    title: , required").replace("book.title", "book.pages"))
    assert [found.message for found in findings(program)] == ["expected a type, got ','", "unknown field 'pages' on entity 'Book'"]


def test_other_statements_of_a_block_with_a_broken_one_are_checked() -> None:
    program = analysed(SHOP.replace("        return", "        let a = )\n        require book.pages > a else fail 400\n        return"))
    assert [found.message for found in findings(program)] == [
        "expected an expression, got ')'",
        "unknown field 'pages' on entity 'Book'",
    ]
