"""Names: variables, fields in range, inputs of the request, the caller."""

from __future__ import annotations

from typing import Final

from codeai.analysis.advice import for_name
from codeai.analysis.literals import Literals
from codeai.analysis.scope import Range, Scope, Variable, broken
from codeai.analysis.symbols import EntitySymbol
from codeai.language import types as t
from codeai.language.diagnostics import HERE, DiagnosticClass, Edit, Subject
from codeai.language.tree import expressions as ex
from codeai.language.tree.node import Identifier, Node
from codeai.model import expression as ir

PLACES: Final = ("path", "query", "header", "cookie", "body")


def origin_of(value: ir.Expression, scope: Scope) -> tuple[int, tuple[str, ...]] | None:
    """The selection (by offset) whose rows a value consists of, with the path of relations from them."""
    if isinstance(value, ir.Selection):
        return (value.at, ()) if value.kind in ("rows", "first", "get") and value.columns is None else None
    if isinstance(value, ir.Local):
        found = next((v for v in _variables(scope) if v.unique == value.name), None)
        return found.origin if found else None
    if isinstance(value, ir.RelatedRow | ir.RelatedRows):
        inner = origin_of(value.row, scope)
        return (inner[0], (*inner[1], value.relation)) if inner else None
    if isinstance(value, ir.Item):
        return origin_of(value.target, scope)
    if isinstance(value, ir.Call) and value.function in ("first", "last", "filter", "find", "sort", "unique", "group_by", "values"):
        return origin_of(value.arguments[0], scope)
    return None


def shown_with(value: ir.Expression, scope: Scope) -> tuple[ir.RelationPath, ...]:
    """The relations that the rows of a value show, since their query names them behind ``with``."""
    found = origin_of(value, scope)
    if found is None:
        return ()
    at, path = found
    return tuple(shown[len(path) :] for shown in scope.host.shown.get(at, ()) if shown[: len(path)] == path and len(shown) > len(path))


def _variables(scope: Scope) -> list[Variable]:
    found: list[Variable] = []
    current: Scope | None = scope
    while current is not None:
        found.extend(current.variables.values())
        current = current.parent
    return found


class Names(Literals):
    """Elaborates names."""

    def _name(self, node: ex.Name, scope: Scope, expected: t.Type | None) -> ir.Expression:
        name = node.text
        if name in scope.columns:
            return scope.columns[name]
        for range_ in reversed(scope.ranges):
            entity = self.symbols.entities[range_.entity]
            if name in entity.fields or name in entity.computed or name in entity.relations:
                row = self.range_row(range_, node)
                return self.row_member(Identifier(node.start, node.end, name), row, entity, scope)
        variable = scope.find(name)
        if variable is not None:
            variable.used = True
            return ir.Local(type=variable.type, name=variable.unique, at=node.start)
        if name in scope.host.values:
            return ir.HostValue(type=scope.host.values[name], name=name, at=node.start)
        if name in PLACES and scope.host.inputs is not None:
            return ir.RequestValue(type=self._place_type(name, scope), place=name, at=node.start)  # type: ignore[arg-type]  # one of PLACES
        if name == "user" and scope.host.user:
            return ir.CurrentUser(type=t.Principal(), at=node.start)
        return self._undefined(node, scope)

    def _undefined(self, node: ex.Name, scope: Scope) -> ir.Expression:
        name = node.text
        if self.query_text and scope.ranges:
            self.unknown_field(Identifier(node.start, node.end, name), self.symbols.entities[scope.ranges[-1].entity], query=True)
            return broken(node)
        steps = scope.host.values.get("steps")
        if isinstance(steps, t.Record) and steps.field(name) is not None:
            path = f"steps.{name}"
            edits = (Edit(node.start, node.end, path, True),)
            said = f"undefined variable '{name}'"
            hint, about = f"did you mean '{path}'?", Subject(name, HERE, path)
            self.report.error(node, said, "CAI0101", kind=DiagnosticClass.SCOPE, help_text=hint, edits=edits, subject=about)
            return broken(node)
        advice = for_name(name, self.symbols)
        if advice:
            said, about = f"undefined variable '{name}'", Subject(name, HERE)
            self.report.error(node, said, "CAI0101", kind=DiagnosticClass.SCOPE, help_text=advice, subject=about)
            return broken(node)
        if any(self.report.touched(self.symbols.entities[range_.entity].declaration) for range_ in scope.ranges if not self.query_text):
            return broken(node)  # it may be a field that cannot be read
        known = [*scope.names(), *scope.host.values, *(PLACES if scope.host.inputs is not None else ()), "user", "config"]
        for range_ in scope.ranges:
            known.extend(self.symbols.entities[range_.entity].member_names())
        said = f"undefined variable '{name}'"
        near = self.report.unknown(node, said, name, known, "CAI0101", kind=DiagnosticClass.SCOPE, local=scope.names())
        meant = scope.find(near) if near is not None else None
        if meant is not None:
            meant.used = True  # one mistake is one finding
        return broken(node)

    def range_row(self, range_: Range, node: Node) -> ir.RangeRow:
        """The row of a range."""
        return ir.RangeRow(type=t.Row(range_.entity), alias=range_.alias, at=node.start)

    def _place_type(self, place: str, scope: Scope) -> t.Type:
        inputs = scope.host.inputs
        assert inputs is not None
        if place == "body":
            if inputs.body is None:
                return t.Unknown() if self.broken_body else t.Json()
            if inputs.body.open:
                return t.Unknown() if self.broken_body else t.Json()
            fields = inputs.body.fields
        else:
            fields = getattr(inputs, place)
        record = t.Record(
            tuple(
                t.RecordField(
                    field.name,
                    t.optional(field.type) if field.nullable or not (field.required or field.default) else field.type,
                    field.required,
                )
                for field in fields
            ),
            inputs.body.name if place == "body" and inputs.body is not None else "",
        )
        return t.List(record) if place == "body" and inputs.body is not None and inputs.body.many else record

    def row_member(self, name: Identifier, row: ir.Expression, entity: EntitySymbol, scope: Scope) -> ir.Expression:
        """A member of a row (see ``Members``)."""
        raise NotImplementedError
