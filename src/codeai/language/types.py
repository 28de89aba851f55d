"""The types of the language (language page, section 3), as immutable values that compare by content.

``str(type)`` is the canonical name that messages print. What a type means in a database or in JSON is said by the packages
that store and encode it.
"""

from __future__ import annotations

import msgspec


class Type(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A type. Nullability is a wrapper (``Optional``), so that equality of types stays plain."""

    def __str__(self) -> str:
        return type(self).__name__.lower()


class Unknown(Type, frozen=True, tag="unknown"):
    """The type of an expression that already has a diagnostic, or of an untyped parameter: accepted everywhere."""


class Null(Type, frozen=True, tag="null"):
    """The type of the literal ``null``."""


class Void(Type, frozen=True, tag="void"):
    """The result of an operation that has none."""


class Bool(Type, frozen=True, tag="bool"):
    """Truth value."""


class Int(Type, frozen=True, tag="int"):
    """Whole number of 64 bits."""


class Float(Type, frozen=True, tag="float"):
    """IEEE 754 double."""


class Decimal(Type, frozen=True, tag="decimal"):
    """Exact decimal number; ``precision`` and ``scale`` count digits, None where the program gives none."""

    precision: int | None = None
    scale: int | None = None


class String(Type, frozen=True, tag="string"):
    """Text of bounded length (code points); ``length`` None stands for a string value whose bound is not known."""

    length: int | None = None


class Text(Type, frozen=True, tag="text"):
    """Text without a bound."""


class Uuid(Type, frozen=True, tag="uuid"):
    """RFC 9562 identifier."""


class Email(Type, frozen=True, tag="email"):
    """Checked e-mail address."""


class Url(Type, frozen=True, tag="url"):
    """Checked absolute URL."""


class Timestamp(Type, frozen=True, tag="timestamp"):
    """Instant, UTC."""


class Date(Type, frozen=True, tag="date"):
    """Calendar day."""


class Time(Type, frozen=True, tag="time"):
    """Time of day."""


class Duration(Type, frozen=True, tag="duration"):
    """Length of time."""


class Json(Type, frozen=True, tag="json"):
    """Any JSON value."""


class Bytes(Type, frozen=True, tag="bytes"):
    """Octets; base64 in JSON."""


class List(Type, frozen=True, tag="list"):
    """Sequence of one type; messages call it ``array``."""

    item: Type

    def __str__(self) -> str:
        return "array"


class Map(Type, frozen=True, tag="map"):
    """String keys to values of one type."""

    value: Type


class Enum(Type, frozen=True, tag="enum"):
    """One of a closed list of names; ``name`` is empty for an inline enum."""

    members: tuple[str, ...]
    name: str = ""

    def __str__(self) -> str:
        return self.name or "enum"


class RecordField(msgspec.Struct, frozen=True, gc=False):
    """A member of a record type."""

    name: str
    type: Type
    required: bool = True


INLINE = "Inline_"  # begins the names of inline records that have rules of their own, by which these are found


class Record(Type, frozen=True, tag="record"):
    """Named or inline record; a named one (``type X``, ``Product.create``) carries its name."""

    fields: tuple[RecordField, ...]
    name: str = ""

    def __str__(self) -> str:
        return "record" if not self.name or self.name.startswith(INLINE) else self.name

    def field(self, name: str) -> RecordField | None:
        """The member of that name, or None."""
        return next((field for field in self.fields if field.name == name), None)


class Row(Type, frozen=True, tag="row"):
    """A row of an entity."""

    entity: str

    def __str__(self) -> str:
        return self.entity


class Ref(Type, frozen=True, tag="ref"):
    """A reference to a row: the key in comparisons and JSON, the row when a member is read."""

    entity: str

    def __str__(self) -> str:
        return f"ref({self.entity})"


class Many(Type, frozen=True, tag="many"):
    """The rows of another entity that point back through one of its ``ref`` fields."""

    entity: str
    field: str

    def __str__(self) -> str:
        return f"many({self.entity}.{self.field})"


class Paginated(Type, frozen=True, tag="paginated"):
    """A page of results; only as the result of an endpoint."""

    item: Type


class Principal(Type, frozen=True, tag="principal"):
    """The type of ``user``: ``id``, ``email``, ``roles``, ``permissions``, ``tenant``, ``claims``, ``has_role()``, ``has_permission()``."""

    def __str__(self) -> str:
        return "user"


class Function(Type, frozen=True, tag="function"):
    """A lambda or a declared function as a value."""

    parameters: tuple[Type, ...]
    result: Type


class Optional(Type, frozen=True, tag="optional"):
    """The type or null."""

    item: Type

    def __str__(self) -> str:
        return str(self.item)


def optional(type_: Type) -> Type:
    """The nullable form of a type; nullable, null, json and unknown types stay as they are."""
    return type_ if isinstance(type_, Optional | Null | Unknown | Json) else Optional(type_)


def required(type_: Type) -> Type:
    """The type without its nullability."""
    return type_.item if isinstance(type_, Optional) else type_


def is_nullable(type_: Type) -> bool:
    """Whether null is one of the values of the type."""
    return isinstance(type_, Optional | Null | Unknown | Json)
