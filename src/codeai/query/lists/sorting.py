"""The order of a list: what the client asked for, what the program says, and the key, so that the order is total."""

from __future__ import annotations

import msgspec

from codeai.model import expression as ir
from codeai.model.endpoint import ListRows
from codeai.model.entity import Entity, Field
from codeai.query.errors import InvalidValue

MAX_TERMS = 5


class Term(msgspec.Struct, frozen=True):
    """A field by which rows are ordered."""

    field: Field
    descending: bool = False


def terms(entity: Entity, action: ListRows, text: str | None) -> tuple[Term, ...]:
    """The sort of a request.

    :param text: ``price,-name``; None takes the order of the program
    :raises InvalidValue: a field that the list does not sort by
    """
    found = _own(entity, action) if not text else _asked(entity, action, text)
    unique: list[Term] = []
    for term in found:
        unique.append(term)
        if term.field.primary:
            return tuple(unique)
    return (*unique, Term(entity.primary_field, bool(unique) and unique[-1].descending))


def _own(entity: Entity, action: ListRows) -> list[Term]:
    found: list[Term] = []
    for order in action.order:
        field = entity.field(order.value.field) if isinstance(order.value, ir.FieldValue) else None
        assert field is not None
        found.append(Term(field, order.descending))
    return found


def _asked(entity: Entity, action: ListRows, text: str) -> list[Term]:
    found: list[Term] = []
    seen: set[str] = set()
    for part in text.split(","):
        descending = part.startswith("-")
        name = part[1:] if descending else part
        field = entity.field(name) if name in action.sort_by else None
        if field is None or not field.readable:
            raise unknown_field("sort", name, action)
        if name in seen:
            raise InvalidValue("sort", "duplicate", f"'{name}' is named twice")
        seen.add(name)
        found.append(Term(field, descending))
    if len(found) > MAX_TERMS:
        raise InvalidValue("sort", "too_many", f"at most {MAX_TERMS} fields")
    return found


def unknown_field(parameter: str, name: str, action: ListRows) -> InvalidValue:
    """The error about a field by which the list does not sort (or that the caller may not see)."""
    hint = f"sort by {', '.join(action.sort_by)}" if action.sort_by else "this list has its own order"
    return InvalidValue(parameter, "unknown_field", f"unknown field '{name[:60]}'", hint=hint)
