"""Where names are used, found by going over the trees once, with what the analysis has resolved."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import msgspec

from codeai.analysis.builtins import OF_TESTS
from codeai.analysis.inquiries import reference_of
from codeai.analysis.payloads import wire_name
from codeai.language import types as t
from codeai.language.tree import declarations as d
from codeai.language.tree import events as ev
from codeai.language.tree import expressions as ex
from codeai.language.tree import queries as q
from codeai.language.tree import statements as st
from codeai.language.tree import types as ty
from codeai.language.tree import workflows as w
from codeai.language.tree.module import Module
from codeai.language.tree.node import Identifier, Node, Reference, children
from codeai.lsp.names.declared import Key, named
from codeai.lsp.names.values import Values

_LISTS: Final = {"roles": "role", "inherits": "role", "use": "middleware"}
_FIELDS: Final = ("filter_by", "sort_by")
_OF_TARGETS: Final = {"workflow": "run", "job": "run", "webhook": "webhook"}


class Use(msgspec.Struct, frozen=True, order=True):
    """A name that refers to a declaration, or is that of one: a stretch of the program's text. Of a quoted path it is the part."""

    start: int
    end: int
    key: Key
    written: bool = False  # whether a value is given to what it names


Found = Iterator[Use]


def uses_in(modules: Iterable[Module], values: Values) -> list[Use]:
    """All uses in these modules, declarations among them, in the order of the text."""
    finder = _Finder(values)
    found = [use for module in modules for declaration in module.declarations for use in finder.inside(declaration)]
    return sorted(set(found))


