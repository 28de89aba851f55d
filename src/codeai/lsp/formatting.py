"""The canonical form of a document, as edits."""

from __future__ import annotations

from pathlib import Path

from lsprotocol import types as lsp

from codeai.language.diagnostics import Severity
from codeai.language.formatter import format_module
from codeai.language.parser import Parsed, declared_in, parse_module
from codeai.language.source import SourceFile
from codeai.language.spellings.outline import Outline
from codeai.language.tree.declarations import Declaration
from codeai.language.tree.equality import same
from codeai.lsp.changes import applied, edits_between
from codeai.lsp.checked import Checked


def formatting(checked: Checked, path: Path) -> list[lsp.TextEdit] | None:
    """The edits that bring a document into the canonical form; None while its text is broken."""
    file = checked.file(path)
    if file is None:
        return None
    parsed, known = _parsed(checked, file)
    if _broken(parsed):
        return None
    return edits_between(file.text, format_module(parsed.module, file, known).text, checked.lines[path])


def formatting_range(checked: Checked, path: Path, start: int, end: int) -> list[lsp.TextEdit] | None:
    """The same for the declarations that a stretch touches; the rest of the text stays as it is, whatever it looks like.

    :param start: the beginning of the stretch, in the space of the program
    """
    file = checked.file(path)
    if file is None:
        return None
    parsed, known = _parsed(checked, file)
    touched = [one for one in parsed.module.declarations if one.start <= end and start <= one.end]
    if _broken(parsed) or not touched:
        return None
    lines = checked.lines[path]
    within = lines.range(touched[0].start - file.base, touched[-1].end - file.base)
    edits = edits_between(file.text, format_module(parsed.module, file, known).text, lines)
    chosen = [edit for edit in edits if edit.range.start.line <= within.end.line and within.start.line <= edit.range.end.line]
    return chosen if _says(applied(chosen, lines), parsed.module.declarations, file, known) else None


def _parsed(checked: Checked, file: SourceFile) -> tuple[Parsed, Outline | None]:
    parsed = parse_module(file)
    if not parsed.incomplete or len(checked.loaded.sources.files) < 2:
        return parsed, None
    known = declared_in(checked.loaded.sources.files)
    return parse_module(file, known), known


def _broken(parsed: Parsed) -> bool:
    return any(found.severity is Severity.ERROR for found in parsed.diagnostics)


def _says(text: str, declarations: tuple[Declaration, ...], file: SourceFile, known: Outline | None) -> bool:
    parsed = parse_module(SourceFile(file.path, text), known)
    return not _broken(parsed) and same(parsed.module.declarations, declarations)
