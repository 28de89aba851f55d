"""Functions that call themselves on every way, also through others: they never come back."""

from __future__ import annotations

from collections.abc import Iterable

from codeai.analysis.circles import circles, shown
from codeai.analysis.reporter import Reporter
from codeai.analysis.symbols import FunctionSymbol
from codeai.language.tree import expressions as ex
from codeai.language.tree import statements as st
from codeai.language.tree.node import Node, children

_SHORT = ("and", "or", "??")
_Calls = dict[str, ex.Call]


def report_endless(functions: Iterable[FunctionSymbol], report: Reporter) -> None:
    """Warns of each circle of functions in which every way through each leads to a call of the next; at the first one of it."""
    bodies = {function.name: function.declaration.body for function in functions}
    certain = {name: _in_block(body) for name, body in bodies.items() if body is not None}
    for circle in circles(certain):
        name, following = circle[0], circle[1 % len(circle)]
        said = f"function '{name}' calls itself on every way{shown(circle)}"
        report.warning(certain[name][following], said, "CAI0351", help_text="return before it under some condition")


def _in_block(block: st.Block) -> _Calls:
    """The calls that every way through a block comes to, before it may end."""
    found: _Calls = {}
    for statement in block.statements:
        found = _in_statement(statement) | found
        if _may_end(statement):
            break
    return found


def _in_statement(statement: Node) -> _Calls:
    if isinstance(statement, st.If):
        found = _in_value(statement.arms[0].condition)
        if statement.otherwise is None:
            return found
        ways = [_in_block(block) for block in (*(arm.body for arm in statement.arms), statement.otherwise)]
        return found | {name: call for name, call in ways[0].items() if all(name in way for way in ways)}
    if isinstance(statement, st.For):
        return _in_value(statement.items)
    if isinstance(statement, st.Require):
        return _in_value(statement.condition)
    return _in_value(statement)


def _in_value(node: Node) -> _Calls:
    """The calls in what is evaluated for certain: not in the second part of ``and``, in one branch of a choice, or in a lambda."""
    if isinstance(node, ex.Lambda | st.Block):
        return {}
    if isinstance(node, ex.Conditional):
        return _in_value(node.condition)
    if isinstance(node, ex.Binary) and node.operator in _SHORT:
        return _in_value(node.left)
    found: _Calls = {}
    if isinstance(node, ex.Call) and isinstance(node.callee, ex.Name):
        found[node.callee.text] = node
    for child in children(node):
        found = _in_value(child) | found
    return found


def _may_end(node: Node) -> bool:
    """Whether some way through a statement leaves the function."""
    return isinstance(node, st.Return | st.Fail | st.Require) or any(_may_end(child) for child in children(node))
