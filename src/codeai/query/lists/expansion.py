"""``expand=customer,items.product``: which relations a list shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from codeai.model.entity import Entity
from codeai.query.compiler import Compiler, Model
from codeai.query.errors import InvalidValue
from codeai.query.inputs import Inputs
from codeai.query.rows import computed_outputs, stored_outputs
from codeai.query.scope import Access
from codeai.query.select import Joins

DEPTH: Final = 3
PATHS: Final = 10


def paths(model: Model, entity: Entity, text: str) -> tuple[tuple[str, ...], ...]:
    """The relations that a client asks for.

    :raises InvalidValue: an unknown relation, too deep, or too many
    """
    found: list[tuple[str, ...]] = []
    for part in text.split(","):
        names = tuple(part.strip().split("."))
        if len(names) > DEPTH:
            raise InvalidValue("expand", "too_deep", f"'{part[:60]}' is more than {DEPTH} relations deep")
        current = entity
        for name in names:
            current = _next(model, current, name)
        if names not in found:
            found.append(names)
    if len(found) > PATHS:
        raise InvalidValue("expand", "too_many", f"at most {PATHS} relations")
    return tuple(sorted(found))


def _next(model: Model, entity: Entity, name: str) -> Entity:
    relation = entity.relation(name)
    if relation is not None:
        field = entity.field(relation.field) if relation.kind == "one" else model.entity(relation.entity).field(relation.field)
        if field is not None and field.readable:
            return model.entity(relation.entity)
    known = ", ".join(relation.name for relation in entity.relations)
    raise InvalidValue("expand", "unknown_relation", f"unknown relation '{name[:60]}'", hint=f"expand {known}" if known else "")


def reachable(model: Model, entity: Entity) -> Iterator[Entity]:
    """The entities that relations lead to, the entity itself first."""
    seen = {entity.name}
    waiting = [entity]
    while waiting:
        current = waiting.pop(0)
        yield current
        for relation in current.relations:
            if relation.entity not in seen:
                seen.add(relation.entity)
                waiting.append(model.entity(relation.entity))


def prepare(model: Model, inputs: Inputs, entity: Entity) -> None:
    """Asks for every value that policies and hide rules of reachable entities need, so that expansions and query text
    can be compiled later without asking the host for more.
    """
    for other in reachable(model, entity):
        compiler = Compiler(model, inputs)
        row = compiler.table(other, Access(), Joins())
        compiler.visible(row)
        stored_outputs(compiler, row, everything=False)
        computed_outputs(compiler, row)
