"""What an entity derives from more than its own row: computed fields and hide rules that follow relations.

The database computes these, so that a row of values carries them: a computed field under its name, the condition of a hide rule
under ``@unless`` with its number.
"""

from __future__ import annotations

from typing import Any

from codeai.model import expression as ir
from codeai.model.entity import ComputedField, Entity, Hide
from codeai.model.traversal import any_node

_ELSEWHERE = (ir.RelatedRow, ir.RelatedRows, ir.Selection)


def derived_fields(entity: Entity) -> tuple[ComputedField, ...]:
    """The computed fields that need other rows."""
    return tuple(field for field in entity.computed if needs_others(entity, field.value))


def derived_rules(entity: Entity) -> tuple[tuple[str, Hide], ...]:
    """The hide rules that need other rows, each with the name under which a row carries its condition."""
    numbered = enumerate(entity.hides)
    return tuple((f"@unless{at}", rule) for at, rule in numbered if rule.unless is not None and needs_others(entity, rule.unless))


def needs_others(entity: Entity, node: Any) -> bool:
    """Whether an expression over a row of the entity needs other rows than that one."""

    def test(part: Any) -> bool:
        if isinstance(part, ir.ComputedValue) and isinstance(part.row, ir.RangeRow):
            value = next(field.value for field in entity.computed if field.name == part.field)
            return needs_others(entity, value)
        return isinstance(part, _ELSEWHERE)

    return any_node(node, test)
