"""What an endpoint without a ``do`` block does: read off its method, path and result (language page, section 6, a to e)."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

import msgspec

from codeai.analysis.conversions import sent_alike
from codeai.analysis.listings import Ambiguous, Listings
from codeai.analysis.scope import Host, Range, Scope
from codeai.analysis.symbols import EntitySymbol
from codeai.analysis.types import client_writes, must_send
from codeai.language import types as t
from codeai.language.naming import plural, snake_case
from codeai.language.tree import declarations as d
from codeai.language.tree import types as ty
from codeai.language.tree.node import Identifier
from codeai.model import expression as ir
from codeai.model.endpoint import (
    CreateOne,
    DeleteOne,
    EndpointAction,
    GetRow,
    InputField,
    Inputs,
    ModifyRow,
    PathSource,
    ReplaceRow,
    Returns,
    Unavailable,
    Validation,
)
from codeai.model.entity import Field

_Result = tuple[EndpointAction, Inputs, Returns]


def _kept(clauses: tuple[d.Clause, ...]) -> tuple[str, ...]:
    """The fields of a body that a replacement without them leaves alone: those marked ``optional``."""
    bodies = [clause for clause in clauses if isinstance(clause, d.InputClause) and clause.place.text == "body"]
    return tuple(
        field.name.text
        for body in bodies
        for field in body.fields
        if isinstance(field.type, ty.OptionalType) or any(modifier.name.text == "optional" for modifier in field.modifiers)
    )


class Inference(Listings):
    """Infers operations."""

    def inferred(self, node: d.EndpointDeclaration, returns: Returns | None) -> _Result:
        """The operation of an endpoint without a block; ``Unavailable`` with a warning when none follows."""
        try:
            return self._infer(node, returns)
        except Ambiguous as reason:
            self.report.warning(node.path, f"this endpoint answers 501: {reason}", "CAI0509", help_text=reason.remedy)
            return Unavailable(reason=str(reason)), self.inputs(node.path, node.clauses, {}), returns or Returns()

    def _infer(self, node: d.EndpointDeclaration, returns: Returns | None) -> _Result:
        method = node.method.text
        entity = self._entity(node, returns)
        type_ = t.required(returns.type) if returns is not None and returns.type is not None else None
        if method == "GET" and isinstance(type_, t.Paginated | t.List):
            return self._rows(node, entity, returns or Returns(), isinstance(type_, t.Paginated))
        if method == "POST":
            return self._create_one(node, entity, returns or Returns())
        parameter, field = self._key(node, entity)
        sources = self._sources(node, entity, parameter)
        known = {parameter: field.type, **{source.parameter: entity.fields[source.field].type for source in sources}}
        inputs = self.inputs(node.path, node.clauses, known)
        checks = self.validations(node.clauses, entity)
        common: dict[str, Any] = {"entity": entity.name, "sources": sources, "parameter": parameter, "field": field.name}
        if method == "GET":
            return GetRow(**common), inputs, returns or Returns()
        if method == "DELETE":
            return DeleteOne(**common), inputs, Returns(type=None, status=204)
        if inputs.body is None:
            raise Ambiguous(f"{method} needs a body")
        self._body_fields(inputs, entity)
        if method == "PATCH":
            partial = msgspec.structs.replace(
                inputs.body, partial=True, fields=tuple(msgspec.structs.replace(field, required=False) for field in inputs.body.fields)
            )
            return ModifyRow(**common, validations=checks), msgspec.structs.replace(inputs, body=partial), returns or Returns()
        return ReplaceRow(**common, keep=_kept(node.clauses), validations=checks), inputs, returns or Returns()

    def _entity(self, node: d.EndpointDeclaration, returns: Returns | None) -> EntitySymbol:
        type_ = t.required(returns.type) if returns is not None and returns.type is not None else None
        if isinstance(type_, t.Paginated | t.List):
            type_ = t.required(type_.item)
        if isinstance(type_, t.Row):
            return self.symbols.entities[type_.entity]
        if returns is None or returns.type is None:
            literals = [segment.text for segment in node.path.segments if not segment.parameter]
            for entity in self.symbols.entities.values():
                if literals and literals[-1].replace("-", "_") in (entity.table, plural(snake_case(entity.name))):
                    return entity
        raise Ambiguous("its result names no entity" if returns is not None else "it says neither 'returns' nor 'do'")

    def _key(self, node: d.EndpointDeclaration, entity: EntitySymbol) -> tuple[str, Field]:
        last = node.path.segments[-1] if node.path.segments else None
        if last is None or not last.parameter:
            raise Ambiguous("its path does not end in the key of a row")
        field = entity.fields.get(last.text) or entity.fields.get(snake_case(last.text))
        if field is None and snake_case(last.text) in (f"{snake_case(entity.name)}_id", snake_case(entity.name)):
            field = entity.fields.get(entity.primary)
        if field is None or not (field.primary or field.unique):
            raise Ambiguous(f"'{last.text}' is neither the key nor a unique field of '{entity.name}'")
        return last.text, field

    def _sources(self, node: d.EndpointDeclaration, entity: EntitySymbol, key: str | None) -> tuple[PathSource, ...]:
        found: list[PathSource] = []
        for segment in node.path.segments:
            if not segment.parameter or segment.text == key:
                continue
            field = self._reference_field(entity, segment.text)
            if field is None:
                raise Ambiguous(f"'{segment.text}' is no reference of '{entity.name}'")
            found.append(PathSource(parameter=segment.text, field=field))
        return tuple(found)

    def _reference_field(self, entity: EntitySymbol, parameter: str) -> str | None:
        snake = snake_case(parameter)
        for name in (parameter, snake, f"{snake}_id", snake.removesuffix("_id")):
            field = entity.fields.get(name)
            if field is not None and isinstance(field.type, t.Ref):
                return name
        return None

    def _body_fields(self, inputs: Inputs, entity: EntitySymbol) -> None:
        for field in inputs.body.fields if inputs.body is not None else ():
            known = entity.fields.get(field.name)
            if known is None:
                raise Ambiguous(f"'{field.name}' of the body is no field of '{entity.name}'")
            self._assignable(field, known)
            if not client_writes(known):
                raise Ambiguous(f"'{field.name}' is set by the server")

    def _assignable(self, given: InputField, stored: Field) -> None:
        if given.at >= 0 and not sent_alike(given.type, stored.type) and given.at != stored.at:
            place = Identifier(given.at, given.at + len(given.name), given.name)
            said = f"type mismatch for field '{given.name}': expected {stored.type}, got {given.type}"
            self.report.error(place, said, "CAI0301")

    def _create_one(self, node: d.EndpointDeclaration, entity: EntitySymbol, returns: Returns) -> _Result:
        if not node.path.segments or node.path.segments[-1].parameter:
            raise Ambiguous("the path of a create ends in a literal")
        sources = self._sources(node, entity, None)
        known = {source.parameter: entity.fields[source.field].type for source in sources}
        inputs = self.inputs(node.path, node.clauses, known)
        self._body_fields(inputs, entity)
        given = {field.name for field in (inputs.body.fields if inputs.body else ())} | {source.field for source in sources}
        for field in entity.fields.values():
            if must_send(field) and field.name not in given and field.name != entity.tenant_field:
                raise Ambiguous(f"required field '{field.name}' has no source")
        body = inputs.body
        if body is not None:
            by_path = {source.field for source in sources}
            body = msgspec.structs.replace(body, fields=tuple(_by_path(field, by_path) for field in body.fields))
        action = CreateOne(entity=entity.name, sources=sources, validations=self.validations(node.clauses, entity))
        status = returns.status if returns.status is not None else 201
        return action, msgspec.structs.replace(inputs, body=body), msgspec.structs.replace(returns, status=status)

    # -- lists -----------------------------------------------------------------------------------------------------

    def _rows(self, node: d.EndpointDeclaration, entity: EntitySymbol, returns: Returns, paginated: bool) -> _Result:
        sources = self._sources(node, entity, None)
        known = {source.parameter: entity.fields[source.field].type for source in sources}
        inputs = self.inputs(node.path, node.clauses, known)
        action, inputs = self.listing(entity, node.clauses, inputs, sources, paginated=paginated)
        return action, inputs, returns

    def _kept_by_data(self, rule: d.ValidationRule, name: Identifier, entity: EntitySymbol) -> ir.Expression | None:
        """``f is unique`` and ``f exists``: what a rule of the data must keep; that a row exists is asked as the caller, besides."""
        field = entity.fields[name.text]
        if rule.kind == "unique":
            if not _is_unique(field, entity):
                columns = ", ".join(filter(None, (entity.tenant_field, field.name)))
                hint = f"write 'index: [{columns}] unique'" if entity.tenant_field else "write 'unique' at the field"
                self.report.error(name, f"nothing keeps '{field.name}' of '{entity.name}' unique", "CAI0512", help_text=hint)
            return None
        relation = next((found for found in entity.relations.values() if found.kind == "one" and found.field == field.name), None)
        if relation is None:
            said = f"'{field.name}' refers to no row that could exist"
            self.report.error(name, said, "CAI0512", help_text="'exists' is said of a ref(…)")
            return None
        row = ir.RangeRow(type=t.Row(entity.name), alias="self", at=rule.start)
        related = ir.RelatedRow(type=t.Row(relation.entity), row=row, relation=relation.name, at=rule.start)
        key = ir.FieldValue(type=t.optional(field.type) if field.nullable else field.type, row=row, field=field.name, at=rule.start)
        none = ir.IsNull(type=t.Bool(), operand=key, at=rule.start)
        some = ir.IsNull(type=t.Bool(), operand=related, negated=True, at=rule.start)
        return ir.Binary(type=t.Bool(), operator="or", left=none, right=some, at=rule.start)

    def validations(self, clauses: tuple[d.Clause, ...], entity: EntitySymbol | None) -> tuple[Validation, ...]:
        """The rules of ``validate``."""
        found: list[Validation] = []
        for clause in clauses:
            for rule in clause.rules if isinstance(clause, d.ValidateClause) else ():
                if entity is None:
                    self.report.error(rule, "'validate' goes with generated operations", "CAI0512", help_text="in a block write 'require'")
                    continue
                if rule.field is not None and rule.field.text not in entity.fields:
                    self.unknown_field(rule.field, entity)
                    continue
                condition = None
                if rule.condition is not None:
                    scope = Scope(Host("a validation"), None, (Range(entity.name, "self"),))
                    scope.query = True
                    condition = self.condition(rule.condition, scope)
                    self.check_query(rule.condition, condition)
                elif rule.field is not None:
                    condition = self._kept_by_data(rule, rule.field, entity)
                found.append(
                    Validation(
                        kind=rule.kind,  # type: ignore[arg-type]  # the parser's kinds
                        field=rule.field.text if rule.field else None,
                        condition=condition,
                        message=rule.message,
                        at=rule.start,
                    )
                )
        return tuple(found)


def _by_path(field: InputField, names: Collection[str]) -> InputField:
    """A field of the body that the path gives: it may be sent, and the path wins."""
    return msgspec.structs.replace(field, required=False, nullable=True, default=None) if field.name in names else field


def _is_unique(field: Field, entity: EntitySymbol) -> bool:
    """Whether the database holds that no two rows have the same value."""
    lines = (clause for clause in entity.declaration.clauses if isinstance(clause, d.IndexClause) and clause.unique)
    alone = {frozenset([field.name]), frozenset([field.name, entity.tenant_field or field.name])}  # of a tenant, who sees no other rows
    return field.unique or field.primary or any(frozenset(column.name.text for column in line.columns) in alone for line in lines)


def words(name: str) -> str:
    """``order_items`` → ``order items``."""
    return re.sub(r"_+", " ", name)
