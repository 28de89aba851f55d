"""Every name that a program declares, before anything refers to it; records as far as their names go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from codeai.analysis.builtins import BUILTINS
from codeai.analysis.circles import tangled
from codeai.analysis.settings import Settings
from codeai.analysis.symbols import EntitySymbol, IntegrationSymbol, RunSymbol
from codeai.language import types as t
from codeai.language.diagnostics import DiagnosticClass
from codeai.language.tree import declarations as d
from codeai.language.tree import types as ty
from codeai.language.tree.events import EventDeclaration, WebhookDeclaration
from codeai.language.tree.integrations import IntegrationDeclaration, MiddlewareDeclaration
from codeai.language.tree.node import Identifier, Node, children
from codeai.language.tree.workflows import JobDeclaration, WorkflowDeclaration

_SCOPE = DiagnosticClass.SCOPE


class Declarations(Settings):
    """Fills the tables of names."""

    def _declare_all(self) -> None:
        for declaration in self.declarations:
            if isinstance(declaration, d.EntityDeclaration) and self._new(declaration.name, "type"):
                self.symbols.entities[declaration.name.text] = EntitySymbol(declaration.name.text, declaration)
            elif isinstance(declaration, d.TypeDeclaration) and self._new(declaration.name, "type"):
                self.symbols.record_fields[declaration.name.text] = declaration.fields
                self.symbols.records[declaration.name.text] = t.Record((), declaration.name.text)
            elif isinstance(declaration, d.EnumDeclaration) and self._new(declaration.name, "type"):
                self.symbols.enums[declaration.name.text] = self._enum(declaration)
            elif isinstance(declaration, d.RoleDeclaration) and self._new(declaration.name, "role"):
                self.symbols.roles[declaration.name.text] = declaration
            elif isinstance(declaration, d.AuthDeclaration) and self._new(declaration.name, "auth"):
                self.symbols.providers[declaration.name.text] = declaration
            else:
                self._declare_connected(declaration)

    def _declare_connected(self, declaration: d.Declaration) -> None:
        if isinstance(declaration, EventDeclaration):
            self.declare_event(declaration)
        elif isinstance(declaration, WorkflowDeclaration) and self._new(declaration.name, "run"):
            self.symbols.workflows[declaration.name.text] = RunSymbol(declaration.name.text, declaration)
        elif isinstance(declaration, JobDeclaration) and self._new(declaration.name, "run"):
            self.symbols.jobs[declaration.name.text] = RunSymbol(declaration.name.text, declaration)
        elif isinstance(declaration, IntegrationDeclaration) and self._new(declaration.name, "integration"):
            self.symbols.integrations[declaration.name.text] = IntegrationSymbol(declaration.name.text, declaration)
        elif isinstance(declaration, WebhookDeclaration) and self._new(declaration.name, "webhook"):
            self.symbols.webhooks[declaration.name.text] = declaration
        elif isinstance(declaration, MiddlewareDeclaration) and self._new(declaration.name, "middleware"):
            self.symbols.middleware[declaration.name.text] = declaration

    def _new(self, name: Identifier, space: str) -> bool:
        """Whether the name is not taken in its space; reports it otherwise."""
        if space == "type" and self.is_type(name.text):
            hint = "the language has a type of that name: call it otherwise"
            self.report.error(name, f"duplicate declaration '{name.text}'", "CAI0102", kind=_SCOPE, help_text=hint)
        if space == "function" and name.text in BUILTINS:
            self.report.warning(name, f"function '{name.text}' hides the one of the language", "CAI0137", help_text="call it otherwise")
        first = self.symbols.places.setdefault(f"{space} {name.text}", name)
        if first is not name:
            self.report.duplicate(name, name.text, first, named=True)
        return first is name

    def _enum(self, node: d.EnumDeclaration) -> t.Enum:
        seen: dict[str, Node] = {}
        for member in node.members:
            if member.text in seen:
                self.report.duplicate(member, member.text, seen[member.text])
            seen[member.text] = member
        if not node.members:
            self.report.error(
                node.name, f"enum '{node.name.text}' has no members", "CAI0212", help_text="name them, as in 'enum Tier { bronze, silver }'"
            )
        return t.Enum(tuple(seen), node.name.text)

    def _records(self) -> None:
        for fields in self.symbols.record_fields.values():
            seen: dict[str, Node] = {}
            for field in fields:
                if field.name.text in seen:
                    self.report.duplicate(field.name, field.name.text, seen[field.name.text], named=True)
                seen[field.name.text] = field.name
        uses = {name: set(_named_types(fields)) & set(self.symbols.record_fields) for name, fields in self.symbols.record_fields.items()}
        self.symbols.tangled = frozenset(tangled(uses))
        pending = list(self.symbols.record_fields)
        for _ in range(len(pending) + 1):
            before = dict(self.symbols.records)
            marks = len(self.report.diagnostics)
            self._complete(pending)
            if self.symbols.records == before:
                break
            self.report.forget(marks)
        self._complete(pending)

    def _complete(self, records: list[str]) -> None:
        """Records may hold records and shapes of entities, and entities hold records: each round goes one level deeper."""
        for name in records:
            self.symbols.within = self.symbols.tangled if name in self.symbols.tangled else frozenset()
            self.symbols.records[name] = self.record(self.symbols.record_fields[name], name)
        self.symbols.within = frozenset()
        if records:
            for entity in self.symbols.entities.values():
                self.complete_fields(entity)


def _named_types(nodes: Sequence[Node]) -> Iterator[str]:
    """The names of types that fields mention, however deep."""
    waiting: list[Node] = list(nodes)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ty.NamedType):
            yield node.name.text
        waiting.extend(children(node))
