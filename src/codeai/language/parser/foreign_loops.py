"""Loops and first values as other languages write them: ``for (let i = 0; i < n; i++)``, ``for (const x of xs)``, ``for _, x := range xs``,
``x := 1``, ``raise NotFound("…")``. Each is one finding, and what stands in the block is checked as it was meant.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from codeai.language.diagnostics import Edit
from codeai.language.elsewhere import LOOPS
from codeai.language.lexer import END, INTEGER, NAME, STRING
from codeai.language.tree import expressions as ex
from codeai.language.tree import statements as st
from codeai.language.tree.module import Gap
from codeai.language.tree.node import Identifier

if TYPE_CHECKING:
    from codeai.language.parser.statements import Statements

_DECLARING: Final = ("const", "let", "var", "val", "auto", "int")
# Names of errors in small letters, and the status that says the same.
_STATUSES: Final = (
    ("notfound", 404),
    ("doesnotexist", 404),
    ("unauthorized", 401),
    ("authentication", 401),
    ("forbidden", 403),
    ("permission", 403),
    ("conflict", 409),
    ("integrity", 409),
    ("badrequest", 400),
)
_REFUSED: Final = 422


# -- loops -----------------------------------------------------------------------------------------------------------------


def loop(parser: Statements) -> st.Statement | None:
    """A loop of another language at the current ``for``; None where the text is nothing such."""
    stop = parser.i + 1
    while parser.kinds[stop] not in ("{", "}", END) and not parser.breaks[stop]:
        stop += 1
    inside = range(parser.i + 1, stop)
    if parser.kinds[stop] != "{":
        return None
    if any(parser.kinds[at] == ";" for at in inside):
        return _counted(parser, stop)
    assigned = next((at for at in inside if parser.kinds[at] == ":" and parser.texts[at + 2] == "range"), None)
    if assigned is not None:
        return _each(parser, parser.texts[assigned - 1], assigned + 3, stop)
    at = parser.i + 1 + (parser.kind_at(1) == "(")
    at += parser.texts[at] in _DECLARING
    if parser.kind_at(1) == "(" and parser.texts[at + 1] in ("of", "in") and parser.kinds[stop - 1] == ")":
        return _each(parser, parser.texts[at], at + 2, stop)
    return None


def _each(parser: Statements, name: str, first: int, stop: int) -> st.Statement:
    """``for (const x of xs) {``: each item of a list.

    :param first: the token that begins the list
    """
    start, before, end = parser.start, parser.starts[parser.i + 1], parser.starts[first]
    edits = [Edit(before, end, f"{name} in ")]
    last = stop - 1
    if parser.text_at(1) == "(" and parser.kinds[last] == ")":
        edits.append(Edit(parser.starts[last], parser.ends[last], ""))
    listed = parser.starts[last if len(edits) > 1 else stop]
    written = parser.file.text[end - parser.file.base : listed - parser.file.base].strip()
    parser.report(
        f"expected 'in', got '{parser.text_at(1)}'",
        "CAI0037",
        start,
        end,
        help_text=f"write 'for {name} in {written} {{ … }}'",
        edits=tuple(edits),
    )
    parser.i = first
    depth, parser.depth = parser.depth, 0
    items = parser.headed()
    parser.depth = depth
    parser.i = stop
    return _body(parser, start, name, items)


def selected(parser: Statements, name: ex.Name) -> ex.Expression:
    """``for order in Order where …``: the query that is meant, behind its name."""
    edits = (Edit(name.start, name.start, "select "),)
    help_text = f"write 'select {name.text} where …'"
    parser.report(f"expected 'select', got '{name.text}'", "CAI0037", name.start, name.end, help_text=help_text, edits=edits)
    while not parser.at("{") and not parser.breaks[parser.i]:
        parser.skip_balanced()
    return ex.Missing(name.start, parser.previous_end)


def _counted(parser: Statements, stop: int) -> st.Statement:
    """``for (let i = 0; i < xs.length; i++) {``: there is no counting, and mostly it goes through a list."""
    start, end = parser.start, parser.ends[stop - 1]
    header = parser.file.text[start - parser.file.base : end - parser.file.base]
    names = [parser.texts[at] for at in range(parser.i + 1, stop) if parser.kinds[at] == NAME and parser.texts[at] not in _DECLARING]
    name = names[0] if names else "i"
    listed = re.search(r"<=?\s*(?:([\w.]+)\.(?:length|size|count)\b|len\(([\w.]+)\))", header)
    meant = (listed[1] or listed[2]) if listed else ""
    help_text = f"write 'for item in {meant} {{ … }}', where 'item' is '{meant}[{name}]'" if meant else LOOPS
    parser.report("expected an item and 'in', got a loop that counts", "CAI0037", start, end, help_text=help_text)
    parser.i = stop
    return _body(parser, start, name, ex.Missing(start, end))


def _body(parser: Statements, start: int, name: str, items: ex.Expression) -> st.Statement:
    parser.host.declared.add(name)
    body = parser.block()
    return st.For(start, body.end, Identifier(start, start, name), items, body)


# -- assignments -------------------------------------------------------------------------------------------------------------


def declared(parser: Statements) -> st.Statement | None:
    """``x := 1`` and ``x, err := f()``, which it reports; None where the text is neither."""
    at = parser.i + 1
    while parser.kinds[at] == "," and parser.kinds[at + 1] == NAME and not parser.breaks[at + 1]:
        at += 2
    if parser.kinds[at] != ":" or parser.kinds[at + 1] != "=" or parser.ends[at] != parser.starts[at + 1]:
        return None
    start, end, name = parser.start, parser.ends[at + 1], Identifier(parser.start, parser.ends[parser.i], parser.texts[parser.i])
    others = frozenset(parser.texts[one] for one in range(parser.i + 2, at, 2))
    help_text = f"write 'let {name.text} = …'" + (", since what fails ends the block by itself" if others else "")
    said = f"expected a statement, got '{name.text}{', …' if others else ''} :='"
    parser.report(said, "CAI0037", start, end, help_text=help_text, edits=(Edit(start, end, f"let {name.text} ="),))
    if others:
        parser.gaps.append(Gap(start, end, parser.keyword, parser.owner, whole=False, unnamed=False, words=others))
    parser.i = at + 2
    parser.host.declared.add(name.text)
    value = parser.expression()
    return st.Let(start, value.end, name, value, False, None)


# -- errors ------------------------------------------------------------------------------------------------------------------


def refused(parser: Statements, start: int, status: ex.IntLiteral) -> st.Fail:
    """``return 404 "no such order"``, which it reports: that is a failure."""
    text = parser.expression()
    edits = (Edit(start, status.start, "fail "),)
    help_text = f"write 'fail {status.value} \"…\"'"
    parser.report("what is refused is no result", "CAI0037", start, status.end, help_text=help_text, edits=edits)
    return st.Fail(start, text.end, st.Failure(start, text.end, status, text, None))


def _misnamed(parser: Statements) -> st.Statement:
    """``error 404 "no such order"``, which it reports."""
    start, end, word = parser.start, parser.ends[parser.i], parser.texts[parser.i]
    parser.report(f"unknown statement '{word}'", "CAI0013", start, end, help_text="did you mean 'fail'?", edits=(Edit(start, end, "fail"),))
    parser.texts[parser.i] = "fail"
    return parser.single_statement()


def raised(parser: Statements) -> st.Statement | None:
    """``raise HTTPException(404, "…")``, ``throw new NotFoundException("…")``, which it reports; None where the text is neither."""
    if parser.texts[parser.i] in ("error", "abort") and parser.kind_at(1) == INTEGER and not parser.breaks_at(1):
        return _misnamed(parser)
    if parser.texts[parser.i] not in ("raise", "throw") or parser.kind_at(1) != NAME or parser.breaks_at(1):
        return None
    start, begin, word = parser.start, parser.i, parser.texts[parser.i]
    parser.i += 1
    parser.i += parser.at_word("new") and parser.kind_at(1) == NAME
    name = parser.texts[parser.i]
    parser.i += 1
    while parser.at(".") and parser.kind_at(1) == NAME:
        name = parser.text_at(1)
        parser.i += 2
    if parser.at("(") and not parser.breaks[parser.i]:
        parser.skip_balanced()
    inside = range(begin, parser.i)
    folded = name.replace("_", "").lower()
    numbers = [int(parser.texts[at]) for at in inside if parser.kinds[at] == INTEGER and parser.texts[at].isdigit()]
    status = next((number for number in numbers if 400 <= number < 600), None)
    status = status or next((code for part, code in _STATUSES if part in folded), _REFUSED)
    text = next((parser.texts[at] for at in inside if parser.kinds[at] == STRING and parser.texts[at][0] == '"'), "")
    meant = f"fail {status}{' ' * bool(text)}{text}"
    help_text = f"write '{meant}'"
    edits = (Edit(start, parser.previous_end, meant),)
    parser.report(f"unknown statement '{word}'", "CAI0013", start, parser.ends[begin], help_text=help_text, edits=edits)
    end = parser.previous_end
    return st.Fail(start, end, st.Failure(start, end, ex.IntLiteral(start, end, status), None, None))
