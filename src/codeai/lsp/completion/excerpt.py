"""The part of a program that matters at the cursor: the declaration around it as text, of all others what they declare."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from codeai.language.source import SourceFile
from codeai.language.tree import declarations as d
from codeai.language.tree import events as ev
from codeai.language.tree import integrations as i
from codeai.language.tree import statements as st
from codeai.language.tree import workflows as w
from codeai.language.tree.expressions import Missing
from codeai.language.tree.module import Module

_WHOLE: Final = (
    *(d.TypeDeclaration, d.EnumDeclaration, d.AuthDeclaration, d.RoleDeclaration, d.ConfigDeclaration),
    *(ev.EventDeclaration, ev.WebhookDeclaration, i.IntegrationDeclaration, i.MiddlewareDeclaration),
)


class Excerpt(msgspec.Struct, frozen=True):
    """The declaration around the cursor: its text, and where in the file that begins."""

    text: str
    start: int


def around(text: str, offset: int) -> Excerpt:
    """The stretch from the beginning of the declaration around an offset to that of the next one."""
    beginnings = SourceFile("", text).beginnings
    at = bisect_right(beginnings, offset)
    start = beginnings[at - 1] if at else 0
    end = beginnings[at] if at < len(beginnings) else len(text)
    return Excerpt(text[start:end], start)


def declaring(modules: Iterable[Module], besides: Iterable[d.Declaration]) -> Iterator[d.Declaration]:
    """What declarations declare, without what they do, and without those that stand in the excerpt."""
    apart = {_identity(one) for one in besides}
    for module in modules:
        for one in module.declarations:
            if _identity(one) not in apart:
                yield from _declaring(one)


def _declaring(one: d.Declaration) -> Iterator[d.Declaration]:
    if isinstance(one, _WHOLE):
        yield one
    elif isinstance(one, d.EntityDeclaration):
        fields = tuple(_field(clause) for clause in one.clauses if isinstance(clause, d.FieldDeclaration | d.TraitsClause))
        yield msgspec.structs.replace(one, clauses=fields)
    elif isinstance(one, d.FunctionDeclaration):
        yield msgspec.structs.replace(one, body=st.Block(one.end, one.end, ())) if one.body is not None else one
    elif isinstance(one, w.WorkflowDeclaration | w.JobDeclaration):
        clauses = tuple(clause for clause in one.clauses if isinstance(clause, d.InputClause | ev.TriggerClause))
        yield msgspec.structs.replace(one, clauses=clauses)


def _field(clause: d.FieldDeclaration | d.TraitsClause) -> d.Clause:
    """A field without how it is computed: its type is said."""
    if isinstance(clause, d.TraitsClause) or clause.computed is None:
        return clause
    return msgspec.structs.replace(clause, computed=Missing(clause.end, clause.end))


def _identity(one: d.Declaration) -> object:
    name: Any = getattr(one, "name", None)
    return (type(one), getattr(name, "text", name)) if name is not None else one
