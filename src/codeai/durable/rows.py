"""Rows in records: which of their fields may be shown, and how their values get their form again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from codeai.durable.values import Restore, restorer
from codeai.language import types as t
from codeai.model.entity import Entity


class EntityRows:
    """What the entities of a program say of recorded rows; of entities that there are no more, nothing."""

    def __init__(self, entities: Iterable[Entity]) -> None:
        self._entities = {entity.name: entity for entity in entities}
        self._restorers: dict[str, dict[str, Restore]] = {}

    def key_type(self, entity: str) -> t.Type:
        """The type of the key, for references."""
        found = self._entities.get(entity)
        return found.primary_field.type if found is not None else t.Json()

    def readable(self, entity: str) -> Iterable[str]:
        """The names of the fields that may leave."""
        found = self._entities.get(entity)
        return [field.name for field in found.fields if field.readable] if found is not None else ()

    def restore(self, entity: str, row: dict[str, Any]) -> dict[str, Any]:
        """A recorded row with its values in their form, and those of the rows it carries."""
        known = self._restorers.get(entity)
        if known is None:
            known = self._restorers[entity] = self._parts(entity)
        return {name: known[name](part) if name in known else part for name, part in row.items()}

    def _parts(self, name: str) -> dict[str, Restore]:
        entity = self._entities.get(name)
        if entity is None:
            return {}
        fields = {field.name: restorer(field.type, self) for field in entity.fields}
        related = {r.name: t.List(t.Row(r.entity)) if r.kind == "many" else t.Row(r.entity) for r in entity.relations}
        return fields | {f"@{key}": restorer(rows, self) for key, rows in related.items()}
