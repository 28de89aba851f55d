"""What is wrong with the arguments of a built-in function, by its kinds of parameters and beyond them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from codeai.analysis.conversions import NUMERIC, TEXTUAL, convert, fit, is_number, is_text, is_unknown
from codeai.language import types as t
from codeai.language.suggestions import nearest
from codeai.model import expression as ir
from codeai.model.moments import PARTS, UNITS

ORDERED: Final = (*NUMERIC, *TEXTUAL, t.Date, t.Timestamp, t.Time, t.Duration, t.Uuid)  # what has an order
_OPEN: Final = (t.Unknown, t.Null, t.Json)  # of which nothing is known before
TESTS: Final = ("filter", "find", "any", "all", "count")  # their lambda answers true or false
_SUMS: Final = ("sum", "avg")
_EXTREMES: Final = ("min", "max")
_STRUCTURES: Final = (t.List, t.Map, t.Record, t.Row, t.Many)

Problem = tuple[int, str]


def argument_problem(kind: str, type_: t.Type) -> str | None:
    """What is wrong with an argument for a parameter of that kind, or None."""
    found = t.required(type_)
    kind = kind.lower()
    if kind != "f" and isinstance(found, t.Function):
        return "expected a value, got a lambda"
    if is_unknown(found) or (isinstance(found, t.Json) and kind != "f") or (isinstance(found, t.Null) and kind not in "fl"):
        return None
    if kind == "t" and not (is_text(found) or isinstance(found, t.Uuid)):
        return f"expected string, got {found}"
    if kind == "n" and not is_number(found):
        return f"expected number, got {found}"
    if kind == "i" and not isinstance(found, t.Int):
        return f"expected int, got {found}"
    if kind == "l" and not isinstance(found, t.List):
        return f"expected array, got {found}"
    if kind == "d" and not isinstance(found, t.Date | t.Timestamp):
        return f"expected date, got {found}"
    if kind == "u" and not isinstance(found, t.Duration):
        return f"expected duration, got {found}"
    if kind == "f" and not isinstance(found, t.Function):
        return f"expected a lambda, got {found}"
    if kind == "m" and not isinstance(found, t.Map | t.Record | t.Row):
        return f"expected map, got {found}"
    if kind == "s" and not (is_text(found) or isinstance(found, (*_STRUCTURES, t.Bytes))):
        return f"expected string or array, got {found}"
    return None


def as_parameters(name: str, kinds: str, values: list[ir.Expression]) -> list[ir.Expression]:
    """Arguments as their parameters take them: ids as texts where texts are wanted, and what a list may contain as its items are."""
    if name == "contains" and isinstance(of := t.required(values[0].type), t.List):
        return [values[0], fit(values[1], of.item, "no_match") or values[1]]
    return [
        convert(value, t.String()) if at < len(kinds) and kinds[at] in "tT" and isinstance(t.required(value.type), t.Uuid) else value
        for at, value in enumerate(values)
    ]


def call_problem(name: str, values: Sequence[ir.Expression]) -> Problem | None:
    """What is wrong with a call whose arguments are of the right kinds one by one: which argument, and what about it."""
    types = [t.required(value.type) for value in values]
    if name in _EXTREMES:
        return _extremes(types)
    if name in ("start_of", "end_of"):
        return _unit(values[1])
    if name in ("format_date", "parse_date"):
        return _pattern(values[1]) if len(values) > 1 else None
    if name == "contains":
        return _contained(values[1], types)
    if name == "join":
        return _joined(types[0])
    return _over_items(name, types)


def _contained(part: ir.Expression, types: Sequence[t.Type]) -> Problem | None:
    """Texts contain texts, lists what could be their items."""
    if not isinstance(types[0], (*_OPEN, *TEXTUAL, t.List)):
        return 0, f"expected string or array, got {types[0]}"
    if isinstance(types[0], t.List):
        return None if fit(part, types[0].item, "no_match") is not None else (1, f"expected {t.required(types[0].item)}, got {types[1]}")
    if isinstance(types[0], TEXTUAL) and not isinstance(types[1], (*_OPEN, *TEXTUAL)):
        return 1, f"expected string, got {types[1]}"
    return None


def _extremes(types: Sequence[t.Type]) -> Problem | None:
    """``min`` and ``max`` take one list, or two values and more; all of one kind that has an order."""
    if len(types) == 1 and not isinstance(types[0], (*_OPEN, t.List)):
        return 0, f"expected array, got {types[0]}"
    items = list(types)
    if len(types) == 1:
        items = [t.required(types[0].item)] if isinstance(types[0], t.List) else []
    for at, type_ in enumerate(items):
        if not isinstance(type_, (*_OPEN, *ORDERED)) or (isinstance(type_, t.Json) and len(types) == 1):
            return at, f"type '{type_}' has no order"
        if not _same_kind(items[0], type_):
            return at, f"expected {items[0]}, got {type_}"
    return None


def _same_kind(first: t.Type, other: t.Type) -> bool:
    if isinstance(first, _OPEN) or isinstance(other, _OPEN):
        return True
    return (is_number(first) and is_number(other)) or (is_text(first) and is_text(other)) or type(first) is type(other)


def _unit(value: ir.Expression) -> Problem | None:
    if not isinstance(value, ir.Constant) or not isinstance(value.value, str) or value.value in UNITS:
        return None
    near = nearest(value.value, UNITS)
    return 1, f"expected {', '.join(UNITS)}, got '{value.value}'" + (f": did you mean '{near.name}'?" if near is not None else "")


def _pattern(value: ir.Expression) -> Problem | None:
    """A pattern of a date; a word of one letter is a part that another language writes so."""
    text = value.value if isinstance(value, ir.Constant) and isinstance(value.value, str) else ""
    for part in PARTS:
        text = text.replace(part, " ")
    found = re.search(r"\b([A-Za-z])\1+\b", re.sub(r"%[A-Za-z]", " ", text))
    return None if found is None else (1, f"'{found[0]}' is no part of a date, these are {', '.join(PARTS)}")


def _joined(type_: t.Type) -> Problem | None:
    item = t.required(type_.item) if isinstance(type_, t.List) else t.Unknown()
    return (0, f"expected array of string, got array of {item}") if isinstance(item, _STRUCTURES) else None


def _over_items(name: str, types: Sequence[t.Type]) -> Problem | None:
    """What the items of a list, or what a lambda makes of each, must be."""
    function = types[1] if len(types) > 1 and isinstance(types[1], t.Function) else None
    if function is not None and name in TESTS:
        found = t.required(function.result)
        return None if isinstance(found, (*_OPEN, t.Bool)) else (1, f"expected a condition, got {found}")
    item = types[0].item if types and isinstance(types[0], t.List) else t.Unknown()
    if function is None and name in ("any", "all") and not isinstance(t.required(item), (*_OPEN, t.Bool)):
        return 0, f"expected array of bool, got array of {item}: give a lambda"
    at, found = (0, t.required(item)) if function is None else (1, t.required(function.result))
    if name in _SUMS and not isinstance(found, (*_OPEN, *NUMERIC)):
        return at, f"expected numbers, got {found}"
    if name == "sort" and not isinstance(found, (*_OPEN, *ORDERED, t.Bool)):
        return at, f"type '{found}' has no order"
    if name == "group_by" and isinstance(found, _STRUCTURES):
        return at, f"expected a name for each group, got {found}"
    return None
