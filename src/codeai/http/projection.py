"""What leaves a block: values as JSON, by the declared type, with nothing that the caller may not see."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from codeai.evaluate.context import Context
from codeai.evaluate.operations import to_json
from codeai.evaluate.program import Evaluator
from codeai.language import types as t
from codeai.model.application import Application
from codeai.model.derived import derived_rules
from codeai.model.entity import Entity, Hide

Projector = Callable[[Any, Context], Any]


def _same(value: Any, context: Context) -> Any:
    return value


class Projection:
    """Builds projectors; a row shows its readable fields only, whatever the row's dictionary holds."""

    def __init__(self, application: Application, evaluator: Evaluator) -> None:
        self._entities = {entity.name: entity for entity in application.entities}
        self._evaluator = evaluator
        self._rows: dict[str, Projector] = {}

    def of(self, type_: t.Type | None) -> Projector:
        """The projector of a type."""
        plain = t.required(type_) if type_ is not None else t.Void()
        if isinstance(plain, t.Row):
            entity = plain.entity
            return lambda value, context: self.row(entity)(value, context)  # noqa: PLW0108  # entities may refer to each other in circles
        if isinstance(plain, t.List):
            inner = self.of(plain.item)
            return lambda value, context: None if value is None else [inner(item, context) for item in value]
        if isinstance(plain, t.Paginated):
            return self.of(t.List(plain.item))
        if isinstance(plain, t.Record) and plain.fields:
            return self._record(plain)
        if isinstance(plain, t.Map):
            values = self.of(plain.value)
            return lambda value, context: None if value is None else {key: values(part, context) for key, part in value.items()}
        if isinstance(plain, t.Json | t.Unknown | t.Record):
            return lambda value, context: self._anything(value)
        return _same

    def _anything(self, value: Any) -> Any:
        return to_json(value) if isinstance(value, Mapping | list) else value

    def _record(self, type_: t.Record) -> Projector:
        fields = [(field.name, self.of(field.type)) for field in type_.fields]
        names = tuple(name for name, _ in fields)
        plain = all(inner is _same for _, inner in fields)

        def project(value: Any, context: Context) -> Any:
            if value is None or (plain and tuple(value) == names):
                return value
            return {name: inner(value.get(name), context) for name, inner in fields if name in value}

        return project

    def row(self, name: str) -> Projector:
        """The projector of an entity's rows."""
        if name not in self._rows:
            self._rows[name] = self._row(self._entities[name])
        return self._rows[name]

    def _unless(self, entity: Entity, rule: Hide) -> Callable[[Context, Any], Any] | None:
        """What shows the fields of a hide rule; of what needs other rows, each row has the answer with it."""
        carried = next((name for name, known in derived_rules(entity) if known is rule), None)
        if carried is not None:
            return lambda context, row: row.get(carried, False)
        return self._evaluator.row_value(rule.unless) if rule.unless is not None else None

    def _row(self, entity: Entity) -> Projector:
        shown = [field.name for field in entity.fields if field.readable]
        computed = [(field.name, self._evaluator.computed_of(entity.name, field.name)) for field in entity.computed]
        hides = [(rule.fields, self._unless(entity, rule)) for rule in entity.hides]
        relations = {"@" + relation.name: relation for relation in entity.relations}
        plain = not computed and not hides

        def project(row: Any, context: Context) -> Any:
            if row is None:
                return None
            if plain and "@expand" not in row:
                return {name: row[name] for name in shown if name in row}
            hidden = {name for fields, unless in hides if unless is None or not unless(context, row) for name in fields}
            found = {name: row[name] for name in shown if name in row and name not in hidden}
            for name, value in computed:
                if name not in hidden:
                    found[name] = value(context, row)
            for key in row.get("@expand", ()):
                relation = relations["@" + key]
                inner = self.row(relation.entity)
                related = row.get("@" + key)
                found[key] = [inner(item, context) for item in related] if isinstance(related, list) else inner(related, context)
            return found

        return project
