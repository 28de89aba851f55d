"""What an endpoint without a ``do`` block does: read off its method, path and result (language page, section 6, a to e)."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from codeai.analysis.conversions import sent_alike
from codeai.analysis.grouping import sorts
from codeai.analysis.inputs import LISTING, InputAnalysis
from codeai.analysis.scope import Host, Range, Scope
from codeai.analysis.symbols import EntitySymbol
from codeai.analysis.types import client_writes, must_send
from codeai.language import types as t
from codeai.language.naming import plural, snake_case
from codeai.language.tree import declarations as d
from codeai.language.tree import expressions as ex
from codeai.language.tree import types as ty
from codeai.language.tree.node import Identifier
from codeai.model import expression as ir
from codeai.model.endpoint import (
    ConditionalFilter,
    CreateOne,
    DeleteOne,
    EndpointAction,
    GetRow,
    InputField,
    Inputs,
    ListRows,
    ModifyRow,
    ParameterFilter,
    PathSource,
    ReplaceRow,
    Returns,
    Unavailable,
    Validation,
)
from codeai.model.entity import Field

_Result = tuple[EndpointAction, Inputs, Returns]
_FILTERABLE: Final = (
    t.Uuid,
    t.String,
    t.Text,
    t.Email,
    t.Url,
    t.Enum,
    t.Int,
    t.Decimal,
    t.Float,
    t.Bool,
    t.Date,
    t.Timestamp,
    t.Time,
    t.Ref,
)

_OTHERWISE: Final = "give this one a name of its own: 'query { amount: decimal }  filter { total == query.amount if provided }'"
_ORDERED: Final = (t.Int, t.Decimal, t.Float, t.Date, t.Timestamp)


def _kept(clauses: tuple[d.Clause, ...]) -> tuple[str, ...]:
    """The fields of a body that a replacement without them leaves alone: those marked ``optional``."""
    bodies = [clause for clause in clauses if isinstance(clause, d.InputClause) and clause.place.text == "body"]
    return tuple(
        field.name.text
        for body in bodies
        for field in body.fields
        if isinstance(field.type, ty.OptionalType) or any(modifier.name.text == "optional" for modifier in field.modifiers)
    )


class _Ambiguous(Exception):
    """Why no operation follows, and what would help."""

    def __init__(self, reason: str, remedy: str = "add a 'do' block") -> None:
        super().__init__(reason)
        self.remedy = remedy


class Inference(InputAnalysis):
    """Infers operations."""

    def inferred(self, node: d.EndpointDeclaration, returns: Returns | None) -> _Result:
        """The operation of an endpoint without a block; ``Unavailable`` with a warning when none follows."""
        try:
            return self._infer(node, returns)
        except _Ambiguous as reason:
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
            raise _Ambiguous(f"{method} needs a body")
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
        raise _Ambiguous("its result names no entity" if returns is not None else "it says neither 'returns' nor 'do'")

    def _key(self, node: d.EndpointDeclaration, entity: EntitySymbol) -> tuple[str, Field]:
        last = node.path.segments[-1] if node.path.segments else None
        if last is None or not last.parameter:
            raise _Ambiguous("its path does not end in the key of a row")
        field = entity.fields.get(last.text) or entity.fields.get(snake_case(last.text))
        if field is None and snake_case(last.text) in (f"{snake_case(entity.name)}_id", snake_case(entity.name)):
            field = entity.fields.get(entity.primary)
        if field is None or not (field.primary or field.unique):
            raise _Ambiguous(f"'{last.text}' is neither the key nor a unique field of '{entity.name}'")
        return last.text, field

    def _sources(self, node: d.EndpointDeclaration, entity: EntitySymbol, key: str | None) -> tuple[PathSource, ...]:
        found: list[PathSource] = []
        for segment in node.path.segments:
            if not segment.parameter or segment.text == key:
                continue
            field = self._reference_field(entity, segment.text)
            if field is None:
                raise _Ambiguous(f"'{segment.text}' is no reference of '{entity.name}'")
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
                raise _Ambiguous(f"'{field.name}' of the body is no field of '{entity.name}'")
            self._assignable(field, known)
            if not client_writes(known):
                raise _Ambiguous(f"'{field.name}' is set by the server")

    def _assignable(self, given: InputField, stored: Field) -> None:
        if given.at >= 0 and not sent_alike(given.type, stored.type) and given.at != stored.at:
            place = Identifier(given.at, given.at + len(given.name), given.name)
            said = f"type mismatch for field '{given.name}': expected {stored.type}, got {given.type}"
            self.report.error(place, said, "CAI0301")

    def _create_one(self, node: d.EndpointDeclaration, entity: EntitySymbol, returns: Returns) -> _Result:
        if not node.path.segments or node.path.segments[-1].parameter:
            raise _Ambiguous("the path of a create ends in a literal")
        sources = self._sources(node, entity, None)
        known = {source.parameter: entity.fields[source.field].type for source in sources}
        inputs = self.inputs(node.path, node.clauses, known)
        self._body_fields(inputs, entity)
        given = {field.name for field in (inputs.body.fields if inputs.body else ())} | {source.field for source in sources}
        for field in entity.fields.values():
            if must_send(field) and field.name not in given and field.name != entity.tenant_field:
                raise _Ambiguous(f"required field '{field.name}' has no source")
        body = inputs.body
        if body is not None:
            by_path = {source.field for source in sources}
            body = msgspec.structs.replace(body, fields=tuple(field for field in body.fields if field.name not in by_path))
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

    def listing(
        self,
        entity: EntitySymbol,
        clauses: tuple[d.Clause, ...],
        inputs: Inputs,
        sources: tuple[PathSource, ...],
        *,
        paginated: bool,
    ) -> tuple[ListRows, Inputs]:
        """A list with its filters, sort and page sizes, and the query parameters that it understands."""
        filters, used = self._filters(entity, clauses, inputs)
        parameters: list[ParameterFilter] = []
        query = list(inputs.query)
        for field in inputs.query:
            if field.name in LISTING or field.name in used:
                continue
            parameters.append(self._parameter(field, entity, clauses))
        for name in self._names(clauses, "filter_by", entity):
            if name in entity.computed:
                filters = (*filters, *_computed_filters(entity, name, query))
                continue
            for extra in self._field_parameters(entity, name):
                parameters.append(extra[0])
                query.append(extra[1])
        searchable = any(field.searchable for field in entity.fields.values())
        if not searchable:
            self._nothing_to_search(entity, clauses)
        page_size, most = self._page_sizes(clauses)
        action = ListRows(
            entity=entity.name,
            sources=sources,
            filters=filters,
            parameters=tuple(parameters),
            sort_by=self._names(clauses, "sort_by", entity),
            order=self._order(entity, clauses),
            page_size=page_size,
            max_page_size=most,
            paginated=paginated,
            search=searchable,
        )
        return action, msgspec.structs.replace(inputs, query=tuple(query), closed_query=True)

    def _nothing_to_search(self, entity: EntitySymbol, clauses: tuple[d.Clause, ...]) -> None:
        given = (field for c in clauses if isinstance(c, d.InputClause) and c.place.text == "query" for field in c.fields)
        place = next((field.name for field in given if field.name.text == "search"), None)
        if place is not None:
            hint = f"mark what it looks through, as in 'name: string, searchable' of '{entity.name}'"
            self.report.warning(place, f"'{entity.name}' has no searchable field, so 'search' is refused", "CAI0523", help_text=hint)

    def _parameter(self, field: InputField, entity: EntitySymbol, clauses: tuple[d.Clause, ...]) -> ParameterFilter:
        for prefix, operator in (("", "equals"), ("min_", "minimum"), ("max_", "maximum")):
            if field.name.startswith(prefix) and field.name[len(prefix) :] in entity.fields:
                stored = entity.fields[field.name[len(prefix) :]]
                self._comparable(field, stored, clauses)
                if operator != "equals" and not isinstance(stored.type, (*_ORDERED, t.Unknown)):
                    continue
                return ParameterFilter(parameter=field.name, field=field.name[len(prefix) :], operator=operator)  # type: ignore[arg-type]  # one of the operators
        used = f"say what it does, as in 'filter {{ stock > 0 or not query.{field.name} if provided }}', or add a 'do' block"
        raise _Ambiguous(f"query parameter '{field.name}' is neither a field nor used in 'filter'", used)

    def _comparable(self, given: InputField, stored: Field, clauses: tuple[d.Clause, ...]) -> None:
        """A parameter is of the type of the field that it is compared with, or a list of them."""
        type_ = t.required(given.type.item) if isinstance(given.type, t.List) else given.type
        if not sent_alike(type_, stored.type):
            nodes = (field for c in clauses if isinstance(c, d.InputClause) and c.place.text == "query" for field in c.fields)
            place = next((node.type for node in nodes if node.name.text == given.name), None)
            if place is not None:
                said = f"type mismatch for parameter '{given.name}': expected {stored.type}, got {type_}"
                self.report.error(place, said, "CAI0301")

    def _field_parameters(self, entity: EntitySymbol, name: str) -> list[tuple[ParameterFilter, InputField]]:
        field = entity.fields[name]
        if not isinstance(field.type, _FILTERABLE):
            return []
        reference = field.type.entity if isinstance(field.type, t.Ref) else None
        found: list[tuple[ParameterFilter, InputField]] = []
        if name not in LISTING:
            equals = ParameterFilter(parameter=name, field=name, operator="equals")
            found.append((equals, InputField(name=name, type=t.List(field.type), reference=reference)))
        if isinstance(field.type, _ORDERED):
            for prefix, operator in (("min_", "minimum"), ("max_", "maximum")):
                filter_ = ParameterFilter(parameter=prefix + name, field=name, operator=operator)  # type: ignore[arg-type]  # one of the operators
                found.append((filter_, InputField(name=prefix + name, type=field.type)))
        return found

    def _names(self, clauses: tuple[d.Clause, ...], key: str, entity: EntitySymbol) -> tuple[str, ...]:
        found: list[str] = []
        for clause in clauses:
            if isinstance(clause, d.NamesClause) and clause.key.text == key:
                self.names_something(clause)
                self.distinct(clause.names)
                for name in clause.names:
                    field = entity.fields.get(name.text)
                    if key == "filter_by" and name.text in LISTING:
                        self.report.warning(name, f"every list has a parameter '{name.text}' of its own", "CAI0522", help_text=_OTHERWISE)
                    if field is None and name.text in entity.computed:
                        if key == "filter_by":
                            found.append(name.text)
                        else:
                            self.report.error(
                                name,
                                f"lists sort by stored fields, and '{name.text}' is computed",
                                "CAI0511",
                                help_text="store it in a field",
                            )
                    elif field is None:
                        self.unknown_field(name, entity)
                    elif not field.readable:
                        self.report.error(name, f"'{name.text}' is secret: no filter and no sort", "CAI0510")
                    elif key == "sort_by" and not sorts(field.type):
                        self.report.error(name, f"type '{field.type}' has no order", "CAI0313")
                    elif key == "filter_by" and not isinstance(field.type, (*_FILTERABLE, t.Unknown)):
                        hint = f"write 'query {{ value: string }}  filter {{ {name.text} contains query.value if provided }}'"
                        self.report.error(name, f"no parameter compares values of type '{field.type}'", "CAI0511", help_text=hint)
                    else:
                        found.append(name.text)
        return tuple(found)

    def _page_sizes(self, clauses: tuple[d.Clause, ...]) -> tuple[int, int]:
        """How many rows a page has, and the most that a caller may ask for."""
        size, most = self._whole(clauses, "page_size"), self._whole(clauses, "max_page_size")
        if size is not None and most is not None and size > most:
            place = next(c for c in clauses if isinstance(c, d.ValueClause) and c.key.text == "page_size")
            self.report.error(place.value, f"a page of {size} is larger than 'max_page_size', {most}", "CAI0505")
        size = size or min(20, most or 20)
        return size, max(most or 100, size)

    def _whole(self, clauses: tuple[d.Clause, ...], key: str) -> int | None:
        for clause in clauses:
            if isinstance(clause, d.ValueClause) and clause.key.text == key:
                if isinstance(clause.value, ex.IntLiteral) and 0 < clause.value.value <= 10_000:
                    return clause.value.value
                self.report.error(clause.value, f"'{key}' takes a number from 1 to 10,000", "CAI0505")
        return None

    def _filters(
        self, entity: EntitySymbol, clauses: tuple[d.Clause, ...], inputs: Inputs
    ) -> tuple[tuple[ConditionalFilter, ...], set[str]]:
        scope = Scope(Host("a filter", inputs=inputs), None, (Range(entity.name, "r0"),))
        scope.query = True
        scope.host.aliases = 1
        found: list[ConditionalFilter] = []
        used: set[str] = set()
        for clause in clauses:
            for line in clause.conditions if isinstance(clause, d.FilterClause) else ():
                condition = self.condition(line.condition if isinstance(line, ex.Provided) else line, scope)
                self.check_query(line.condition if isinstance(line, ex.Provided) else line, condition)
                names = _query_names(condition)
                used |= names
                found.append(
                    ConditionalFilter(condition=condition, if_provided=tuple(sorted(names)) if isinstance(line, ex.Provided) else ())
                )
        return tuple(found), used

    def _order(self, entity: EntitySymbol, clauses: tuple[d.Clause, ...]) -> tuple[ir.Order, ...]:
        scope = Scope(Host("a sort"), None, (Range(entity.name, "r0"),))
        scope.query = True
        found: list[ir.Order] = []
        for clause in clauses:
            for term in clause.terms if isinstance(clause, d.SortClause) else ():
                value = self.expression(term.value, scope)
                if not isinstance(value, ir.FieldValue) and not isinstance(value.type, t.Unknown):
                    self.report.error(term, "lists sort by fields", "CAI0511")
                    continue
                if not sorts(value.type):
                    self.report.error(term, f"type '{t.required(value.type)}' has no order", "CAI0313")
                found.append(ir.Order(value, term.descending))
        return tuple(found)

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


def _is_unique(field: Field, entity: EntitySymbol) -> bool:
    """Whether the database holds that no two rows have the same value."""
    lines = (clause for clause in entity.declaration.clauses if isinstance(clause, d.IndexClause) and clause.unique)
    alone = {frozenset([field.name]), frozenset([field.name, entity.tenant_field or field.name])}  # of a tenant, who sees no other rows
    return field.unique or field.primary or any(frozenset(column.name.text for column in line.columns) in alone for line in lines)


def _query_names(value: object) -> set[str]:
    """The query parameters that an expression reads."""
    if isinstance(value, ir.RequestValue):
        return {value.name} if value.place == "query" and value.name else set()
    found: set[str] = set()
    if isinstance(value, ir.Expression | ir.Entry):
        for name in value.__struct_fields__:
            found |= _query_names(getattr(value, name))
    elif isinstance(value, tuple):
        for item in value:
            found |= _query_names(item)
    return found


def _computed_filters(entity: EntitySymbol, name: str, query: list[InputField]) -> list[ConditionalFilter]:
    """The parameters of a computed field in ``filter_by``, which are added to ``query``, and what each asks for."""
    type_ = t.required(entity.computed[name])
    if not isinstance(type_, _FILTERABLE) or isinstance(type_, t.Ref):
        return []
    value = ir.ComputedValue(type=entity.computed[name], row=ir.RangeRow(type=t.Row(entity.name), alias="r0"), field=name)
    ordered = isinstance(type_, _ORDERED)
    found: list[ConditionalFilter] = []
    for prefix, operator in (("", "=="), ("min_", ">="), ("max_", "<=")) if ordered else (("", "=="),):
        if prefix + name in LISTING:
            continue
        given = ir.RequestValue(type=type_, place="query", name=prefix + name)
        query.append(InputField(name=prefix + name, type=type_))
        condition = ir.Binary(type=t.Bool(), operator=operator, left=value, right=given)
        found.append(ConditionalFilter(condition=condition, if_provided=(prefix + name,)))
    return found


def words(name: str) -> str:
    """``order_items`` → ``order items``."""
    return re.sub(r"_+", " ", name)
