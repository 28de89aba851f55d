"""The names that query text may use, made from the model."""

from __future__ import annotations

from typing import Any

from codeai.analysis.symbols import EntitySymbol, Symbols
from codeai.model import expression as ir
from codeai.model.application import Application
from codeai.model.entity import Entity, Relation
from codeai.model.traversal import any_node


def symbols_of(application: Application) -> Symbols:
    """Entities with their readable fields and relations, and enums; no functions, no settings. No message hints at secrets."""
    entities = {entity.name: entity for entity in application.entities}
    found = Symbols(enums={enum.name: enum for enum in application.enums})
    for entity in application.entities:
        found.entities[entity.name] = _symbol(entity, entities)
    return found


def restricted(symbols: Symbols) -> Symbols:
    """The part of a program's names that query text may use."""
    entities = {name: symbol.entity for name, symbol in symbols.entities.items() if symbol.entity is not None}
    found = Symbols(enums=symbols.enums)
    for entity in entities.values():
        found.entities[entity.name] = _symbol(entity, entities)
    return found


def _symbol(entity: Entity, entities: dict[str, Entity]) -> EntitySymbol:
    declaration: Any = None  # only the checker of programs looks at it
    symbol = EntitySymbol(entity.name, declaration, table=entity.table, primary=entity.primary, entity=entity)
    symbol.fields = {field.name: field for field in entity.fields if field.readable}
    symbol.computed = {field.name: field.type for field in entity.computed if not _secret(entity, field.value)}
    symbol.relations = {relation.name: relation for relation in entity.relations if _readable(entity, relation, entities)}
    return symbol


def _readable(entity: Entity, relation: Relation, entities: dict[str, Entity]) -> bool:
    owner = entity if relation.kind == "one" else entities[relation.entity]
    field = owner.field(relation.field)
    return field is not None and field.readable


def _secret(entity: Entity, value: Any) -> bool:
    """Whether a computed field is made of a secret one."""
    hidden = {field.name for field in entity.fields if not field.readable}
    return any_node(value, lambda node: isinstance(node, ir.FieldValue) and node.field in hidden)
