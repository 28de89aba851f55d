"""What the program declares, by name: the tables in which every use is looked up."""

from __future__ import annotations

from dataclasses import dataclass, field

from codeai.language import types as t
from codeai.language.tree import declarations as d
from codeai.language.tree.node import Node
from codeai.model.entity import Entity, Field, Relation


@dataclass
class EntitySymbol:
    """An entity while it is being resolved; ``entity`` is set once all of it is known."""

    name: str
    declaration: d.EntityDeclaration
    table: str = ""
    primary: str = ""
    fields: dict[str, Field] = field(default_factory=dict)
    computed: dict[str, t.Type] = field(default_factory=dict)
    relations: dict[str, Relation] = field(default_factory=dict)
    places: dict[str, d.FieldDeclaration] = field(default_factory=dict)
    entity: Entity | None = None

    @property
    def key_type(self) -> t.Type:
        """The type of the primary key."""
        found = self.fields.get(self.primary)
        return found.type if found is not None else t.Unknown()

    def member_names(self) -> list[str]:
        """Everything that may stand behind a dot on a row."""
        return [*self.fields, *self.relations, *self.computed]


@dataclass
class FunctionSymbol:
    """A declared function; ``result`` is Unknown for untyped ones."""

    name: str
    declaration: d.FunctionDeclaration
    parameters: tuple[tuple[str, t.Type], ...]
    result: t.Type


@dataclass
class Symbols:
    """All tables. ``places`` remembers where a top-level name was declared."""

    entities: dict[str, EntitySymbol] = field(default_factory=dict)
    records: dict[str, t.Record] = field(default_factory=dict)
    record_fields: dict[str, tuple[d.FieldDeclaration, ...]] = field(default_factory=dict)
    enums: dict[str, t.Enum] = field(default_factory=dict)
    functions: dict[str, FunctionSymbol] = field(default_factory=dict)
    roles: dict[str, d.RoleDeclaration] = field(default_factory=dict)
    providers: dict[str, d.AuthDeclaration] = field(default_factory=dict)
    settings: dict[tuple[str, ...], t.Type] = field(default_factory=dict)
    places: dict[str, Node] = field(default_factory=dict)

    def type_names(self) -> list[str]:
        """Names that may stand as a type."""
        return [*self.entities, *self.records, *self.enums]
