"""Declarations whose inside stands in front of the brace, as other languages write it: ``workflow W(a: T) {``, ``on E as e {``,
``job J every day {``, ``event E { a: T }``. Each is one finding that says where it goes, and what follows is checked as it was meant.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from codeai.language.diagnostics import Edit
from codeai.language.lexer import END, NAME, STRING
from codeai.language.operators import METHODS
from codeai.language.parser.foreign_types import canonical
from codeai.language.spellings.hosts import block_end
from codeai.language.tree import declarations as d
from codeai.language.tree import types as ty
from codeai.language.tree.module import Gap
from codeai.language.tree.node import Identifier

if TYPE_CHECKING:
    from codeai.language.parser.workflows import Workflows

_WHEN: Final = "when it runs stands inside, as in 'schedule: every 15m' or 'schedule: \"0 3 * * *\"'"


def given(parser: Workflows) -> tuple[d.Clause, ...]:
    """``(a: T, b: U?)`` behind the name of a workflow or job: its input."""
    if not parser.at("("):
        return ()
    start, before = parser.start, parser.previous_end
    fields, written = [], []
    parser.i += 1
    parser.depth += 1
    while not parser.at(")"):
        name = parser.identifier("a parameter")
        parser.expect(":", "':'")
        type_ = parser.type_expression()
        optional = isinstance(type_, ty.OptionalType)
        modifiers = () if optional else (ty.Modifier(type_.end, type_.end, Identifier(type_.end, type_.end, "required"), ()),)
        fields.append(d.FieldDeclaration(name.start, type_.end, name, type_, modifiers, None, ""))
        written.append(f"{name.text}: {canonical(parser, type_)}{'' if optional else ', required'}")
        if not parser.take(","):
            break
    parser.depth -= 1
    parser.expect(")", "')'", "','")
    end = parser.previous_end
    inside = f"input {{ {'  '.join(written)} }}" if written else ""
    behind = (Edit(parser.ends[parser.i], parser.ends[parser.i], f" {inside} "),) if inside else ()
    edits = (Edit(before, end, ""), *behind) if parser.at("{") else ()
    help_text = f"what it is given stands inside: '{inside}'" if inside else "without an input there are no parentheses"
    parser.report("expected '{', got '('", "CAI0037", start, end, help_text=help_text, edits=edits)
    return (d.InputClause(start, end, Identifier(start, start, "input"), tuple(fields)),) if fields else ()


def scheduled(parser: Workflows) -> None:
    """``every day at 3am``, ``"0 3 * * *"``, ``on "…"`` behind the name of a job: skipped up to the brace."""
    if parser.at("{") or parser.at(END) or parser.breaks[parser.i]:
        return
    start, text = parser.start, parser.texts[parser.i]
    at = parser.i
    while parser.kinds[at] not in ("{", "}", END) and not parser.breaks[at + 1]:
        at += 1
    if parser.kinds[at] != "{":
        return
    parser.i = at
    end = parser.previous_end
    parser.diagnostics[:] = [found for found in parser.diagnostics if not start <= found.primary.start < end]  # '3am' is no number
    parser.report(f"expected '{{', got '{text}'", "CAI0037", start, end, help_text=_WHEN, expected=("'{'",))


def named(parser: Workflows) -> None:
    """``as e`` or ``(e)`` behind the event of a handler: its name inside is ``event``."""
    at = parser.i
    parenthesised = parser.at("(") and parser.kind_at(1) == NAME and parser.kind_at(2) == ")" and parser.kind_at(3) == "{"
    if not parenthesised and not (parser.texts[at] == "as" and parser.kind_at(1) == NAME and parser.kind_at(2) == "{"):
        return
    name, start, before = parser.text_at(1), parser.start, parser.previous_end
    parser.i += 3 if parenthesised else 2
    end, last = parser.previous_end, block_end(parser)
    edits = [Edit(before, end, "")]
    for one in range(parser.i, len(parser.kinds)):
        if parser.starts[one] >= last:
            break
        if parser.texts[one] == name and parser.kinds[one] == NAME and parser.kinds[one - 1] != "." and parser.kinds[one + 1] != ":":
            parser.texts[one] = "event"
            edits.append(Edit(parser.starts[one], parser.ends[one], "event"))
        elif parser.kinds[one] == STRING:
            found = re.finditer(rf"\{{({name})\b", parser.texts[one])
            edits += [Edit(parser.starts[one] + match.start(1), parser.starts[one] + match.end(1), "event") for match in found]
    parser.gaps.append(Gap(start, end, parser.keyword, parser.owner, whole=False, unnamed=False, words=frozenset((name,))))
    help_text = "inside, the event is called 'event', as in 'event.id'"
    parser.report(f"expected '{{', got '{parser.texts[at]}'", "CAI0037", start, end, help_text=help_text, edits=tuple(edits))


def worded(parser: Workflows, words: Sequence[str]) -> None:
    """``type User struct {``: steps over the word, which it reports."""
    if parser.texts[parser.i] in words and parser.kind_at(1) == "{":
        start, end = parser.previous_end, parser.ends[parser.i]
        word = parser.texts[parser.i]
        parser.report(f"expected '{{', got '{word}'", "CAI0037", parser.start, end, expected=("'{'",), edits=(Edit(start, end, ""),))
        parser.i += 1


def operation(parser: Workflows) -> bool:
    """``POST /refunds as refund {`` in an integration: steps over it, and says how an operation is written."""
    if not parser.at(NAME) or parser.texts[parser.i] not in METHODS or parser.kind_at(1) != "/":
        return False
    start, end, method = parser.start, parser.ends[parser.i], parser.texts[parser.i]
    before = parser.i
    parser.i += 1
    begin, stop = parser.path_run(braces=True)
    path = parser.file.text[begin - parser.file.base : stop - parser.file.base]
    words = re.findall(r"\w+", path)
    name = parser.text_at(1) if parser.at_word("as") and parser.kind_at(1) == NAME else words[-1] if words else method.lower()
    while not parser.at("{") and not parser.breaks[parser.i] and not parser.at(END):
        parser.i += 1
    edits: tuple[Edit, ...] = ()
    if parser.at("{"):
        edits = (Edit(start, parser.ends[parser.i], f'operation {name} {{ method: {method}  path: "{path}" '),)
        parser.skip_balanced()
    help_text = f"write 'operation {name} {{ method: {method}  path: \"{path}\" … }}'"
    parser.report(f"expected 'operation', got '{method}'", "CAI0037", start, end, help_text=help_text, edits=edits)
    parser.leave_gap(before)
    return True


def one_line_step(parser: Workflows, name: Identifier) -> None:
    """``charge: call Pay.charge({ … })``: fails with the way a step is written."""
    if not parser.at(":") or parser.breaks_at(1):
        return
    word, known = parser.text_at(1), ("call", "do", "emit", "start", "run", "activity", "sleep", "wait", "query")
    work = "call: Integration.operation" if word == "call" or parser.kind_at(2) == "." else f"{word if word in known else 'do'}:"
    if word == "call":
        work = f"call: {''.join(parser.text_at(ahead) for ahead in (2, 3, 4))}" if parser.kind_at(3) == "." else work
    elif parser.kind_at(2) == ".":
        work = f"call: {''.join(parser.text_at(ahead) for ahead in (1, 2, 3))}"
    help_text = f"what a step does stands in braces: '{name.text} {{ {work} {{ … }} }}'"
    parser.fail("expected '{', got ':'", "CAI0037", parser.start, parser.ends[parser.i], help_text=help_text)


def payload(parser: Workflows, fields: Sequence[d.FieldDeclaration]) -> d.InputClause:
    """Fields that stand right inside of an event: its payload."""
    start, end = fields[0].start, fields[-1].end
    edits = (Edit(start, start, "payload { "), Edit(end, end, " }"))
    help_text = "the fields of an event stand in 'payload { … }'"
    parser.report(f"unknown clause '{fields[0].name.text}'", "CAI0037", start, fields[0].name.end, help_text=help_text, edits=edits)
    return d.InputClause(start, end, Identifier(start, start, "payload"), tuple(fields))


def stray_step(parser: Workflows) -> bool:
    """``step notify { … }`` right inside of a workflow: steps over it, and says once where steps stand."""
    if parser.texts[parser.i] not in ("step", "activity", "task") or parser.kind_at(1) != NAME or parser.kind_at(2) != "{":
        return False
    start, end = parser.start, parser.ends[parser.i]
    word, name = parser.texts[parser.i], parser.text_at(1)
    parser.i += 2
    parser.skip_balanced()
    said = f"expected 'steps', got '{word}'"
    if not any(found.message == said and found.code == "CAI0037" for found in parser.diagnostics[-3:]):
        parser.report(said, "CAI0037", start, end, help_text=f"steps stand together and have no keyword: 'steps {{ {name} {{ … }} }}'")
    return True
