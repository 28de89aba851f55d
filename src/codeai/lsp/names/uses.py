"""Where names are used, found by going over the trees once, with what the analysis has resolved."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from codeai.analysis.payloads import wire_name
from codeai.language.tree import declarations as d
from codeai.language.tree import events as ev
from codeai.language.tree import expressions as ex
from codeai.language.tree import queries as q
from codeai.language.tree import statements as st
from codeai.language.tree import types as ty
from codeai.language.tree import workflows as w
from codeai.language.tree.module import Module
from codeai.language.tree.node import Identifier, Node, Reference, children
from codeai.lsp.names.declared import named
from codeai.lsp.names.finding import Found, Use, parts_of
from codeai.lsp.names.statements import Statements
from codeai.lsp.names.values import Values

_LISTS: Final = {"roles": "role", "inherits": "role", "use": "middleware"}
_FIELDS: Final = ("filter_by", "sort_by")
_OF_TARGETS: Final = {"workflow": "run", "job": "run", "webhook": "webhook"}


def uses_in(modules: Iterable[Module], values: Values) -> list[Use]:
    """All uses in these modules, declarations among them, in the order of the text."""
    finder = _Finder(values)
    found = [use for module in modules for declaration in module.declarations for use in finder.inside(declaration)]
    return sorted(set(found))


class _Finder(Statements):
    """Goes over declarations, and knows their clauses."""

    def __init__(self, values: Values) -> None:
        super().__init__(values)
        self._declared = {(one.name.start, one.name.end): one.key for one in values.declared.values()}
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
        for entry in entries:
            if entry.key.text == "roles":
                yield from self._roles(entry.value)

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
