"""The values that a plan asks its host for: each expression once, in the order in which they were met."""

from __future__ import annotations

import msgspec

from codeai.model import expression as ir
from codeai.query.traversal import without_place


class Inputs:
    """A numbered list of expressions that do not depend on rows."""

    def __init__(self) -> None:
        self._expressions: list[ir.Expression] = []
        self._slots: dict[ir.Expression, int] = {}

    def slot(self, expression: ir.Expression) -> int:
        """The number of an expression; the same expression has the same number.

        A conversion that may fail asks for null instead of the host's mark for *no match*.
        """
        if isinstance(expression, ir.Convert) and expression.on_failure == "no_match":
            expression = msgspec.structs.replace(expression, on_failure="null")
        plain = without_place(expression)
        try:
            found = self._slots.get(plain)
        except TypeError:  # a constant that has no hash, such as a json value
            found = next((at for at, known in enumerate(self._expressions) if without_place(known) == plain), None)
            if found is None:
                self._expressions.append(expression)
                return len(self._expressions) - 1
            return found
        if found is None:
            found = self._slots[plain] = len(self._expressions)
            self._expressions.append(expression)
        return found

    @property
    def expressions(self) -> tuple[ir.Expression, ...]:
        """The list so far."""
        return tuple(self._expressions)

    def __len__(self) -> int:
        return len(self._expressions)
