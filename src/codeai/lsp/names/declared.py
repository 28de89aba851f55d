"""Everything that a program declares, by a key that says what it is: ``("type", "Order")``, ``("field", "Order", "total")``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from codeai.analysis.payloads import wire_name
from codeai.language.tree import declarations as d
from codeai.language.tree import events as ev
from codeai.language.tree import integrations as i
from codeai.language.tree import workflows as w
from codeai.language.tree.module import Module
from codeai.language.tree.node import Identifier, Node

Key = tuple[str | int, ...]


class Declared(msgspec.Struct, frozen=True):
    """One of them: the name where it is declared, and the whole declaration."""

    key: Key
    name: Node
    node: Node

    @property
    def kind(self) -> str:
        """What it is: ``entity``, ``field``, ``event`` …"""
        return _KINDS.get(type(self.node), str(self.key[0]))


def declared_by(modules: Iterable[Module]) -> dict[Key, Declared]:
    """All declarations; of those of one key the first, which is the one that counts."""
    found: dict[Key, Declared] = {}
    for module in modules:
        for declaration in module.declarations:
            for one in _of(declaration):
                found.setdefault(one.key, one)
    return found


def _of(node: d.Declaration) -> Iterator[Declared]:
    if isinstance(node, ev.EventDeclaration):
        wire = wire_name(node.name.text)
        yield Declared(("event", wire), node.name, node)
        yield from _inputs(node.clauses, ("payload", wire))
        return
    name = getattr(node, "name", None)
    if isinstance(name, Identifier):
        yield Declared((_SPACES[type(node)], name.text), name, node)
        yield from _inside(node, name.text)
    elif isinstance(node, d.EndpointDeclaration | d.ResourceDeclaration):
        for clause in node.clauses:
            if isinstance(clause, d.InputClause):
                yield from _fields(clause.fields, ("input", node.start, clause.place.text))
        for segment in node.path.segments:  # behind the clauses, which say more of it
            if segment.parameter:
                yield Declared(("input", node.start, "path", segment.text), named(segment), segment)
    elif isinstance(node, d.ConfigDeclaration):
        for setting in node.settings:
            yield from _settings(setting, ("setting",))


def _inside(node: d.Declaration, name: str) -> Iterator[Declared]:
    if isinstance(node, d.EntityDeclaration):
        yield from _fields((one for one in node.clauses if isinstance(one, d.FieldDeclaration)), ("field", name))
    elif isinstance(node, d.TypeDeclaration):
        yield from _fields(node.fields, ("field", name))
    elif isinstance(node, d.EnumDeclaration):
        for member in node.members:
            yield Declared(("member", name, member.text), member, member)
    elif isinstance(node, i.IntegrationDeclaration):
        for clause in node.clauses:
            if isinstance(clause, i.OperationClause):
                yield Declared(("operation", name, clause.name.text), clause.name, clause)
                yield from _inputs(clause.clauses, ("argument", name, clause.name.text))
    elif isinstance(node, w.WorkflowDeclaration | w.JobDeclaration):
        yield from _inputs(node.clauses, ("argument", name))
        for step in steps_of(node.clauses):
            yield Declared(("step", name, step.name.text), step.name, step)


def _inputs(clauses: Iterable[d.Clause], key: Key) -> Iterator[Declared]:
    for clause in clauses:
        if isinstance(clause, d.InputClause):
            yield from _fields(clause.fields, key)


def _settings(setting: d.Setting, key: Key) -> Iterator[Declared]:
    key = (*key, setting.key.text)
    yield Declared(key, setting.key, setting)
    for child in setting.children:
        yield from _settings(child, key)


def named(segment: d.PathSegment) -> Node:
    """The name in ``{name}`` and ``:name``."""
    return Node(segment.start + 1, segment.start + 1 + len(segment.text))


def _fields(fields: Iterable[d.FieldDeclaration], key: Key) -> Iterator[Declared]:
    for field in fields:
        yield Declared((*key, field.name.text), field.name, field)


def steps_of(clauses: Iterable[Node]) -> Iterator[w.Step]:
    """All steps, those side by side, too."""
    for clause in clauses:
        if isinstance(clause, w.Step):
            yield clause
        elif isinstance(clause, w.StepsClause | w.ParallelSteps):
            yield from steps_of(clause.steps)


_SPACES: Final[dict[type, str]] = {
    **dict.fromkeys((d.EntityDeclaration, d.TypeDeclaration, d.EnumDeclaration), "type"),
    **dict.fromkeys((w.WorkflowDeclaration, w.JobDeclaration), "run"),
    d.FunctionDeclaration: "function",
    d.AuthDeclaration: "auth",
    d.RoleDeclaration: "role",
    ev.WebhookDeclaration: "webhook",
    i.IntegrationDeclaration: "integration",
    i.MiddlewareDeclaration: "middleware",
}
_KINDS: Final[dict[type, str]] = {
    d.EntityDeclaration: "entity",
    d.TypeDeclaration: "type",
    d.EnumDeclaration: "enum",
    w.WorkflowDeclaration: "workflow",
    w.JobDeclaration: "job",
    d.FieldDeclaration: "field",
}
