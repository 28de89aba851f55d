"""Whether what a workflow does outside can be undone."""

from __future__ import annotations

from collections.abc import Iterator

from codeai.analysis.reporter import Reporter
from codeai.analysis.scope import Host
from codeai.analysis.symbols import Symbols
from codeai.language.tree import declarations as d
from codeai.language.tree import expressions as ex
from codeai.language.tree import queries as q
from codeai.language.tree import workflows as w
from codeai.language.tree.node import Node


def is_saga(clauses: tuple[d.Clause, ...]) -> bool:
    """Whether any step of a workflow says how it is undone, or that failing rolls back."""
    return any(_undoes(step) for clause in clauses if isinstance(clause, w.StepsClause) for step in clause.steps)


def _undoes(node: Node) -> bool:
    if isinstance(node, w.ParallelSteps):
        return any(_undoes(step) for step in node.steps)
    clauses = node.clauses if isinstance(node, w.Step) else ()
    return any(isinstance(clause, w.CompensateClause) for clause in clauses) or _outcome(clauses) == "rollback"


def _outcome(clauses: tuple[d.Clause, ...]) -> str:
    found = next((clause for clause in clauses if isinstance(clause, w.OutcomeClause) and clause.key.text == "on_fail"), None)
    return found.action.text if found is not None and found.action is not None else ""


def report_never_undone(clauses: tuple[d.Clause, ...], report: Reporter) -> None:
    """Warns where steps say how they are undone and no failure undoes anything."""
    steps = [step for clause in clauses if isinstance(clause, w.StepsClause) for step in _all(clause.steps)]
    undoing = [clause for step in steps for clause in step.clauses if isinstance(clause, w.CompensateClause) and _does_something(clause)]
    outcomes = [clause for step in steps for clause in step.clauses if isinstance(clause, w.OutcomeClause)]
    if undoing and not any(found.action is not None and found.action.text == "rollback" for found in outcomes):
        said, advice = (
            "no failure in this workflow undoes anything",
            "write 'on_fail: rollback' at each step whose failure is to undo what was done",
        )
        report.warning(undoing[0], said, "CAI0615", help_text=advice)


def _all(steps: tuple[Node, ...]) -> Iterator[w.Step]:
    for step in steps:
        if isinstance(step, w.ParallelSteps):
            yield from _all(step.steps)
        elif isinstance(step, w.Step):
            yield step


def _does_something(clause: w.CompensateClause) -> bool:
    return bool(clause.body.statements)


def report_uncompensated(node: w.Step, hosts: list[Host], symbols: Symbols, report: Reporter) -> None:
    """Warns of a step of a saga that changes something outside and does not say how that is undone."""
    if any(isinstance(clause, w.CompensateClause) for clause in node.clauses) or _outcome(node.clauses) == "continue":
        return
    if any(_changes(word, effect, symbols) for host in hosts for word, effect in host.effects):
        report.warning(
            node.name,
            f"step '{node.name.text}' has an outside effect and no compensation",
            "CAI0607",
            help_text="add 'compensate: …', or 'compensate { }' when nothing is to be undone",
        )


def _changes(word: str, effect: Node, symbols: Symbols) -> bool:
    """Whether an effect changes something outside: an activity may, a GET does not, and a message cannot be taken back anyway."""
    if word != "call" or not isinstance(effect, q.CallOperation):
        return word == "activity"
    parts = effect.operation.parts
    integration = symbols.integrations.get(parts[0].text)
    operation = integration.operations.get(parts[-1].text) if integration is not None else None
    method = next(
        (
            clause.value.text
            for clause in (operation.clause.clauses if operation is not None else ())
            if isinstance(clause, d.ValueClause) and clause.key.text == "method" and isinstance(clause.value, ex.Name)
        ),
        "GET",
    )
    return method not in ("GET", "HEAD")
