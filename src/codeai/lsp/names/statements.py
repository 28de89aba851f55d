"""Uses in expressions and statements."""

from __future__ import annotations

from codeai.analysis.builtins import OF_TESTS
from codeai.analysis.inquiries import reference_of
from codeai.analysis.payloads import wire_name
from codeai.language import types as t
from codeai.language.tree import declarations as d
from codeai.language.tree import expressions as ex
from codeai.language.tree import queries as q
from codeai.language.tree import statements as st
from codeai.language.tree import types as ty
from codeai.language.tree.node import Reference
from codeai.lsp.names.finding import Finding, Found, Use


class Statements(Finding):
    """Says for each node what the names that belong to it refer to."""

    # -- expressions ------------------------------------------------------------------------------------------------

    def name(self, node: ex.Name) -> Found:
        key = self._values.of_name(node, self._host)
        if key is not None:
            yield Use(node.start, node.end, key)

    def member(self, node: ex.Member) -> Found:
        if isinstance(node.target, ex.Name) and node.target.text == "steps" and self._run is not None:
            yield from self.known(node.name, ("step", self._run, node.name.text))
            return
        path = _setting(node)
        if path:
            yield from self.known(node.name, ("setting", *path))
            return
        key = self._values.of_member(node, self._host)
        if key is not None:
            yield Use(node.name.start, node.name.end, key)

    def call(self, node: ex.Call) -> Found:
        first = node.arguments[0].value if node.arguments else None
        if isinstance(node.callee, ex.Member) and node.callee.name.text == "has_role" and isinstance(first, ex.Name | ex.StringLiteral):
            yield from self.known(first, ("role", first.text if isinstance(first, ex.Name) else first.value))
        if isinstance(node.callee, ex.Name) and node.callee.text == "issue_token" and len(node.arguments) > 1:
            yield from self._roles(node.arguments[1].value)
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

    def _roles(self, node: ex.Expression) -> Found:
        for item in node.items if isinstance(node, ex.ListLiteral) else (node,):
            if isinstance(item, ex.Name | ex.StringLiteral):
                yield from self.known(item, ("role", item.text if isinstance(item, ex.Name) else item.value))

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

    # -- calls of what runs elsewhere -------------------------------------------------------------------------------

    def operation(self, node: q.CallOperation | st.Mock) -> Found:
        yield from self._operation(node.operation)
        if isinstance(node, q.CallOperation):
            for entry in node.values:
                key = ("argument", *(part.text for part in node.operation.parts), entry.key.text)
                yield from self.known(entry.key, key, written=True)

    def start(self, node: q.Start) -> Found:
        yield from self.known(node.target, ("run", node.target.text))
        for entry in node.values:
            yield from self.known(entry.key, ("argument", node.target.text, entry.key.text), written=True)

    def emit(self, node: st.Emit) -> Found:
        yield from self.event(node.event)
        if isinstance(node.payload, ex.MapLiteral):
            for entry in node.payload.entries:
                yield from self.known(entry.key, ("payload", wire_name(node.event.text), entry.key.text), written=True)

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


def _setting(node: ex.Expression) -> tuple[str, ...]:
    """The path of ``config.shop.name``; empty of anything else."""
    if not isinstance(node, ex.Member):
        return ()
    if isinstance(node.target, ex.Name) and node.target.text == "config":
        return (node.name.text,)
    before = _setting(node.target)
    return (*before, node.name.text) if before else ()
