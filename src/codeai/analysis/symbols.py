"""What the program declares, by name: the tables in which every use is looked up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from codeai.language import types as t
from codeai.language.tree import declarations as d
from codeai.language.tree import expressions as ex
from codeai.language.tree.events import EventDeclaration, WebhookDeclaration
from codeai.language.tree.integrations import IntegrationDeclaration, MiddlewareDeclaration, OperationClause
from codeai.language.tree.node import Identifier, Node
from codeai.language.tree.workflows import JobDeclaration, WorkflowDeclaration
from codeai.model.entity import Entity, Field, Relation

_EMPTY: Final = t.Record(())
_ANYTHING: Final = t.Json()


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
    columns: dict[str, Identifier] = field(default_factory=dict)
    entity: Entity | None = None

    @property
    def key_type(self) -> t.Type:
        """The type of the primary key."""
        found = self.fields.get(self.primary)
        return found.type if found is not None else t.Unknown()

    @property
    def tenant_field(self) -> str | None:
        """The field that the server sets to the caller's tenant, as ``traits`` say it."""
        if self.entity is not None:
            return self.entity.tenant_field
        for clause in self.declaration.clauses:
            for trait in clause.traits if isinstance(clause, d.TraitsClause) else ():
                if trait.name.text == "tenant" and len(trait.arguments) == 1:
                    return trait.arguments[0].text
        return None

    @property
    def audited(self) -> bool:
        """Whether the entity keeps an audit, as ``traits`` say it; query text knows resolved entities only."""
        if self.entity is not None:
            return self.entity.audited
        traits = (clause.traits for clause in self.declaration.clauses if isinstance(clause, d.TraitsClause))
        return any(trait.name.text == "audited" for each in traits for trait in each)

    @property
    def may_be_hidden(self) -> bool:
        """Whether a reference may lead to a row that its reader is not shown: by a policy, another tenant, or a soft deletion."""
        if self.tenant_field is not None or any(one.soft_delete for one in self.fields.values()):
            return True
        policies = [clause for clause in self.declaration.clauses if isinstance(clause, d.AllowClause)]
        return bool(policies) and not any(map(_everybody_reads, policies))

    def is_reference(self, name: str) -> bool:
        """Whether the field refers to another entity."""
        return name in self.fields and isinstance(self.fields[name].type, t.Ref)

    def member_names(self) -> list[str]:
        """Everything that may stand behind a dot on a row."""
        return [*self.fields, *self.relations, *self.computed]


def _everybody_reads(clause: d.AllowClause) -> bool:
    public = isinstance(clause.condition, ex.Name) and clause.condition.text == "public"
    return public and any(action.text == "read" for action in clause.actions)


@dataclass
class FunctionSymbol:
    """A declared function; ``result`` is Unknown for untyped ones. ``writes``, ``effects`` and ``emits`` (the events and executions that
    it begins, with whether every way through it does) are known when all bodies are (``reach``).
    """

    name: str
    declaration: d.FunctionDeclaration
    parameters: tuple[tuple[str, t.Type], ...]
    result: t.Type
    writes: bool = False
    effects: set[str] = field(default_factory=set)
    emits: dict[tuple[str, str], bool] = field(default_factory=dict)


@dataclass
class EventSymbol:
    """An event; ``payload`` has the fields of its ``payload`` block."""

    name: str
    wire: str
    declaration: EventDeclaration
    payload: t.Record = _EMPTY


@dataclass
class OperationSymbol:
    """An operation of an integration: what it takes and what it answers. ``open`` ones take any argument."""

    name: str
    clause: OperationClause
    arguments: t.Record = _EMPTY
    result: t.Type = _ANYTHING
    open: bool = False


@dataclass
class IntegrationSymbol:
    """An integration with its operations."""

    name: str
    declaration: IntegrationDeclaration
    operations: dict[str, OperationSymbol] = field(default_factory=dict)


@dataclass
class RunSymbol:
    """A workflow or job: what starts it and the record that ``trigger`` or ``input`` holds; ``open`` where its text does not tell."""

    name: str
    declaration: WorkflowDeclaration | JobDeclaration
    input: t.Record = _EMPTY
    event: str | None = None
    open: bool = False


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
    events: dict[str, EventSymbol] = field(default_factory=dict)
    webhooks: dict[str, WebhookDeclaration] = field(default_factory=dict)
    integrations: dict[str, IntegrationSymbol] = field(default_factory=dict)
    middleware: dict[str, MiddlewareDeclaration] = field(default_factory=dict)
    workflows: dict[str, RunSymbol] = field(default_factory=dict)
    jobs: dict[str, RunSymbol] = field(default_factory=dict)
    settings: dict[tuple[str, ...], t.Type] = field(default_factory=dict)
    places: dict[str, Node] = field(default_factory=dict)

    # Records that hold one another: each knows the others by name only, since what they hold has no end. ``within`` are those of them
    # of which one is being resolved.
    inline: dict[Node, str] = field(default_factory=dict)
    inline_fields: dict[str, tuple[d.FieldDeclaration, ...]] = field(default_factory=dict)
    tangled: frozenset[str] = frozenset()
    within: frozenset[str] = frozenset()
    used: set[str] = field(default_factory=set)
    calls_over_rows: list[tuple[Node, str]] = field(default_factory=list)

    def whole(self, type_: t.Type) -> t.Type:
        """A type of which only the name is there, with what it holds."""
        return self.records[type_.name] if isinstance(type_, t.Record) and not type_.fields and type_.name in self.tangled else type_

    def use(self, space: str, name: str) -> None:
        """Notes that a declaration is used somewhere."""
        self.used.add(f"{space} {name}")

    def type_names(self) -> list[str]:
        """Names that may stand as a type."""
        return [*self.entities, *self.records, *self.enums]
