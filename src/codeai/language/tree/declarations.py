"""Declarations of data, endpoints and security: a header and clauses in the order of the source.

Events, workflows, jobs and integrations have files of their own beside this one.
"""

from __future__ import annotations

from codeai.language.tree.expressions import Expression
from codeai.language.tree.node import Identifier, Node
from codeai.language.tree.statements import Block
from codeai.language.tree.types import Modifier, TypeExpression


class Clause(Node, frozen=True, eq=False, gc=False):
    """A part of a declaration."""


class Declaration(Node, frozen=True, eq=False, gc=False):
    """Something the program declares; ``description`` is the text of its ``///`` comments."""

    description: str


class FieldDeclaration(Clause, frozen=True, eq=False, gc=False):
    """``name: type, modifiers`` with an optional computed value."""

    name: Identifier
    type: TypeExpression
    modifiers: tuple[Modifier, ...] = ()
    computed: Expression | None = None
    description: str = ""


class IndexColumn(Node, frozen=True, eq=False, gc=False):
    """A column of an index."""

    name: Identifier
    descending: bool


class IndexClause(Clause, frozen=True, eq=False, gc=False):
    """``index: [a, b desc] unique``."""

    columns: tuple[IndexColumn, ...]
    unique: bool


class CheckClause(Clause, frozen=True, eq=False, gc=False):
    """``check: condition``."""

    condition: Expression


class TableClause(Clause, frozen=True, eq=False, gc=False):
    """``table: "name"``."""

    name: str


class Trait(Node, frozen=True, eq=False, gc=False):
    """``audited``, ``tenant(org)``."""

    name: Identifier
    arguments: tuple[Identifier, ...]


class TraitsClause(Clause, frozen=True, eq=False, gc=False):
    """``traits: [...]``."""

    traits: tuple[Trait, ...]


class AllowClause(Clause, frozen=True, eq=False, gc=False):
    """``allow read, update: condition``; ``public`` is a ``Name``."""

    actions: tuple[Identifier, ...]
    condition: Expression


class HideClause(Clause, frozen=True, eq=False, gc=False):
    """``hide a, b unless condition``."""

    fields: tuple[Identifier, ...]
    unless: Expression | None


class Setting(Clause, frozen=True, eq=False, gc=False):
    """``key: value``, ``key value { … }`` or ``key { … }``: an open setting."""

    key: Identifier
    value: Expression | None
    children: tuple[Setting, ...] = ()


class AuthClause(Clause, frozen=True, eq=False, gc=False):
    """``auth: required | optional | public`` or names of providers."""

    names: tuple[Identifier, ...]


class NamesClause(Clause, frozen=True, eq=False, gc=False):
    """A key with a list of names or strings.

    These are ``roles``, ``permissions``, ``use``, ``actions``, ``filter_by``, ``sort_by``, ``inherits``, ``tags``.
    """

    key: Identifier
    names: tuple[Identifier, ...]


class RateLimitClause(Clause, frozen=True, eq=False, gc=False):
    """``rate_limit: 10 per 1m by user``."""

    requests: Expression
    window: Expression
    by: Identifier | None


class ValueClause(Clause, frozen=True, eq=False, gc=False):
    """A key with one expression: ``timeout``, ``page_size``, ``isolation``, ``cache`` …"""

    key: Identifier
    value: Expression


class InputClause(Clause, frozen=True, eq=False, gc=False):
    """``path``, ``query``, ``header``, ``cookie``, ``body``, ``input``, ``payload``: fields, or a type behind a colon."""

    place: Identifier
    fields: tuple[FieldDeclaration, ...]
    type: TypeExpression | None = None


class ReturnsClause(Clause, frozen=True, eq=False, gc=False):
    """``returns: T status 201 as "image/png"``."""

    type: TypeExpression
    status: Expression | None = None
    media_type: str | None = None


class ErrorClause(Clause, frozen=True, eq=False, gc=False):
    """``error 409: "text" code "c"``."""

    status: Expression
    message: str
    code: str | None = None


class FilterClause(Clause, frozen=True, eq=False, gc=False):
    """``filter { … }``: conditions, some of them ``Provided``."""

    conditions: tuple[Expression, ...]


