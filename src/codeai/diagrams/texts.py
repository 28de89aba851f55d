"""What the author wrote in the clauses of steps, for pictures: the model no longer has the words."""

from __future__ import annotations

from codeai.language.formatter.declarations import Declarations
from codeai.language.source import Sources
from codeai.language.tree import declarations as d
from codeai.language.tree import workflows as w
from codeai.language.tree.module import Module
from codeai.language.tree.node import Node


def clause_texts(declaration: w.WorkflowDeclaration | w.JobDeclaration, sources: Sources) -> dict[str, dict[str, str]]:
    """The texts of ``when``, ``for_each`` and ``parallel`` by step."""
    found: dict[str, dict[str, str]] = {}
    for clause in declaration.clauses:
        if isinstance(clause, w.StepsClause):
            _collect(clause.steps, sources, found)
    return found


def _collect(steps: tuple[Node, ...], sources: Sources, found: dict[str, dict[str, str]]) -> None:
    for step in steps:
        if isinstance(step, w.ParallelSteps):
            _collect(step.steps, sources, found)
        elif isinstance(step, w.Step):
            parts: dict[str, Node | None] = {"for_each": step.items, "parallel": step.parallel}
            parts |= {clause.key.text: clause.value for clause in step.clauses if isinstance(clause, d.ValueClause)}
            printer = Declarations(Module(step.start, step.end, "", ()), sources.file_at(step.start))
            texts = {key: " ".join(printer.expression(node, 0).split()) for key, node in parts.items() if node is not None}
            found[step.name.text] = texts
