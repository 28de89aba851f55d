"""The values that a plan asks its host for: each expression once, in the order in which they were met."""

from __future__ import annotations

import msgspec

from codeai.model import expression as ir
from codeai.model.traversal import without_place
from codeai.query.errors import CompilerError


class Inputs:
    """A numbered list of expressions that do not depend on rows."""

    def __init__(self) -> None:
        self.frozen = False
        self._expressions: list[ir.Expression] = []
        self._slots: dict[ir.Expression, int] = {}

    def slot(self, expression: ir.Expression) -> int:
        """The number of an expression; the same expression has the same number.

        A conversion that may fail asks for null instead of the host's mark for *no match*.

        :raises CompilerError: the plan is finished and its host has no value for this (only query text asks so late)
        """
        if isinstance(expression, ir.Convert) and expression.on_failure == "no_match":
            expression = msgspec.structs.replace(expression, on_failure="null")
        plain = without_place(expression)
        try:
            found = self._slots.get(plain)
        except TypeError:  # a constant that has no hash, such as a json value
            found = next((at for at, known in enumerate(self._expressions) if without_place(known) == plain), None)
            return self._added(expression) if found is None else found
        if found is None:
            found = self._slots[plain] = self._added(expression)
        return found

    def _added(self, expression: ir.Expression) -> int:
        if self.frozen:
            raise CompilerError("this cannot be computed in a filter", hint="compare fields with plain values", at=expression.at)
        self._expressions.append(expression)
        return len(self._expressions) - 1

    @property
    def expressions(self) -> tuple[ir.Expression, ...]:
        """The list so far."""
        return tuple(self._expressions)

    def __len__(self) -> int:
        return len(self._expressions)
