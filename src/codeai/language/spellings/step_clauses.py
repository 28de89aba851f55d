"""Clauses of steps as older files write them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from codeai.language.lexer import NAME, STRING
from codeai.language.spellings import texts
from codeai.language.spellings.events import RETRY
from codeai.language.spellings.integrations import never
from codeai.language.spellings.step_order import Later, asks
from codeai.language.tree import declarations as d
from codeai.language.tree import expressions as ex
from codeai.language.tree import integrations as i
from codeai.language.tree import queries as q
from codeai.language.tree import statements as st
from codeai.language.tree import workflows as w
from codeai.language.tree.node import Identifier, Reference

if TYPE_CHECKING:
    from codeai.language.parser.workflows import Workflows


Spelling = Callable[["Workflows"], "tuple[d.Clause, ...] | None"]


FORMER_OUTCOMES: Final = ("skip", "abort", "reject", "cancel", "stop", "error")


_EXTERN: Final = "an extern function makes the document: 'extern function name(…) from \"module.name\"'"


def _activity(p: Workflows) -> tuple[d.Clause, ...] | None:
    """``activity "orders.validate"``."""
    ahead = 2 if p.kind_at(1) == ":" else 1
    if p.kind_at(ahead) != STRING:
        return None
    key = p.key()
    function = python_function(p)
    values = texts.entries(p, p.map_entries()) if p.at("{") and not p.breaks[p.i] else ()
    call = q.CallActivity(function.start, p.previous_end, function, values)
    return (w.WorkClause(key.start, p.previous_end, key, st.ExpressionStatement(call.start, call.end, call)),)


def python_function(p: Workflows) -> Reference:
    """The function that a quoted text names."""
    start, end = p.start, p.ends[p.i]
    names = p.quoted_names("a Python function")
    p.older(start, end, f"activity: {'.'.join(name.text for name in names)}")
    return Reference(start, end, names)


def _input(p: Workflows) -> tuple[d.Clause, ...] | None:
    """``input { a: "workflow.input.a" }`` beside an activity, an operation or a workflow to start."""
    key = p.key()
    entries = texts.entries(p, p.map_entries())
    return (i.MapClause(key.start, p.previous_end, key, entries),)


def _if(p: Workflows) -> tuple[d.Clause, ...] | None:
    key = p.key()
    p.older(key.start, key.end, "when")
    value = _condition(p)
    return (d.ValueClause(key.start, value.end, Identifier(key.start, key.end, "when"), value),)


def _condition(p: Workflows) -> ex.Expression:
    return texts.expression(p) if texts.stands_alone(p) else p.expression()


def _quoted(p: Workflows) -> tuple[d.Clause, ...] | None:
    """``when``, ``check`` and ``for_each`` with an expression in quotes."""
    ahead = 2 if p.kind_at(1) == ":" else 1
    if not texts.stands_alone(p, ahead):
        return None
    key = p.key()
    value = texts.expression(p)
    if key.text == "check":
        return (w.WorkClause(key.start, value.end, key, st.ExpressionStatement(value.start, value.end, value)),)
    return (d.ValueClause(key.start, value.end, key, value),)


def _outcome(p: Workflows) -> tuple[d.Clause, ...] | None:
    """``on_fail: skip("…")``, ``on_fail: abort("…")``, and ``on_fail { steps { … } }``."""
    ahead = 2 if p.kind_at(1) == ":" else 1
    if p.kind_at(ahead) == "{":
        return _branch(p, "fails") if p.text_at(ahead + 1) == "steps" and p.kind_at(ahead + 2) == "{" else None
    word = p.text_at(ahead)
    if word not in FORMER_OUTCOMES or p.kind_at(ahead) != NAME:
        return None
    key = p.key()
    return (_failing(p, key),)


def _failing(p: Workflows, key: Identifier) -> w.OutcomeClause:
    word = p.identifier()
    message = None
    if p.take("("):
        if not p.at(")"):
            message = p.inside(p.expression)
        p.expect(")", "')'")
    skips = word.text == "skip"
    p.older(word.start, p.previous_end, "continue" if skips else "fail(…)")
    message = None if skips else message or ex.StringLiteral(word.start, word.end, word.text)
    action = Identifier(word.start, word.end, "continue" if skips else "fail")
    return w.OutcomeClause(key.start, p.previous_end, Identifier(key.start, key.end, "on_fail"), action, message)


def _branch(p: Workflows, kind: str) -> tuple[d.Clause, ...]:
    """``on_success { steps { … } }``: steps that follow only when this one went so."""
    start = p.start
    p.key()
    p.expect("{", "'{'")
    p.i += 1
    p.expect("{", "'{'")
    steps = p.items(p.step)
    p.separator()
    p.expect("}", "'}'")
    p.older(start, p.previous_end, "steps with 'when: steps.name.ok'")
    return (Later(start, p.previous_end, kind, steps),)


def _on_success(p: Workflows) -> tuple[d.Clause, ...] | None:
    ahead = 2 if p.kind_at(1) == ":" else 1
    if p.kind_at(ahead) != "{" or p.text_at(ahead + 1) != "steps":
        p.fail_expected("'on_success { steps { … } }'")
    return _branch(p, "succeeds")


def _nested(p: Workflows) -> tuple[d.Clause, ...] | None:
    """``steps { … }`` inside of a step: its steps follow it."""
    start = p.start
    p.key()
    p.expect("{", "'{'")
    steps = p.items(p.step)
    p.older(start, p.previous_end, "steps beside each other")
    return (Later(start, p.previous_end, "then", steps),)


def _on_empty(p: Workflows) -> tuple[d.Clause, ...] | None:
    """``on_empty: skip("…")``: the later steps run only when there was something; or the run fails."""
    key = p.key()
    outcome = _failing(p, key)
    p.older(key.start, key.end, "when: length(steps.name.output) > 0")
    kind = "if_any" if outcome.action is not None and outcome.action.text == "continue" else "or_fail"
    return (Later(key.start, p.previous_end, kind, value=outcome.message),)


def _var(p: Workflows) -> tuple[d.Clause, ...] | None:
    """``var x = e`` in a step: a step of its own, whose output later steps see as ``x``."""
    start = p.start
    p.i += 1
    name = p.identifier()
    p.expect("=", "'='")
    value = p.expression()
    work = "query: …" if asks(value) else "do { return … }"
    p.older(start, value.end, f"{name.text} {{ {work}  as: {name.text} }}")
    return (Later(start, value.end, "records", name=name, value=value),)


STEP: Final[dict[str, Spelling]] = {
    **RETRY,
    "activity": _activity,
    "input": _input,
    "if": _if,
    **dict.fromkeys(("when", "check", "for_each"), _quoted),
    "on_fail": _outcome,
    "on_success": _on_success,
    "on_empty": _on_empty,
    "steps": _nested,
    "var": _var,
    **{key: never(f"a step with '{key}'", _EXTERN) for key in ("pdf", "xlsx", "template", "generate_pdf", "generate_xlsx")},
}
