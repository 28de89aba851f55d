"""Edits of findings: which are applied, and what they leave alone."""

from codeai.language.diagnostics import Diagnostic, DiagnosticClass, Edit, Span
from codeai.language.mending import by_file, mended, safe_edits
from codeai.language.source import Sources


def found(start: int, end: int, *edits: Edit) -> Diagnostic:
    return Diagnostic("CAI0101", DiagnosticClass.SCOPE, "m", Span(start, end), edits=edits)


def test_an_edit_is_left_out_where_another_error_stands() -> None:
    edit = Edit(0, 3, "x")
    assert safe_edits([found(0, 3, edit)]) == [edit]
    assert safe_edits([found(0, 3, edit), found(2, 5)]) == []
    assert safe_edits([found(0, 3, edit), found(3, 5)]) == [edit]


def test_unsafe_edits_are_never_applied() -> None:
    assert safe_edits([found(0, 3, Edit(0, 3, "x", safe=False))]) == []
    assert safe_edits([found(0, 3, Edit(0, 1, "x"), Edit(2, 3, "y", safe=False))]) == []


def test_edits_keep_line_ends_of_both_kinds() -> None:
    sources = Sources()
    sources.add("first", "abc")
    original = "\ufeffa\r\nbb\ncc\r\ndd"
    file = sources.add("second", "a\nbb\ncc\ndd")
    edits = [Edit(file.base + 2, file.base + 4, "B"), Edit(file.base + 5, file.base + 7, "C"), Edit(file.end, file.end, "!")]
    assert mended(file, edits, original) == "\ufeffa\r\nB\nC\r\ndd!"
    assert by_file(edits, sources) == [(file, edits)]
