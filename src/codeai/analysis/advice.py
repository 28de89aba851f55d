"""What to write instead, where types do not fit: the next step of messages."""

from __future__ import annotations

from typing import Final

from codeai.analysis.builtins import BUILTINS, usage
from codeai.analysis.conversions import NUMERIC, is_number, is_text
from codeai.analysis.symbols import Symbols
from codeai.language import types as t
from codeai.language.durations import intended
from codeai.model import expression as ir

_AS_INT = "say what it is, as in 'x as int'"


def for_arithmetic(operator: str, left: t.Type, right: t.Type) -> str:
    """What may be meant by an operator between two types that it does not know."""
    if isinstance(left, t.Json) or isinstance(right, t.Json):
        return _AS_INT
    if operator == "+" and (is_text(left) or is_text(right)):
        return 'write a text with both in it, as in "{a} {b}"'
    if operator == "-" and isinstance(left, t.Date | t.Timestamp) and isinstance(right, t.Date | t.Timestamp):
        return "write diff_days(a, b), or make both timestamps with 'as timestamp'"
    if operator in "+-" and isinstance(left, t.Date | t.Timestamp) and isinstance(right, NUMERIC):
        return "add a duration, as in '+ 1d'"
    if operator in "*/" and isinstance(left, t.Duration) and is_number(right):
        return "a duration is multiplied by an int"
    if is_number(left) and is_number(right):
        return "make both one type, as in 'x as decimal'"
    return ""


def for_order(type_: t.Type) -> str:
    """How values without an order are compared."""
    return _AS_INT if isinstance(type_, t.Json) else ""


def for_condition(type_: t.Type) -> str:
    """How a value becomes a condition."""
    plain = t.required(type_)
    if isinstance(plain, NUMERIC):
        return "compare it, as in 'x > 0'"
    if isinstance(plain, t.Row | t.Ref | t.Record) or t.is_nullable(type_):
        return "compare it, as in 'x != null'"
    if isinstance(plain, t.List):
        return "compare its length, as in 'x.length > 0'"
    return "compare it, as in 'x == …'"


def for_value(wanted: t.Type, found: ir.Expression) -> str:
    """How a duration is written that stands there as a number or another text."""
    if not isinstance(t.required(wanted), t.Duration) or not isinstance(found, ir.Constant):
        return ""
    if isinstance(found.value, int) and not isinstance(found.value, bool):
        return f"give it a unit: {found.value}s, {found.value}m or {found.value}h"
    meant = intended(found.value) if isinstance(found.value, str) else None
    return f"did you mean '{meant}'?" if meant is not None else "a duration is written as in 1h30m"


_ROWS: Final = {
    **dict.fromkeys(("create", "insert", "add", "new", "save", "build"), "create {} {{ … }}"),
    **dict.fromkeys(("get", "findbyid", "findbypk", "findunique", "byid"), "get {}(id)"),
    **dict.fromkeys(("first", "findone", "findfirst", "findby"), "first {} where …"),
    **dict.fromkeys(("all", "find", "findall", "findmany", "where", "filter", "query", "list", "select"), "select {} where …"),
    **dict.fromkeys(("update", "updatemany", "set", "patch"), "update {} set … where …"),
    **dict.fromkeys(("delete", "remove", "destroy", "deletemany"), "delete {} where …"),
    "count": "count({} where …)",
    "exists": "exists {} where …",
}


def for_method(entity: str, method: str) -> str:
    """What is written for a method of an entity in the manner of a library; empty where nobody knows."""
    form = _ROWS.get(method.replace("_", "").lower(), "")
    return f"'{entity}' is an entity: write '{form.format(entity)}'" if form else ""


def for_name(name: str, symbols: Symbols) -> str:
    """What to write where a declared name stands that is no value."""
    if name in symbols.entities:
        return f"'{name}' is an entity: read its rows with 'select {name}'"
    if name in symbols.enums:
        return f"'{name}' is an enum: write one of its members, as in {name}.{next(iter(symbols.enums[name].members), '')}"
    if name in symbols.integrations:
        return f"'{name}' is an integration: write 'call {name}.operation {{ … }}'"
    if name in symbols.workflows or name in symbols.jobs:
        return f"'{name}' is started: write '{'start' if name in symbols.workflows else 'run'} {name} {{ … }}'"
    if any(symbol.name == name for symbol in symbols.events.values()):
        return f"'{name}' is an event: write 'emit {name} {{ … }}'"
    if name in BUILTINS:
        return f"'{name}' is a function: write '{usage(name)}'"
    if _is_member(name, symbols):
        return f'a member of an enum is a text: write "{name}"'
    return ""


def _is_member(name: str, symbols: Symbols) -> bool:
    """Whether some enum, declared or of a field, has a member of that name."""
    fields = (t.required(field.type) for entity in symbols.entities.values() for field in entity.fields.values())
    return any(isinstance(found, t.Enum) and name in found.members for found in (*symbols.enums.values(), *fields))
