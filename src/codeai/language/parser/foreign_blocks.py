"""Statements where clauses stand, as in languages whose handlers are their statements: what a ``do`` block was left out around."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from codeai.language.diagnostics import Edit
from codeai.language.lexer import END, NAME, STRING
from codeai.language.suggestions import nearest
from codeai.language.tree import declarations as d
from codeai.language.tree import statements as st
from codeai.language.tree import workflows as w
from codeai.language.tree.node import Identifier

if TYPE_CHECKING:
    from codeai.language.parser.clauses import Clauses

_Table = Mapping[str, Callable[[Any], d.Clause]]
_BEGINNINGS: Final = frozenset(
    {
        *("let", "var", "const", "if", "for", "return", "redirect", "fail", "require", "log", "emit", "create", "update", "delete"),
        *("select", "get", "first", "insert", "send", "start", "try", "throw", "while", "await"),
    }
)
_CALLED: Final = ("(", ".")


def begin(p: Clauses, table: _Table) -> bool:
    """Whether statements begin here, where only clauses may stand."""
    if not p.at(NAME) or not ("do" in table or "steps" in table):
        return False
    word, following = p.text_at(0), p.kind_at(1)
    if following in (":", "}", ",", END) or (following == "{" and word != "return") or (word in table and word != "if"):
        return False
    if word == "if":
        return following != STRING and _opens_block(p, table)
    if word == "return" and p.text_at(1)[:1].isupper():  # 'returns Order' is meant
        return False
    if word in _BEGINNINGS:
        return True
    return following in _CALLED and not p.breaks_at(1) and nearest(word, table) is None


def clauses(p: Clauses, table: _Table, clause: Callable[[], d.Clause | tuple[d.Clause, ...] | None]) -> tuple[d.Clause, ...]:
    """Reads statements up to the end of the declaration, with the clauses among them, and reports them as one mistake.

    :param table: the clauses that may stand here
    :param clause: reads one of them
    """
    start, word = p.start, p.ends[p.i]
    told = len(p.diagnostics)
    between: list[d.Clause] = []
    ends: list[int] = []

    def part() -> st.Statement | tuple[st.Statement, ...]:
        if p.at(NAME) and p.text_at(0) in table and p.kind_at(1) in (":", "{"):
            found = clause()
            between.extend(found if isinstance(found, tuple) else () if found is None else (found,))
            return ()
        statement = p.statement()
        ends.append(p.previous_end)
        return statement

    statements = p.items(part, within=True)
    end = max(ends, default=word)
    body = st.Block(start, end, statements)
    done: d.Clause = d.DoClause(start, end, body)
    help_text = "put 'do { … }' around the statements"
    opening = "do { "
    if "do" not in table:
        name = Identifier(start, start, "work")
        done = w.StepsClause(start, end, (w.Step(start, end, name, (done,)),))
        help_text, opening = "a workflow does its work in steps: 'steps { work { do { … } } }'", "steps { work { do { "
    apart = any(one.start < end for one in between)
    edits = () if apart else (Edit(start, start, opening), Edit(end, end, " }" * opening.count("{")))
    said = f"expected a clause, got the statement '{p.file.text[start - p.file.base : word - p.file.base]} …'"
    p.report(said, "CAI0037", start, word, help_text=help_text, edits=edits)
    p.diagnostics.insert(told, p.diagnostics.pop())  # before what is wrong in them
    return (done, *between)


def _opens_block(p: Clauses, table: _Table) -> bool:
    """Whether ``if`` has a block, and is no older ``when``: a brace on its line that no clause opens."""
    at, depth = p.i + 1, 0
    while p.kinds[at] not in ("}", END) and not (p.breaks[at] and depth == 0):
        if p.kinds[at] == "{" and depth == 0:
            return p.texts[at - 1] not in table
        depth += (p.kinds[at] in ("(", "[")) - (p.kinds[at] in (")", "]"))
        at += 1
    return False
