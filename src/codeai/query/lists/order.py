"""An order of a list with what follows from it, worked out once per text of a sort."""

from __future__ import annotations

import msgspec

from codeai.model.endpoint import ListRows
from codeai.model.entity import Entity
from codeai.query.compiler import Model
from codeai.query.lists.cursor import Cursors
from codeai.query.lists.sorting import Term, terms


class Order(msgspec.Struct, frozen=True):
    """The terms, by what an order is known, and its cursors."""

    terms: tuple[Term, ...]
    names: tuple[tuple[str, bool], ...]
    cursors: Cursors


def order_of(model: Model, entity: Entity, action: ListRows, text: str | None) -> Order:
    """The order of a request (see ``sorting.terms``)."""
    found = terms(entity, action, text)
    types = [model.plain(term.field.stored_type) for term in found]
    return Order(found, tuple((term.field.name, term.descending) for term in found), Cursors(entity.name, found, types))