class SortTerm(Node, frozen=True, eq=False, gc=False):
    """A sort term of an endpoint."""

    value: Expression
    descending: bool


class SortClause(Clause, frozen=True, eq=False, gc=False):
    """``sort: created_at desc``."""

    terms: tuple[SortTerm, ...]


class ValidationRule(Node, frozen=True, eq=False, gc=False):
    """``sku is unique``, ``category exists`` or a condition with an optional text."""

    kind: str
    field: Identifier | None
    condition: Expression | None
    message: str | None


class ValidateClause(Clause, frozen=True, eq=False, gc=False):
    """``validate { … }``."""

    rules: tuple[ValidationRule, ...]


class OnClause(Clause, frozen=True, eq=False, gc=False):
    """``on_success: …``, ``on_fail { … }``, ``on_complete: …``: a key with statements."""

    key: Identifier
    body: Block


class DoClause(Clause, frozen=True, eq=False, gc=False):
    """``do { … }``."""

    body: Block


class Annotation(Node, frozen=True, eq=False, gc=False):
    """``@tag("shop")`` before a declaration."""

    name: Identifier
    arguments: tuple[Expression, ...]


class ImportDeclaration(Declaration, frozen=True, eq=False, gc=False):
    """``import "billing/*.cai"``."""

    pattern: str


class ConfigDeclaration(Declaration, frozen=True, eq=False, gc=False):
    """``config { … }``."""

    settings: tuple[Setting, ...]


class EntityDeclaration(Declaration, frozen=True, eq=False, gc=False):
    """``entity Name { … }``."""

    name: Identifier
    clauses: tuple[Clause, ...]


class TypeDeclaration(Declaration, frozen=True, eq=False, gc=False):
    """``type Name { … }``."""

    name: Identifier
    fields: tuple[FieldDeclaration, ...]


class EnumDeclaration(Declaration, frozen=True, eq=False, gc=False):
    """``enum Name { a, b }``."""

    name: Identifier
    members: tuple[Identifier, ...]


class PathSegment(Node, frozen=True, eq=False, gc=False):
    """A part of a path."""

    text: str
    parameter: bool


class Path(Node, frozen=True, eq=False, gc=False):
    """The path of an endpoint or resource."""

    segments: tuple[PathSegment, ...]


class ActionSettings(Clause, frozen=True, eq=False, gc=False):
    """``list { … }``, ``create, update { … }`` in a resource."""

    actions: tuple[Identifier, ...]
    clauses: tuple[Clause, ...]


class ResourceDeclaration(Declaration, frozen=True, eq=False, gc=False):
    """``resource Entity at /path { … }``."""

    entity: Identifier
    path: Path
    clauses: tuple[Clause, ...]
    annotations: tuple[Annotation, ...] = ()


class EndpointDeclaration(Declaration, frozen=True, eq=False, gc=False):
    """``endpoint METHOD /path { … }``."""

    method: Identifier
    path: Path
    clauses: tuple[Clause, ...]
    annotations: tuple[Annotation, ...] = ()


class ParameterDeclaration(Node, frozen=True, eq=False, gc=False):
    """A parameter of a function; untyped when ``type`` is None."""

    name: Identifier
    type: TypeExpression | None


class FunctionDeclaration(Declaration, frozen=True, eq=False, gc=False):
    """``function name(a: T) -> R { … }``; ``extern`` functions have ``source`` instead of a body."""

    name: Identifier
    parameters: tuple[ParameterDeclaration, ...]
    result: TypeExpression | None
    body: Block | None
    source: str | None = None


class AuthDeclaration(Declaration, frozen=True, eq=False, gc=False):
    """``auth name { … }``."""

    name: Identifier
    settings: tuple[Setting, ...]


class RoleDeclaration(Declaration, frozen=True, eq=False, gc=False):
    """``role name { … }``."""

    name: Identifier
    clauses: tuple[NamesClause, ...]


class SeedDeclaration(Declaration, frozen=True, eq=False, gc=False):
    """``seed { … }``."""

    body: Block


class TestDeclaration(Declaration, frozen=True, eq=False, gc=False):
    """``test "name" { … }``."""

    name: str
    body: Block


class Script(Declaration, frozen=True, eq=False, gc=False):
    """Top-level statements of a script."""

    body: Block
