"""What no database computes for each row, and what cannot wait: found in resolved expressions before the program starts.

Values that do not depend on a row are computed before the query, so that anything goes there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec.structs import astuple

from codeai.analysis.builtins import OF_TESTS
from codeai.analysis.conversions import is_number, is_text
from codeai.language import types as t
from codeai.language.tree import expressions as ex
from codeai.language.tree.node import Node, children
from codeai.model import expression as ir
from codeai.model.inlining import EFFECTS, ROWS
from codeai.model.traversal import SCALARS

# Functions whose second argument has to be known when the query is written: a unit, a pattern.
_WORDED: Final = {"start_of": "a unit", "end_of": "a unit", "format_date": "a pattern"}
# Built-ins without a target in SQL; ``map`` and ``filter`` have one over the rows of a relation only.
NOT_IN_QUERIES: Final = frozenset(
    (
        *("slug", "split", "join", "first", "last", "find", "sort", "unique", "group_by", "keys", "values", "merge"),
        *("parse_date", "parse_int", "parse_decimal", "to_json", "parse_json", "hash", "hmac", "hash_password"),
        *("verify_password", "issue_token", "object_id", "random", "print", *OF_TESTS),
    )
)
# Functions that a subquery computes, over rows or the elements of a list.
_FOLDED: Final = ("count", "sum", "avg", "min", "max", "any", "all")
_OF_RELATIONS: Final = ("map", "filter")
# What databases compute of values whose type they know: of a part of a document say which, as in 'settings.size as int'.
_TYPED: Final = frozenset(
    (
        *("length", "contains", "starts_with", "ends_with", "matches", "abs", "ceil", "floor", "round", "min", "max"),
        *("add_days", "add_hours", "add_months", "diff_days", "any", "all", *_WORDED),
        *("upper", "lower", "trim", "trim_left", "trim_right", "replace"),
    )
)
_ARITHMETIC: Final = ("+", "-", "*", "/", "%")
_UNKNOWN: Final = {ir.Item: "an element by its place", ir.RecordOf: "a map", ir.ListOf: "a list"}
_DOCUMENTS: Final = (t.Json, t.Map, t.Record, t.Row)
_SHOWN: Final = (t.Uuid, t.Ref, t.Bool, t.Timestamp, t.Date, t.Time)
_CASTS: Final = (
    (t.Int, (t.Decimal, t.Float)),
    (t.Decimal, (t.Decimal, t.Float, t.Int)),
    (t.Float, t.Int),
    (t.Date, t.Timestamp),
    (t.Timestamp, t.Date),
)
_UNSHOWN: Final = (t.Json, t.Duration)  # what has no form as a text that both databases make
_WAITING: Final = (*ROWS, *EFFECTS)
_WAITED_FOR: Final = ("hash_password", "verify_password", *OF_TESTS)

Found = tuple[int, str]


def untranslatable(value: ir.Expression) -> Found | None:
    """The first part of a value that would have to be computed of a row and cannot be in a query: its place, and what it is."""
    return next(_untranslatable(value, frozenset()), None)


def beyond_row(value: ir.Expression) -> Found | None:
    """The first part of a check that is neither of its own row nor constant: its place, and what it reads."""
    what = None
    if isinstance(value, ir.RelatedRow | ir.RelatedRows):
        what = "this is of another"
    elif isinstance(value, ir.ConfigValue | ir.EnvironmentValue):
        what = "settings may change while the table stays"
    elif isinstance(value, ir.Call) and value.function in ("now", "today", "random", "uuid"):
        what = f"'{value.function}' is another value each time"
    elif isinstance(value, ir.Selection):
        return None  # said already
    if what is not None:
        return value.at, what
    return next((found for part in parts(value) if (found := beyond_row(part))), None)


def _untranslatable(value: ir.Expression, bound: frozenset[str]) -> Iterator[Found]:
    """:param bound: the parameters of lambdas around the value, which stand for rows or elements"""
    if isinstance(value, ir.LambdaOf):
        bound = bound | set(value.parameters)
    if isinstance(value, ir.Selection) or not _of_row(value, bound):
        return
    ranged = _ranged_parts(value)
    member = ranged is not None and isinstance(value, ir.Binary)  # 'x in list.map(…)', where only the parts count
    what = None if member else _problem(value, bound)
    if what is not None:
        yield value.at, what
        return
    listed = isinstance(value, ir.Binary) and value.operator in ("in", "not_in") and isinstance(value.right, ir.ListOf)
    plain = (value.left, *value.right.items) if listed else parts(value)  # type: ignore[attr-defined]  # a list of values
    for part in ranged if ranged is not None else plain:
        yield from _untranslatable(part, bound)


def _ranged_parts(value: ir.Expression) -> Iterator[ir.Expression] | None:
    """The parts of a value that a subquery computes, without the calls that only say over what; None for any other value."""
    if isinstance(value, ir.Call) and value.function in _FOLDED and value.arguments:
        return iter((*_ranged(value.arguments[0]), *value.arguments[1:]))
    if isinstance(value, ir.Binary) and value.operator in ("in", "not_in") and isinstance(value.right, ir.Call):
        return iter((value.left, *_ranged(value.right)))
    return None


def _ranged(items: ir.Expression) -> Iterator[ir.Expression]:
    """What a subquery over a list or rows is made of: what it ranges over, and the bodies of the lambdas along the way."""
    if isinstance(items, ir.Call) and items.function == "map":
        yield from items.arguments[1:]
        items = items.arguments[0]
    while isinstance(items, ir.Call) and items.function in ("filter", "sort"):
        yield from items.arguments[1:]
        items = items.arguments[0]
    yield items


def _problem(value: ir.Expression, bound: frozenset[str]) -> str | None:
    if isinstance(value, ir.Call):
        return _call(value, bound)
    if isinstance(value, ir.Binary):
        return _comparison(value, bound)
    if isinstance(value, ir.Interpolate):
        shown = (part.type for part in value.parts if _of_row(part, bound) and isinstance(t.required(part.type), _UNSHOWN))
        return next((f"{type_} in a text" for type_ in shown), None)
    if isinstance(value, ir.Convert):
        return _conversion(t.required(value.operand.type), t.required(value.type), lenient=value.on_failure != "error")
    return next((name for kind, name in _UNKNOWN.items() if isinstance(value, kind)), None)


def _call(value: ir.Call, bound: frozenset[str]) -> str | None:
    relation = value.function in _OF_RELATIONS and not _is_relation(value.arguments[0])
    if value.function in NOT_IN_QUERIES or relation:
        return f"'{value.function}'"
    if value.function == "length" and isinstance(counted := t.required(value.arguments[0].type), t.Map | t.Record | t.Bytes):
        return f"the length of {counted}"
    if value.function == "round" and len(value.arguments) > 1 and not isinstance(getattr(value.arguments[1], "value", None), int):
        return "'round' to a number of places that is not a constant"
    if value.function in _WORDED and not isinstance(word := getattr(value.arguments[1], "value", None), str):
        return f"'{value.function}' with {_WORDED[value.function]} that is not a constant"
    if value.function == "format_date" and "%" in str(word):
        return "'%' in a pattern"
    if value.function == "to_string" and _unshown(shown := t.required(value.arguments[0].type)):
        return f"{shown} in a text"
    open_ = value.function in _TYPED and any(_is_open(t.required(part.type)) and _of_row(part, bound) for part in value.arguments)
    return f"'{value.function}' of json" if open_ else None


def _unshown(type_: t.Type) -> bool:
    return isinstance(type_, _UNSHOWN) or _conversion(type_, t.String()) is not None


def _is_open(type_: t.Type) -> bool:
    return isinstance(type_, t.Json) or (isinstance(type_, t.List) and isinstance(t.required(type_.item), t.Json))


def _comparison(value: ir.Binary, bound: frozenset[str]) -> str | None:
    if value.operator in _ARITHMETIC and isinstance(t.required(value.type), t.Unknown):
        return f"'{value.operator}' with a value that has no type"
    if value.operator == "%" and isinstance(t.required(value.type), t.Float):
        return "'%' of floats"
    if value.operator == "+" and isinstance(t.required(value.type), t.List):
        return "'+' of arrays"
    if value.operator in ("in", "not_in") and isinstance(t.required(value.right.type), t.Json) and _of_row(value.right, bound):
        return "'in' of json"
    if value.operator in _TYPED and any(
        isinstance(t.required(part.type), t.Json) and _of_row(part, bound) for part in (value.left, value.right)
    ):
        return f"'{value.operator}' of json"
    if value.operator == "matches" and _of_row(value.right, bound):
        return "a pattern of a row"
    if value.operator in ("in", "not_in") and isinstance(value.right, ir.Selection) and value.right.columns is None:
        return "rows as values (take their '.ids')"
    return None


def _conversion(source: t.Type, wanted: t.Type, *, lenient: bool = False) -> str | None:
    """What becomes something else the same way on both databases is listed; a text that is read might fail on one row for all.

    :param lenient: what does not fit is compared with nothing
    """
    if source == wanted or isinstance(source, t.Unknown | t.Null) or isinstance(wanted, t.Unknown | t.Ref | t.Row):
        return None
    made = isinstance(wanted, t.Json) and (is_text(source) or isinstance(source, _DOCUMENTS))
    read = isinstance(source, t.Json) and (is_text(wanted) or is_number(wanted) or isinstance(wanted, t.Bool))
    shown = is_text(wanted) and (is_text(source) or is_number(source) or isinstance(source, _SHOWN))
    cast = any(isinstance(source, sources) and isinstance(wanted, targets) for sources, targets in _CASTS)
    named = lenient and is_text(source) and isinstance(wanted, t.Uuid)
    return None if made or read or shown or cast or named else f"{source} as {wanted}"


def _is_relation(value: ir.Expression) -> bool:
    while isinstance(value, ir.Call) and value.function in _OF_RELATIONS:
        value = value.arguments[0]
    return isinstance(value, ir.RelatedRows | ir.Selection)


def _of_row(value: ir.Expression, bound: frozenset[str]) -> bool:
    if isinstance(value, ir.Constant | ir.Local):
        return isinstance(value, ir.Local) and value.name in bound
    if isinstance(value, ir.RangeRow) or (isinstance(value, ir.Call) and value.function == "count" and not value.arguments):
        return True
    return any(_of_row(part, bound) for part in parts(value))


def of_row(value: ir.Expression) -> bool:
    """Whether a value is another one for each row."""
    return _of_row(value, frozenset())


def waiting(value: ir.Expression) -> Iterator[ir.Expression]:
    """The parts of a value that have to be waited for, or may have to: queries, writes, calls of functions and of what is outside."""
    if isinstance(value, _WAITING) or (isinstance(value, ir.Call) and value.function in _WAITED_FOR):
        yield value
        return
    if isinstance(value, ir.CallFunction):
        yield value
    for part in parts(value):
        yield from waiting(part)


def parts(value: ir.Expression) -> Iterator[ir.Expression]:
    """The expressions of which a value is made."""
    for found in astuple(value):
        if type(found) in SCALARS:
            continue
        if isinstance(found, ir.Expression):
            yield found
        elif isinstance(found, tuple):
            for part in found:
                if isinstance(part, ir.Expression):
                    yield part
                elif isinstance(part, ir.Entry):
                    yield part.value


def unconverted(value: ir.Expression) -> ir.Expression:
    """What a conversion converts, or the value itself."""
    return value.operand if isinstance(value, ir.Convert) else value


def place_of(root: Node, at: int) -> Node:
    """The part of a tree that begins at an offset: the call that does, if there is one, else the largest, else the whole."""
    found = [node for node in _within(root) if node.start == at]
    return next((node for node in found if isinstance(node, ex.Call)), found[0] if found else root)


def _within(node: Node) -> Iterator[Node]:
    yield node
    for child in children(node):
        yield from _within(child)
