"""Steps that repeat as loops of other languages do: ``each for x in xs { … }``, ``each { foreach (x of xs) { … } }``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from codeai.language.diagnostics import Edit
from codeai.language.lexer import NAME
from codeai.language.operators import TYPE_WORDS
from codeai.language.tree import declarations as d
from codeai.language.tree import expressions as ex
from codeai.language.tree import types as ty
from codeai.language.tree.node import Identifier

if TYPE_CHECKING:
    from codeai.language.parser.workflows import Workflows

_WORDS: Final = ("for_each", "foreach", "for", "loop")
_DECLARING: Final = ("let", "const", "var")
_SAID: Final = "a step repeats by 'for_each … in …' behind its name"
_Loop = tuple[Identifier, ex.Expression]


def name(p: Workflows) -> Identifier | None:
    """A name for a repeated step that has none, which it reports; None where the text is nothing such."""
    if not p.at(NAME) or p.text_at(0) not in _WORDS or not _names_item(p, 1):
        return None
    start = p.start
    edits = (Edit(start, start, "each "),) if p.text_at(0) == "for_each" else ()
    help_text = f"write 'each for_each {p.text_at(1)} in … {{ … }}'"
    p.report("expected the name of a step", "CAI0037", start, p.ends[p.i], help_text=help_text, edits=edits)
    return Identifier(start, start, "each")


def header(p: Workflows, step: Identifier) -> _Loop | None:
    """What a step goes through by a header that is not ours, which it reports; None where it has none."""
    if not p.at(NAME) or p.text_at(0) not in _WORDS or (p.text_at(0) == "for_each" and p.kind_at(1) == NAME and p.text_at(2) == "in"):
        return None
    start = p.start
    item, items = _loop(p)
    if step.end > step.start:
        ours = f"for_each {item.text} in {_source(p, items)}"
        edits = (Edit(start, p.previous_end, ours),)
        p.report(_SAID, "CAI0037", start, p.previous_end, help_text=f"write '{step.text} {ours} {{ … }}'", edits=edits)
    return item, items


def clause(p: Workflows, step: Identifier) -> tuple[d.Clause, ...] | None:
    """A loop within the braces of a step, which it reports, as older clauses; None where there is none."""
    if not p.at(NAME) or p.text_at(0) not in _WORDS:
        return None
    ahead = 1 + (p.kind_at(1) == ":")
    ahead += p.kind_at(ahead) == "("
    if not _names_item(p, ahead):
        return None
    start, word = p.start, p.ends[p.i]
    item, items = _loop(p)
    end = p.previous_end
    inner = _inner(p, step) if p.at("{") and not p.breaks[p.i] else None
    edits = (Edit(start, end, f"for_each: {_source(p, items)}  as_item: {item.text}"),) if inner is None else ()
    block = "{ do { … } }" if inner is not None and isinstance(inner[0], d.DoClause) and inner[0].start == inner[0].body.start else "{ … }"
    help_text = f"write '{step.text} for_each {item.text} in {_source(p, items)} {block}'"
    p.report(_SAID, "CAI0037", start, end, help_text=help_text, edits=edits)
    listed = d.ValueClause(start, end, Identifier(start, word, "for_each"), items)
    named = d.ValueClause(item.start, item.end, Identifier(item.start, item.end, "as_item"), ex.Name(item.start, item.end, item.text))
    return (listed, named, *(inner or ()))


def aliased(p: Workflows, items: ex.Expression) -> _Loop | None:
    """``for_each: list as x``, which it reports; None where the list is converted to a type, or not at all."""
    if not isinstance(items, ex.Conversion) or not isinstance(items.type, ty.NamedType) or items.type.arguments:
        return None
    item = items.type.name
    if item.text in TYPE_WORDS or not item.text[:1].islower():
        return None
    edits = (Edit(items.operand.end, items.end, f"  as_item: {item.text}"),)
    help_text = f"write 'for_each {item.text} in {_source(p, items.operand)} {{ … }}' behind its name"
    p.report(_SAID, "CAI0037", items.start, items.end, help_text=help_text, edits=edits)
    return item, items.operand


def _loop(p: Workflows) -> _Loop:
    """Reads ``for each (x of xs)`` and the like, and ``for_each xs as x``."""
    p.i += 1
    p.take_word("each")
    p.take(":")
    opened = p.take("(")
    if _names_item(p, 0):
        if p.text_at(0) in _DECLARING:
            p.i += 1
        item = p.identifier()
        p.i += 1
        items = p.headed()
    else:
        items = p.headed()
        item = Identifier(items.start, items.start, "item")
        if isinstance(items, ex.Conversion) and isinstance(items.type, ty.NamedType) and not items.type.arguments:
            item, items = items.type.name, items.operand
    if opened:
        p.expect(")", "')'")
    return item, items


def _names_item(p: Workflows, ahead: int) -> bool:
    ahead += p.text_at(ahead) in _DECLARING and p.kind_at(ahead + 1) == NAME and p.text_at(ahead + 1) not in ("in", "of")
    return p.kind_at(ahead) == NAME and p.kind_at(ahead + 1) == NAME and p.text_at(ahead + 1) in ("in", "of")


def _inner(p: Workflows, step: Identifier) -> tuple[d.Clause, ...]:
    """The block of a loop: clauses of the step, or statements."""
    if p.text_at(1) == "do" or p.kind_at(2) == ":":
        p.expect("{", "'{'")
        return p.items(lambda: p.clause_of_step(step, []))
    start = p.start
    body = p.block()
    return (d.DoClause(start, body.end, body),)


def _source(p: Workflows, node: ex.Expression) -> str:
    base = p.file.base
    return " ".join(p.file.text[node.start - base : node.end - base].split())
