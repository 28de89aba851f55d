"""What to write instead, where types do not fit: the next step of messages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from codeai.analysis.builtins import BUILTINS, usage
from codeai.analysis.conversions import NUMERIC, is_number, is_text
from codeai.analysis.symbols import Symbols
from codeai.language import types as t
from codeai.language.durations import intended
from codeai.model import expression as ir

IN_BLOCKS: Final = "write it in a block, 'do { … }'"
_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_STEP: Final = re.compile(r"step '(\w+)'")
_AS_INT = "say what it is, as in 'x as int'"


def for_step(type_: t.Type) -> str:
    """Where what a step gave stands, when all that is known of the step was taken for it."""
    plain = t.required(type_)
    named = _STEP.fullmatch(plain.name) if isinstance(plain, t.Record) else None
    return f"what the step gave is 'steps.{named[1]}.output'" if named is not None else ""


def for_list(type_: t.Type) -> str:
    """What to go through instead of something that is no list."""
    return for_step(type_) or "go through a list, as 'select Entity' or [a, b] is one"


def for_arithmetic(operator: str, left: t.Type, right: t.Type) -> str:
    """What may be meant by an operator between two types that it does not know."""
    if (step := for_step(left) or for_step(right)) != "":
        return step
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
    return _AS_INT if isinstance(type_, t.Json) else for_step(type_)


def for_condition(type_: t.Type) -> str:
    """How a value becomes a condition."""
    plain = t.required(type_)
    if isinstance(plain, NUMERIC):
        return "compare it, as in 'x > 0'"
    if (step := for_step(plain)) != "":
        return f"{step}; whether it has finished is its 'ok'"
    if isinstance(plain, t.Row | t.Ref | t.Record) or t.is_nullable(type_):
        return "compare it, as in 'x != null'"
    if isinstance(plain, t.List):
        return "compare its length, as in 'x.length > 0'"
    return "compare it, as in 'x == …'"


def for_value(wanted: t.Type, found: ir.Expression) -> str:
    """How a value comes to be what its place wants."""
    if isinstance(found, ir.Constant) and isinstance(t.required(wanted), t.Duration):
        return _for_duration(found)
    if isinstance(found, ir.Constant) and isinstance(t.required(wanted), t.String | t.Text):
        literal = str(found.value).lower() if isinstance(found.value, bool) else str(found.value)
        return f'a text has quotes: "{literal}"' if isinstance(found.value, int | Decimal) else ""
    number = found.value if isinstance(found, ir.Constant) and is_number(wanted) else None
    if isinstance(number, str):
        return f"a number has no quotes: {number}" if _NUMBER.fullmatch(number) else ""
    if isinstance(number, Decimal) and isinstance(t.required(wanted), t.Int):
        return "write a whole number"
    return for_conversion(t.required(wanted), t.required(found.type))


def for_conversion(wanted: t.Type, given: t.Type) -> str:
    """What makes a value of one type one of another, where something does."""
    if (step := for_step(given)) != "":
        return step
    if isinstance(wanted, t.Int | t.Decimal | t.Float) and is_text(given):
        return f"read the number from it with {'parse_int' if isinstance(wanted, t.Int) else 'parse_decimal'}(…)"
    if {type(wanted), type(given)} == {t.Decimal, t.Float}:
        return "make one of them the other: 'x as decimal' or 'x as float'"
    if isinstance(wanted, t.Int) and is_number(given):
        return "make it whole: floor(…), ceil(…) or 'x as int'"
    if isinstance(wanted, t.String | t.Text) and isinstance(given, (*NUMERIC, t.Bool, t.Date, t.Timestamp, t.Time, t.Uuid)):
        return "make a text of it with to_string(…)"
    if isinstance(wanted, t.Date | t.Timestamp | t.Time | t.Uuid) and is_text(given):
        return f"read it as one: 'x as {wanted}'"
    if isinstance(given, t.Principal):
        return "who asks is known by 'user.id'"
    if isinstance(wanted, t.Row) and (is_text(given) or isinstance(given, t.Ref | t.Uuid | t.Int)):
        return f"read the row first, as in get {wanted.entity}(…)"
    if isinstance(wanted, t.List) and str(t.required(wanted.item)) == str(given):
        return "put it into a list: [ … ]"
    return ""


def _for_duration(found: ir.Constant) -> str:
    """How a duration is written that stands there as a number or another text."""
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


def for_missing(names: Sequence[str]) -> str:
    """What is to be added."""
    return "add " + ", ".join(f"'{name}: …'" for name in names)


def for_function(name: str) -> str:
    """How a function that there is not is declared."""
    return f"declare it: 'function {name}(…) {{ … }}', or 'extern function' for one in Python"


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
