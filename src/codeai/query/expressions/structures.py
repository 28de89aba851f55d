"""Choices, conversions, texts made of parts, members of json."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codeai.language import types as t
from codeai.model import expression as ir
from codeai.query.sql import Sql, joined
from codeai.query.truth import Choice
from codeai.query.values import STRUCTURED, Value

if TYPE_CHECKING:
    from codeai.query.compiler import Compiler


def conditional(compiler: Compiler, node: ir.Conditional) -> Value:
    """``c ? a : b``; only one arm is written when the condition does not depend on rows."""
    then, otherwise = compiler.value(node.then), compiler.value(node.otherwise)
    if not isinstance(then.type, t.Null) and not isinstance(otherwise.type, t.Null):
        then, otherwise = compiler.dialect.meet(then, otherwise)
    choice = Choice(compiler.truth(node.condition), then.sql, otherwise.sql)
    known = otherwise if isinstance(then.type, t.Null) else then
    sql: Sql = ("(", choice, ")")
    sql = sql if isinstance(known.type, t.Decimal) else compiler.dialect.neutral(sql)
    return Value(sql, known.type, then.nullable or otherwise.nullable, known.scale)


def conversion(compiler: Compiler, node: ir.Convert) -> Value:
    """A conversion of a value of a row."""
    target = compiler.model.plain(node.type)
    value = compiler.value(node.operand)
    kept = isinstance(t.required(node.type), t.Ref | t.Row) and not isinstance(value.type, t.Json)
    if value.type == target or kept:
        return value
    return compiler.dialect.converted(value, target, lenient=node.on_failure != "error")


def interpolation(compiler: Compiler, node: ir.Interpolate) -> Value:
    """A text made of parts; null parts give nothing."""
    parts: list[Sql] = []
    for part in node.parts:
        if isinstance(part, ir.Constant) and isinstance(part.value, str):
            if part.value:
                parts.append(compiler.dialect.text(part.value))
            continue
        if not compiler.depends(part):
            whole = ir.Interpolate(type=t.String(), parts=(part,), at=part.at)
            parts.append(compiler.bound(whole, t.Text()).sql)
            continue
        value = compiler.value(part)
        if isinstance(value.type, t.Duration | t.List | t.Bytes | t.Json | t.Map | t.Record):
            raise compiler.unsupported(part, f"{value.type} in a string")
        shown = compiler.dialect.shown(value)
        parts.append(("coalesce(", *shown, ", '')") if value.nullable else shown)
    if not parts:
        return Value(("''",), t.String(), False)
    return Value(compiler.dialect.neutral(("(", *joined(parts, " || "), ")")), t.String(), False)


def member(compiler: Compiler, node: ir.Member) -> Value:
    """A member of a json value or map, however deep."""
    names: list[str] = []
    target: ir.Expression = node
    while isinstance(target, ir.Member):
        names.insert(0, target.name)
        target = target.target
    value = compiler.value(target)
    if not isinstance(value.type, STRUCTURED):
        raise compiler.unsupported(node, f"a member of {value.type}")
    found = compiler.dialect.path(value, names)
    wanted = t.required(node.type)
    return found if isinstance(wanted, STRUCTURED) else compiler.dialect.converted(found, wanted, lenient=True)


def item(compiler: Compiler, node: ir.Item) -> Value:
    """An element of a list or json value by its place: no common form on both databases."""
    raise compiler.unsupported(node, "an element by its place")
