import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol.types import Position, Range, TextDocumentContentChangePartial, TextDocumentContentChangeWholeDocument

from codeai.lsp.changes import applied, edits_between
from codeai.lsp.documents import changed
from codeai.lsp.lines import Lines, Normal

ENCODINGS = ("utf-8", "utf-16", "utf-32")
TEXTS = st.text(alphabet="ab é😀\n\r\u2028\x0b\ufeff{}", max_size=40)


@pytest.mark.parametrize(("encoding", "column"), [("utf-8", 6), ("utf-16", 3), ("utf-32", 2)])
def test_columns_count_the_units_of_the_encoding(encoding: str, column: int) -> None:
    lines = Lines("x\n😀éb", encoding)
    assert lines.position(4) == Position(1, column)
    assert lines.offset(Position(1, column)) == 4


@pytest.mark.parametrize(
    ("position", "offset"), [(Position(0, 99), 2), (Position(7, 0), 6), (Position(1, 1), 4), (Position(1, 2), 5), (Position(1, 9), 6)]
)
def test_what_lies_outside_is_the_nearest_place(position: Position, offset: int) -> None:
    assert Lines("ab\r\n😀c").offset(position) == (offset if position.line != 1 or position.character > 1 else 4)


def test_only_line_feeds_and_carriage_returns_end_lines() -> None:
    lines = Lines("a\u2028b\x0bc\x85d\re\r\nf")
    assert [lines.position(offset).line for offset in (0, 4, 7, 8, 9, 11)] == [0, 0, 0, 1, 1, 2]


@given(TEXTS, st.sampled_from(ENCODINGS))
def test_every_offset_comes_back(text: str, encoding: str) -> None:
    for lines in (Lines(text, encoding), Normal(text, encoding)):
        for offset in range(len(lines.text) + 1):
            if lines.text[offset - 1 : offset + 1] != "\r\n":  # between the two there is no position
                assert lines.offset(lines.position(offset)) == offset


@given(TEXTS)
def test_lines_of_the_compiler_are_those_of_the_editor(text: str) -> None:
    original, normal = Lines(text), Normal(text)
    for at, character in enumerate(text):
        if character not in "\r\n\ufeff":
            before = text[:at]
            offset = len(before) - before.count("\r\n") - before.startswith("\ufeff")
            assert normal.position(offset) == original.position(at)


def test_changes_of_ranges_and_of_the_whole_text() -> None:
    part = TextDocumentContentChangePartial(Range(Position(0, 2), Position(1, 1)), "x\n")
    assert changed("😀b\nc", part, "utf-16") == "😀x\n"
    assert changed("", part, "utf-16") == "x\n"
    assert changed("a", TextDocumentContentChangeWholeDocument("b"), "utf-16") == "b"
    upside_down = TextDocumentContentChangePartial(Range(Position(0, 2), Position(0, 1)), "")
    assert changed("abc", upside_down, "utf-16") == "ac"


@given(TEXTS, TEXTS)
def test_edits_make_one_text_of_the_other(before: str, after: str) -> None:
    lines = Normal(before)
    after = after.replace("\r", "")
    assert applied(edits_between(lines.text, after, lines), lines) == after


def test_edits_touch_only_lines_that_differ_and_keep_line_ends() -> None:
    lines = Normal("\ufeffa\r\nb\r\nc\r\n")
    (edit,) = edits_between(lines.text, "a\nB\nc\n", lines)
    assert (edit.range, edit.new_text) == (Range(Position(1, 0), Position(2, 0)), "B\r\n")
    (first,) = edits_between(lines.text, "A\nb\nc\n", lines)
    assert first.range.start == Position(0, 1)  # behind the byte order mark
