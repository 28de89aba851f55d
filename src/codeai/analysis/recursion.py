"""Functions that call themselves on every way: they never come back."""

from __future__ import annotations

from collections.abc import Iterable

from codeai.analysis.reporter import Reporter
from codeai.analysis.symbols import FunctionSymbol
from codeai.language.tree import expressions as ex
from codeai.language.tree import statements as st
from codeai.language.tree.node import Node, children

_SHORT = ("and", "or", "??")


def report_endless(functions: Iterable[FunctionSymbol], report: Reporter) -> None:
    """Warns of each function whose every call leads to another one of itself. Functions that call each other are left alone."""
    for function in functions:
        body = function.declaration.body
        call = _in_block(body, function.name) if body is not None else None
        if call is not None:
            said = f"function '{function.name}' calls itself on every way"
            report.warning(call, said, "CAI0351", help_text="return before it under some condition")


def _in_block(block: st.Block, name: str) -> ex.Call | None:
    """The call that every way through a block comes to, before it may end."""
    for statement in block.statements:
        found = _in_statement(statement, name)
        if found is not None or _may_end(statement):
            return found
    return None


def _in_statement(statement: Node, name: str) -> ex.Call | None:
    if isinstance(statement, st.If):
        found = _in_value(statement.arms[0].condition, name)
        if found is not None or statement.otherwise is None:
            return found
        ways = [_in_block(block, name) for block in (*(arm.body for arm in statement.arms), statement.otherwise)]
        return ways[0] if all(way is not None for way in ways) else None
    if isinstance(statement, st.For):
        return _in_value(statement.items, name)
    if isinstance(statement, st.Require):
        return _in_value(statement.condition, name)
    return _in_value(statement, name)


def _in_value(node: Node, name: str) -> ex.Call | None:
    """The call in what is evaluated for certain: not in the second part of ``and``, in one branch of a choice, or in a lambda."""
    if isinstance(node, ex.Lambda | st.Block):
        return None
    if isinstance(node, ex.Conditional):
        return _in_value(node.condition, name)
    if isinstance(node, ex.Binary) and node.operator in _SHORT:
        return _in_value(node.left, name)
    if isinstance(node, ex.Call) and isinstance(node.callee, ex.Name) and node.callee.text == name:
        return node
    return next((found for child in children(node) if (found := _in_value(child, name)) is not None), None)


def _may_end(node: Node) -> bool:
    """Whether some way through a statement leaves the function."""
    return isinstance(node, st.Return | st.Fail | st.Require) or any(_may_end(child) for child in children(node))
