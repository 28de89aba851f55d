"""The built-in functions: arity, parameter kinds and result (language page, section 4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from codeai.language import types as t

Result = Callable[[tuple[t.Type, ...]], t.Type]


class Builtin(msgspec.Struct, frozen=True):
    """A function of the language. ``kinds`` are the parameters: a letter each, upper case where it may be left out.

    t text · n number · i int · l list · a anything · d date or timestamp · u duration · f lambda · b bool · m map · s what has a length
    """

    kinds: str
    result: Result

    @property
    def minimum(self) -> int:
        """The fewest arguments; ``*`` stands for any number of the kind before it."""
        return sum(kind.islower() for kind in self.kinds) - self.kinds.count("*")

    @property
    def maximum(self) -> int:
        """The most arguments; unbounded when the last kind is ``*``."""
        return 1_000 if self.kinds.endswith("*") else len(self.kinds)


_WORDS: Final = {
    "t": "text",
    "n": "number",
    "i": "int",
    "l": "list",
    "a": "value",
    "d": "time",
    "u": "duration",
    "f": "x => …",
    "b": "bool",
    "m": "map",
    "s": "text or list",
}


def usage(name: str) -> str:
    """How a built-in function is called: ``round(number, int?)``; what may be left out has a ``?``."""
    kinds = BUILTINS[name].kinds
    listed = [_WORDS[kind.lower()] + "?" * kind.isupper() for kind in kinds if kind != "*"]
    if kinds.endswith("*"):
        listed[-1] = "…"
    return f"{name}({', '.join(listed)})"


def _always(type_: t.Type) -> Result:
    return lambda arguments: type_


def _same(arguments: tuple[t.Type, ...]) -> t.Type:
    return arguments[0] if arguments else t.Unknown()


def item_of(type_: t.Type) -> t.Type:
    """The type of what stands in a value that is gone through; in JSON there is JSON."""
    if isinstance(type_, t.List):
        return type_.item
    return t.Json() if isinstance(type_, t.Json) else t.Unknown()


def _item(arguments: tuple[t.Type, ...]) -> t.Type:
    found = item_of(t.required(arguments[0])) if arguments else t.Unknown()
    return found if isinstance(found, t.Unknown) else t.optional(found)


def _widest(arguments: tuple[t.Type, ...]) -> t.Type:
    if len(arguments) == 1:
        return _item(arguments)
    found = t.required(arguments[0]) if arguments else t.Unknown()
    for wanted in (t.Float, t.Decimal):
        if any(isinstance(t.required(argument), wanted) for argument in arguments):
            found = wanted()
            break
    return t.optional(found) if all(map(t.is_nullable, arguments)) else found


def _sum(arguments: tuple[t.Type, ...]) -> t.Type:
    found = t.required(_item(arguments[:1]))
    if len(arguments) > 1:
        function = t.required(arguments[1])
        found = t.required(function.result) if isinstance(function, t.Function) else t.Unknown()
    return t.Decimal() if isinstance(found, t.Decimal) else found


def _average(arguments: tuple[t.Type, ...]) -> t.Type:
    found = t.required(_sum(arguments))
    return t.optional(t.Float() if isinstance(found, t.Float) else t.Decimal())


def _mapped(arguments: tuple[t.Type, ...]) -> t.Type:
    function = t.required(arguments[1]) if len(arguments) > 1 else t.Unknown()
    return t.List(function.result if isinstance(function, t.Function) else t.Unknown())


def _rounded(arguments: tuple[t.Type, ...]) -> t.Type:
    found = t.required(arguments[0]) if arguments else t.Unknown()
    return t.Int() if isinstance(found, t.Int) else t.Float() if isinstance(found, t.Float) else t.Decimal()


def _whole(arguments: tuple[t.Type, ...]) -> t.Type:
    return t.Int()


def _grouped(arguments: tuple[t.Type, ...]) -> t.Type:
    return t.Map(t.required(arguments[0]) if arguments else t.Unknown())


def _values(arguments: tuple[t.Type, ...]) -> t.Type:
    found = t.required(arguments[0]) if arguments else t.Unknown()
    return t.List(found.value if isinstance(found, t.Map) else t.Json())


_TEXT = _always(t.String())
_INT = _always(t.Int())
_BOOL = _always(t.Bool())

BUILTINS: Final[dict[str, Builtin]] = {
    "length": Builtin("s", _INT),
    "upper": Builtin("t", _TEXT),
    "lower": Builtin("t", _TEXT),
    "trim": Builtin("t", _TEXT),
    "trim_left": Builtin("t", _TEXT),
    "trim_right": Builtin("t", _TEXT),
    "split": Builtin("tt", _always(t.List(t.String()))),
    "join": Builtin("lT", _TEXT),
    "replace": Builtin("ttt", _TEXT),
    "contains": Builtin("aa", _BOOL),
    "starts_with": Builtin("tt", _BOOL),
    "ends_with": Builtin("tt", _BOOL),
    "slug": Builtin("t", _TEXT),
    "abs": Builtin("n", _same),
    "ceil": Builtin("n", _whole),
    "floor": Builtin("n", _whole),
    "round": Builtin("nI", _rounded),
    "min": Builtin("aa*", _widest),
    "max": Builtin("aa*", _widest),
    "sum": Builtin("lF", _sum),
    "avg": Builtin("lF", _average),
    "count": Builtin("lF", _INT),
    "first": Builtin("l", _item),
    "last": Builtin("l", _item),
    "map": Builtin("lf", _mapped),
    "filter": Builtin("lf", _same),
    "find": Builtin("lf", _item),
    "sort": Builtin("lF", _same),
    "unique": Builtin("l", _same),
    "group_by": Builtin("lf", _grouped),
    "any": Builtin("lF", _BOOL),
    "all": Builtin("lF", _BOOL),
    "keys": Builtin("m", _always(t.List(t.String()))),
    "values": Builtin("m", _values),
    "merge": Builtin("mm", _always(t.Json())),
    "now": Builtin("", _always(t.Timestamp())),
    "today": Builtin("", _always(t.Date())),
    "format_date": Builtin("dt", _TEXT),
    "parse_date": Builtin("tT", _always(t.optional(t.Date()))),
    "add_days": Builtin("di", _same),
    "add_hours": Builtin("di", _always(t.Timestamp())),
    "add_months": Builtin("di", _same),
    "diff_days": Builtin("dd", _INT),
    "start_of": Builtin("dt", _same),
    "end_of": Builtin("dt", _same),
    "parse_int": Builtin("t", _INT),
    "parse_decimal": Builtin("t", _always(t.Decimal())),
    "to_string": Builtin("a", _TEXT),
    "to_json": Builtin("a", _TEXT),
    "parse_json": Builtin("t", _always(t.Json())),
    "uuid": Builtin("", _always(t.Uuid())),
    "object_id": Builtin("", _always(t.String(24))),
    "hash": Builtin("t", _TEXT),
    "hmac": Builtin("tt", _TEXT),
    "hash_password": Builtin("t", _TEXT),
    "verify_password": Builtin("tt", _BOOL),
    "issue_token": Builtin("tLU", _TEXT),
    "random": Builtin("II", _always(t.Float())),
    "print": Builtin("a*", _always(t.Void())),
}
OF_TESTS: Final = ("executions", "calls", "events", "messages")  # what there were of them, in tests only
ALIASES: Final = {"len": "length", "includes": "contains"}
# Null in, null out; ``length`` of null is 0 and ``contains`` of null false, so they are not among them.
STRICT: Final = frozenset(
    (
        *("upper", "lower", "trim", "trim_left", "trim_right", "split", "replace", "slug", "abs", "ceil", "floor", "round"),
        *("format_date", "parse_date", "add_days", "add_hours", "add_months", "diff_days", "start_of", "end_of"),
        *("parse_int", "parse_decimal", "parse_json", "hash", "hmac", "hash_password"),
    )
)
