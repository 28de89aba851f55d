"""Excerpts: several places, several lines, tabs, wide characters, long lines, several files, colour."""

import msgspec
import pytest

from codeai.language.diagnostics import Diagnostic, DiagnosticClass, Severity, Span
from codeai.language.rendering.concise import concise
from codeai.language.rendering.text import rich
from codeai.language.source import Sources

TEXT = "entity A {\n\tid: uuid  名前: string, x: int\n    b: int\n    c: int\n    d: int\n    e: int\n}\n"


def rendered(text: str, *places: tuple[str, str], colour: bool = False, help_text: str = "") -> str:
    sources = Sources()
    sources.add("a.cai", text)
    spans = [Span(text.index(part), text.index(part) + len(part), label) for part, label in places]
    found = Diagnostic("CAI0101", DiagnosticClass.SCOPE, "message", spans[0], secondary=tuple(spans[1:]), help=help_text)
    return rich(found, sources, colour=colour)


def test_several_places_of_a_line_share_the_row_of_marks() -> None:
    shown = rendered(TEXT, ("string", "here"), ("id", "one"), ("x: int", "three"), ("c: int", "far"))
    assert shown.split("\n")[1:] == [
        " --> a.cai:2:16",
        "  |",
        "2 |     id: uuid  名前: string, x: int",
        "  |     --              ^^^^^^  ------ three",
        "  |     |               |",
        "  |     |               here",
        "  |     one",
        "3 |     b: int",
        "4 |     c: int",
        "  |     ------ far",
    ]


def test_a_place_of_several_lines_has_a_bar() -> None:
    assert rendered(TEXT, (TEXT.strip(), "all of it")).split("\n")[1:] == [
        " --> a.cai:1:1",
        "  |",
        "1 | / entity A {",
        "... |",
        "7 | | }",
        "  | |_^ all of it",
    ]


def test_a_place_that_begins_within_a_line_shows_where() -> None:
    assert rendered("a: {\n  b\n}\n", ("{\n  b\n}", "")).split("\n")[1:] == [
        " --> a.cai:1:4",
        "  |",
        "1 |   a: {",
        "  |  ____^",
        "2 | |   b",
        "3 | | }",
        "  | |_^",
    ]


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("\tbad", "    ^^^"),
        ("ab\tbad", "    ^^^"),
        ("日本 bad", "     ^^^"),
        ("e\u0301 bad", "  ^^^"),
        ("\u202eabc bad", "     ^^^"),
    ],
)
def test_marks_stand_below_what_they_mark(text: str, marks: str) -> None:
    assert rendered(text, ("bad", "")).split("\n")[-1] == f"  | {marks}"


def test_what_would_deceive_a_terminal_is_not_printed() -> None:
    assert "\x1b" not in rendered("\x1b[31m \u202e bad", ("bad", ""))
    assert "\u202e" not in rendered("\x1b[31m \u202e bad", ("bad", ""))


@pytest.mark.parametrize("text", ["\x1b[2J", "\x9b2J", "\u202e", "a\nb", "\ud800"])
def test_what_a_finding_quotes_cannot_disturb_a_terminal_either(text: str) -> None:
    sources = Sources()
    sources.add(f"{text}.cai", "x")
    found = Diagnostic(
        "CAI0101",
        DiagnosticClass.SCOPE,
        f"'{text}'",
        Span(0, 1, text),
        help=text,
        note=text,
        expected=(text, "y"),
        secondary=(Span(0, 1, text),),
    )
    for shown in (rich(found, sources), rich(msgspec.structs.replace(found, help=""), sources), concise(found, sources)):
        assert text not in shown
        assert shown.encode().decode() == shown
    assert "\n" not in concise(found, sources)


def test_a_long_line_is_cut_around_the_place() -> None:
    row, marks = rendered("x" * 5000 + " bad " + "y" * 5000, ("bad", "here")).split("\n")[-2:]
    assert len(row) < 160
    assert row[marks.index("^") :].startswith("bad")


def test_the_end_of_the_text_is_a_place() -> None:
    sources = Sources()
    sources.add("a.cai", "entity A {\n")
    shown = rich(Diagnostic("CAI0011", DiagnosticClass.SYNTAX, "unexpected end of input", Span(11, 11)), sources)
    assert shown.split("\n")[1:] == [" --> a.cai:2:1", "  |", "2 |", "  | ^"]


def test_places_of_another_file_have_their_own_excerpt() -> None:
    sources = Sources()
    sources.add("a.cai", "one\n")
    other = sources.add("b.cai", "x\ntwo\n")
    found = Diagnostic("CAI0102", DiagnosticClass.SCOPE, "m", Span(0, 3), secondary=(Span(other.base + 2, other.base + 5, "first"),))
    assert rich(found, sources).split("\n")[1:] == [
        " --> a.cai:1:1",
        "  |",
        "1 | one",
        "  | ^^^",
        " ::: b.cai:2:1",
        "  |",
        "2 | two",
        "  | --- first",
    ]


def test_colour_changes_no_text() -> None:
    plain = rendered(TEXT, ("string", "here"), ("id", "one"), help_text="help")
    painted = rendered(TEXT, ("string", "here"), ("id", "one"), help_text="help", colour=True)
    assert "\x1b[1;31m" in painted
    for code in ("1;31", "1;34", "34", "1", "0"):
        painted = painted.replace(f"\x1b[{code}m", "")
    assert painted == plain


def test_a_warning_is_called_one() -> None:
    sources = Sources()
    sources.add("a.cai", "x")
    found = Diagnostic("CAI0131", DiagnosticClass.SEMANTIC, "m", Span(0, 1), severity=Severity.WARNING, note="why")
    assert rich(found, sources).startswith("warning[CAI0131] SemanticError: m\n")
    assert rich(found, sources).endswith("  = note: why")
