"""Comparisons: equality, order, membership, tests of texts. Two-valued, as ``truth`` says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from codeai.language import types as t
from codeai.model import expression as ir
from codeai.query.expressions import subqueries
from codeai.query.sql import Sql
from codeai.query.truth import NEVER, Test, Truth, all_of, any_of
from codeai.query.values import Value, is_text

if TYPE_CHECKING:
    from codeai.query.compiler import Compiler

_FLIPPED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_OPPOSITE: Final = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}


def equality(compiler: Compiler, left: ir.Expression, right: ir.Expression) -> Truth:
    """``left == right``: false with exactly one null, true with two."""
    if not compiler.depends(left):
        left, right = right, left
    if _never_fits(right):
        return NEVER
    value = compiler.value(left)
    if compiler.depends(right):
        return _same(compiler, value, compiler.value(right))
    if isinstance(right, ir.Constant):
        return _same_constant(compiler, value, right)
    return _same_bound(compiler, value, right)


def _never_fits(node: ir.Expression) -> bool:
    """Whether a side is a literal that is no value of the other side's type: the checker has tried to convert it."""
    return isinstance(node, ir.Convert) and node.on_failure != "error" and isinstance(node.operand, ir.Constant)


def _same(compiler: Compiler, left: Value, right: Value) -> Truth:
    dialect = compiler.dialect
    left, right = dialect.meet(left, right)
    if isinstance(left.type, t.Json):
        return _same_json(compiler, left, right)
    a, b = collated(compiler, left), right.sql
    if left.nullable and right.nullable:
        return Test(dialect.same(a, b), nullable=False, inverse=dialect.distinct(a, b))
    nullable = left.nullable or right.nullable
    return Test((*a, " = ", *b), nullable=nullable, inverse=dialect.distinct(a, b) if nullable else (*a, " <> ", *b))


def _same_json(compiler: Compiler, left: Value, right: Value) -> Truth:
    both = all_of([is_null_test(left), is_null_test(right)])
    if compiler.dialect.name == "sqlite":
        return any_of([both, Test(("codeai_json_equal(", *left.sql, ", ", *right.sql, ")"), nullable=True)])
    return any_of([both, Test((*left.sql, " = ", *right.sql), nullable=True)])


def is_null_test(value: Value) -> Truth:
    """``value IS NULL``."""
    if not value.nullable:
        return NEVER
    return Test((*value.sql, " IS NULL"), nullable=False, inverse=(*value.sql, " IS NOT NULL"))


def collated(compiler: Compiler, value: Value) -> Sql:
    """The left side of an equality: decimals that are texts compare as numbers, lists as lists of their items."""
    return compiler.dialect.ordered(value) if isinstance(value.type, t.Decimal | t.List) else value.sql


def _same_constant(compiler: Compiler, value: Value, right: ir.Constant) -> Truth:
    if right.value is None:
        return is_null_test(value)
    if isinstance(value.type, t.Json):
        return _same(compiler, value, compiler.bound(right, value.type))
    sql = constant_for(compiler, value, "==", right)
    if sql is None:
        return NEVER
    a = collated(compiler, value)
    return Test((*a, " = ", *sql), nullable=value.nullable, inverse=_distinct(compiler, value, a, sql))


def _distinct(compiler: Compiler, value: Value, left: Sql, right: Sql) -> Sql:
    return compiler.dialect.distinct(left, right) if value.nullable else (*left, " <> ", *right)


def constant_for(compiler: Compiler, value: Value, operator: str, right: ir.Constant) -> Sql | None:
    """A constant fitted to the value that it is compared with; None when an equality cannot hold."""
    if isinstance(value.type, t.Decimal):
        return compiler.dialect.decimal_constant(value, operator, right.value)
    return compiler.bound(right, send_as(value, right.type)).sql


def send_as(value: Value, type_: t.Type) -> t.Type:
    """The type as which a value is sent that is compared with ``value``: its own, unless both are of one kind."""
    other = t.required(type_)
    if isinstance(other, t.Unknown | t.Null | t.Ref | t.Row) or type(other) is type(value.type) or (is_text(other) and is_text(value.type)):
        return t.Decimal() if isinstance(value.type, t.Decimal) else value.type
    return other


def _same_bound(compiler: Compiler, value: Value, right: ir.Expression) -> Truth:
    may_be_null = t.is_nullable(right.type) or isinstance(t.required(right.type), t.Unknown)
    lenient = isinstance(right, ir.Convert) and right.on_failure != "error"
    if isinstance(value.type, t.Json):
        return _same(compiler, value, compiler.bound(right, value.type))
    type_ = send_as(value, right.type)
    slot = compiler.inputs.slot(compiler.keyed(right))
    special = compiler.dialect.compared_bound(value, "==", slot, type_)
    sql = special or compiler.dialect.bound(slot, type_, nullable=True).sql
    a = collated(compiler, value)
    exact = special is None and not lenient
    inverse = compiler.dialect.distinct(a, sql) if value.nullable or may_be_null else (*a, " <> ", *sql)
    same = Test((*a, " = ", *sql), nullable=value.nullable or may_be_null or not exact, inverse=inverse if exact else None)
    if not (value.nullable and may_be_null):
        return same
    return any_of([all_of([_sent_null(compiler, right), is_null_test(value)]), same])


