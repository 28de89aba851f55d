"""Statements as other languages write them: ``n += 1``, ``row.n -= 1``, ``emit Paid({ … })``, ``start Deliver(order.id)``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from codeai.language.diagnostics import Edit
from codeai.language.lexer import NAME
from codeai.language.tree import expressions as ex
from codeai.language.tree import statements as st
from codeai.language.tree.node import Identifier

if TYPE_CHECKING:
    from codeai.language.parser.expressions import Expressions
    from codeai.language.parser.statements import Statements

_OPERATORS: Final = ("+", "-", "*", "/", "%")


def compound(parser: Statements) -> st.Statement | None:
    """``n += 1``, which it reports; None where the text is nothing such."""
    at = parser.i + 1
    while parser.kinds[at] == "." and parser.kinds[at + 1] == NAME:
        at += 2
    if parser.kinds[at] not in _OPERATORS or parser.kinds[at + 1] != "=" or parser.ends[at] != parser.starts[at + 1]:
        return None
    start, end, operator = parser.start, parser.ends[at - 1], parser.texts[at]
    path = [parser.texts[one] for one in range(parser.i, at, 2)]
    sign, behind = parser.starts[at], parser.ends[at + 1]
    parser.i = at + 2
    value = parser.expression()
    said = f"expected a statement, got '{'.'.join(path)} {operator}='"
    if len(path) > 1:
        row, member = ".".join(path[:-1]), path[-1]
        help_text = f"a row is changed by 'update {row} {{ {member}: {row}.{member} {operator} … }}'"
        parser.report(said, "CAI0037", start, behind, help_text=help_text)
        return st.ExpressionStatement(start, value.end, ex.Missing(start, value.end))
    edits = (Edit(sign, behind, f"= {path[0]} {operator}"),)
    parser.report(said, "CAI0037", start, behind, help_text=f"write '{path[0]} = {path[0]} {operator} …'", edits=edits)
    name = Identifier(start, end, path[0])
    return st.Assign(start, value.end, name, ex.Binary(start, value.end, operator, ex.Name(start, end, path[0]), value))


def named_first(parser: Statements) -> bool:
    """``total let = …``: the name and its keyword in the wrong order, which it reports and puts right."""
    name, keyword = parser.texts[parser.i : parser.i + 2]
    start, end = parser.start, parser.ends[parser.i + 1]
    edits = (Edit(start, end, f"{keyword} {name}"),)
    parser.report(f"expected '{keyword}', got '{name}'", "CAI0037", start, end, help_text=f"write '{keyword} {name} = …'", edits=edits)
    parser.texts[parser.i : parser.i + 2] = keyword, name
    return True


def carried(parser: Expressions, word: str, name: str) -> tuple[ex.MapEntry, ...]:
    """``({ … })`` or ``(…)`` behind what is emitted or started: the values it is given, as far as they have names.

    :param word: what is done, for the help
    :param name: to what
    """
    if not parser.at("(") or parser.breaks[parser.i]:
        return ()
    start = parser.start
    entries: tuple[ex.MapEntry, ...] = ()
    edits: tuple[Edit, ...] = ()
    if parser.kind_at(1) == "{":
        parser.i += 1
        before = parser.start
        entries = parser.map_entries()
        edits = (Edit(start, before, " "), Edit(parser.previous_end, parser.ends[parser.i], ""))
        parser.expect(")", "')'")
    else:
        parser.skip_balanced()
    help_text = f"values have names and stand in braces: '{word} {name} {{ … }}'"
    parser.report("expected '{', got '('", "CAI0037", start, parser.previous_end, help_text=help_text, edits=edits)
    return entries
