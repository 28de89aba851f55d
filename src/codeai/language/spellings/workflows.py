"""Workflows as older files write them; their steps have files of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from codeai.language.lexer import END, NAME, STRING
from codeai.language.spellings.events import RETRY
from codeai.language.spellings.outline import event_key
from codeai.language.spellings.step_clauses import Spelling
from codeai.language.tree import declarations as d
from codeai.language.tree import events as ev

if TYPE_CHECKING:
    from codeai.language.parser.workflows import Workflows


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
            while p.kinds[after] != END and p.kinds[after + 1] == "." and p.kinds[after + 2] == NAME:
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
    if p.kind_at(ahead + 1) == NAME and p.kind_at(ahead + 2) in ("{", ":"):
        return None  # an event called 'event', and the next clause
    key = p.key()
    p.i += 1
    event = p.event_reference()
    p.older(key.start, event.end, f"trigger: {event.text}")
    where = p.expression() if p.take_word("where") else None
    return (ev.TriggerClause(key.start, p.previous_end, "event", event, where),)


WORKFLOW: Final[dict[str, Spelling]] = {**RETRY, "trigger": _trigger}
