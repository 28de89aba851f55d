"""Entities: stored fields, relations, constraints, policies."""

from __future__ import annotations

from typing import Literal

import msgspec

from codeai.language.types import Type
from codeai.model.expression import Expression


class Constraints(msgspec.Struct, frozen=True, gc=False):
    """Bounds of a value: ``minimum``/``maximum`` for numbers and times (also sizes of bytes), lengths in code points or items."""

    minimum: object | None = None
    maximum: object | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None


class Field(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A stored field and its column (which has the field's name). ``type`` is without nullability; for a reference it is ``Ref``
    and ``key_type`` is the type of the key that it stores.
    """

    name: str
    type: Type
    key_type: Type | None = None
    nullable: bool = True
    primary: bool = False
    auto: bool = False
    auto_update: bool = False
    unique: bool = False
    searchable: bool = False
    soft_delete: bool = False
    required: bool = False
    read_only: bool = False
    write_only: bool = False
    immutable: bool = False
    secret: bool = False
    default: Expression | None = None
    constraints: Constraints = Constraints()
    on_delete: Literal["restrict", "cascade", "set_null"] = "restrict"
    rename_from: str | None = None
    description: str = ""
    at: int = -1

    @property
    def stored_type(self) -> Type:
        """The type of the value that the column holds."""
        return self.key_type or self.type

    @property
    def readable(self) -> bool:
        """Whether the field may ever leave the server, be filtered or sorted by."""
        return not (self.secret or self.write_only)

    @property
    def generated(self) -> bool:
        """Whether its value is made by the server, so that clients never send it."""
        return self.auto or self.auto_update or self.soft_delete


class ComputedField(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A field whose value is computed from the row (``self``); never stored."""

    name: str
    type: Type
    value: Expression
    description: str = ""
    at: int = -1


class Relation(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A way from this entity to another: ``one`` through the ``ref`` field ``field`` of this entity, ``many`` through the ``ref``
    field ``field`` of the other (``entity``).
    """

    name: str
    kind: Literal["one", "many"]
    entity: str
    field: str
    nullable: bool = True


class Index(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """An index; ``columns`` are names with a flag for descending order."""

    name: str
    columns: tuple[tuple[str, bool], ...]
    unique: bool = False


class Check(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A condition that every stored row fulfils (over ``self``); ``source`` is its text for messages."""

    name: str
    condition: Expression
    source: str
    at: int = -1


Action = Literal["read", "create", "update", "delete"]


class Allow(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One ``allow`` line for one action; ``condition`` None is ``public``. Several lines for an action are alternatives."""

    action: Action
    condition: Expression | None
    source: str = ""
    at: int = -1


class Hide(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """``hide fields unless condition``; ``unless`` None hides always."""

    fields: tuple[str, ...]
    unless: Expression | None
    source: str = ""
    at: int = -1


class Entity(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """An entity as declared. ``fields`` keep the order of the program.

    ``view`` is a SELECT that stands instead of the table, for what the server itself offers to read; nobody writes to it.
    """

    name: str
    table: str
    fields: tuple[Field, ...]
    primary: str
    computed: tuple[ComputedField, ...] = ()
    relations: tuple[Relation, ...] = ()
    indexes: tuple[Index, ...] = ()
    checks: tuple[Check, ...] = ()
    allows: tuple[Allow, ...] = ()
    hides: tuple[Hide, ...] = ()
    tenant_field: str | None = None
    audited: bool = False
    view: str = ""
    description: str = ""
    at: int = -1

    def field(self, name: str) -> Field | None:
        """The stored field of that name, or None."""
        return next((field for field in self.fields if field.name == name), None)

    def relation(self, name: str) -> Relation | None:
        """The relation of that name, or None."""
        return next((relation for relation in self.relations if relation.name == name), None)

    @property
    def primary_field(self) -> Field:
        """The field that is the key."""
        return next(field for field in self.fields if field.name == self.primary)

    @property
    def soft_delete_field(self) -> Field | None:
        """The timestamp that marks a row as deleted, or None when rows are really deleted."""
        return next((field for field in self.fields if field.soft_delete), None)

    @property
    def guarded(self) -> bool:
        """Whether the entity has row policies: then each action that is not named is denied."""
        return bool(self.allows)
