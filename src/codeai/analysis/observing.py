"""Looking on while a program is elaborated: what became of each expression, and what was in sight there; for editors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from codeai.analysis.program import Program
from codeai.analysis.reporter import Reporter
from codeai.analysis.scope import Scope, Variable
from codeai.analysis.symbols import Symbols
from codeai.language import types as t
from codeai.language.tree import expressions as ex
from codeai.language.tree.node import Node
from codeai.model import expression as ir

_OFTEN: Final = 256  # expressions


class Seen(msgspec.Struct, frozen=True, gc=False):
    """An expression as it was elaborated last. ``variable`` is what a name stands for, where it is that of a variable."""

    value: ir.Expression
    scope: Scope
    expected: t.Type | None
    variable: Variable | None


class Observing(Program):
    """Elaborates a program as ever, and remembers.

    :param seen: what is found out, by the nodes of expressions
    :param look: asked now and then; it may raise to end the work
    """

    def __init__(self, symbols: Symbols, reporter: Reporter, seen: dict[Node, Seen], look: Callable[[], None] | None = None) -> None:
        super().__init__(symbols, reporter)
        self._seen = seen
        self._look = look

    def expression(self, node: ex.Expression, scope: Scope, expected: t.Type | None = None) -> ir.Expression:
        """See ``Values``."""
        if self._look is not None and not len(self._seen) % _OFTEN:
            self._look()
        variable = scope.find(node.text) if isinstance(node, ex.Name) else None
        value = super().expression(node, scope, expected)
        self._seen[node] = Seen(value, scope, expected, variable if isinstance(value, ir.Local) else None)
        return value
