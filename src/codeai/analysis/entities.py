"""Entities: fields, relations, indexes, checks, policies."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

import msgspec

from codeai.analysis.columns import misfits
from codeai.analysis.conversions import TEXTUAL
from codeai.analysis.guarding import report_slow_policies
from codeai.analysis.rules import Rules
from codeai.analysis.scope import Host, Scope
from codeai.analysis.stored_names import refused_column, refused_table
from codeai.analysis.symbols import EntitySymbol
from codeai.language import types as t
from codeai.language.diagnostics import HERE, DiagnosticClass, Subject
from codeai.language.naming import relation_name, table_name
from codeai.language.tree import declarations as d
from codeai.language.tree import expressions as ex
from codeai.language.tree.node import Identifier, Node
from codeai.model import expression as ir
from codeai.model.entity import ComputedField, Entity, Field, Relation

_OF_TENANTS: Final = (*TEXTUAL, t.Uuid, t.Int, t.Ref, t.Unknown)  # what the claim of a token can be compared with
_ARGUMENTS: Final = {"audited": 0, "tenant": 1}
_FLAGS: Final = (
    "primary",
    "auto",
    "auto_update",
    "unique",
    "searchable",
    "soft_delete",
    "required",
    "read_only",
    "write_only",
    "immutable",
    "secret",
)


class Entities(Rules):
    """Elaborates entities, in steps, since they refer to each other."""

    # -- step 1: fields --------------------------------------------------------------------------------------------

    def declare_fields(self, entity: EntitySymbol) -> None:
        """Resolves the stored fields, so that everybody can refer to them."""
        for clause in entity.declaration.clauses:
            if isinstance(clause, d.FieldDeclaration):
                self._declare_field(entity, clause)
            elif isinstance(clause, d.TableClause):
                self._named_table(entity, clause)
        if not entity.table:
            entity.table = table_name(entity.name)
            if (refused := refused_table(entity.table)) is not None:
                self.report.error(entity.declaration.name, refused[0], "CAI0210", help_text=refused[1])
        self._choose_primary(entity)
        self._one_deletion(entity)

    def _named_table(self, entity: EntitySymbol, clause: d.TableClause) -> None:
        if entity.table:
            first = next(c for c in entity.declaration.clauses if isinstance(c, d.TableClause))
            self.report.duplicate(clause, "table", first)
        elif (refused := refused_table(clause.name)) is not None:
            self.report.error(clause, refused[0], "CAI0210", help_text=refused[1])
        entity.table = clause.name

    def complete_fields(self, entity: EntitySymbol) -> None:
        """Resolves once more what holds records, which had no fields yet when the entity was declared."""
        for name, field in entity.fields.items():
            if isinstance(field.type, t.Record | t.List | t.Map):
                type_ = t.required(self.resolve(entity.places[name].type))
                entity.fields[name] = msgspec.structs.replace(field, type=type_)
        for name, found in entity.computed.items():
            if isinstance(t.required(found), t.Record | t.List | t.Map):
                entity.computed[name] = self.resolve(entity.places[name].type)

    def _declare_field(self, entity: EntitySymbol, node: d.FieldDeclaration) -> None:
        name = node.name.text
        if name in entity.places:
            self.report.duplicate(node.name, name, entity.places[name].name, named=True)
            return
        entity.places[name] = node
        type_ = self.resolve(node.type)
        if node.computed is None and not isinstance(type_, t.Many):
            self._name_column(entity, node.name)
        if node.computed is not None or isinstance(type_, t.Many):
            self._not_stored(node, "computed" if node.computed is not None else "a list of other rows")
        if node.computed is not None:
            entity.computed[name] = type_
        elif isinstance(type_, t.Many):
            entity.relations[name] = Relation(name=name, kind="many", entity=type_.entity, field=type_.field)
        else:
            entity.fields[name] = self._field(node, type_)

    def _name_column(self, entity: EntitySymbol, name: Identifier) -> None:
        alike = entity.columns.setdefault(name.text.lower(), name)
        refused = refused_column(name.text)
        if alike is not name:
            said = f"'{name.text}' and '{alike.text}' are one column to a database"
            self.report.error(name, said, "CAI0208", other=alike, label="declared here")
        elif refused is not None:
            self.report.error(name, refused[0], "CAI0208", help_text=refused[1])

    def _not_stored(self, node: d.FieldDeclaration, what: str) -> None:
        """Modifiers say something of a column, and what is not stored has none."""
        for modifier in node.modifiers:
            if modifier.name.text not in ("optional", "secret", "write_only") or what != "computed":
                said = f"'{modifier.name.text}' is said of a column, and '{node.name.text}' is {what}"
                self.report.error(modifier, said, "CAI0208", help_text=f"leave '{modifier.name.text}' out")

    def _field(self, node: d.FieldDeclaration, type_: t.Type) -> Field:
        modifiers = {modifier.name.text: modifier for modifier in node.modifiers}
        self._check_modifiers(node, modifiers, type_)
        flags: dict[str, Any] = {name: name in modifiers for name in _FLAGS}
        nullable = not (flags["required"] or flags["primary"] or flags["auto"] or flags["auto_update"] or "default" in modifiers)
        if isinstance(type_, t.Optional):
            nullable = not flags["primary"]
        return Field(
            name=node.name.text,
            type=t.required(type_),
            nullable=nullable,
            constraints=self.constraints(node, type_),
            on_delete=self._on_delete(modifiers),  # type: ignore[arg-type]  # checked there
            rename_from=self._former_name(node, modifiers),
            description=node.description,
            at=node.start,
            **flags,
        )

    def _check_modifiers(self, node: d.FieldDeclaration, modifiers: dict[str, Any], type_: t.Type) -> None:
        if len(modifiers) < len(node.modifiers):
            seen: dict[str, Node] = {}
            for modifier in node.modifiers:
                if modifier.name.text in seen:
                    self.report.duplicate(modifier, modifier.name.text, seen[modifier.name.text])
                seen[modifier.name.text] = modifier
        for place, message, advice in misfits(node, modifiers, type_):
            self.report.error(place, message, "CAI0208", help_text=advice)

    def _on_delete(self, modifiers: dict[str, Any]) -> str:
        modifier = modifiers.get("on_delete")
        if modifier is None:
            return "restrict"
        argument = modifier.arguments[0] if len(modifier.arguments) == 1 else None
        value = argument.text if isinstance(argument, ex.Name) else ""
        if value not in ("restrict", "cascade", "set_null"):
            self.report.error(modifier, "on_delete takes cascade, restrict or set_null", "CAI0205")
            return "restrict"
        return value

    def _former_name(self, node: d.FieldDeclaration, modifiers: dict[str, Any]) -> str | None:
        modifier = modifiers.get("rename_from")
        if modifier is None:
            return None
        argument = modifier.arguments[0] if len(modifier.arguments) == 1 else None
        if not isinstance(argument, ex.Name):
            self.report.error(modifier, "rename_from takes the name that the column had", "CAI0205")
            return None
        if argument.text == node.name.text:
            hint = "name what it was called before"
            self.report.error(modifier, f"'{argument.text}' is what the field is called", "CAI0208", help_text=hint)
            return None
        return argument.text

    def _one_deletion(self, entity: EntitySymbol) -> None:
        """Rows are deleted once."""
        found = [entity.places[field.name].name for field in entity.fields.values() if field.soft_delete]
        for name in found[1:]:
            self.report.error(name, "another field says when a row was deleted", "CAI0208", other=found[0], label="this one")

    def _choose_primary(self, entity: EntitySymbol) -> None:
        found = [field.name for field in entity.fields.values() if field.primary]
        if len(found) == 1:
            entity.primary = found[0]
            return
        node = entity.declaration.name
        if found:
            hint = f"keep one; that several are unique together says 'index: [{', '.join(found)}] unique'"
            self.report.error(node, f"entity '{entity.name}' has more than one primary field", "CAI0209", help_text=hint)
            entity.primary = found[0]
        else:
            hint = "add 'id: uuid, primary, auto'"
            self.report.absent(entity.declaration, node, f"entity '{entity.name}' has no primary field", "CAI0209", help_text=hint)

    # -- step 2: relations -----------------------------------------------------------------------------------------

    def declare_relations(self, entity: EntitySymbol) -> None:
        """Names the relations and gives references the type of the key that they store."""
        former: dict[str, str] = {}
        for name, field in list(entity.fields.items()):
            if field.rename_from is not None and former.setdefault(field.rename_from, name) != name:
                message = f"'{former[field.rename_from]}' was called '{field.rename_from}', and '{name}' cannot have been"
                self.report.error(entity.places[name], message, "CAI0208")
            if field.rename_from in entity.fields:
                message = f"'{field.rename_from}' is another field of '{entity.name}', and cannot be what '{name}' was called"
                self.report.error(entity.places[name], message, "CAI0208")
            if not isinstance(field.type, t.Ref):
                continue
            other = self.symbols.entities[field.type.entity]
            relation = relation_name(name)
            if relation != name and relation in entity.places:
                self.report.duplicate(entity.places[name].name, relation, entity.places[relation].name, named=True)
            entity.relations[relation] = Relation(name=relation, kind="one", entity=other.name, field=name, nullable=field.nullable)
            entity.fields[name] = msgspec.structs.replace(field, key_type=other.key_type)
            if field.on_delete == "set_null" and not field.nullable:
                hint = "leave out 'required', or write on_delete(cascade) or on_delete(restrict)"
                self.report.error(entity.places[name], "on_delete(set_null) needs a field that may be null", "CAI0208", help_text=hint)
        for relation_ in list(entity.relations.values()):
            if relation_.kind == "many":
                self._check_many(entity, relation_)

    def _check_many(self, entity: EntitySymbol, relation: Relation) -> None:
        other = self.symbols.entities[relation.entity]
        field = other.fields.get(relation.field)
        if field is None or not isinstance(field.type, t.Ref) or field.type.entity != entity.name:
            node = entity.places[relation.name].type
            if field is not None and isinstance(field.type, t.Unknown):
                return  # whose type is not known is said there
            said, about = f"'{other.name}.{relation.field}' does not refer to '{entity.name}'", Subject(relation.field, other.name)
            back = next((name for name, at in other.fields.items() if isinstance(at.type, t.Ref) and at.type.entity == entity.name), None)
            hint = f"write many({other.name}.{back})"
            if back is None:
                hint = f"add a field of type ref({entity.name}) to '{other.name}', and name it here"
            self.report.error(node, said, "CAI0204", help_text=hint, subject=about)
            del entity.relations[relation.name]

    # -- step 3: the rest ------------------------------------------------------------------------------------------

    def entity(self, symbol: EntitySymbol) -> Entity:
        """The finished entity."""
        scope = self._row_scope(symbol, "a policy")
        clauses = symbol.declaration.clauses
        for name, field in list(symbol.fields.items()):
            default = self._default(symbol, symbol.places[name], field)
            if default is not None:
                symbol.fields[name] = msgspec.structs.replace(field, default=default)
        self._check_table(symbol)
        tenant, audited = self._traits(symbol)
        found = Entity(
            name=symbol.name,
            table=symbol.table,
            fields=tuple(symbol.fields.values()),
            primary=symbol.primary,
            computed=self._computed(symbol),
            relations=tuple(symbol.relations.values()),
            indexes=self._indexes(symbol),
            checks=self._checks(symbol),
            allows=tuple(rule for clause in clauses if isinstance(clause, d.AllowClause) for rule in self._allow(clause, scope)),
            hides=tuple(self._hide(clause, symbol, scope) for clause in clauses if isinstance(clause, d.HideClause)),
            tenant_field=tenant,
            audited=audited,
            description=symbol.declaration.description,
            at=symbol.declaration.start,
        )
        symbol.entity = found
        places = ((clause.start, clause) for clause in clauses if isinstance(clause, d.AllowClause))
        report_slow_policies(found, symbol, places, self.report)
        return found

    def _default(self, symbol: EntitySymbol, node: d.FieldDeclaration, field: Field) -> ir.Expression | None:
        for modifier in node.modifiers:
            if modifier.name.text == "default" and len(modifier.arguments) == 1:
                scope = Scope(Host("a default", database=False))
                what = f"default of '{field.name}'"
                found = self.value(modifier.arguments[0], scope, field.type, what, nullable=field.nullable)
                self.check_constants(modifier.arguments[0], found, field.type, field.constraints, what)
                return found
            if modifier.name.text == "default":
                self.report.error(modifier, "modifier 'default' takes one argument", "CAI0205")
        return None

    @cached_property
    def _by_table(self) -> Mapping[str, list[EntitySymbol]]:
        """Entities by their tables, whose names SQLite reads without regard to case.

        A look at all of them for each would be the most of a large program's check.
        """
        found: dict[str, list[EntitySymbol]] = {}
        for symbol in self.symbols.entities.values():
            found.setdefault(symbol.table.lower(), []).append(symbol)
        return found

    def _check_table(self, symbol: EntitySymbol) -> None:
        for other in self._by_table[symbol.table.lower()]:
            if other is not symbol and other.declaration.start < symbol.declaration.start:
                self.report.error(
                    symbol.declaration.name,
                    f"table '{symbol.table}' is that of entity '{other.name}' already",
                    "CAI0210",
                    other=other.declaration.name,
                    label="declared here",
                )

    def _traits(self, symbol: EntitySymbol) -> tuple[str | None, bool]:
        tenant: str | None = None
        audited = False
        seen: dict[str, Node] = {}
        for clause in symbol.declaration.clauses:
            if isinstance(clause, d.TraitsClause) and not clause.traits:
                self.report.error(clause, "'traits' names nothing", "CAI0505", help_text="name one, or leave it out")
            for trait in clause.traits if isinstance(clause, d.TraitsClause) else ():
                if trait.name.text in seen:
                    self.report.duplicate(trait.name, trait.name.text, seen[trait.name.text])
                seen.setdefault(trait.name.text, trait.name)
                if trait.name.text in _ARGUMENTS and len(trait.arguments) != _ARGUMENTS[trait.name.text]:
                    said, hint = (
                        ("takes nothing", "write audited") if trait.name.text == "audited" else ("takes one field", "as in tenant(org)")
                    )
                    self.report.error(trait.name, f"'{trait.name.text}' {said}", "CAI0114", help_text=hint)
                elif trait.name.text == "audited":
                    audited = True
                elif trait.name.text == "tenant":
                    tenant = trait.arguments[0].text
                    if tenant not in symbol.fields:
                        self.unknown_field(trait.arguments[0], symbol)
                        tenant = None
                    elif not isinstance(symbol.fields[tenant].type, _OF_TENANTS):
                        said = f"a tenant is a text, 'uuid', 'int' or 'ref', not '{symbol.fields[tenant].type}'"
                        self.report.error(trait.arguments[0], said, "CAI0214")
                else:
                    self.report.unknown(trait.name, f"unknown trait '{trait.name.text}'", trait.name.text, ("audited", "tenant"), "CAI0114")
        return tenant, audited

    def _default_meant(self, node: ex.Name) -> None:
        """``state: State = new``, where a default was meant."""
        advice = f"a default is 'default(\"{node.text}\")'; what stands behind '=' is computed from other fields"
        said, about = f"undefined variable '{node.text}'", Subject(node.text, HERE)
        self.report.error(node, said, "CAI0101", kind=DiagnosticClass.SCOPE, help_text=advice, subject=about)

    def _computed(self, symbol: EntitySymbol) -> tuple[ComputedField, ...]:
        found: list[ComputedField] = []
        for name, type_ in symbol.computed.items():
            node = symbol.places[name]
            assert node.computed is not None
            scope = self._row_scope(symbol, "a computed field", user=False)
            members = t.required(type_)
            if isinstance(node.computed, ex.Name) and isinstance(members, t.Enum) and node.computed.text in members.members:
                self._default_meant(node.computed)
                continue
            value = self.value(node.computed, scope, type_, f"field '{name}'")
            self.check_query(node.computed, value, advice="the database computes it: compute this in an endpoint, or store it in a field")
            found.append(ComputedField(name=name, type=type_, value=value, description=node.description, at=node.start))
        return tuple(found)
