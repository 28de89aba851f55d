"""Rows of other entities inside an expression: relations to many, selections, and the elements of stored lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from codeai.language import types as t
from codeai.model import expression as ir
from codeai.query.scope import Access, Range
from codeai.query.select import Joins, Select
from codeai.query.sql import Sql, joined
from codeai.query.truth import ALWAYS, Exists, Test, Truth, all_of
from codeai.query.values import Value

if TYPE_CHECKING:
    from codeai.query.compiler import Compiler


class Source:
    """What a subquery ranges over: rows of an entity, or the elements of a list."""

    def __init__(self, table: Sql, joins: Joins, where: list[Truth], row: Range | None, element: Value | None) -> None:
        self.table = table
        self.joins = joins
        self.where = where
        self.row = row
        self.element = element

    def select(self, columns: Sql, *extra: Truth, order: Sql = (), tail: Sql = ()) -> Select:
        """The subquery."""
        return Select(columns, self.table, self.joins, all_of([*self.where, *extra]), order=order, tail=tail)


def is_rows(compiler: Compiler, node: ir.Expression) -> bool:
    """Whether an expression stands for rows that a subquery can range over."""
    if isinstance(node, ir.Call) and node.function in ("filter", "sort"):
        return is_rows(compiler, node.arguments[0])
    return isinstance(node, ir.RelatedRows | ir.Selection)


def source(compiler: Compiler, node: ir.Expression) -> Source:
    """The rows or elements of a list-valued expression."""
    if isinstance(node, ir.Call) and node.function == "sort":
        return source(compiler, node.arguments[0])
    if isinstance(node, ir.Call) and node.function == "filter":
        found = source(compiler, node.arguments[0])
        condition = inside(compiler, found, node.arguments[1])
        found.where.append(compiler.truth(condition))
        return found
    if isinstance(node, ir.RelatedRows):
        return _related(compiler, node)
    if isinstance(node, ir.Selection):
        return selection(compiler, node)
    items = compiler.value(node)
    table, element = compiler.dialect.elements(items, compiler.alias())
    return Source(table, Joins(), [], None, element)


def inside(compiler: Compiler, found: Source, function: ir.Expression) -> ir.Expression:
    """The body of a lambda, with its parameter standing for the rows or elements of the source."""
    if not isinstance(function, ir.LambdaOf):
        raise compiler.unsupported(function, "a function as a value")
    name = function.parameters[0]
    if found.row is not None:
        compiler.rows[name] = found.row
    elif found.element is not None:
        compiler.elements[name] = found.element
    return function.body


def _related(compiler: Compiler, node: ir.RelatedRows) -> Source:
    owner = compiler.range_of(node.row)
    relation = owner.entity.relation(node.relation)
    assert relation is not None
    other = compiler.model.entity(relation.entity)
    joins = Joins()
    row = compiler.table(other, owner.access, joins)
    points = Test((*row.column(relation.field), " = ", *owner.column(owner.entity.primary)), nullable=True)
    return Source((f"{compiler.model.table(other)} {row.alias}",), joins, [points, compiler.visible(row)], row, None)


def selection(compiler: Compiler, node: ir.Selection) -> Source:
    """The rows of a selection inside an expression; it may refer to the rows outside of it."""
    if node.joins or node.group_by or node.limit is not None or node.offset is not None or node.search is not None:
        raise compiler.unsupported(node, "a query with joins, groups, search or limits inside a query")
    entity = compiler.model.entity(node.entity)
    joins = Joins()
    row = compiler.table(entity, Access(system=node.as_system or within_policy(compiler), deleted=node.with_deleted), joins)
    compiler.ranges[node.alias] = row
    aggregating, compiler.aggregating = compiler.aggregating, False
    where = [compiler.visible(row)]
    if node.where is not None:
        where.insert(0, compiler.truth(node.where))
    compiler.aggregating = aggregating
    return Source((f"{compiler.model.table(entity)} {row.alias}",), joins, where, row, None)


def within_policy(compiler: Compiler) -> bool:
    """Whether the expression of a policy is being compiled: it sees all rows."""
    row = compiler.ranges.get("self")
    return row is not None and row.access.system


def exists(compiler: Compiler, node: ir.Selection) -> Truth:
    """``exists E where …``."""
    return Exists(selection(compiler, node).select(("1",)))


def scalar(compiler: Compiler, node: ir.Selection) -> Value:
    """``count(E where …)`` and its kin, or the key of the row that a selection finds."""
    if node.kind in ("first", "get"):
        entity = compiler.model.entity(node.entity)
        return field_of(compiler, node, entity.primary)
    if not node.scalar or node.columns is None:
        raise compiler.unsupported(node, "a query for several rows or columns as a value")
    found = selection(compiler, node)
    aggregating, compiler.aggregating = compiler.aggregating, True
    value = compiler.value(node.columns[0].value)
    compiler.aggregating = aggregating
    return Value(("(", found.select(value.sql), ")"), value.type, value.nullable, value.scale)


def field_of(compiler: Compiler, node: ir.Selection, name: str) -> Value:
    """A field of the first row that a selection finds, or null."""
    found = selection(compiler, node)
    assert found.row is not None
    field = found.row.entity.field(name)
    assert field is not None
    value = compiler.field(found.row, field)
    terms = [compiler.dialect.order_term(compiler.value(term.value), descending=term.descending) for term in node.order_by]
    terms.append(found.row.column(found.row.entity.primary))
    return Value(("(", found.select(value.sql, order=joined(terms, ", "), tail=(" LIMIT 1",)), ")"), value.type, True, value.scale)


def quantified(compiler: Compiler, node: ir.Call) -> Truth:
    """``any`` and ``all`` over rows or elements."""
    found = source(compiler, node.arguments[0])
    if len(node.arguments) > 1:
        condition = compiler.truth(inside(compiler, found, node.arguments[1]))
    elif found.element is not None:
        condition = Test(found.element.sql, nullable=True)
    else:
        condition = ALWAYS
    if node.function == "any":
        return Exists(found.select(("1",), condition))
    return Exists(found.select(("1",), condition.inverted())).inverted()


def contained(compiler: Compiler, items: ir.Expression, item: ir.Expression) -> Truth | None:
    """Whether a value is among ``rows.map(r => …)`` or ``rows.ids``; None when the items are no such list."""
    if not (isinstance(items, ir.Call) and items.function == "map"):
        return None
    found = source(compiler, items.arguments[0])
    body = inside(compiler, found, items.arguments[1])
    from codeai.query.expressions import comparisons

    same = comparisons.equality(compiler, body, item)
    return Exists(found.select(("1",), same, comparisons.not_null(compiler, item)))


def folded(compiler: Compiler, node: ir.Call) -> Value:
    """``count sum avg min max`` over rows or elements, perhaps with a lambda."""
    items, functions = node.arguments[0], node.arguments[1:]
    if isinstance(items, ir.Call) and items.function == "map" and not functions:
        functions = items.arguments[1:]
        items = items.arguments[0]
    found = source(compiler, items)
    if node.function == "count":
        condition: Any = compiler.truth(inside(compiler, found, functions[0])) if functions else ALWAYS
        return Value(("(", found.select(("count(*)",), condition), ")"), t.Int(), False)
    if functions:
        value = compiler.value(inside(compiler, found, functions[0]))
    elif found.element is not None:
        value = found.element
    else:
        raise compiler.unsupported(node, f"'{node.function}' of rows")
    result = compiler.dialect.aggregate(node.function, value, compiler.model.plain(node.type))
    return Value(("(", found.select(result.sql), ")"), result.type, result.nullable, result.scale)
