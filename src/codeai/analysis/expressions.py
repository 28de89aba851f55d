"""Expressions without queries: names, members, literals, operators."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from codeai.analysis.conversions import NUMERIC, TEXTUAL, convert, fit, is_number, is_text, is_unknown, wider_number
from codeai.analysis.reporter import Reporter
from codeai.analysis.scope import Range, Scope, Variable, broken
from codeai.analysis.symbols import EntitySymbol, Symbols
from codeai.analysis.types import TypeResolver
from codeai.language import types as t
from codeai.language.diagnostics import DiagnosticClass
from codeai.language.tree import expressions as ex
from codeai.language.tree.node import Identifier, Node
from codeai.model import expression as ir
from codeai.model.application import Requirement

PLACES: Final = ("path", "query", "header", "cookie", "body")
_USER: Final[dict[str, t.Type]] = {
    "id": t.optional(t.String()),
    "email": t.optional(t.String()),
    "name": t.optional(t.String()),
    "tenant": t.optional(t.String()),
    "roles": t.List(t.String()),
    "permissions": t.List(t.String()),
    "claims": t.Json(),
}
_PARSERS: Final[dict[type, Callable[[str], object]]] = {
    t.Uuid: uuid.UUID,
    t.Date: datetime.date.fromisoformat,
    t.Timestamp: datetime.datetime.fromisoformat,
    t.Time: datetime.time.fromisoformat,
}
_ORDERED: Final = (*NUMERIC, *TEXTUAL, t.Date, t.Timestamp, t.Time, t.Duration, t.Uuid)


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
    if isinstance(value, ir.Call) and value.function in ("first", "last", "filter", "find", "sort"):
        return origin_of(value.arguments[0], scope)
    return None


def _variables(scope: Scope) -> list[Variable]:
    found: list[Variable] = []
    current: Scope | None = scope
    while current is not None:
        found.extend(current.variables.values())
        current = current.parent
    return found


class Expressions(TypeResolver):
    """Elaborates expressions; queries, calls and writes join in subclasses."""

    def __init__(self, symbols: Symbols, reporter: Reporter, *, query_text: bool = False) -> None:
        super().__init__(symbols, reporter)
        self.query_text = query_text
        self.declared_steps: frozenset[str] = frozenset()  # of the workflow or job at hand, those that come later, too
        self.broken_body = False  # whether the body of the endpoint at hand names a type that is not there
        self.requirements: list[Requirement] = []
        self._dispatch: dict[type, Callable[[Any, Scope, t.Type | None], ir.Expression]] = {
            ex.Name: self._name,
            ex.IntLiteral: self._integer,
            ex.DecimalLiteral: self._decimal,
            ex.StringLiteral: lambda node, scope, expected: ir.Constant(type=t.String(), value=node.value, at=node.start),
            ex.BooleanLiteral: lambda node, scope, expected: ir.Constant(type=t.Bool(), value=node.value, at=node.start),
            ex.NullLiteral: lambda node, scope, expected: ir.Constant(type=t.Null(), value=None, at=node.start),
            ex.DurationLiteral: self._duration,
            ex.SizeLiteral: lambda node, scope, expected: ir.Constant(type=t.Int(), value=node.size, at=node.start),
            ex.Interpolation: self._interpolation,
            ex.ListLiteral: self._list,
            ex.MapLiteral: self._map,
            ex.Member: self._member,
            ex.Index: self._index,
            ex.Call: self.call,
            ex.Unary: self._unary,
            ex.Binary: self._binary,
            ex.IsNull: self._is_null,
            ex.Between: self._between,
            ex.Conditional: self._conditional,
            ex.Conversion: self._conversion,
            ex.Lambda: self._stray,
            ex.Star: self._stray,
            ex.Provided: self._stray,
            ex.Missing: lambda node, scope, expected: broken(node),
        }

    def fit(self, value: ir.Expression, target: t.Type, on_failure: str = "error") -> ir.Expression | None:
        """``conversions.fit`` with the keys of this program's entities."""
        return fit(value, target, on_failure, lambda entity: self.symbols.entities[entity].key_type)

    @property
    def kind(self) -> DiagnosticClass:
        """The class of findings about meaning: CompilerError for query text, SemanticError in programs."""
        return DiagnosticClass.COMPILER if self.query_text else DiagnosticClass.SEMANTIC

    # -- entry -----------------------------------------------------------------------------------------------------

    def expression(self, node: ex.Expression, scope: Scope, expected: t.Type | None = None) -> ir.Expression:
        """The resolved form of an expression; ``expected`` helps literals to their type but converts nothing."""
        return self._dispatch[type(node)](node, scope, expected)

    def value(self, node: ex.Expression, scope: Scope, expected: t.Type, what: str, *, nullable: bool = True) -> ir.Expression:
        """An expression converted to the type that its place wants; reports what does not fit.

        :param what: how messages call the place (``field 'price'``)
        """
        found = self.expression(node, scope, expected)
        return self.fitted(node, found, expected, what, nullable=nullable)

    def fitted(self, node: Node, found: ir.Expression, expected: t.Type, what: str, *, nullable: bool = True) -> ir.Expression:
        """A resolved expression converted to the wanted type."""
        fitted = self.fit(found, expected)
        if fitted is None:
            message = f"type mismatch for {what}: expected {t.required(expected)}, got {t.required(found.type)}"
            self.report.error(node, message, "CAI0301", kind=self.kind)
            return broken(node)
        wanted = t.required(expected)
        if isinstance(wanted, t.Enum) and isinstance(fitted, ir.Constant) and isinstance(fitted.value, str):
            self._check_member(node, fitted.value, wanted)
        if not nullable and isinstance(fitted.type, t.Null):
            self.report.error(node, f"{what} is never null", "CAI0302", kind=self.kind)
        return fitted

    def condition(self, node: ex.Expression, scope: Scope) -> ir.Expression:
        """An expression that must be true or false."""
        found = self.expression(node, scope, t.Bool())
        if not isinstance(t.required(found.type), t.Bool | t.Unknown | t.Json):
            self.report.error(node, f"a condition must be bool, got {found.type}", "CAI0303", kind=self.kind)
            return broken(node)
        return found

    def call(self, node: ex.Call, scope: Scope, expected: t.Type | None) -> ir.Expression:
        """A call (see ``Calls``)."""
        raise NotImplementedError

    # -- literals --------------------------------------------------------------------------------------------------

    def _integer(self, node: ex.IntLiteral, scope: Scope, expected: t.Type | None) -> ir.Expression:
        if not -(2**63) <= node.value < 2**63 + 1:
            self.report.error(node, f"number {node.value} does not fit in 64 bits", "CAI0304")
        return ir.Constant(type=t.Int(), value=node.value, at=node.start)

    def _decimal(self, node: ex.DecimalLiteral, scope: Scope, expected: t.Type | None) -> ir.Expression:
        if expected is not None and isinstance(t.required(expected), t.Float):
            return ir.Constant(type=t.Float(), value=float(node.text), at=node.start)
        value = Decimal(node.text)
        if abs(value.adjusted()) > 100:
            self.report.error(node, f"number '{node.text}' is out of range", "CAI0304")
            value = Decimal(0)
        return ir.Constant(type=t.Decimal(), value=value, at=node.start)

    def _duration(self, node: ex.DurationLiteral, scope: Scope, expected: t.Type | None) -> ir.Expression:
        value = datetime.timedelta(milliseconds=node.milliseconds)
        return ir.Constant(type=t.Duration(), value=value, at=node.start)

    def _interpolation(self, node: ex.Interpolation, scope: Scope, expected: t.Type | None) -> ir.Expression:
        parts = tuple(self.expression(part, scope) for part in node.parts)
        for part, resolved in zip(node.parts, parts, strict=True):
            if isinstance(t.required(resolved.type), t.List | t.Record | t.Row | t.Map | t.Function):
                self.report.error(part, f"cannot put {resolved.type} into a string", "CAI0305", help_text="use to_json(…)")
        return ir.Interpolate(type=t.String(), parts=parts, at=node.start)

    def _list(self, node: ex.ListLiteral, scope: Scope, expected: t.Type | None) -> ir.Expression:
        wanted = t.required(expected) if expected is not None else None
        item = wanted.item if isinstance(wanted, t.List) else None
        items = tuple(self.expression(value, scope, item) for value in node.items)
        if item is None:
            item, items = self._common(node, items)
        return ir.ListOf(type=t.List(item), items=items, at=node.start)

    def _common(self, node: Node, items: tuple[ir.Expression, ...]) -> tuple[t.Type, tuple[ir.Expression, ...]]:
        """The one type of all items, numbers widened; json when they differ."""
        if not items:
            return t.Unknown(), items
        common = items[0].type
        for item in items[1:]:
            if t.required(item.type) == t.required(common) or isinstance(item.type, t.Null):
                continue
            wider = wider_number(t.required(common), t.required(item.type))
            if wider is None and not (is_text(common) and is_text(item.type)):
                return t.Json(), items
            common = wider or t.String()
        return common, tuple(self.fit(item, common) or item for item in items)

    def _map(self, node: ex.MapLiteral, scope: Scope, expected: t.Type | None) -> ir.Expression:
        wanted = t.required(expected) if expected is not None else None
        entries: list[ir.Entry] = []
        fields: list[t.RecordField] = []
        seen: dict[str, Node] = {}
        for entry in node.entries:
            name = entry.key.text
            if name in seen:
                self.report.duplicate(entry.key, name, seen[name])
                continue
            seen[name] = entry.key
            value = self._entry_value(entry, scope, wanted)
            entries.append(ir.Entry(name, value))
            fields.append(t.RecordField(name, value.type))
        if isinstance(wanted, t.Record):
            self._missing_members(node, wanted, seen)
        return ir.RecordOf(type=wanted if isinstance(wanted, t.Record) else t.Record(tuple(fields)), entries=tuple(entries), at=node.start)

    def _entry_value(self, entry: ex.MapEntry, scope: Scope, wanted: t.Type | None) -> ir.Expression:
        if not isinstance(wanted, t.Record):
            return self.expression(entry.value, scope, wanted.value if isinstance(wanted, t.Map) else None)
        field = wanted.field(entry.key.text)
        if field is None:
            self.report.unknown(
                entry.key,
                f"unknown field '{entry.key.text}' in {wanted}",
                entry.key.text,
                [known.name for known in wanted.fields],
                "CAI0106",
            )
            return self.expression(entry.value, scope)
        return self.value(entry.value, scope, field.type, f"field '{field.name}'", nullable=t.is_nullable(field.type))

    def _missing_members(self, node: Node, wanted: t.Record, seen: dict[str, Node]) -> None:
        missing = [f"'{field.name}'" for field in wanted.fields if field.required and field.name not in seen]
        if missing:
            self.report.absent(node, node, f"missing {', '.join(missing)} in {wanted}", "CAI0306")

    # -- names -----------------------------------------------------------------------------------------------------

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
        known = [*scope.names(), *scope.host.values, *(PLACES if scope.host.inputs is not None else ()), "user", "config"]
        for range_ in scope.ranges:
            known.extend(self.symbols.entities[range_.entity].member_names())
        near = self.report.unknown(node, f"undefined variable '{name}'", name, known, "CAI0101", kind=DiagnosticClass.SCOPE)
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
                return t.Json()
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

    # -- members ---------------------------------------------------------------------------------------------------

    def _member(self, node: ex.Member, scope: Scope, expected: t.Type | None) -> ir.Expression:
        special = self._qualified(node, scope)
        if special is not None:
            return special
        target = self.expression(node.target, scope)
        return self.member(node, target, scope)

    def _qualified(self, node: ex.Member, scope: Scope) -> ir.Expression | None:
        """``config.x.y``, ``Tier.gold`` and ``Product.price`` of a row in range."""
        if not isinstance(node.target, ex.Name):
            path = self._config_path(node)
            return self._config_value(node, path) if path else None
        name = node.target.text
        if scope.find(name) is not None:
            return None
        if name == "config":
            return self._config_value(node, (node.name.text,))
        for range_ in reversed(scope.ranges):
            if range_.entity == name:
                entity = self.symbols.entities[name]
                return self.row_member(node.name, self.range_row(range_, node), entity, scope)
        enum = self.symbols.enums.get(name)
        if enum is not None:
            self._check_member(node.name, node.name.text, enum)
            return ir.Constant(type=enum, value=node.name.text, at=node.start)
        return None

    def _config_path(self, node: ex.Expression) -> tuple[str, ...] | None:
        if isinstance(node, ex.Name):
            return () if node.text == "config" else None
        if isinstance(node, ex.Member):
            inner = self._config_path(node.target)
            return None if inner is None else (*inner, node.name.text)
        return None

    def _config_value(self, node: ex.Member, path: tuple[str, ...]) -> ir.Expression:
        self.symbols.use("setting", path[0])
        type_ = self.symbols.settings.get(path)
        if type_ is not None:
            return ir.ConfigValue(type=type_, path=path, at=node.start)
        if any(known[: len(path)] == path for known in self.symbols.settings):
            return ir.ConfigValue(type=t.Json(), path=path, at=node.start)
        name = ".".join(path)
        self.report.unknown(
            node.name, f"unknown setting 'config.{name}'", path[-1], [known[-1] for known in self.symbols.settings], "CAI0107"
        )
        return broken(node)

    def _check_member(self, node: Node, value: str, enum: t.Enum) -> None:
        if value not in enum.members:
            label = f"enum '{enum.name}'" if enum.name else "enum"
            self.report.unknown(node, f"'{value}' is not a member of {label}", value, enum.members, "CAI0307", kind=self.kind)

    def member(self, node: ex.Member, target: ir.Expression, scope: Scope) -> ir.Expression:
        """A member of a resolved value."""
        type_ = t.required(target.type)
        name = node.name.text
        if isinstance(type_, t.Unknown):
            return broken(node)
        if isinstance(target, ir.CurrentUser) and isinstance(type_, t.Principal):
            if name in _USER:
                return ir.CurrentUser(type=_USER[name], attribute=name, at=node.start)
            self.report.unknown(node.name, f"unknown member '{name}' of user", name, _USER, "CAI0108")
            return broken(node)
        if isinstance(type_, t.Row | t.Ref):
            return self._row_or_reference(node, target, scope)
        if isinstance(type_, t.Record):
            return self._record_member(node, target, type_)
        if isinstance(type_, t.Json):
            return ir.Member(type=t.Json(), target=target, name=name, at=node.start)
        if isinstance(type_, t.Map):
            return ir.Member(type=t.optional(type_.value), target=target, name=name, at=node.start)
        if name in ("length", "count") and (isinstance(type_, t.List | t.Many) or (is_text(type_) and name == "length")):
            return ir.Call(type=t.Int(), function="length", arguments=(target,), at=node.start)
        if name == "ids" and isinstance(type_, t.List) and isinstance(type_.item, t.Row):
            return self._ids(node, target, type_.item)
        self.report.error(node.name, f"type '{type_}' has no member '{name}'", "CAI0108", kind=self.kind)
        return broken(node)

    def _ids(self, node: ex.Member, target: ir.Expression, row: t.Row) -> ir.Expression:
        entity = self.symbols.entities[row.entity]
        parameter = ir.Local(type=row, name="row")
        body = ir.FieldValue(type=entity.key_type, row=parameter, field=entity.primary)
        function = ir.LambdaOf(type=t.Function((row,), entity.key_type), parameters=("row",), body=body)
        return ir.Call(type=t.List(entity.key_type), function="map", arguments=(target, function), at=node.start)

    def _record_member(self, node: ex.Member, target: ir.Expression, type_: t.Record) -> ir.Expression:
        name = node.name.text
        field = type_.field(name)
        if field is None:
            if type_.name == "steps":
                if name in self.declared_steps:
                    said, advice = f"step '{name}' has not run when this is evaluated", "only steps before this one have results"
                    self.report.error(node.name, said, "CAI0132", help_text=advice)
                    return broken(node)
                self.report.unknown(node.name, f"unknown step '{name}'", name, [known.name for known in type_.fields], "CAI0132")
                return broken(node)
            what = f"{target.place} of the request" if isinstance(target, ir.RequestValue) else str(type_)
            self.report.unknown(node.name, f"unknown field '{name}' in {what}", name, [known.name for known in type_.fields], "CAI0106")
            return broken(node)
        result = t.optional(field.type) if t.is_nullable(target.type) else field.type
        if isinstance(target, ir.RequestValue) and target.name is None:
            return ir.RequestValue(type=result, place=target.place, name=name, at=node.start)
        return ir.Member(type=result, target=target, name=name, at=node.start)

    def _row_or_reference(self, node: ex.Member, target: ir.Expression, scope: Scope) -> ir.Expression:
        type_ = t.required(target.type)
        assert isinstance(type_, t.Row | t.Ref)
        entity = self.symbols.entities[type_.entity]
        if isinstance(type_, t.Ref):
            if node.name.text == entity.primary:
                return target
            if not isinstance(target, ir.FieldValue):
                self.report.error(
                    node,
                    f"'{node.name.text}' needs the row, and this is its key",
                    "CAI0308",
                    help_text=f"read it with get {entity.name}(…)",
                )
                return broken(node)
            owner = t.required(target.row.type)
            assert isinstance(owner, t.Row)
            relation = next(
                r for r in self.symbols.entities[owner.entity].relations.values() if r.field == target.field and r.kind == "one"
            )
            target = self.related(node, target.row, relation.name, entity, t.is_nullable(target.type), scope)
        return self.row_member(node.name, target, entity, scope)

    def related(self, node: Node, row: ir.Expression, relation: str, entity: EntitySymbol, nullable: bool, scope: Scope) -> ir.Expression:
        """The row behind a relation; notes that the selection of ``row`` must load it."""
        type_: t.Type = t.Row(entity.name)
        found = ir.RelatedRow(
            type=t.optional(type_) if nullable or t.is_nullable(row.type) else type_, row=row, relation=relation, at=node.start
        )
        self._note_load(node, found, scope)
        return found

    def _note_load(self, node: Node, value: ir.Expression, scope: Scope) -> None:
        root: ir.Expression = value
        while isinstance(root, ir.RelatedRow | ir.RelatedRows):
            root = root.row
        if isinstance(root, ir.RangeRow):
            return
        origin = origin_of(value, scope)
        if origin is None:
            self.report.error(
                node,
                "this row was not read by a query of this block, so its relations are not loaded",
                "CAI0309",
                help_text="read it with get first",
            )
            return
        scope.host.loads.setdefault(origin[0], set()).add(origin[1])

    def row_member(self, name: Identifier, row: ir.Expression, entity: EntitySymbol, scope: Scope) -> ir.Expression:
        """A field, computed field or relation of a row."""
        nullable = t.is_nullable(row.type)
        field = entity.fields.get(name.text)
        if field is not None:
            type_ = t.optional(field.type) if field.nullable or nullable else field.type
            return ir.FieldValue(type=type_, row=row, field=field.name, at=name.start)
        if name.text in entity.computed:
            computed = entity.computed[name.text]
            return ir.ComputedValue(type=t.optional(computed) if nullable else computed, row=row, field=name.text, at=name.start)
        relation = entity.relations.get(name.text)
        if relation is None:
            self.unknown_field(name, entity, query=self.query_text)
            return broken(name)
        other = self.symbols.entities[relation.entity]
        if relation.kind == "one":
            return self.related(name, row, relation.name, other, relation.nullable, scope)
        found = ir.RelatedRows(type=t.List(t.Row(other.name)), row=row, relation=relation.name, at=name.start)
        self._note_load(name, found, scope)
        return found

    def _index(self, node: ex.Index, scope: Scope, expected: t.Type | None) -> ir.Expression:
        target = self.expression(node.target, scope)
        type_ = t.required(target.type)
        if isinstance(type_, t.List):
            index = self.value(node.index, scope, t.Int(), "index")
            return ir.Item(type=t.optional(type_.item), target=target, index=index, at=node.start)
        index = self.expression(node.index, scope)
        if isinstance(type_, t.Json | t.Map | t.Unknown):
            result = type_.value if isinstance(type_, t.Map) else t.Json()
            return ir.Item(type=t.optional(result), target=target, index=index, at=node.start)
        self.report.error(node, f"type '{type_}' has no elements", "CAI0108", kind=self.kind)
        return broken(node)

    # -- operators -------------------------------------------------------------------------------------------------

    def _unary(self, node: ex.Unary, scope: Scope, expected: t.Type | None) -> ir.Expression:
        if node.operator == "not":
            return ir.Unary(type=t.Bool(), operator="not", operand=self.condition(node.operand, scope), at=node.start)
        operand = self.expression(node.operand, scope, expected)
        if isinstance(operand, ir.Constant) and isinstance(operand.value, int | float | Decimal | datetime.timedelta):
            return ir.Constant(type=operand.type, value=-operand.value, at=node.start)
        if not isinstance(t.required(operand.type), (*NUMERIC, t.Duration, t.Unknown)):
            self.report.error(node, f"cannot negate {operand.type}", "CAI0310", kind=self.kind)
            return broken(node)
        return ir.Unary(type=operand.type, operator="-", operand=operand, at=node.start)

    def _binary(self, node: ex.Binary, scope: Scope, expected: t.Type | None) -> ir.Expression:
        operator = node.operator
        if operator in ("and", "or"):
            left, right = self.condition(node.left, scope), self.condition(node.right, scope)
            return ir.Binary(type=t.Bool(), operator=operator, left=left, right=right, at=node.start)
        if operator == "=":
            if not scope.query:
                self.report.error(node, "'=' does not compare here", "CAI0311", help_text="write '=='")
            operator = "=="
        left = self.expression(node.left, scope)
        right = self.expression(node.right, scope, left.type if is_number(left.type) else None)
        if operator in ("==", "!="):
            return self._equality(node, operator, left, right, scope)
        if operator in ("<", "<=", ">", ">="):
            return self._ordering(node, operator, left, right)
        if operator in ("in", "not_in"):
            return self._membership(node, operator, left, right)
        if operator in ("contains", "starts_with", "ends_with", "matches"):
            return self._text_test(node, operator, left, right)
        if operator == "??":
            return self._coalesce(node, left, right)
        return self.arithmetic(node, operator, left, right)

    def _equality(self, node: ex.Binary, operator: str, left: ir.Expression, right: ir.Expression, scope: Scope) -> ir.Expression:
        for side, other in ((left, right), (right, left)):
            if isinstance(side.type, t.Null):
                return ir.IsNull(type=t.Bool(), operand=other, negated=operator == "!=", at=node.start)
        pair = self._unified(node, left, right)
        if pair is None:
            return broken(node)
        if isinstance(pair[0], ir.FieldValue) and isinstance(pair[1], ir.FieldValue) and _same_field(pair[0], pair[1]):
            hidden = scope.find(pair[0].field)
            if hidden is not None:
                hidden.used = True
            self.report.error(
                node,
                f"this compares the field '{pair[0].field}' with itself",
                "CAI0312",
                help_text="a field hides a variable of the same name: rename the variable",
            )
        return ir.Binary(type=t.Bool(), operator=operator, left=pair[0], right=pair[1], at=node.start)

    def _ordering(self, node: ex.Binary, operator: str, left: ir.Expression, right: ir.Expression) -> ir.Expression:
        pair = self._unified(node, left, right)
        if pair is None:
            return broken(node)
        type_ = t.required(pair[0].type)
        if not isinstance(type_, (*_ORDERED, t.Unknown, t.Null)):
            self.report.error(node, f"type '{type_}' has no order", "CAI0313", kind=self.kind)
            return broken(node)
        return ir.Binary(type=t.Bool(), operator=operator, left=pair[0], right=pair[1], at=node.start)

    def _unified(self, node: ex.Binary, left: ir.Expression, right: ir.Expression) -> tuple[ir.Expression, ir.Expression] | None:
        """Both operands of a comparison in one type."""
        if is_number(left.type) and is_number(right.type):
            wider = wider_number(t.required(left.type), t.required(right.type))
            if wider is None:
                wider = t.Float() if isinstance(left, ir.Constant) or isinstance(right, ir.Constant) else None
            if wider is not None:
                return self.fit(left, wider) or left, self.fit(right, wider) or right
        if isinstance(t.required(left.type), t.Json) or isinstance(t.required(right.type), t.Json):
            return self.fit(left, t.Json()) or left, self.fit(right, t.Json()) or right
        for first, second, swapped in ((left, right, False), (right, left, True)):
            fitted = self.fit(second, first.type, "no_match")
            if fitted is not None:
                self._check_constant(node, first, fitted)
                self.check_literal(node.left if swapped else node.right, fitted)
                return (fitted, first) if swapped else (first, fitted)
        self._mismatch(node, left, right)
        return None

    def _check_constant(self, node: ex.Binary, wanted: ir.Expression, value: ir.Expression) -> None:
        type_ = t.required(wanted.type)
        if isinstance(type_, t.Enum) and isinstance(value, ir.Constant) and isinstance(value.value, str):
            self._check_member(node.right if value.at == node.right.start else node.left, value.value, type_)

    def check_literal(self, node: ex.Expression, value: ir.Expression) -> None:
        """Warns of a text that is no date, uuid … at all, so that the comparison is never true."""
        parse = _PARSERS.get(type(t.required(value.type))) if isinstance(value, ir.Convert) else None
        if parse is not None and isinstance(node, ex.StringLiteral):
            try:
                parse(node.value)
            except ValueError:
                self.report.warning(node, f"'{node.value}' is no {t.required(value.type)}, so that this is never true", "CAI0331")

    def _mismatch(self, node: ex.Binary, left: ir.Expression, right: ir.Expression) -> None:
        for side, other in ((left, right), (right, left)):
            if isinstance(side, ir.FieldValue):
                message = f"type mismatch for field '{side.field}': expected {t.required(side.type)}, got {t.required(other.type)}"
                self.report.error(node, message, "CAI0301", kind=self.kind)
                return
        self.report.error(node, f"cannot compare {t.required(left.type)} with {t.required(right.type)}", "CAI0314", kind=self.kind)

    def _membership(self, node: ex.Binary, operator: str, left: ir.Expression, right: ir.Expression) -> ir.Expression:
        type_ = t.required(right.type)
        if not isinstance(type_, t.List | t.Unknown | t.Json):
            self.report.error(node.right, f"'in' needs an array on its right, got {type_}", "CAI0315", kind=self.kind)
            return broken(node)
        if isinstance(type_, t.List):
            wanted = t.List(t.required(left.type))
            fitted = self.fit(right, wanted)
            if fitted is None and self.fit(left, type_.item) is None:
                self._mismatch(node, left, ir.Constant(type=type_.item, value=None))
                return broken(node)
            if fitted is not None and isinstance(fitted, ir.ListOf):
                for item, at in zip(fitted.items, getattr(node.right, "items", ()), strict=False):
                    if isinstance(wanted.item, t.Enum) and isinstance(item, ir.Constant) and isinstance(item.value, str):
                        self._check_member(at, item.value, wanted.item)
            right = fitted or right
            left = left if fitted is not None else self.fit(left, type_.item) or left
        return ir.Binary(type=t.Bool(), operator=operator, left=left, right=right, at=node.start)

    def _text_test(self, node: ex.Binary, operator: str, left: ir.Expression, right: ir.Expression) -> ir.Expression:
        type_ = t.required(left.type)
        if operator == "contains" and isinstance(type_, t.List):
            fitted = self.fit(right, type_.item, "no_match")
            if fitted is None:
                self._mismatch(node, ir.Constant(type=type_.item, value=None), right)
                return broken(node)
            return ir.Binary(type=t.Bool(), operator=operator, left=left, right=fitted, at=node.start)
        for side, at in ((left, node.left), (right, node.right)):
            if not (is_text(side.type) or is_unknown(side.type) or isinstance(t.required(side.type), t.Null | t.Json)):
                if isinstance(left, ir.FieldValue):
                    self._mismatch(node, left, ir.Constant(type=t.String(), value="") if side is left else right)
                else:
                    self.report.error(at, f"'{operator}' needs a string, got {t.required(side.type)}", "CAI0316", kind=self.kind)
                return broken(node)
        if operator == "matches" and isinstance(node.right, ex.StringLiteral):
            self.check_pattern(node.right)
        return ir.Binary(type=t.Bool(), operator=operator, left=left, right=right, at=node.start)

    def _coalesce(self, node: ex.Binary, left: ir.Expression, right: ir.Expression) -> ir.Expression:
        if isinstance(left.type, t.Null):
            return right
        fitted = self.fit(right, left.type)
        if fitted is None and is_number(left.type) and is_number(right.type):
            wider = wider_number(t.required(left.type), t.required(right.type))
            widened = self.fit(left, wider) if wider is not None else None
            if widened is not None:
                left, fitted = widened, right
        if fitted is None:
            self._mismatch(node, left, right)
            return broken(node)
        base = t.required(left.type)
        return ir.Binary(
            type=t.optional(base) if t.is_nullable(right.type) else base, operator="??", left=left, right=fitted, at=node.start
        )

    def arithmetic(self, node: Node, operator: str, left: ir.Expression, right: ir.Expression) -> ir.Expression:
        """``+ - * / %`` on numbers, texts, times and durations."""
        first, second = t.required(left.type), t.required(right.type)
        nullable = t.is_nullable(left.type) or t.is_nullable(right.type)

        def done(type_: t.Type, a: ir.Expression = left, b: ir.Expression = right) -> ir.Expression:
            return ir.Binary(type=t.optional(type_) if nullable else type_, operator=operator, left=a, right=b, at=node.start)

        if is_unknown(first) or is_unknown(second):
            return ir.Constant(type=t.Unknown(), value=None, at=node.start)
        if operator in "/%" and is_number(second) and isinstance(right, ir.Constant) and right.value == 0:
            self.report.error(node, "division by zero", "CAI0334", kind=self.kind)
        if is_number(first) and is_number(second):
            wider = (
                t.Decimal()
                if operator == "/" and not isinstance(first, t.Float) and not isinstance(second, t.Float)
                else wider_number(first, second)
            )
            if wider is None and (isinstance(left, ir.Constant) or isinstance(right, ir.Constant)):
                wider = t.Float()
            if wider is not None:
                return done(wider, self.fit(left, wider) or left, self.fit(right, wider) or right)
        if operator == "+" and is_text(first) and is_text(second):
            return done(t.String())
        if operator in "+-" and isinstance(first, t.Timestamp | t.Date | t.Duration) and isinstance(second, t.Duration):
            return done(first)
        if operator == "+" and isinstance(first, t.Duration) and isinstance(second, t.Timestamp | t.Date):
            return done(second)
        if operator == "-" and isinstance(first, t.Timestamp) and isinstance(second, t.Timestamp):
            return done(t.Duration())
        if operator == "*" and isinstance(first, t.Duration) and isinstance(second, t.Int):
            return done(first)
        self.report.error(node, f"'{operator}' does not fit {first} and {second}", "CAI0310", kind=self.kind)
        return broken(node)

    def _is_null(self, node: ex.IsNull, scope: Scope, expected: t.Type | None) -> ir.Expression:
        operand = self.expression(node.operand, scope)
        return ir.IsNull(type=t.Bool(), operand=operand, negated=node.negated, at=node.start)

    def _between(self, node: ex.Between, scope: Scope, expected: t.Type | None) -> ir.Expression:
        low = ex.Binary(node.start, node.low.end, ">=", node.operand, node.low)
        high = ex.Binary(node.start, node.end, "<=", node.operand, node.high)
        left, right = self._binary(low, scope, None), self._binary(high, scope, None)
        return ir.Binary(type=t.Bool(), operator="and", left=left, right=right, at=node.start)

    def _conditional(self, node: ex.Conditional, scope: Scope, expected: t.Type | None) -> ir.Expression:
        condition = self.condition(node.condition, scope)
        then, otherwise = self.expression(node.then, scope, expected), self.expression(node.otherwise, scope, expected)
        type_, (then, otherwise) = self._branches(node, then, otherwise)
        return ir.Conditional(type=type_, condition=condition, then=then, otherwise=otherwise, at=node.start)

    def _branches(self, node: Node, then: ir.Expression, otherwise: ir.Expression) -> tuple[t.Type, tuple[ir.Expression, ir.Expression]]:
        nullable = t.is_nullable(then.type) or t.is_nullable(otherwise.type)
        if isinstance(then.type, t.Null):
            return t.optional(otherwise.type), (then, otherwise)
        fitted = self.fit(otherwise, then.type)
        if fitted is not None:
            base = t.required(then.type)
            return (t.optional(base) if nullable else base), (then, fitted)
        back = self.fit(then, otherwise.type)
        if back is not None:
            return otherwise.type, (back, otherwise)
        return t.Json(), (convert(then, t.Json()), convert(otherwise, t.Json()))

    def _conversion(self, node: ex.Conversion, scope: Scope, expected: t.Type | None) -> ir.Expression:
        operand = self.expression(node.operand, scope)
        return convert(operand, self.resolve(node.type))

    def _stray(self, node: ex.Expression, scope: Scope, expected: t.Type | None) -> ir.Expression:
        what = {"Lambda": "a lambda", "Star": "'*'", "Provided": "'if provided'"}[type(node).__name__]
        self.report.error(node, f"{what} does not belong here", "CAI0317")
        return broken(node)


def _same_field(left: ir.FieldValue, right: ir.FieldValue) -> bool:
    return (
        left.field == right.field
        and isinstance(left.row, ir.RangeRow)
        and isinstance(right.row, ir.RangeRow)
        and left.row.alias == right.row.alias
    )
