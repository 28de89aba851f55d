"""Statements as other languages write them: ``n += 1``, ``row.n -= 1``, ``emit Paid({ … })``, ``start Deliver(order.id)``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from codeai.language.diagnostics import Edit
from codeai.language.durations import intended
from codeai.language.elsewhere import statement_instead
from codeai.language.lexer import DURATION, INTEGER, NAME, STRING
from codeai.language.tree import expressions as ex
from codeai.language.tree import statements as st
from codeai.language.tree import workflows as w
from codeai.language.tree.node import Identifier

if TYPE_CHECKING:
    from codeai.language.parser.expressions import Expressions
    from codeai.language.parser.requests import Requests
    from codeai.language.parser.statements import Statements
    from codeai.language.parser.workflows import Workflows

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


def refused(parser: Statements) -> None:
    """``while n < 10 {``, ``try {``, ``save row``: fails with what is done here instead."""
    word, following = parser.texts[parser.i], parser.kind_at(1)
    advice = statement_instead(word)
    if not advice or word in parser.host.declared or parser.breaks_at(1):
        return
    if following in (NAME, STRING, INTEGER, DURATION, "{", "*", "!") or (
        following == "(" and word in ("while", "until", "switch", "match")
    ):
        parser.fail(f"unknown statement '{word}'", "CAI0013", parser.start, parser.ends[parser.i], help_text=advice)


def awaited(parser: Expressions) -> None:
    """``await x``, ``new X(…)``: steps over the word, which it reports."""
    word = parser.texts[parser.i]
    if word in ("await", "new") and parser.kind_at(1) == NAME and not parser.breaks_at(1) and word not in parser.host.declared:
        start, end = parser.start, parser.starts[parser.i + 1]
        help_text = (
            "every line waits for the one before" if word == "await" else "rows are made by 'create Entity { … }', records by '{ … }'"
        )
        edits = (Edit(start, end, ""),) if word == "await" else ()
        parser.report(f"expected an expression, got '{word}'", "CAI0037", start, parser.ends[parser.i], help_text=help_text, edits=edits)
        parser.i += 1


def answered(parser: Statements, status: ex.IntLiteral) -> ex.Expression:
    """``return 201, order``: the value behind the status, whose order it reports."""
    comma, end = parser.start, parser.ends[parser.i]
    parser.i += 1
    first = parser.start
    value = parser.expression()
    edits = (Edit(status.start, first, ""), Edit(value.end, value.end, f" status {status.value}"))
    parser.report(
        "the status stands behind the value", "CAI0037", comma, end, help_text=f"write 'return … status {status.value}'", edits=edits
    )
    return value


def waited(parser: Workflows, key: Identifier) -> w.WorkClause:
    """``wait: 5 minutes`` in a step, which it reports: a step waits for an event, and sleeps for a time."""
    told, start = len(parser.diagnostics), parser.start
    value = parser.expression()
    value = parser.counted(value) if isinstance(value, ex.IntLiteral) else value
    del parser.diagnostics[told:]
    text = parser.file.text[start - parser.file.base : parser.previous_end - parser.file.base]
    meant = intended(text) or text
    help_text = f"write 'sleep: {meant}'; what is waited for is an event"
    edits = (Edit(key.start, parser.previous_end, f"sleep: {meant}"),)
    parser.report(f"expected an event, got '{text}'", "CAI0037", start, parser.previous_end, help_text=help_text, edits=edits)
    name = Identifier(key.start, key.end, "sleep")
    return w.WorkClause(key.start, parser.previous_end, name, st.Sleep(key.start, value.end, value))


def sent_to(parser: Statements, channel: ex.Name) -> ex.Call:
    """``send email to order.email { … }``, which it reports."""
    parser.i += 1
    first = parser.start
    to = parser.headed()
    written = parser.file.text[to.start - parser.file.base : to.end - parser.file.base]
    edits = (Edit(channel.end, first, "("), Edit(to.end, to.end, ")"))
    help_text = f"write 'send {channel.text}({written}) {{ … }}'"
    parser.report("expected '(', got 'to'", "CAI0037", channel.end, first, help_text=help_text, edits=edits)
    return ex.Call(channel.start, to.end, channel, (ex.Argument(to.start, to.end, None, to),))


def sent_with(parser: Requests) -> None:
    """``POST /x with { … }`` and ``POST /x body { … }`` in a test: steps over the words, which it reports."""
    at = parser.i
    if parser.breaks[at] or parser.texts[at] not in ("with", "body", "json", "data", "send"):
        return
    ahead = 1 + (parser.text_at(1) in ("body", "json", "data"))
    if parser.kind_at(ahead) != "{" or parser.breaks_at(ahead):
        return
    start, end = parser.start, parser.starts[at + ahead]
    help_text = "the body stands right behind the path: 'POST /x { … }'"
    said = f"expected '{{', got '{parser.texts[at]}'"
    parser.report(said, "CAI0037", start, parser.ends[at], help_text=help_text, edits=(Edit(start, end, ""),))
    parser.i += ahead


def asked_as(parser: Requests) -> None:
    """``POST /x { … } as user`` in a test: steps over the words, and says where the caller is named."""
    if parser.breaks[parser.i] or parser.texts[parser.i] != "as" or parser.kind_at(1) != NAME:
        return
    start, end = parser.start, parser.ends[parser.i + 1]
    parser.i += 2
    if parser.at("{") and not parser.breaks[parser.i]:
        parser.skip_balanced()
    help_text = "who asks is said before, on a line of its own: 'as user { id: \"1\", roles: [admin] }'"
    parser.report("expected the end of the statement, got 'as'", "CAI0037", start, end, help_text=help_text)


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
    elif parser.kind_at(1) == NAME and parser.kind_at(2) in (":", "="):
        entries = _named_arguments(parser)
        edits = (Edit(start, start + 1, " { "), Edit(parser.previous_end - 1, parser.previous_end, " }"))
        edits += tuple(Edit(entry.key.end, entry.value.start, ": ") for entry in entries)
    else:
        parser.skip_balanced()
    help_text = f"values have names and stand in braces: '{word} {name} {{ … }}'"
    parser.report("expected '{', got '('", "CAI0037", start, parser.previous_end, help_text=help_text, edits=edits)
    return entries


def _named_arguments(parser: Expressions) -> tuple[ex.MapEntry, ...]:
    """``(amount: 5, to = x)``."""
    found: list[ex.MapEntry] = []
    parser.i += 1
    parser.depth += 1
    while parser.at(NAME):
        key = parser.identifier()
        parser.i += parser.kinds[parser.i] in (":", "=")
        value = parser.expression()
        found.append(ex.MapEntry(key.start, value.end, key, value))
        if not parser.take(","):
            break
    parser.depth -= 1
    parser.expect(")", "')'", "','")
    return tuple(found)
