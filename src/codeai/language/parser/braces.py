"""Braces that do not match, found by the layout of the text before it is parsed.

A lost brace would give its block another meaning, and the parser would complain of everything behind it. Most programs are
indented, so that the layout tells which block is not closed or opened: the brace is put in, one finding says so, and the rest
is parsed as it was meant. Where the layout tells nothing, nothing is done, and the parser reports what it finds.
"""

from __future__ import annotations

import re
from typing import Final

from codeai.language.diagnostics import Diagnostic, Edit, Span
from codeai.language.lexer import END, NAME, Tokens
from codeai.language.parser.cursor import Cursor

_REPAIRS: Final = 3
_REQUEST: Final = re.compile(r"\b(?:GET|POST|PUT|PATCH|DELETE)\s+(/)")
_OPENERS: Final = ("do", "steps", "else", "parallel", "payload", "input", "seed", "config", "compensate", "jobs", "queues", "headers")


class _Layout:
    """Lines of the tokens: which token begins the line of another one, and how far that line is indented."""

    def __init__(self, cursor: Cursor) -> None:
        self.text = cursor.file.text
        self.base = cursor.file.base
        self.tokens = cursor.tokens

    def first(self, at: int) -> int:
        """The token that begins the line of a token."""
        while at > 0 and not self.tokens.breaks[at]:
            at -= 1
        return at

    def last(self, at: int) -> int:
        """The token that ends the line of a token."""
        while self.tokens.kinds[at + 1] != END and not self.tokens.breaks[at + 1]:
            at += 1
        return at

    def indent(self, at: int) -> int:
        """The column of the first token of a token's line."""
        start = self.tokens.starts[self.first(at)] - self.base
        return start - (self.text.rfind("\n", 0, start) + 1)


def mend_braces(cursor: Cursor) -> None:
    """Puts in the braces that the layout misses, in each declaration for itself, and reports them."""
    kinds = cursor.kinds
    if kinds.count("{") == kinds.count("}"):
        return
    begin = 0
    while kinds[begin] != END:
        end = _next_beginning(cursor, begin)
        for _ in range(_REPAIRS if not _broken_path(cursor, begin, end) else 0):
            depth = kinds[begin:end].count("{") - kinds[begin:end].count("}")
            if depth < 0 and _drop(cursor, begin, end):
                end -= 1
                continue
            if depth == 0 or not (_close(cursor, begin, end) if depth > 0 else _open(cursor, begin, end)):
                break
            end += 1
        begin = end


def _left_open(path: str) -> bool:
    """Whether a path, which goes on to the first white space outside of braces, has a brace that nothing closes on its line."""
    depth = 0
    for character in path:
        if character.isspace() and not depth:
            break
        depth += (character == "{") - (character == "}" and depth > 0)
    return depth > 0


def _broken_path(cursor: Cursor, begin: int, end: int) -> bool:
    """Whether a path in the head of a declaration, or in a request of a test, has braces that do not match: the parser says so."""
    start = cursor.starts[begin] - cursor.file.base
    if cursor.texts[begin] == "test":
        lines = cursor.file.text[start : cursor.ends[end - 1] - cursor.file.base].splitlines()
        return any(_left_open(line[found.start(1) :]) for line in lines for found in _REQUEST.finditer(line))
    if cursor.texts[begin] not in ("endpoint", "resource"):
        return False
    head = cursor.file.text[start : cursor.file.text.find("\n", start)]
    return any(run.count("{") != run.count("}") for run in head.split() if run.startswith("/"))


def _next_beginning(cursor: Cursor, begin: int) -> int:
    cursor.i = begin + 1
    while cursor.kinds[cursor.i] != END and not (cursor.breaks[cursor.i] and cursor.declaration_begins()):
        cursor.i += 1
    end, cursor.i = cursor.i, 0
    return end


def _close(cursor: Cursor, begin: int, end: int) -> bool:
    """Closes the block whose end is missing: a closing brace stands farther left than the block that it would close."""
    layout, tokens = _Layout(cursor), cursor.tokens
    open_: list[int] = []
    for at in range(begin, end):
        if open_ and tokens.kinds[at] == NAME and tokens.breaks[at] and _left_behind(layout, open_[-1], at):
            return _put_closing(cursor, layout, open_[-1], at)
        if tokens.kinds[at] == "{":
            open_.append(at)
        elif tokens.kinds[at] == "}" and open_:
            opener = open_.pop()
            if tokens.breaks[at] and layout.first(opener) != at and layout.indent(at) < layout.indent(opener):
                return _put_closing(cursor, layout, opener, at)
    if not open_ or tokens.kinds[end] == END:
        return False  # the text ends too early, which is what the parser says
    return _put_closing(cursor, layout, open_[-1], end)


def _left_behind(layout: _Layout, opener: int, at: int) -> bool:
    """Whether a line is no farther right than the block above it whose insides are farther right: it stands behind that block."""
    inside = opener + 1
    begins = layout.tokens.breaks[inside] and layout.indent(inside) > layout.indent(opener)
    return begins and inside < at and layout.indent(at) <= layout.indent(opener)


