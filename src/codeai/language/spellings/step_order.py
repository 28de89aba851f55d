"""What older clauses of a step mean for the steps around it: branches, repetition, what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from codeai.language.parser import foreign_repetitions
from codeai.language.spellings.names import singular
from codeai.language.tree import declarations as d
from codeai.language.tree import expressions as ex
from codeai.language.tree import integrations as i
from codeai.language.tree import queries as q
from codeai.language.tree import statements as st
from codeai.language.tree import workflows as w
from codeai.language.tree.node import Identifier, Node

if TYPE_CHECKING:
    from codeai.language.parser.workflows import Workflows

_WRITTEN: Final = (
    *(ex.IntLiteral, ex.DecimalLiteral, ex.StringLiteral, ex.Interpolation, ex.BooleanLiteral, ex.NullLiteral, ex.DurationLiteral),
    *(ex.ListLiteral, ex.MapLiteral, ex.Name, ex.Member),
)
_Part = TypeVar("_Part", bound=Node)


class Later(d.Clause, frozen=True, eq=False, gc=False):
    """What an older clause of a step means for the steps around it; no such clause leaves the spellings."""

    kind: str
    steps: tuple[Node, ...] = ()
    name: Identifier | None = None
    value: ex.Expression | None = None


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


def asks(value: ex.Expression) -> bool:
    """Whether a value may be a query's; literals and what is put together of them ask nothing."""
    return not isinstance(value, _WRITTEN)


def _recorded(part: Later) -> w.Step:
    assert part.name is not None
    assert part.value is not None
    start, end = part.start, part.end
    work: d.Clause = w.WorkClause(start, end, Identifier(start, end, "query"), st.ExpressionStatement(start, end, part.value))
    if not asks(part.value):
        work = d.DoClause(start, end, st.Block(start, end, (st.Return(start, end, part.value),)))
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
    called = foreign_repetitions.aliased(p, items) if item is None and named is None and items is not None else None
    if called is not None:
        item, items = called
    if item is None and items is not None:
        text = named.text if isinstance(named, ex.Name) else _item_name(p, items, begin)
        item = Identifier(items.start, items.start, text)
    taken = ("for_each", "parallel", *(("as_item",) if isinstance(named, ex.Name) else ()))  # what is no name stays, and is reported
    clauses = tuple(c for c in step.clauses if not (isinstance(c, d.ValueClause) and c.key.text in taken))
    also = _singular_of(items) if items is not None and named is None and step.item is None else ""
    if also and item is not None and item.text == "item" and also in p.texts[begin : p.i]:
        clauses = tuple(_renamed(clause, also, "item") for clause in clauses)  # the step calls it by both names
    return msgspec.structs.replace(step, clauses=clauses, item=item, items=items, parallel=parallel)


def _item_name(p: Workflows, items: ex.Expression, begin: int) -> str:
    """``item``, unless the step calls it by the singular of the list."""
    used = set(p.texts[begin : p.i])
    name = _singular_of(items)
    return name if name in used and "item" not in used else "item"


def _singular_of(items: ex.Expression) -> str:
    """What one of a list is called by the name of the list, or an empty text."""
    last = items.name.text if isinstance(items, ex.Member) else items.text if isinstance(items, ex.Name) else ""
    name = singular(last)
    return name if name != last else ""


def _renamed(node: _Part, old: str, new: str) -> _Part:
    """A node in which a name stands for another; keys and members keep theirs."""
    if isinstance(node, ex.Name):
        return msgspec.structs.replace(node, text=new) if node.text == old else node
    changed: dict[str, object] = {}
    for name in node.__struct_fields__:
        value = getattr(node, name)
        if isinstance(value, Node):
            changed[name] = _renamed(value, old, new)
        elif isinstance(value, tuple):
            changed[name] = tuple(_renamed(part, old, new) if isinstance(part, Node) else part for part in value)
    return msgspec.structs.replace(node, **changed)
