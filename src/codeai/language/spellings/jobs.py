"""Jobs as older files write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from codeai.language.lexer import STRING, is_name
from codeai.language.spellings import texts
from codeai.language.spellings.events import RETRY
from codeai.language.spellings.step_clauses import Spelling, python_function
from codeai.language.tree import declarations as d
from codeai.language.tree import expressions as ex
from codeai.language.tree import queries as q
from codeai.language.tree import statements as st
from codeai.language.tree import workflows as w
from codeai.language.tree.node import Identifier

if TYPE_CHECKING:
    from codeai.language.parser.workflows import Workflows


def _task(p: Workflows) -> tuple[d.Clause, ...] | None:
    """``task "maintenance.cleanup"``: a step with that activity."""
    key = p.key()
    function = python_function(p)
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
    if not (known and is_name(text)):
        return (d.ValueClause(key.start, end, key, ex.StringLiteral(start, end, text)),)
    p.older(start, end, f"queue: {text}")
    value = ex.Name(start, end, text)
    return (d.ValueClause(key.start, end, key, value),)


def _run_at(p: Workflows) -> tuple[d.Clause, ...] | None:
    key = p.key()
    value = p.expression()
    p.older(key.start, value.end, "schedule: at …")
    return (w.ScheduleClause(key.start, value.end, "at", value),)


JOB: Final[dict[str, Spelling]] = {**RETRY, "task": _task, "queue": _queue, "run_at": _run_at}
