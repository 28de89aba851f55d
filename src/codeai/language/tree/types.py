"""Type expressions."""

from __future__ import annotations

from codeai.language.tree.expressions import Expression
from codeai.language.tree.node import Identifier, Node


class TypeExpression(Node, frozen=True, eq=False, gc=False):
    """A type as written."""


class NamedType(TypeExpression, frozen=True, eq=False, gc=False):
    """``uuid``, ``string(40)``, ``list(T)``, ``ref(E)``, ``many(E.f)``, ``enum(a, b)``, ``Product``; arguments are types, expressions or
    references, as their place wants them.
    """

    name: Identifier
    arguments: tuple[Node, ...] = ()


class OptionalType(TypeExpression, frozen=True, eq=False, gc=False):
    """``T?``."""

    item: TypeExpression


class ShapeType(TypeExpression, frozen=True, eq=False, gc=False):
    """``Product.create``, ``Product.pick(a, b)``; ``fields`` of pick and omit."""

    entity: Identifier
    shape: Identifier
    fields: tuple[Identifier, ...] = ()


class RecordType(TypeExpression, frozen=True, eq=False, gc=False):
    """``{ a: T, b: U }``; the fields are ``FieldDeclaration`` nodes."""

    fields: tuple[Node, ...]


class Modifier(Node, frozen=True, eq=False, gc=False):
    """``required``, ``default(0)``; arguments are expressions."""

    name: Identifier
    arguments: tuple[Expression, ...] = ()
