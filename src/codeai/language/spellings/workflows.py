"""Workflows, jobs and their steps as older files write them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import msgspec

from codeai.language.lexer import NAME, STRING
from codeai.language.spellings import texts
from codeai.language.spellings.events import RETRY
from codeai.language.spellings.integrations import never
from codeai.language.spellings.names import singular
from codeai.language.spellings.outline import event_key
from codeai.language.tree import declarations as d
from codeai.language.tree import events as ev
from codeai.language.tree import expressions as ex
from codeai.language.tree import integrations as i
from codeai.language.tree import queries as q
from codeai.language.tree import statements as st
from codeai.language.tree import workflows as w
from codeai.language.tree.node import Identifier, Node, Reference

if TYPE_CHECKING:
    from codeai.language.parser.workflows import Workflows

_Spelling = Callable[["Workflows"], "tuple[d.Clause, ...] | None"]
_FAILURES: Final = ("abort", "reject", "cancel", "stop", "error")
_EXTERN: Final = "an extern function makes the document: 'extern function name(…) from \"module.name\"'"


class Later(d.Clause, frozen=True, eq=False, gc=False):
    """What an older clause of a step means for the steps around it; never leaves this module."""

    kind: str
    steps: tuple[Node, ...] = ()
    name: Identifier | None = None
    value: ex.Expression | None = None


# -- workflows -----------------------------------------------------------------------------------------------------------


def inputs(p: Workflows) -> dict[str, set[str] | None]:
    """What ``trigger.…`` and ``input.…`` may name in the workflow whose block opens at the current token."""
    depth, at, stop = 0, p.i, len(p.kinds) - 2
    event: str | None = None
    fields: set[str] = set()
    while at < stop:
        kind = p.kinds[at]
        depth += (kind == "{") - (kind == "}")
        if depth <= 0:
            break
        if depth == 1 and p.texts[at] == "trigger" and kind == NAME:
            after = at + 1 + (p.kinds[at + 1] == ":")
            after += p.texts[after] in ("event", "on") and p.kinds[after] == NAME
            event = p.texts[after].strip("\"'")
            while p.kinds[after + 1] == "." and p.kinds[after + 2] == NAME:
                event, after = f"{event}.{p.texts[after + 2]}", after + 2
        if depth == 1 and p.texts[at] == "input" and p.kinds[at + 1] == "{":
            inner = at + 2
            while p.kinds[inner] not in ("}", "end"):
                if p.kinds[inner] == NAME and (p.kinds[inner + 1] == ":" or p.kinds[inner - 1] in ("{", ",") or p.breaks[inner]):
                    fields.add(p.texts[inner])
                inner += 1
        at += 1
    payload = p.outline.events.get(event_key(event)) if event else None
    trigger = set(payload) if payload is not None else fields or None
    return {"trigger": trigger, "input": fields or trigger}


def _trigger(p: Workflows) -> tuple[d.Clause, ...] | None:
    """``trigger event "order.created"``."""
    ahead = 2 if p.kind_at(1) == ":" else 1
    if p.text_at(ahead) != "event" or p.kind_at(ahead + 1) not in (NAME, STRING) or p.breaks_at(ahead + 1):
        return None
    key = p.key()
    p.i += 1
    event = p.event_reference()
    p.older(key.start, event.end, f"trigger: {event.text}")
    where = p.expression() if p.take_word("where") else None
    return (ev.TriggerClause(key.start, p.previous_end, "event", event, where),)


# -- clauses of steps ----------------------------------------------------------------------------------------------------


def _activity(p: Workflows) -> tuple[d.Clause, ...] | None:
    """``activity "orders.validate"``."""
    ahead = 2 if p.kind_at(1) == ":" else 1
    if p.kind_at(ahead) != STRING:
        return None
    key = p.key()
    function = _function(p)
    values = texts.entries(p, p.map_entries()) if p.at("{") and not p.breaks[p.i] else ()
    call = q.CallActivity(function.start, p.previous_end, function, values)
    return (w.WorkClause(key.start, p.previous_end, key, st.ExpressionStatement(call.start, call.end, call)),)


def _function(p: Workflows) -> Reference:
    start, end = p.start, p.ends[p.i]
    text = p.text_literal("a Python function")
    p.older(start, end, f"activity: {text}")
    return Reference(start, end, tuple(Identifier(start, end, part) for part in text.split(".")))


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
    return texts.expression(p) if p.at(STRING) else p.expression()


def _quoted(p: Workflows) -> tuple[d.Clause, ...] | None:
    """``when``, ``check`` and ``for_each`` with an expression in quotes."""
    ahead = 2 if p.kind_at(1) == ":" else 1
    if p.kind_at(ahead) != STRING:
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
    if word not in ("skip", *_FAILURES) or p.kind_at(ahead) != NAME:
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
    p.older(start, value.end, f"{name.text} {{ query: …  as: {name.text} }}")
    return (Later(start, value.end, "records", name=name, value=value),)


# -- the whole step ------------------------------------------------------------------------------------------------------


def finished(p: Workflows, step: w.Step, begin: int) -> tuple[Node, ...]:
    """A step with what its older clauses mean: ``input`` for its call, a header for ``for_each``, steps around it.

    :param begin: the index of its first token, to see how it calls the item of ``for_each``
    """
    clauses = _with_input(p, step.clauses)
    later = [clause for clause in clauses if isinstance(clause, Later)]
    clauses = tuple(clause for clause in clauses if not isinstance(clause, Later))
    step = _repeated(p, msgspec.structs.replace(step, clauses=clauses), begin)
    if not later:
        return (step,)
    before = tuple(_recorded(part) for part in later if part.kind == "records" and part.start < _first_work(step))
    after: list[Node] = [_recorded(part) for part in later if part.kind == "records" and part.start >= _first_work(step)]
    for part in later:
        after.extend(_following(step.name, part))
    if any(part.kind == "fails" for part in later) and not any(isinstance(c, w.OutcomeClause) for c in step.clauses):
        at = step.clauses[-1].end if step.clauses else step.end
        key = Identifier(at, at, "on_fail")
        go_on = w.OutcomeClause(at, at, key, Identifier(at, at, "continue"))
        step = msgspec.structs.replace(step, clauses=(*step.clauses, go_on))
    works = any(isinstance(c, d.DoClause | w.WorkClause | w.WaitClause) for c in step.clauses)
    mark = tuple(Later(part.start, part.end, part.kind, name=step.name) for part in later if part.kind == "if_any")
    return (*before, *((step,) if works or not (before or after) else ()), *after, *mark)


def sequence(steps: tuple[Node, ...]) -> tuple[Node, ...]:
    """The steps of a list; those behind an ``on_empty: skip`` run only when there was something."""
    found: list[Node] = []
    conditions: list[ex.Expression] = []
    for node in steps:
        if isinstance(node, Later):
            assert node.name is not None
            conditions.append(_any_of(node.name))
            continue
        for condition in conditions:
            node = _only_when(node, condition)
        found.append(node)
    return tuple(found)


def _first_work(step: w.Step) -> int:
    works = [c.start for c in step.clauses if isinstance(c, d.DoClause | w.WorkClause | w.WaitClause)]
    return min(works, default=step.end)


def _recorded(part: Later) -> w.Step:
    assert part.name is not None
    assert part.value is not None
    start, end = part.start, part.end
    work = w.WorkClause(start, end, Identifier(start, end, "query"), st.ExpressionStatement(start, end, part.value))
    alias = d.ValueClause(start, end, Identifier(start, end, "as"), ex.Name(start, end, part.name.text))
    return w.Step(start, end, part.name, (work, alias))


def _following(name: Identifier, part: Later) -> tuple[Node, ...]:
    if part.kind == "or_fail":
        start, end = part.start, part.end
        check = w.WorkClause(start, end, Identifier(start, end, "check"), st.ExpressionStatement(start, end, _any_of(name)))
        fail = w.OutcomeClause(start, end, Identifier(start, end, "on_fail"), Identifier(start, end, "fail"), part.value)
        return (w.Step(start, end, Identifier(start, end, f"{name.text}_found"), (check, fail)),)
    if part.kind not in ("then", "succeeds", "fails"):
        return ()
    if part.kind == "then":
        return part.steps
    ok: ex.Expression = _member(part, name, "ok")
    condition = ok if part.kind == "succeeds" else ex.Unary(part.start, part.start, "not", ok)
    return tuple(_only_when(node, condition) for node in part.steps)


def _member(part: Node, name: Identifier, field: str) -> ex.Member:
    at = part.start
    step = ex.Member(at, at, ex.Name(at, at, "steps"), Identifier(at, at, name.text))
    return ex.Member(at, at, step, Identifier(at, at, field))


def _any_of(name: Identifier) -> ex.Expression:
    at = name.start
    call = ex.Call(at, at, ex.Name(at, at, "length"), (ex.Argument(at, at, None, _member(name, name, "output")),))
    return ex.Binary(at, at, ">", call, ex.IntLiteral(at, at, 0))


def _only_when(node: Node, condition: ex.Expression) -> Node:
    if isinstance(node, w.ParallelSteps):
        return msgspec.structs.replace(node, steps=tuple(_only_when(step, condition) for step in node.steps))
    if not isinstance(node, w.Step):
        return node
    clauses: list[d.Clause] = []
    joined = False
    for clause in node.clauses:
        if isinstance(clause, d.ValueClause) and clause.key.text == "when":
            both = ex.Binary(clause.value.start, clause.value.end, "and", condition, clause.value)
            clause, joined = msgspec.structs.replace(clause, value=both), True
        clauses.append(clause)
    if not joined:
        at = clauses[0].start if clauses else node.end
        clauses.insert(0, d.ValueClause(at, at, Identifier(at, at, "when"), condition))
    return msgspec.structs.replace(node, clauses=tuple(clauses))


def _with_input(p: Workflows, clauses: tuple[d.Clause, ...]) -> tuple[d.Clause, ...]:
    """The values of ``input { … }`` as those of the call of the step."""
    given = next((c for c in clauses if isinstance(c, i.MapClause) and c.key.text == "input"), None)
    if given is None:
        return clauses
    found: list[d.Clause] = []
    used = False
    for clause in clauses:
        statement = clause.statement if isinstance(clause, w.WorkClause) else None
        value = statement.value if isinstance(statement, st.ExpressionStatement) else None
        if not used and isinstance(value, q.CallActivity | q.CallOperation | q.Start) and isinstance(clause, w.WorkClause):
            call = msgspec.structs.replace(value, values=(*value.values, *given.entries))
            end = given.end if clauses[clauses.index(clause) + 1 :][:1] == (given,) else clause.end
            clause = msgspec.structs.replace(clause, end=end, statement=msgspec.structs.replace(clause.statement, value=call))
            used = True
        if clause is not given:
            found.append(clause)
    if used:
        p.older(given.key.start, given.key.end, "activity: name { … }")
    else:
        p.report("this step has nothing that takes an input", "CAI0023", given.start, given.end, help_text="give it an activity or a call")
    return tuple(found)


def _repeated(p: Workflows, step: w.Step, begin: int) -> w.Step:
    """``for_each: list``, ``as_item: x`` and ``parallel: 10`` as the header of the step."""
    values = {c.key.text: c.value for c in step.clauses if isinstance(c, d.ValueClause)}
    items = step.items or values.get("for_each")
    parallel = step.parallel or values.get("parallel")
    named = values.get("as_item")
    if items is None and parallel is None:
        return step
    item = step.item
    if item is None and items is not None:
        text = named.text if isinstance(named, ex.Name) else _item_name(p, items, begin)
        item = Identifier(items.start, items.start, text)
    clauses = tuple(c for c in step.clauses if not (isinstance(c, d.ValueClause) and c.key.text in ("for_each", "as_item", "parallel")))
    return msgspec.structs.replace(step, clauses=clauses, item=item, items=items, parallel=parallel)


def _item_name(p: Workflows, items: ex.Expression, begin: int) -> str:
    """``item``, unless the step calls it by the singular of the list."""
    last = items.name.text if isinstance(items, ex.Member) else items.text if isinstance(items, ex.Name) else ""
    used = set(p.texts[begin : p.i])
    name = singular(last)
    return name if name and name != last and name in used and "item" not in used else "item"


# -- jobs ----------------------------------------------------------------------------------------------------------------


def _task(p: Workflows) -> tuple[d.Clause, ...] | None:
    """``task "maintenance.cleanup"``: a step with that activity."""
    key = p.key()
    function = _function(p)
    values = texts.entries(p, p.map_entries()) if p.at("{") and not p.breaks[p.i] else ()
    start, end = key.start, p.previous_end
    call = q.CallActivity(function.start, end, function, values)
    work = w.WorkClause(start, end, Identifier(start, end, "activity"), st.ExpressionStatement(start, end, call))
    step = w.Step(start, end, Identifier(start, end, function.parts[-1].text), (work,))
    return (w.StepsClause(start, end, (step,)),)


def _queue(p: Workflows) -> tuple[d.Clause, ...] | None:
    """``queue "low_priority"``; a queue that is declared nowhere keeps its quotes."""
    ahead = 2 if p.kind_at(1) == ":" else 1
    if p.kind_at(ahead) != STRING:
        return None
    key = p.key()
    start, end = p.start, p.ends[p.i]
    text = p.text_literal()
    known = text == "default" or f"jobs.queues.{text}" in p.outline.settings or f"scheduler.queues.{text}" in p.outline.settings
    if not (known and text.isidentifier()):
        return (d.ValueClause(key.start, end, key, ex.StringLiteral(start, end, text)),)
    p.older(start, end, f"queue: {text}")
    value = ex.Name(start, end, text)
    return (d.ValueClause(key.start, end, key, value),)


def _run_at(p: Workflows) -> tuple[d.Clause, ...] | None:
    key = p.key()
    value = p.expression()
    p.older(key.start, value.end, "schedule: at …")
    return (w.ScheduleClause(key.start, value.end, "at", value),)


WORKFLOW: Final[dict[str, _Spelling]] = {**RETRY, "trigger": _trigger}
JOB: Final[dict[str, _Spelling]] = {**RETRY, "task": _task, "queue": _queue, "run_at": _run_at}
STEP: Final[dict[str, _Spelling]] = {
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
