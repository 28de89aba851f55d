"""Endpoints as other frameworks write them: ``endpoint "GET /x" {``, ``endpoint GET /x public {``, ``/users/<id>``, ``=> { … }``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from codeai.language.diagnostics import Edit
from codeai.language.lexer import END, NAME, STRING
from codeai.language.operators import METHODS
from codeai.language.parser.reporting import ParseFailure
from codeai.language.tree import declarations as d
from codeai.language.tree.node import Identifier

if TYPE_CHECKING:
    from codeai.language.parser.clauses import Clauses

_GUARDS: Final = ("public", "required", "optional")
_QUOTED: Final = re.compile(rf"({'|'.join(METHODS)})\s+(/\S*)", re.IGNORECASE)
_PARAMETER: Final = re.compile(r"<(?:\w+:)?(\w+)>|\[(?:\.\.\.)?(\w+)\]|\$(\w+)")


def headless(p: Clauses) -> None:
    """Fails for ``endpoint "GET /x" {`` and ``endpoint GetOrder {`` with the way an endpoint is written."""
    start, end = p.starts[p.i + 1], p.ends[p.i + 1]
    quoted = _QUOTED.fullmatch(p.text_at(1)[1:-1]) if p.kind_at(1) == STRING else None
    if quoted is not None:
        ours = f"{quoted[1].upper()} {quoted[2]}"
        help_text, edits = f"write 'endpoint {ours} {{ … }}'", (Edit(start, end, ours),)
        p.report("expected a method, got a text", "CAI0037", start, end, help_text=help_text, edits=edits)
        raise ParseFailure
    if p.kind_at(1) == NAME and p.kind_at(2) == "{" and p.text_at(1) not in METHODS:
        help_text = "an endpoint is called by its method and path: 'endpoint GET /path { … }'"
        p.fail(f"expected a method, got '{p.text_at(1)}'", "CAI0037", start, end, help_text=help_text)


def worded(p: Clauses, method: str, path: str) -> tuple[d.Clause, ...]:
    """Words between the path of an endpoint and its brace, which it reports; a guard among them is one."""
    if not p.at(NAME) or p.breaks[p.i]:
        return ()
    at = p.i
    while p.kinds[at] not in ("}", END) and not p.breaks[at + 1]:
        if p.kinds[at] != "{":
            at += 1
        elif p.kinds[at - 1] == "/" and p.kind_at(at + 2 - p.i) == "}":  # a parameter of a path begins no block
            at += 3
        else:
            break
    if p.kinds[at] != "{":
        return ()
    start, before, word = p.start, p.previous_end, p.text_at(0)
    named = p.text_at(2) if word == "auth" and p.kind_at(1) == ":" else p.text_at(1) if word == "auth" else word
    p.i = at
    end, brace = p.previous_end, p.ends[at]
    guard = named if named in _GUARDS else ""
    words = p.file.text[start - p.file.base : end - p.file.base].replace(":", " ").split()
    alone = words in ([guard], ["auth", guard])
    edits = (Edit(before, end, ""), Edit(brace, brace, f" auth: {guard} ")) if alone else ()
    said = f"write 'endpoint {method} {path} {{ auth: {guard or 'required'} … }}'"
    p.report(
        f"expected '{{', got '{word}'", "CAI0037", start, end, help_text=f"what belongs to it stands in the braces: {said}", edits=edits
    )
    name = Identifier(start, end, guard)
    return (d.AuthClause(start, end, (name,)),) if guard else ()


def parameter(p: Clauses, part: str, at: int) -> str:
    """The name of a parameter that is written ``<id>``, ``[id]`` or ``$id``, which it reports; empty where it is none."""
    found = _PARAMETER.fullmatch(part)
    if found is None:
        return ""
    name = next(group for group in found.groups() if group)
    end = at + len(part)
    p.report(f"malformed path segment '{part}'", "CAI0020", at, end, help_text=f"write '{{{name}}}'", edits=(Edit(at, end, f"{{{name}}}"),))
    return name


def arrow(p: Clauses) -> None:
    """``=> { … }`` is read as ``do { … }``, and reported."""
    if p.kinds[p.i] in ("=>", "->") and p.kind_at(1) == "{":
        start, end = p.start, p.ends[p.i]
        said = f"expected a clause, got '{p.text_at(0)}'"
        p.report(said, "CAI0037", start, end, help_text="statements stand in 'do { … }'", edits=(Edit(start, end, "do"),))
        p.kinds[p.i], p.texts[p.i] = NAME, "do"


def argued(p: Clauses) -> None:
    """``auth: required(role: admin)``: steps over what stands in the parentheses, which it reports."""
    if p.at("(") and not p.breaks[p.i]:
        start = p.start
        p.skip_balanced()
        help_text = "what else is asked for stands beside it: 'roles: [admin]' or 'permissions: [\"orders:read\"]'"
        p.report("expected a clause, got '('", "CAI0037", start, p.previous_end, help_text=help_text)