class _Finder:
    """Says for each node what the names that belong to it refer to."""

    def __init__(self, values: Values) -> None:
        self._values = values
        self._declared = {(one.name.start, one.name.end): one.key for one in values.declared.values()}
        self._host = 0
        self._entity: str | None = None
        self._run: str | None = None
        self._dispatch: dict[type, Callable[[Any], Found]] = _table(self)

    def inside(self, declaration: d.Declaration) -> Found:
        """The uses in a declaration."""
        self._host = declaration.start
        self._entity = _entity_of(declaration)
        self._run = declaration.name.text if isinstance(declaration, w.WorkflowDeclaration | w.JobDeclaration) else None
        waiting: list[Node] = [declaration]
        while waiting:
            node = waiting.pop()
            find = self._dispatch.get(type(node))
            if find is not None:
                yield from find(node)
            key = self._declared.get((node.start, node.end))
            if key is not None and isinstance(node, Identifier | Reference):
                yield Use(node.start, node.end, key)
            waiting.extend(children(node))

    def known(self, node: Node, key: Key, *, written: bool = False) -> Found:
        """A use, where there is such a declaration."""
        if key in self._values.declared:
            yield Use(node.start, node.end, key, written)

    # -- expressions ------------------------------------------------------------------------------------------------

    def name(self, node: ex.Name) -> Found:
        key = self._values.of_name(node, self._host)
        if key is not None:
            yield Use(node.start, node.end, key)

    def member(self, node: ex.Member) -> Found:
        if isinstance(node.target, ex.Name) and node.target.text == "steps" and self._run is not None:
            yield from self.known(node.name, ("step", self._run, node.name.text))
            return
        key = self._values.of_member(node, self._host)
        if key is not None:
            yield Use(node.name.start, node.name.end, key)

    def call(self, node: ex.Call) -> Found:
        first = node.arguments[0].value if node.arguments else None
        if isinstance(node.callee, ex.Member) and node.callee.name.text == "has_role" and isinstance(first, ex.Name | ex.StringLiteral):
            yield from self.known(first, ("role", first.text if isinstance(first, ex.Name) else first.value))
        named = reference_of(first) if isinstance(node.callee, ex.Name) and node.callee.text in OF_TESTS and first is not None else None
        if named is not None and isinstance(node.callee, ex.Name):
            yield from self._inquired(node.callee.text, named)

    def _inquired(self, about: str, named: Reference) -> Found:
        """What a test asks about: ``executions(W)``, ``calls(I.operation)``, ``events(E)``."""
        if about == "calls":
            yield from self._operation(named)
        elif about == "events":
            yield from self.event(named)
        else:
            yield from self.known(named, ("run", named.text))

    def record(self, node: ex.MapLiteral) -> Found:
        seen = self._values.seen.get(node)
        if seen is not None:
            for entry in node.entries:
                key = self._values.of_field(seen.value.type, entry.key.text)
                if key is not None:
                    yield Use(entry.key.start, entry.key.end, key, True)

    def lambda_(self, node: ex.Lambda) -> Found:
        for parameter in node.parameters:
            yield Use(parameter.start, parameter.end, ("variable", parameter.start), True)

    # -- queries and writes -----------------------------------------------------------------------------------------

    def select(self, node: q.Select | q.Get) -> Found:
        if node.entity is not None:
            yield from self.known(node.entity, ("type", node.entity.text))
            for reference in node.loads:
                yield from self._path(node.entity.text, reference)

    def _path(self, entity: str, reference: Reference) -> Found:
        for part in reference.parts:
            symbol = self._values.symbols.entities.get(entity)
            relation = symbol.relations.get(part.text) if symbol is not None else None
            key = self._values.of_field(t.Row(entity), part.text)
            if relation is None or key is None:
                return
            yield Use(part.start, part.end, key)
            entity = relation.entity

    def entity(self, node: q.JoinClause | q.DeleteRows | ty.ShapeType) -> Found:
        yield from self.known(node.entity, ("type", node.entity.text))
        for name in node.fields if isinstance(node, ty.ShapeType) else ():
            yield from self._field(name, node.entity.text)

    def update_rows(self, node: q.UpdateRows) -> Found:
        yield from self.known(node.entity, ("type", node.entity.text))
        for clause in node.assignments:
            yield from self._field(clause.field, node.entity.text, written=True)

    def create(self, node: q.CreateRow) -> Found:
        yield from self.known(node.entity, ("type", node.entity.text))
        yield from self._entries(node.values, t.Row(node.entity.text))

    def update(self, node: q.UpdateRow) -> Found:
        seen = self._values.seen.get(node.target)
        if seen is not None:
            yield from self._entries(node.values, seen.value.type)

    def _entries(self, entries: Iterable[ex.MapEntry], type_: t.Type) -> Found:
        for entry in entries:
            key = self._values.of_field(type_, entry.key.text)
            if key is not None:
                yield Use(entry.key.start, entry.key.end, key, True)

    def _field(self, name: Identifier, entity: str | None, *, written: bool = False) -> Found:
        key = self._values.of_field(t.Row(entity), name.text) if entity is not None else None
        if key is not None:
            yield Use(name.start, name.end, key, written)

    # -- calls of what runs elsewhere -------------------------------------------------------------------------------

    def operation(self, node: q.CallOperation | st.Mock) -> Found:
        yield from self._operation(node.operation)
        if isinstance(node, q.CallOperation):
            for entry in node.values:
                key = ("argument", *(part.text for part in node.operation.parts), entry.key.text)
                yield from self.known(entry.key, key, written=True)

    def _operation(self, reference: Reference) -> Found:
        places = parts_of(reference)
        yield from self.known(places[0], ("integration", places[0].text))
        if len(places) == 2:
            yield from self.known(places[1], ("operation", places[0].text, places[1].text))

    def start(self, node: q.Start) -> Found:
        yield from self.known(node.target, ("run", node.target.text))
        for entry in node.values:
            yield from self.known(entry.key, ("argument", node.target.text, entry.key.text), written=True)

    def emit(self, node: st.Emit) -> Found:
        yield from self.event(node.event)
        if isinstance(node.payload, ex.MapLiteral):
            for entry in node.payload.entries:
                yield from self.known(entry.key, ("payload", wire_name(node.event.text), entry.key.text), written=True)

    def event(self, reference: Reference) -> Found:
        """A use of an event in one of its spellings."""
        start, end = reference.start, reference.end
        quoted = end - start == len(reference.text) + 2
        place = Node(start + quoted, end - quoted)
        yield from self.known(place, ("event", wire_name(reference.text)))

    def handler(self, node: ev.HandlerDeclaration) -> Found:
        yield from self.event(node.event)
        if node.kind is None or node.target is None:
            return
        if node.kind.text == "integration":
            yield from self._operation(node.target)
        elif node.kind.text == "emit":
            yield from self.event(node.target)
        elif node.kind.text in _OF_TARGETS:
            yield from self.known(node.target, (_OF_TARGETS[node.kind.text], node.target.text))

    def events(self, node: ev.EventsClause) -> Found:
        for reference in node.events:
            yield from self.event(reference)

    def trigger(self, node: ev.TriggerClause | w.WaitClause) -> Found:
        if node.event is not None:
            yield from self.event(node.event)

    # -- statements -------------------------------------------------------------------------------------------------

    def variable(self, node: st.Let | st.For) -> Found:
        yield Use(node.name.start, node.name.end, ("variable", node.name.start), True)

    def assign(self, node: st.Assign) -> Found:
        seen = self._values.seen.get(node.value)
        variable = seen.scope.find(node.name.text) if seen is not None else None
        if variable is not None and variable.node is not None:
            yield Use(node.name.start, node.name.end, ("variable", variable.node.start), True)

    def parameter(self, node: d.ParameterDeclaration) -> Found:
        yield Use(node.name.start, node.name.end, ("variable", node.start), True)

    # -- types and clauses ------------------------------------------------------------------------------------------

    def type_(self, node: ty.NamedType) -> Found:
        yield from self.known(node.name, ("type", node.name.text))
        for argument in node.arguments:
            if isinstance(argument, Reference) and node.name.text in ("ref", "many", "references", "has_many"):
                places = parts_of(argument)
                yield from self.known(places[0], ("type", places[0].text))
                for place in places[1:]:
                    yield from self._field(place, places[0].text)

    def names(self, node: d.NamesClause) -> Found:
        for name in node.names:
            if node.key.text in _LISTS:
                yield from self.known(name, (_LISTS[node.key.text], name.text))
            elif node.key.text in _FIELDS:
                yield from self._field(name, self._entity)

    def auth(self, node: d.AuthClause) -> Found:
        for name in node.names:
            yield from self.known(name, ("auth", name.text))

    def path(self, node: d.Path) -> Found:
        for segment in node.segments:
            if segment.parameter:
                yield from self.known(named(segment), ("input", self._host, "path", segment.text))

    def principal(self, node: st.AsUser) -> Found:
        """The roles of whom a test asks as."""
        entries = node.principal.entries if isinstance(node.principal, ex.MapLiteral) else ()
        for item in (item for entry in entries if entry.key.text == "roles" for item in _items(entry.value)):
            if isinstance(item, ex.Name | ex.StringLiteral):
                yield from self.known(item, ("role", item.text if isinstance(item, ex.Name) else item.value))

    def declared_event(self, node: ev.EventDeclaration) -> Found:
        for clause in node.clauses:
            if isinstance(clause, d.ValueClause) and clause.key.text == "key" and isinstance(clause.value, ex.Name):
                yield from self.known(clause.value, ("payload", wire_name(node.name.text), clause.value.text))

    def resource(self, node: d.ResourceDeclaration) -> Found:
        yield from self.known(node.entity, ("type", node.entity.text))

    def fields(self, node: Node) -> Found:
        """Clauses that name fields of their entity."""
        for name in _named_fields(node):
            yield from self._field(name, self._entity)


