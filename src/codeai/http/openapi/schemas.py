"""Types as JSON Schema (draft 2020-12, as OpenAPI 3.1 has it)."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any, Final

from codeai.language import types as t
from codeai.model import expression as ir
from codeai.model.application import Application
from codeai.model.endpoint import InputField, Shape
from codeai.model.entity import Constraints, Entity, Relation

Schema = dict[str, Any]

_PLAIN: Final[dict[type[t.Type], Schema]] = {
    t.Uuid: {"type": "string", "format": "uuid"},
    t.Text: {"type": "string"},
    t.Email: {"type": "string", "format": "email", "maxLength": 254},
    t.Url: {"type": "string", "format": "uri", "maxLength": 2048},
    t.Int: {"type": "integer", "format": "int64", "minimum": -(2**63), "maximum": 2**63 - 1},
    t.Float: {"type": "number", "format": "double"},
    t.Bool: {"type": "boolean"},
    t.Timestamp: {"type": "string", "format": "date-time"},
    t.Date: {"type": "string", "format": "date"},
    t.Time: {"type": "string", "format": "time"},
    t.Duration: {"type": "string", "format": "duration"},
    t.Bytes: {"type": "string", "contentEncoding": "base64"},
    t.Json: {},
    t.Unknown: {},
}


def nullable(schema: Schema) -> Schema:
    """The schema or null."""
    if not schema:
        return schema
    if "enum" in schema:
        return {**schema, "type": [schema["type"], "null"], "enum": [*schema["enum"], None]}
    if isinstance(schema.get("type"), str):
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def number(value: object) -> Any:
    """A bound as JSON has it."""
    return (int(value) if value == int(value) else float(value)) if isinstance(value, Decimal) else value


class Schemas:
    """Schemas of a program; named ones go into ``components`` and are referred to."""

    def __init__(self, application: Application) -> None:
        self._entities = {entity.name: entity for entity in application.entities}
        self._shapes = {shape.name: shape for shape in application.shapes}
        self._making: set[str] = set()
        self.components: dict[str, Schema] = {}

    def of(self, type_: t.Type) -> Schema:
        """The schema of a value that the server sends or takes."""
        if isinstance(type_, t.Optional):
            return nullable(self.of(type_.item))
        if isinstance(type_, t.String):
            return {"type": "string", "maxLength": type_.length} if type_.length else {"type": "string"}
        if isinstance(type_, t.Decimal):
            return self._decimal(type_)
        if isinstance(type_, t.Enum):
            return {"type": "string", "enum": list(type_.members)}
        if isinstance(type_, t.List):
            return {"type": "array", "items": self.of(type_.item)}
        if isinstance(type_, t.Map):
            return {"type": "object", "additionalProperties": self.of(type_.value)}
        if isinstance(type_, t.Ref):
            return self.of(self._entities[type_.entity].primary_field.type)
        if isinstance(type_, t.Row):
            return self.row(self._entities[type_.entity])
        if isinstance(type_, t.Record):
            return self._record(type_)
        if isinstance(type_, t.Paginated):
            return self._page(type_)
        return dict(_PLAIN.get(type(type_), {}))

    def _decimal(self, type_: t.Decimal) -> Schema:
        found: Schema = {"type": "number"}
        if type_.precision is not None:
            largest = number(Decimal(10) ** (type_.precision - (type_.scale or 0)) - Decimal(1).scaleb(-(type_.scale or 0)))
            found |= {"minimum": -largest, "maximum": largest}
        return found

    def row(self, entity: Entity) -> Schema:
        """What a row shows; a field that some may not see is not always there."""
        name = entity.name
        if name not in self.components:
            self.components[name] = {}
            hidden = {field for rule in entity.hides for field in rule.fields}
            properties: dict[str, Schema] = {}
            for field in entity.fields:
                if field.readable:
                    schema = self.of(field.type)
                    properties[field.name] = self._described(nullable(schema) if field.nullable else schema, field.description)
            for computed in entity.computed:
                properties[computed.name] = self._described(self.of(computed.type), computed.description)
            found: Schema = {"type": "object", "properties": properties, "required": [key for key in properties if key not in hidden]}
            for relation in entity.relations:
                found["properties"][relation.name] = self._expandable(relation, properties.get(relation.name))
            self.components[name] = self._described(found, entity.description)
        return {"$ref": f"#/components/schemas/{name}"}

    def _expandable(self, relation: Relation, key: Schema | None) -> Schema:
        """A relation as ``expand`` shows it: rows, or one, which is null where the caller may not see it.

        :param key: what stands there without ``expand``, if anything does
        """
        row = self.row(self._entities[relation.entity])
        if relation.kind == "many":
            return {"type": "array", "items": row, "description": f"only with expand={relation.name}"}
        if key is None:
            return {"anyOf": [row, {"type": "null"}], "description": f"only with expand={relation.name}"}
        plain = {name: value for name, value in key.items() if name != "description"}
        said = f"the row with expand={relation.name}, else its key"
        described = f"{key['description']}; {said}" if "description" in key else said
        return {"anyOf": [plain, row, {"type": "null"}], "description": described}

    def _described(self, schema: Schema, description: str) -> Schema:
        return {**schema, "description": description} if description else schema

    def _record(self, type_: t.Record) -> Schema:
        shape = self._shapes.get(type_.name)
        if shape is not None:
            return self.shape(shape)
        return {
            "type": "object",
            "properties": {field.name: self.of(field.type) for field in type_.fields},
            "required": [field.name for field in type_.fields if not t.is_nullable(field.type)],
        }

    def _page(self, type_: t.Paginated) -> Schema:
        self.components.setdefault("Pagination", _PAGINATION)
        return {
            "type": "object",
            "properties": {
                "data": {"type": "array", "items": self.of(type_.item)},
                "pagination": {"$ref": "#/components/schemas/Pagination"},
            },
            "required": ["data", "pagination"],
        }

    # -- inputs ----------------------------------------------------------------------------------------------------

    def shape(self, shape: Shape) -> Schema:
        """What a client sends."""
        if shape.open:
            return {}
        if shape.name and (shape.name in self._making or self._shown(shape)):  # a type within itself, or of others
            return {"$ref": f"#/components/schemas/{shape.name}"}
        self._making.add(shape.name)
        found: Schema = {
            "type": "object",
            "properties": {field.name: self.input(field, self._stored_default(shape, field)) for field in shape.fields},
            "additionalProperties": False,
        }
        required = [field.name for field in shape.fields if field.required]
        if required:
            found["required"] = required
        self._making.discard(shape.name)
        if shape.name and not shape.name.startswith(t.INLINE):
            self.components[shape.name] = found
            found = {"$ref": f"#/components/schemas/{shape.name}"}
        return {"type": "array", "items": found} if shape.many else found

    def _shown(self, shape: Shape) -> bool:
        return shape.name in self.components and self._shapes.get(shape.name) is shape

    def _stored_default(self, shape: Shape, field: InputField) -> ir.Expression | None:
        """What a row is created with where a client leaves the field out."""
        entity = self._entities.get(shape.entity or "") if not shape.partial else None
        stored = entity.field(field.name) if entity is not None and not field.required else None
        return stored.default if stored is not None else None

    def input(self, field: InputField, stored: ir.Expression | None = None) -> Schema:
        """One value of a client with its constraints.

        :param stored: the default of the field of the entity, where the row is made of the value
        """
        schema = _constrained(self.of(t.required(field.type)), field.constraints)
        if isinstance(t.required(field.type), t.String | t.Text):
            schema.setdefault("pattern", STORABLE)
        elif isinstance(schema.get("items"), dict) and schema["items"].get("type") == "string" and len(schema["items"]) <= 2:
            schema["items"].setdefault("pattern", STORABLE)
        if field.nullable:
            schema = nullable(schema)
        if field.write_only:
            schema = {**schema, "writeOnly": True}
        default = field.default if field.default is not None else stored
        stated = _stated(default) if default is not None else None
        if stated is not None:
            schema = {**schema, "default": stated}
        return self._described(schema, field.description)


def _stated(default: ir.Expression) -> Any:
    """A default as JSON, where the text of the program says it; None for what is computed, or has no plain form."""
    if isinstance(default, ir.ListOf):
        items = [_stated(item) for item in default.items]
        return None if None in items else items
    if isinstance(default, ir.RecordOf):
        members = {entry.name: _stated(entry.value) for entry in default.entries}
        return None if None in members.values() else members
    if not isinstance(default, ir.Constant):
        return None
    if isinstance(default.value, datetime.date | datetime.time):
        return default.value.isoformat()
    return number(default.value) if isinstance(default.value, str | int | float | Decimal) else None


def _constrained(schema: Schema, constraints: Constraints) -> Schema:
    found = dict(schema)
    items = found.get("type") == "array"
    if constraints.minimum is not None and "contentEncoding" not in found:
        found["minimum"] = max(number(constraints.minimum), found.get("minimum", number(constraints.minimum)))
    if constraints.maximum is not None and "contentEncoding" not in found:
        found["maximum"] = min(number(constraints.maximum), found.get("maximum", number(constraints.maximum)))
    if constraints.min_length is not None:
        found["minItems" if items else "minLength"] = constraints.min_length
    if constraints.max_length is not None:
        name = "maxItems" if items else "maxLength"
        found[name] = min(constraints.max_length, found.get(name, constraints.max_length))
    if constraints.pattern is not None:
        found["pattern"] = constraints.pattern
    return found


# No database keeps the null character in a text.
STORABLE: Final = "^[^\\u0000]*$"
_PAGINATION: Final[Schema] = {
    "type": "object",
    "description": "where a page stands: by number, or by cursor",
    "properties": {
        "page": {"type": "integer"},
        "limit": {"type": "integer"},
        "has_next": {"type": "boolean"},
        "has_previous": {"type": "boolean"},
        "next_cursor": {"type": ["string", "null"]},
        "prev_cursor": {"type": ["string", "null"]},
        "total": {"type": "integer"},
    },
    "required": ["limit", "has_next", "has_previous"],
}