def _sent_null(compiler: Compiler, node: ir.Expression) -> Truth:
    """Whether the value of the host is null itself, rather than a conversion that failed."""
    while isinstance(node, ir.Convert) and node.on_failure != "error":
        node = node.operand
    return compiler.guard(compiler.inputs.slot(compiler.keyed(node)), "null")


def ordering(compiler: Compiler, operator: str, left: ir.Expression, right: ir.Expression) -> Truth:
    """``left < right`` and its kin: false with a null."""
    if not compiler.depends(left):
        left, right, operator = right, left, _FLIPPED[operator]
    if _never_fits(right):
        return NEVER
    value = compiler.value(left)
    if compiler.depends(right):
        first, second = compiler.dialect.meet(value, compiler.value(right))
        return _ordered(compiler, operator, first, second.sql, second.nullable)
    if isinstance(right, ir.Constant):
        if right.value is None:
            return NEVER
        sql = constant_for(compiler, value, operator, right)
        assert sql is not None
        return _ordered(compiler, operator, value, sql, False)
    nullable = t.is_nullable(right.type) or isinstance(right, ir.Convert) or isinstance(right.type, t.Unknown)
    type_ = send_as(value, right.type)
    slot = compiler.inputs.slot(compiler.keyed(right))
    bound = compiler.dialect.compared_bound(value, operator, slot, type_) or compiler.dialect.bound(slot, type_, nullable=True).sql
    return _ordered(compiler, operator, value, bound, nullable)


def _ordered(compiler: Compiler, operator: str, left: Value, right: Sql, right_nullable: bool) -> Truth:
    a = compiler.dialect.ordered(left)
    nullable = left.nullable or right_nullable
    inverse: Sql | None = None if nullable else (*a, f" {_OPPOSITE[operator]} ", *right)
    return Test((*a, f" {operator} ", *right), nullable=nullable, inverse=inverse)


def membership(compiler: Compiler, item: ir.Expression, items: ir.Expression) -> Truth:
    """``item in items``: false with a null."""
    if compiler.depends(items):
        return _member_of_rows(compiler, item, items)
    value = compiler.value(item)
    if isinstance(items, ir.ListOf) and all(isinstance(part, ir.Constant) for part in items.items):
        return _member_of_constants(compiler, value, items)
    slot = compiler.inputs.slot(items)
    return Test(compiler.dialect.member(value, compiler.dialect.bound_list(slot, value)), nullable=True)


def _member_of_constants(compiler: Compiler, value: Value, items: ir.ListOf) -> Truth:
    constants = [part.value for part in items.items if isinstance(part, ir.Constant) and part.value is not None]
    if not constants:
        return NEVER
    return Test(compiler.dialect.member(value, compiler.dialect.given_list(value, constants)), nullable=value.nullable)


def _member_of_rows(compiler: Compiler, item: ir.Expression, items: ir.Expression) -> Truth:
    if isinstance(items, ir.ListOf):
        parts = [all_of([equality(compiler, item, part), not_null(compiler, item)]) for part in items.items]
        return any_of(parts)
    found = subqueries.contained(compiler, items, item)
    if found is not None:
        return found
    stored = compiler.value(items)
    return Test(compiler.dialect.holds(stored, element_of(compiler, stored, item)), nullable=True)


def not_null(compiler: Compiler, node: ir.Expression) -> Truth:
    """Whether an expression has a value."""
    if not compiler.depends(node):
        return compiler.guard(compiler.inputs.slot(compiler.keyed(node)), "null").inverted()
    return is_null_test(compiler.value(node)).inverted()


def element_of(compiler: Compiler, items: Value, node: ir.Expression) -> Value:
    """A value as it is compared with the elements of a stored list."""
    type_ = t.required(items.type.item) if isinstance(items.type, t.List) else t.Json()
    if compiler.depends(node):
        return compiler.value(node)
    return compiler.bound(node, t.Decimal() if isinstance(type_, t.Decimal) else compiler.model.plain(type_))


def text_test(compiler: Compiler, operator: str, left: ir.Expression, right: ir.Expression) -> Truth:
    """``contains`` on texts and lists, ``starts_with``, ``ends_with``, ``matches``: false with a null."""
    type_ = t.required(left.type)
    if operator == "contains" and isinstance(type_, t.List):
        return membership(compiler, right, left)
    if isinstance(type_, t.Json):
        raise compiler.unsupported(left, f"'{operator}' on json")
    text = compiler.value(left) if compiler.depends(left) else compiler.bound(left, t.Text())
    if compiler.depends(right):
        return Test(compiler.dialect.text_test(operator, text.sql, compiler.value(right).sql), nullable=True)
    if isinstance(right, ir.Constant):
        if right.value is None:
            return NEVER
        return Test(compiler.dialect.bound_text_test(operator, text.sql, None, right.value), nullable=text.nullable)
    slot = compiler.inputs.slot(right)
    return Test(compiler.dialect.bound_text_test(operator, text.sql, slot, None), nullable=True)
