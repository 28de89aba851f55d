"""Writes: rows made, changed and removed."""

from __future__ import annotations

from typing import Final

from codeai.analysis.advice import IN_BLOCKS, for_missing
from codeai.analysis.names import origin_of
from codeai.analysis.reporter import Reporter, in_quotes
from codeai.analysis.scope import Scope, broken
from codeai.analysis.selections import Selections
from codeai.analysis.symbols import EntitySymbol, Symbols
from codeai.analysis.types import client_writes, must_send
from codeai.language import types as t
from codeai.language.suggestions import nearest
from codeai.language.tree import expressions as ex
from codeai.language.tree import queries as q
from codeai.language.tree.node import Identifier, Node
from codeai.model import expression as ir

_READ_FIRST: Final = "read it first, as in 'let row = get Entity(path.id)'"


class Writes(Selections):
    """Elaborates what changes rows."""

    def __init__(self, symbols: Symbols, reporter: Reporter, *, query_text: bool = False) -> None:
        super().__init__(symbols, reporter, query_text=query_text)
        self._dispatch |= {
            q.CreateRow: self._create,
            q.UpdateRow: self._update,
            q.DeleteRow: self._delete,
            q.UpdateRows: self._update_rows,
            q.DeleteRows: self._delete_rows,
        }

    def _written(self, node: Node, scope: Scope) -> None:
        if self.query_text or not scope.host.database:
            self.report.error(
                node,
                f"a write cannot stand in {scope.host.kind}",
                "CAI0321",
                kind=self.kind,
                help_text="" if self.query_text else IN_BLOCKS,
            )
        scope.host.writes = scope.host.impure = True

    def _create(self, node: q.CreateRow, scope: Scope, expected: t.Type | None) -> ir.Expression:
        self._written(node, scope)
        if not self.known_entity(node.entity):
            return broken(node)
        entity = self.symbols.entities[node.entity.text]
        values = self._assignments(node.values, entity, scope)
        source = self._source(node.source, entity, scope)
        sent = source.type if source is not None else None
        if node.source is None or isinstance(sent, t.Record):
            named = {field.name for field in sent.fields} if isinstance(sent, t.Record) else set()
            self._missing(node, entity, {entry.name for entry in values} | named)
        return ir.CreateRow(
            type=t.Row(entity.name), at=node.start, entity=entity.name, values=values, source=source, as_system=node.as_system
        )

    def _is_torn(self, entity: EntitySymbol, name: str) -> bool:
        """Whether the declaration of a field is broken: nobody knows whether it has to be given. Query text has no declarations."""
        place = entity.places.get(name)
        return place is not None and self.report.touched(place)

    def _missing(self, node: q.CreateRow, entity: EntitySymbol, given: set[str]) -> None:
        missing = [
            field.name
            for field in entity.fields.values()
            if must_send(field) and not self._is_torn(entity, field.name) and field.name not in given and field.name != entity.tenant_field
        ]
        near = {nearest(entry.key.text, entity.fields) for entry in node.values if entry.key.text not in entity.fields}
        meant = {found.name for found in near if found is not None}  # misspelt, which is said there
        missing = [name for name in missing if name not in meant]
        if missing:
            said = f"missing {in_quotes(missing)} to create '{entity.name}'"
            self.report.absent(node, node.entity, said, "CAI0325", owner=entity.name, lacking=missing, help_text=for_missing(missing))

    def _source(self, node: ex.Expression | None, entity: EntitySymbol, scope: Scope) -> ir.Expression | None:
        if node is None:
            return None
        found = self.expression(node, scope)
        type_ = t.required(found.type)
        if isinstance(type_, t.Record):
            for member in type_.fields:
                field = entity.fields.get(member.name)
                if field is not None and not client_writes(field):
                    hint = "leave it out of the record, or name the fields one by one"
                    self.report.error(node, f"'{member.name}' is set by the server", "CAI0326", help_text=hint)
                elif field is not None:
                    self.fitted(node, ir.Local(type=member.type, name=member.name), field.type, f"field '{field.name}'")
        elif not isinstance(type_, t.Unknown):
            self.report.error(node, f"'from' needs a record, got {type_}", "CAI0327", help_text="as in 'create Entity from body'")
        return found

    def _assignments(self, entries: tuple[ex.MapEntry, ...], entity: EntitySymbol, scope: Scope) -> tuple[ir.Entry, ...]:
        found: list[ir.Entry] = []
        seen: dict[str, Node] = {}
        for entry in entries:
            name = entry.key.text
            if name in seen:
                self.report.duplicate(entry.key, name, seen[name])
                continue
            seen[name] = entry.key
            value = self._assignment(entry.key, entry.value, entity, scope)
            if value is not None:
                found.append(ir.Entry(name, value))
        return tuple(found)

    def _assignment(self, key: Identifier, value: ex.Expression, entity: EntitySymbol, scope: Scope) -> ir.Expression | None:
        field = entity.fields.get(key.text)
        if field is None:
            if key.text in entity.computed:
                self.report.error(key, f"'{key.text}' is computed", "CAI0328", help_text="set the fields that it is made of")
            else:
                self.unknown_field(key, entity, query=self.query_text)
            return None
        if field.auto_update or (field.auto and not field.primary and not scope.host.test):
            self.report.error(key, f"'{key.text}' is set by the server", "CAI0326", help_text="leave it out")
        found = self.value(value, scope, field.type, f"field '{field.name}'", nullable=field.nullable)
        self.check_constants(value, found, field.type, field.constraints, f"field '{field.name}'")
        return found

    def _update(self, node: q.UpdateRow, scope: Scope, expected: t.Type | None) -> ir.Expression:
        self._written(node, scope)
        row, entity = self._target(node.target, scope, "update")
        if entity is None:
            return broken(node)
        values = self._assignments(node.values, entity, scope)
        source = self._source(node.source, entity, scope)
        return ir.ChangeRow(
            type=t.Row(entity.name), at=node.start, entity=entity.name, row=row, values=values, source=source, as_system=node.as_system
        )

    def _delete(self, node: q.DeleteRow, scope: Scope, expected: t.Type | None) -> ir.Expression:
        self._written(node, scope)
        if isinstance(node.target, ex.Name) and node.target.text in self.symbols.entities and scope.find(node.target.text) is None:
            self._unbounded(node, "delete")
            return broken(node)
        row, entity = self._target(node.target, scope, "delete")
        if entity is None:
            return broken(node)
        return ir.RemoveRow(type=t.Int(), at=node.start, entity=entity.name, row=row, as_system=node.as_system)

    def _target(self, node: ex.Expression, scope: Scope, word: str) -> tuple[ir.Expression, EntitySymbol | None]:
        row = self.expression(node, scope)
        type_ = t.required(row.type)
        if isinstance(type_, t.Unknown):
            return row, None
        if not isinstance(type_, t.Row):
            self.report.error(node, f"'{word}' needs a row, got {type_}", "CAI0329", kind=self.kind, help_text=_READ_FIRST)
            return row, None
        origin = origin_of(row, scope)
        if origin is not None and not origin[1]:
            scope.host.locks.add(origin[0])
        return row, self.symbols.entities[type_.entity]

    def _unbounded(self, node: Node, word: str) -> None:
        said = f"'{word}' without 'where' would reach every row"
        self.report.absent(node, node, said, "CAI0330", help_text="write 'where all' to mean that")

    def _update_rows(self, node: q.UpdateRows, scope: Scope, expected: t.Type | None) -> ir.Expression:
        self._written(node, scope)
        if not self.known_entity(node.entity):
            return broken(node)
        entity = self.symbols.entities[node.entity.text]
        range_, inner = self._over(entity, scope)
        entries: list[ir.Entry] = []
        for clause in node.assignments:
            value = self._assignment(clause.field, clause.value, entity, inner)
            if value is not None:
                self.check_query(clause.value, value)
                self._check_itself(clause, value, range_.alias, scope)
                entries.append(ir.Entry(clause.field.text, value))
        if node.where is None and not node.everything:
            self._unbounded(node, "update")
        self._one_by_one(node, entity)
        where = self._where(node.where, inner)
        return ir.UpdateRows(
            type=t.Int(),
            at=node.start,
            entity=entity.name,
            alias=range_.alias,
            assignments=tuple(entries),
            where=where,
            with_deleted=node.with_deleted,
            as_system=node.as_system,
        )

    def _check_itself(self, clause: q.SetClause, value: ir.Expression, alias: str, scope: Scope) -> None:
        """``set place = place.id``: the key of the field, where a variable of that name was meant."""
        while isinstance(value, ir.Convert):
            value = value.operand
        name = clause.field.text
        row = value.row if isinstance(value, ir.FieldValue) and value.field == name else None
        if not (isinstance(row, ir.RangeRow) and row.alias == alias):
            return
        hidden = scope.find(name)
        if hidden is not None:  # without one it is a way to touch a row
            hidden.used = True
            advice = "a field hides a variable of the same name: rename the variable"
            self.report.error(clause, f"this sets the field '{name}' to itself", "CAI0312", help_text=advice)

    def _where(self, node: ex.Expression | None, scope: Scope) -> ir.Expression | None:
        if node is None:
            return None
        found = self.condition(node, scope)
        self.check_query(node, found)
        return found

    def _one_by_one(self, node: Node, entity: EntitySymbol) -> None:
        """The audit tells of every row before and after, so that nothing may change many at once."""
        if entity.audited:
            said, advice = f"'{entity.name}' is audited: change its rows one by one", "select the rows and change each in a loop"
            self.report.error(node, said, "CAI0335", help_text=advice, kind=self.kind)

    def _delete_rows(self, node: q.DeleteRows, scope: Scope, expected: t.Type | None) -> ir.Expression:
        self._written(node, scope)
        if not self.known_entity(node.entity):
            return broken(node)
        entity = self.symbols.entities[node.entity.text]
        range_, inner = self._over(entity, scope)
        if node.where is None and not node.everything:
            self._unbounded(node, "delete")
        self._one_by_one(node, entity)
        where = self._where(node.where, inner)
        return ir.DeleteRows(
            type=t.Int(),
            at=node.start,
            entity=entity.name,
            alias=range_.alias,
            where=where,
            with_deleted=node.with_deleted,
            as_system=node.as_system,
        )
