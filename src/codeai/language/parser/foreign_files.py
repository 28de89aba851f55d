"""What is no program, or was not meant to be in one: merge conflicts, fences of Markdown, JSON, HTML and YAML, comments of SQL.

Each is one finding, and what it says is not the program's is left out before anything is parsed.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import Final

from codeai.language.diagnostics import Diagnostic, Edit, Span
from codeai.language.elsewhere import declaration_instead
from codeai.language.lexer import NAME, STRING
from codeai.language.parser.cursor import Cursor

_CONFLICT: Final = re.compile(r"^<{7} .*\n(?:.*\n)*?(={7}\n(?:.*\n)*?>{7} .*(?:\n|\Z))", re.MULTILINE)
_FENCED: Final = re.compile(r"^```\w*[ \t]*\n(.*?)^```[ \t]*(?:\n|\Z)", re.MULTILINE | re.DOTALL)
_CHOOSE: Final = "keep one of the two sides, and delete the other one with the lines of '<<<<<<<', '=======' and '>>>>>>>'"
_COMMENT: Final = "a comment begins with '//'"
_DOCUMENTS: Final = {
    "JSON": "declarations have a keyword and a name, as in 'entity Order { id: uuid, primary, auto }'",
    "HTML": "a program describes a back end; what it answers is JSON",
    "YAML": "blocks stand in braces, as in 'entity Order { id: uuid, primary, auto }'",
}


def prepared(cursor: Cursor) -> None:
    """Reports what is not of the program, and takes its tokens out."""
    text = cursor.file.text
    if "<<<<<<< " in text:
        _conflicts(cursor)
    if "```" in text:
        _fences(cursor)
    if "--" in text:
        _comments(cursor)
    document = _document(cursor)
    if document:
        _whole(cursor, document)


def _document(cursor: Cursor) -> str:
    """The language that a whole text is written in, as far as its beginning tells; empty for all that may be a program."""
    kinds, texts = cursor.kinds, cursor.texts
    if kinds[0] == "{" and kinds[1:3] == [STRING, ":"]:
        return "JSON"
    if kinds[0] == "[" and kinds[1] in ("{", "]"):
        return "JSON"
    if kinds[0] == "<" and (kinds[1] in (NAME, "!") or texts[1] == "?"):
        return "HTML"
    if kinds[:2] == [NAME, ":"] and not declaration_instead(texts[0]):
        return "YAML"
    listed = kinds[0] == "-" and kinds[1] == NAME and kinds[2] == ":"
    return "YAML" if listed or kinds[:3] == ["-", "-", "-"] else ""


def _whole(cursor: Cursor, document: str) -> None:
    start, end = cursor.starts[0], cursor.ends[0]
    _take_out(cursor, start, cursor.starts[-1])
    _report(cursor, f"this is {document}, and no program", Span(start, end), _DOCUMENTS[document])


def _conflicts(cursor: Cursor) -> None:
    """Two versions of some lines, of which the first one is read."""
    base = cursor.file.base
    for found in _CONFLICT.finditer(cursor.file.text):
        if not cursor.starts[0] <= base + found.start() < cursor.starts[-1] + 1:
            continue
        first = cursor.file.text.index("\n", found.start())
        _take_out(cursor, base + found.start(), base + first)
        _take_out(cursor, base + found.start(1), base + found.end(1))
        _report(cursor, "two versions of these lines were not merged", Span(base + found.start(), base + first), _CHOOSE)


def _fences(cursor: Cursor) -> None:
    """An answer of a language model with its prose: what stands between the fences is the program."""
    base, text = cursor.file.base, cursor.file.text
    blocks = list(_FENCED.finditer(text))
    if not blocks or cursor.starts[0] > base + blocks[0].start():
        return
    at = 0
    edits: list[Edit] = []
    for found in [*blocks, None]:
        stop = found.start(1) if found is not None else len(text)
        _take_out(cursor, base + at, base + stop)
        if at < stop:
            edits.append(Edit(base + at, base + stop, ""))
        at = found.end(1) if found is not None else stop
    place = base + blocks[0].start()
    advice = "only what stands between the lines with '```' is the program"
    _report(cursor, "this is Markdown around a program", Span(place, place + 3), advice, tuple(edits))


def _comments(cursor: Cursor) -> None:
    """``-- text``, as in SQL, at the beginning of a line or behind what stands there."""
    base, text = cursor.file.base, cursor.file.text
    edits: list[Edit] = []
    at = 0
    while at + 1 < len(cursor.kinds):
        start = cursor.starts[at]
        if cursor.kinds[at] == cursor.kinds[at + 1] == "-" and cursor.starts[at + 1] == start + 1 and _dashed(text, start - base):
            end = text.find("\n", start - base)
            _take_out(cursor, start, base + (end if end >= 0 else len(text)))
            edits.append(Edit(start, start + 2, "//"))
        else:
            at += 1
    if edits:
        others = tuple(Span(edit.start, edit.end, "and here") for edit in edits[1:])
        _report(cursor, "expected '//', got '--'", Span(edits[0].start, edits[0].end), _COMMENT, tuple(edits), others)


def _dashed(text: str, at: int) -> bool:
    """Whether two dashes stand alone, with white space around them."""
    return text[at + 2 : at + 3] in (" ", "\t", "\n", "") and (not at or text[at - 1].isspace())


def _take_out(cursor: Cursor, start: int, stop: int) -> None:
    """Takes the tokens of a stretch of the text out, and what was said of its characters."""
    tokens = cursor.tokens
    first, last = bisect_left(tokens.starts, start), bisect_left(tokens.starts, stop)
    last = min(last, len(tokens.kinds) - 1)  # the end stays
    if first < last:
        for of in (tokens.kinds, tokens.texts, tokens.starts, tokens.ends, tokens.breaks):
            del of[first:last]
        tokens.breaks[first] = True
        tokens.docs = {at - (last - first) * (at >= last): doc for at, doc in tokens.docs.items() if not first <= at < last}
    cursor.diagnostics[:] = [found for found in cursor.diagnostics if not start <= found.primary.start < stop]


def _report(cursor: Cursor, said: str, place: Span, help_text: str, edits: tuple[Edit, ...] = (), secondary: tuple[Span, ...] = ()) -> None:
    found = Diagnostic("CAI0037", cursor.error_class, said, place, secondary=secondary, help=help_text, edits=edits)
    cursor.diagnostics.append(found)
