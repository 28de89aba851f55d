"""The ways through a block of statements: which of them end with a result or a failure."""

from __future__ import annotations

from codeai.language.tree import statements as st


def ends(statement: st.Statement) -> bool:
    """Whether nothing behind the statement is ever reached."""
    if isinstance(statement, st.Return | st.Fail):
        return True
    if isinstance(statement, st.If) and statement.otherwise is not None:
        return all(always_ends(arm.body) for arm in statement.arms) and always_ends(statement.otherwise)
    return isinstance(statement, st.AsUser) and statement.body is not None and always_ends(statement.body)


def always_ends(block: st.Block) -> bool:
    """Whether every way through a block returns or fails."""
    return any(ends(statement) for statement in block.statements)
