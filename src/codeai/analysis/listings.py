"""What a list does: its parameters, filters, order and pages (language page, section 6)."""

from __future__ import annotations

from typing import Final

import msgspec

from codeai.analysis.conversions import sent_alike
from codeai.analysis.grouping import ORDERLY, sorts
from codeai.analysis.inputs import LISTING, InputAnalysis
from codeai.analysis.scope import Host, Range, Scope
from codeai.analysis.symbols import EntitySymbol
from codeai.analysis.translation import unconverted
from codeai.language import types as t
from codeai.language.diagnostics import Edit, Severity
from codeai.language.tree import declarations as d
from codeai.language.tree import expressions as ex
from codeai.model import expression as ir
from codeai.model.endpoint import (
    ConditionalFilter,
    InputField,
    Inputs,
    ListRows,
    ParameterFilter,
    PathSource,
)
from codeai.model.entity import Field

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

_GUESSED: Final = "leave it out: who filters or sorts by a field finds out what it holds"


class Ambiguous(Exception):
    """Why no operation follows, and what would help."""

    def __init__(self, reason: str, remedy: str = "add a 'do' block") -> None:
        super().__init__(reason)
        self.remedy = remedy


class Listings(InputAnalysis):
    """Elaborates lists, of endpoints and of resources."""

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
        raise Ambiguous(f"query parameter '{field.name}' is neither a field nor used in 'filter'", used)

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
                            said = f"lists sort by stored fields, and '{name.text}' is computed"
                            self.report.error(name, said, "CAI0511", help_text="store it in a field")
                    elif field is None:
                        self.unknown_field(name, entity)
                    elif not field.readable:
                        self.report.error(name, f"'{name.text}' is secret: no filter and no sort", "CAI0510", help_text=_GUESSED)
                    elif key == "sort_by" and not sorts(field.type):
                        self.report.error(name, f"type '{field.type}' has no order", "CAI0313", help_text=ORDERLY)
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
                if isinstance(line, ex.Binary):
                    self._unprovided(line, condition, inputs)
                found.append(
                    ConditionalFilter(condition=condition, if_provided=tuple(sorted(names)) if isinstance(line, ex.Provided) else ())
                )
        return tuple(found), used

    def _unprovided(self, line: ex.Binary, condition: ir.Expression, inputs: Inputs) -> None:
        """Warns of ``field == query.x`` without ``if provided`` where the parameter may be left out."""
        given = {field.name for field in inputs.query if not field.required and field.default is None}
        sides = [unconverted(side) for side in (condition.left, condition.right)] if isinstance(condition, ir.Binary) else []
        names = [side.name for side in sides if isinstance(side, ir.RequestValue) and side.place == "query" and side.name in given]
        if names and line.operator in ("==", "=") and any(isinstance(side, ir.FieldValue) for side in sides):
            field = next(side.field for side in sides if isinstance(side, ir.FieldValue))
            said = f"without '{names[0]}' in the request, this lists the rows without '{field}'"
            edits = (Edit(line.end, line.end, " if provided"),)
            advice = f"write '… if provided' behind it, or make '{names[0]}' required"
            self.report.error(line, said, "CAI0525", severity=Severity.WARNING, help_text=advice, edits=edits)

    def _order(self, entity: EntitySymbol, clauses: tuple[d.Clause, ...]) -> tuple[ir.Order, ...]:
        scope = Scope(Host("a sort"), None, (Range(entity.name, "r0"),))
        scope.query = True
        found: list[ir.Order] = []
        for clause in clauses:
            for term in clause.terms if isinstance(clause, d.SortClause) else ():
                value = self.expression(term.value, scope)
                if not isinstance(value, ir.FieldValue) and not isinstance(value.type, t.Unknown):
                    self.report.error(
                        term,
                        "lists sort by fields",
                        "CAI0511",
                        help_text="as in 'sort: created_at desc'; what is computed is stored in a field for that",
                    )
                    continue
                if not sorts(value.type):
                    self.report.error(term, f"type '{t.required(value.type)}' has no order", "CAI0313", help_text=ORDERLY)
                found.append(ir.Order(value, term.descending))
        return tuple(found)


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
