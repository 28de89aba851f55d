"""The ways through a block of statements: which of them end with a result or a failure, and what all of them come to."""

from __future__ import annotations

from typing import Final

from codeai.language.tree import expressions as ex
from codeai.language.tree import queries as q
from codeai.language.tree import statements as st
from codeai.language.tree.node import Node, children

_SHORT = ("and", "or", "??")
_Begun = dict[tuple[str, str], Node]


def ends(statement: st.Statement) -> bool:
    """Whether nothing behind the statement is ever reached."""
    if isinstance(statement, st.Return | st.Fail):
        return True
    if isinstance(statement, st.If) and statement.otherwise is not None:
        return all(always_ends(arm.body) for arm in statement.arms) and always_ends(statement.otherwise)
    return isinstance(statement, st.AsUser) and statement.body is not None and always_ends(statement.body)


UNRETURNED: Final = "return something on each, or let it 'fail'; what has no result says so: 'void'"


def always_ends(block: st.Block) -> bool:
    """Whether every way through a block returns or fails."""
    return any(ends(statement) for statement in block.statements)


def certain(block: st.Block) -> _Begun:
    """The functions, events, workflows and jobs (``("event", "order.placed")`` as written) that every way through a block comes to,
    before it may end, each with the first place.
    """
    found: _Begun = {}
    for statement in block.statements:
        found = _in_statement(statement) | found
        if _may_end(statement):
            break
    return found


def _in_statement(statement: Node) -> _Begun:
    if isinstance(statement, st.If):
        found = _in_value(statement.arms[0].condition)
        if statement.otherwise is None:
            return found
        ways = [certain(block) for block in (*(arm.body for arm in statement.arms), statement.otherwise)]
        return found | {name: node for name, node in ways[0].items() if all(name in way for way in ways)}
    if isinstance(statement, st.For):
        return _in_value(statement.items)
    if isinstance(statement, st.Require):
        return _in_value(statement.condition)
    return _in_value(statement)


def _in_value(node: Node) -> _Begun:
    """What is evaluated for certain: not the second part of ``and``, one branch of a choice, or a lambda."""
    if isinstance(node, ex.Lambda | st.Block):
        return {}
    if isinstance(node, ex.Conditional):
        return _in_value(node.condition)
    if isinstance(node, ex.Binary) and node.operator in _SHORT:
        return _in_value(node.left)
    found: _Begun = {}
    if isinstance(node, ex.Call) and isinstance(node.callee, ex.Name):
        found["function", node.callee.text] = node
    elif isinstance(node, st.Emit):
        found["event", node.event.text] = node
    elif isinstance(node, q.Start):
        found["job" if node.kind == "run" else "workflow", node.target.text] = node
    for child in children(node):
        found = _in_value(child) | found
    return found


def _may_end(node: Node) -> bool:
    """Whether some way through a statement leaves the block."""
    return isinstance(node, st.Return | st.Fail | st.Require) or any(_may_end(child) for child in children(node))