def _put_closing(cursor: Cursor, layout: _Layout, opener: int, before: int) -> bool:
    """A block that begins within its line ends with it; another one before the brace that would close it."""
    last = layout.last(opener)
    at = last + 1 if last > opener and last < before else before
    at = next((token for token in range(opener + 1, at) if _is_else(cursor.tokens, opener, token)), at)
    place = cursor.tokens.ends[at - 1]
    _insert(cursor.tokens, at, "}", place)
    opening = Span(cursor.starts[opener], cursor.ends[opener], "this block")
    cursor.guessed.append(opening.start)
    _report(cursor, "this block is not closed", "CAI0025", place, "a '}' is missing here", (opening,), " }")
    return True


def _is_else(tokens: Tokens, opener: int, at: int) -> bool:
    """Whether ``else`` stands right in the block that opens there, where nothing could go on with it."""
    if tokens.texts[at] != "else" or "require" in tokens.texts[opener:at]:
        return False
    between = tokens.kinds[opener + 1 : at]
    return tokens.kinds[at] == NAME and between.count("{") == between.count("}") and tokens.kinds[at - 1] != "}"


def _drop(cursor: Cursor, begin: int, end: int) -> bool:
    """Leaves out a brace right behind another one that closes a block of an earlier line: those are closed on a line of their own."""
    layout, tokens = _Layout(cursor), cursor.tokens
    open_: list[int] = []
    for at in range(begin, end):
        if tokens.kinds[at] == "{":
            open_.append(at)
        elif tokens.kinds[at] == "}":
            opener = open_.pop() if open_ else -1
            stuck = tokens.kinds[at - 1] == "}" and tokens.starts[at] == tokens.ends[at - 1]
            if stuck and not tokens.breaks[at] and (opener < 0 or layout.first(opener) != layout.first(at)):
                start = tokens.starts[at]
                for of in (tokens.kinds, tokens.texts, tokens.starts, tokens.ends, tokens.breaks):
                    del of[at]
                tokens.docs = {index - (index > at): doc for index, doc in tokens.docs.items()}
                edits = (Edit(start, start + 1, "", safe=False),)
                told = Diagnostic(
                    "CAI0026", cursor.error_class, "this block is not opened", Span(start, start + 1, "it closes nothing"), edits=edits
                )
                cursor.diagnostics.append(told)
                return True
    return False


def _open(cursor: Cursor, begin: int, end: int) -> bool:
    """Opens the block whose beginning is missing: a closing brace closes a block that is none of its line, or of its depth."""
    layout, tokens = _Layout(cursor), cursor.tokens
    open_: list[int] = []
    for at in range(begin, end):
        if tokens.kinds[at] == "{":
            open_.append(at)
        elif tokens.kinds[at] == "}":
            opener = open_.pop() if open_ else -1
            place = _opening_place(layout, opener, at, begin)
            if place is not None:
                cursor.guessed.append(tokens.ends[place - 1])
                where = tokens.ends[place - 1]
                _insert(tokens, place, "{", where)
                closing = Span(tokens.starts[at + 1], tokens.ends[at + 1], "this closes it")
                _report(cursor, "this block is not opened", "CAI0026", where, "a '{' is missing here", (closing,), " {")
                return True
    return False


def _opening_place(layout: _Layout, opener: int, at: int, begin: int) -> int | None:
    """Where the brace is missing that the closing one at ``at`` belongs to; None when it may well close ``opener``."""
    tokens = layout.tokens
    first = layout.first(at)
    if first == at:
        if opener >= 0 and layout.indent(opener) == layout.indent(at):
            return None
        return _head_above(layout, at, begin)
    if opener >= first:
        return None
    for token in range(first + 1, at):
        keyed = tokens.kinds[token] == NAME and tokens.kinds[token + 1] == ":"
        if (
            tokens.texts[token - 1] == "else"
            and tokens.kinds[token] == NAME
            and tokens.texts[token] != "if"
            and "require" not in tokens.texts[first:token]
        ):
            return token
        if keyed and tokens.kinds[token - 1] not in ("{", ",", ";", "[", "("):
            return token
    return first + 1 if tokens.texts[first] in _OPENERS else None


def _head_above(layout: _Layout, at: int, begin: int) -> int | None:
    """The end of the nearest line above that is as far left as the closing brace and opens nothing."""
    tokens, indent = layout.tokens, layout.indent(at)
    line = layout.first(at - 1) if at > begin else begin
    while line >= begin:
        if layout.indent(line) <= indent:
            last = layout.last(line)
            fits = layout.indent(line) == indent and tokens.kinds[last] not in ("{", "}") and last + 1 < at
            return last + 1 if fits else None
        if line == begin:
            return None
        line = layout.first(line - 1)
    return None


def _insert(tokens: Tokens, at: int, kind: str, place: int) -> None:
    tokens.kinds.insert(at, kind)
    tokens.texts.insert(at, kind)
    tokens.starts.insert(at, place)
    tokens.ends.insert(at, place)
    tokens.breaks.insert(at, False)
    tokens.docs = {index + (index >= at): doc for index, doc in tokens.docs.items()}


def _report(cursor: Cursor, message: str, code: str, place: int, label: str, secondary: tuple[Span, ...], insertion: str) -> None:
    edits = (Edit(place, place, insertion, safe=False),)
    cursor.diagnostics.append(Diagnostic(code, cursor.error_class, message, Span(place, place, label), secondary=secondary, edits=edits))