def _named_fields(node: Node) -> Iterator[Identifier]:
    match node:
        case d.IndexClause(columns=columns):
            yield from (column.name for column in columns)
        case d.HideClause(fields=fields):
            yield from fields
        case d.Trait(arguments=arguments):
            yield from arguments
        case d.ValidationRule(field=Identifier() as field):
            yield field


def _items(node: ex.Expression) -> tuple[ex.Expression, ...]:
    return node.items if isinstance(node, ex.ListLiteral) else (node,)


def parts_of(reference: Reference) -> tuple[Identifier, ...]:
    """The parts of a reference with the places where they stand, in quotes, too."""
    if len({part.start for part in reference.parts}) == len(reference.parts) and not reference.quoted:
        return reference.parts
    at = reference.start + (reference.end - reference.start == len(reference.text) + 2)
    found: list[Identifier] = []
    for part in reference.parts:
        found.append(Identifier(at, at + len(part.text), part.text))
        at += len(part.text) + 1
    return tuple(found)


def _entity_of(declaration: d.Declaration) -> str | None:
    """The entity whose fields the clauses of a declaration name."""
    if isinstance(declaration, d.EntityDeclaration):
        return declaration.name.text
    if isinstance(declaration, d.ResourceDeclaration):
        return declaration.entity.text
    if isinstance(declaration, d.EndpointDeclaration):
        for clause in declaration.clauses:
            named = _first_type(clause.type) if isinstance(clause, d.ReturnsClause | d.InputClause) and clause.type is not None else None
            if named is not None:
                return named
    return None


def _first_type(node: Node) -> str | None:
    if isinstance(node, ty.ShapeType):
        return node.entity.text
    if isinstance(node, ty.OptionalType):
        return _first_type(node.item)
    if not isinstance(node, ty.NamedType):
        return None
    return _first_type(node.arguments[0]) if node.arguments else node.name.text


def _table(finder: _Finder) -> dict[type, Callable[[Any], Found]]:
    return {
        ex.Name: finder.name,
        ex.Member: finder.member,
        ex.Call: finder.call,
        ex.MapLiteral: finder.record,
        ex.Lambda: finder.lambda_,
        **dict.fromkeys((q.Select, q.Get), finder.select),
        **dict.fromkeys((q.JoinClause, q.DeleteRows, ty.ShapeType), finder.entity),
        q.UpdateRows: finder.update_rows,
        q.CreateRow: finder.create,
        q.UpdateRow: finder.update,
        **dict.fromkeys((q.CallOperation, st.Mock), finder.operation),
        q.Start: finder.start,
        st.Emit: finder.emit,
        ev.HandlerDeclaration: finder.handler,
        ev.EventsClause: finder.events,
        **dict.fromkeys((ev.TriggerClause, w.WaitClause), finder.trigger),
        **dict.fromkeys((st.Let, st.For), finder.variable),
        st.Assign: finder.assign,
        d.ParameterDeclaration: finder.parameter,
        d.Path: finder.path,
        st.AsUser: finder.principal,
        ev.EventDeclaration: finder.declared_event,
        ty.NamedType: finder.type_,
        d.NamesClause: finder.names,
        d.AuthClause: finder.auth,
        d.ResourceDeclaration: finder.resource,
        **dict.fromkeys((d.IndexClause, d.HideClause, d.Trait, d.ValidationRule), finder.fields),
    }
