"""Selections: rows, columns, aggregates, one row by its key."""

from __future__ import annotations

from collections.abc import Iterator

from codeai.analysis.advice import IN_BLOCKS
from codeai.analysis.calls import Calls
from codeai.analysis.grouping import COUNTED, ORDERLY, aggregate_problem, is_aggregate, sorts, ungrouped
from codeai.analysis.joins import is_broken, joins_by_key
from codeai.analysis.reporter import Reporter
from codeai.analysis.scope import Range, Scope, broken
from codeai.analysis.symbols import EntitySymbol, Symbols
from codeai.language import types as t
from codeai.language.tree import expressions as ex
from codeai.language.tree import queries as q
from codeai.language.tree.node import Identifier, Node
from codeai.model import expression as ir
from codeai.model.expression import RelationPath


class Selections(Calls):
    """Elaborates what reads rows."""

    def __init__(self, symbols: Symbols, reporter: Reporter, *, query_text: bool = False) -> None:
        super().__init__(symbols, reporter, query_text=query_text)
        self._dispatch |= {q.Select: self._select, q.Get: self._get}

    def _readable(self, node: Node, scope: Scope) -> None:
        if not scope.host.database:
            self.report.error(node, f"a query cannot stand in {scope.host.kind}", "CAI0321", help_text=IN_BLOCKS)
        scope.host.impure = True

    def _over(self, entity: EntitySymbol, scope: Scope) -> tuple[Range, Scope]:
        range_ = Range(entity.name, scope.host.alias())
        inner = scope.child((*scope.ranges, range_))
        inner.query = True
        inner.aggregating = False
        return range_, inner

    def _select(self, node: q.Select, scope: Scope, expected: t.Type | None) -> ir.Expression:
        if node.entity is None:
            return self.aggregate_query(node, scope)
        self._readable(node, scope)
        if not self.known_entity(node.entity):
            return broken(node)
        entity = self.symbols.entities[node.entity.text]
        range_, inner = self._over(entity, scope)
        joins = self._joins(node, inner)
        columns = self._columns(node, inner)
        grouping = self._groups(node, inner, entity, columns)
        named = self._with_columns(inner, columns)
        row = t.Row(entity.name)
        kind, type_ = self._selection_type(node, row, columns)
        found = ir.Selection(
            type=type_,
            at=node.start,
            kind=kind,  # type: ignore[arg-type]  # one of the literals
            entity=entity.name,
            alias=range_.alias,
            columns=columns,
            joins=joins,
            where=self.condition(node.where, inner) if node.where is not None else None,
            search=self.value(node.search, scope, t.String(), "search") if node.search is not None else None,
            group_by=grouping,
            having=self._having(node, named),
            order_by=self._orders(node, named),
            limit=self._row_count(node.limit, scope, "limit"),
            offset=self._row_count(node.offset, scope, "offset"),
            loads=self._loads(node, entity, scope),
            with_deleted=node.with_deleted,
            as_system=self._system(node, node.as_system),
        )
        self._check_grouping(node, found)
        for place, value in self._per_row(node, found):
            self.check_query(place, value)
        return found

    def _per_row(self, node: q.Select, found: ir.Selection) -> Iterator[tuple[Node, ir.Expression | None]]:
        """What the database computes for each row, with its places."""
        if node.where is not None:
            yield node.where, found.where
        yield from zip((join.condition for join in node.joins), (join.condition for join in found.joins), strict=False)
        yield from zip(node.group_by, found.group_by, strict=True)
        yield from self._of_groups(node, found)

    def _row_count(self, node: ex.Expression | None, scope: Scope, what: str) -> ir.Expression | None:
        if node is None:
            return None
        found = self.value(node, scope, t.Int(), what)
        if isinstance(found, ir.Constant) and isinstance(found.value, int) and found.value < 0:
            self.report.error(node, f"'{what}' is not negative", "CAI0304", kind=self.kind)
        return found

    def _groups(
        self, node: q.Select, inner: Scope, entity: EntitySymbol, columns: tuple[ir.Column, ...] | None
    ) -> tuple[ir.Expression, ...]:
        """What the rows of a group have in common: fields, or columns by their names. Where both are called so, the field is meant."""
        scope = inner.child()
        names = {column.name: column.value for column in columns or () if column.name not in entity.member_names()}
        scope.columns = names
        found: list[ir.Expression] = []
        for value in node.group_by:
            name = value.text if isinstance(value, ex.Name) else ""
            if name in names and is_aggregate(names[name]):
                said, hint = f"'{name}' has one value for each group", "group by what the rows of a group have in common"
                self.report.error(value, said, "CAI0332", help_text=hint, kind=self.kind)
                found.append(broken(value))
            else:
                found.append(self.expression(value, scope))
        return tuple(found)

    def _check_grouping(self, node: q.Select, found: ir.Selection) -> None:
        """One row stands for many: columns, conditions and the order of groups say what all of a group have in common."""
        grouped = bool(node.group_by) or any(is_aggregate(column.value) for column in found.columns or ())
        if not grouped:
            if node.having is not None:
                self.report.error(node.having, "'having' is a condition on groups", "CAI0332", help_text="write 'where'", kind=self.kind)
            return
        if not found.columns:
            hint = "name what is shown of each, as in 'select category, count(*) as n from Product group by category'"
            self.report.error(node.group_by[0], "groups have columns, and no rows", "CAI0332", help_text=hint, kind=self.kind)
            return
        if any(map(is_broken, found.group_by)):
            return  # they may be what makes the groups
        aliases = {found.alias, *(join.alias for join in found.joins)}
        for place, value in self._of_groups(node, found):
            name = ungrouped(value, found.group_by, aliases)
            if name is not None:
                said, hint = f"column '{name}' is neither grouped nor aggregated", f"add 'group by {name}'"
                self.report.error(place, said, "CAI0332", help_text=hint, kind=self.kind)

    def _of_groups(self, node: q.Select, found: ir.Selection) -> Iterator[tuple[Node, ir.Expression]]:
        """What is said of each group, with its places: columns, then what 'having' and 'order by' say besides."""
        columns = [column.value for column in found.columns or ()]
        yield from zip((column.value for column in node.columns), columns, strict=False)
        if node.having is not None and found.having is not None:
            yield node.having, found.having
        for term, order in zip(node.order_by, found.order_by, strict=True):
            if not any(order.value is column for column in columns):
                yield term.value, order.value

    def _orders(self, node: q.Select, scope: Scope) -> tuple[ir.Order, ...]:
        found: list[ir.Order] = []
        for term in node.order_by:
            value = self.expression(term.value, scope)
            if not sorts(value.type):
                self.report.error(term.value, f"type '{t.required(value.type)}' has no order", "CAI0313", kind=self.kind, help_text=ORDERLY)
            found.append(ir.Order(value, term.descending))
        return tuple(found)

    def _system(self, node: Node, wanted: bool) -> bool:
        if wanted and self.query_text:
            self.report.error(node, "query text never runs as system", "CAI0322", kind=self.kind, help_text="leave out 'as system'")
        return wanted

    def _selection_type(self, node: q.Select, row: t.Row, columns: tuple[ir.Column, ...] | None) -> tuple[str, t.Type]:
        if node.kind == "exists":
            return "exists", t.Bool()
        if node.kind == "first":
            return "first", t.optional(row)
        if columns is None:
            return "rows", t.List(row)
        record = t.Record(tuple(t.RecordField(column.name, column.value.type) for column in columns))
        only_aggregates = not node.group_by and all(is_aggregate(column.value) for column in columns)
        return ("aggregate", record) if only_aggregates else ("rows", t.List(record))

    def _joins(self, node: q.Select, inner: Scope) -> tuple[ir.Join, ...]:
        found: list[ir.Join] = []
        for join in node.joins:
            if not self.known_entity(join.entity):
                continue
            range_ = Range(join.entity.text, inner.host.alias())
            inner.ranges = (*inner.ranges[:-1], range_, inner.ranges[-1])
            condition = self.condition(join.condition, inner)
            if not is_broken(condition) and not joins_by_key(condition, self.symbols):
                hint = f"as in 'join {range_.entity} on {range_.entity}.id == …', or take a relation"
                said = "a join compares a key of one entity with a field of the other"
                self.report.error(join.condition, said, "CAI0333", kind=self.kind, help_text=hint)
            found.append(ir.Join(range_.entity, range_.alias, condition))
        return tuple(found)

    def _columns(self, node: q.Select, scope: Scope) -> tuple[ir.Column, ...] | None:
        if not node.columns:
            return None
        inner = scope.child()
        inner.aggregating = True
        found: list[ir.Column] = []
        names: dict[str, Node] = {}
        for column in node.columns:
            value = self.expression(column.value, inner)
            name = column.name.text if column.name else _column_name(column.value)
            if name is None:
                self.report.error(column, "this column needs a name", "CAI0323", help_text="write 'as name'")
                continue
            if name in names:
                self.report.duplicate(column, name, names[name], named=True)
            names[name] = column
            found.append(ir.Column(name, value))
        return tuple(found)

    def _with_columns(self, scope: Scope, columns: tuple[ir.Column, ...] | None) -> Scope:
        """The scope of having and order by, where aggregates and the names of columns are known."""
        inner = scope.child()
        inner.aggregating = columns is not None
        inner.columns = {column.name: column.value for column in columns or ()}
        return inner

    def _having(self, node: q.Select, scope: Scope) -> ir.Expression | None:
        return self.condition(node.having, scope) if node.having is not None else None

    def _loads(self, node: q.Select | q.Get, entity: EntitySymbol, scope: Scope) -> tuple[RelationPath, ...]:
        found: list[RelationPath] = []
        for reference in node.loads:
            current, path = entity, []
            for part in reference.parts:
                relation = current.relations.get(part.text)
                if relation is None and self._may_refer(current, part.text):
                    break
                if relation is None:
                    self.report.unknown(
                        part,
                        f"unknown relation '{part.text}' on entity '{current.name}'",
                        part.text,
                        current.relations,
                        "CAI0113",
                        owner=current.name,
                        kind=self.kind,
                    )
                    break
                path.append(part.text)
                current = self.symbols.entities[relation.entity]
            else:
                found.append(tuple(path))
        if found:
            scope.host.shown[node.start] = tuple(found)
        return tuple(found)

    def _may_refer(self, entity: EntitySymbol, name: str) -> bool:
        """Whether a field of that name has a type that is not known."""
        fields = (entity.fields.get(one) for one in (name, f"{name}_id"))
        return any(field is not None and isinstance(t.required(field.type), t.Unknown) for field in fields)

    def aggregate_query(self, node: q.Select, scope: Scope) -> ir.Expression:
        """``count(E where …)``, ``sum(E.price * E.quantity where …)``, ``exists(E where …)``."""
        self._readable(node, scope)
        name = _entity_name(node.operand)
        if name is None or node.operand is None:
            self.report.error(node, f"'{node.kind}' needs an entity", "CAI0324")
            return broken(node)
        if not self.known_entity(name):
            return broken(node)
        entity = self.symbols.entities[name.text]
        range_, inner = self._over(entity, scope)
        where = self.condition(node.where, inner) if node.where is not None else None
        if node.where is not None:
            self.check_query(node.where, where)
        if node.kind == "exists":
            return ir.Selection(
                type=t.Bool(),
                at=node.start,
                kind="exists",
                entity=entity.name,
                alias=range_.alias,
                where=where,
                with_deleted=node.with_deleted,
                as_system=node.as_system,
            )
        if isinstance(node.operand, ex.Name):
            if node.kind != "count":
                self.report.error(node.operand, f"'{node.kind}' needs a field, as in {node.kind}({entity.name}.field)", "CAI0324")
                return broken(node)
            call = ir.Call(type=t.Int(), function="count", arguments=(), at=node.start)
        else:
            value = self.expression(node.operand, inner)
            self.check_query(node.operand, value)
            problem = aggregate_problem(node.kind, value.type)
            if problem is not None:
                self.report.error(node.operand, problem, "CAI0318", kind=self.kind, help_text=COUNTED)
                return broken(node)
            call = ir.Call(
                type=self.aggregate_type(node.kind, t.required(value.type)), function=node.kind, arguments=(value,), at=node.start
            )
        return ir.Selection(
            type=call.type,
            at=node.start,
            kind="aggregate",
            scalar=True,
            entity=entity.name,
            alias=range_.alias,
            columns=(ir.Column("value", call),),
            where=where,
            with_deleted=node.with_deleted,
            as_system=self._system(node, node.as_system),
        )

    def _get(self, node: q.Get, scope: Scope, expected: t.Type | None) -> ir.Expression:
        self._readable(node, scope)
        if not self.known_entity(node.entity):
            return broken(node)
        entity = self.symbols.entities[node.entity.text]
        range_, _ = self._over(entity, scope)
        found = self.expression(node.key, scope)
        key = self.fitted(node.key, found, entity.key_type, f"key of '{entity.name}'")
        row = self.range_row(range_, node)
        field = ir.FieldValue(type=entity.key_type, row=row, field=entity.primary, at=node.start)
        if isinstance(key, ir.Convert):
            key = ir.Convert(type=key.type, operand=key.operand, on_failure="no_match", at=key.at)
        where = ir.Binary(type=t.Bool(), operator="==", left=field, right=key, at=node.start)
        return ir.Selection(
            type=t.Row(entity.name),
            at=node.start,
            kind="get",
            entity=entity.name,
            alias=range_.alias,
            where=where,
            loads=self._loads(node, entity, scope),
            with_deleted=node.with_deleted,
            as_system=self._system(node, node.as_system),
        )


def _column_name(node: ex.Expression) -> str | None:
    if isinstance(node, ex.Name):
        return node.text
    return node.name.text if isinstance(node, ex.Member) else None


def _entity_name(node: ex.Expression | None) -> Identifier | None:
    """The entity that an aggregate's operand names: its leftmost name."""
    while node is not None:
        if isinstance(node, ex.Name):
            return Identifier(node.start, node.end, node.text)
        if isinstance(node, ex.Member):
            node = node.target
        elif isinstance(node, ex.Binary):
            node = node.left
        else:
            return None
    return None
