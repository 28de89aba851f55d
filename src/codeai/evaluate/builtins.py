"""The built-in functions at run time. Null as an argument gives null wherever a result may be null."""

from __future__ import annotations

import datetime
import hashlib
import hmac
import json
import math
import random
import re
import secrets
import unicodedata
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final

from codeai.evaluate.context import Context
from codeai.evaluate.errors import EvaluationError
from codeai.evaluate.operations import (
    EXACT,
    FAILURES,
    arithmetic,
    contains,
    divide,
    ends_with,
    starts_with,
    text,
    to_json,
    unsigned_zero,
    whole,
)
from codeai.model.identifiers import new_uuid
from codeai.model.moments import add_months, end_of, start_of, strftime_of

_PLACES: Final = 100
_KINDS: Final[tuple[tuple[type | tuple[type, ...], str], ...]] = (
    (bool, "a bool"),
    (str, "a text"),
    ((int, float, Decimal), "a number"),
    ((list, tuple), "a list"),
    (Mapping, "a record"),
)
_OF_LISTS: Final = frozenset(
    ["join", "map", "filter", "find", "sort", "unique", "group_by", "any", "all", "first", "last", "sum", "avg", "count"]
)


def guarded(name: str, function: Callable[..., Any], at: int, *, awaited: bool = False) -> Callable[..., Any]:
    """A built-in function whose arguments the checker cannot know: what does not fit is an error of the request.

    :param at: the place in the program's sources
    :param awaited: the function is one that has to be waited for
    """

    def unfit(values: tuple[Any, ...]) -> EvaluationError:
        return EvaluationError(
            f"'{name}' does not take {' and '.join(_kind(value) for value in values if not isinstance(value, Context))}", at
        )

    lists = name in _OF_LISTS

    def call(*values: Any) -> Any:
        if lists and values and not (values[0] is None or isinstance(values[0], list | tuple)):
            raise unfit(values)  # a text or a record can be gone through as well, by its letters or names, which nobody means
        try:
            return function(*values)
        except (*FAILURES, LookupError):
            raise unfit(values) from None

    async def wait(*values: Any) -> Any:
        try:
            return await function(*values)
        except (*FAILURES, LookupError):
            raise unfit(values) from None

    return wait if awaited else call


def _kind(value: Any) -> str:
    """What a value is, in the words of JSON."""
    for kind, word in _KINDS:
        if isinstance(value, kind):
            return word
    return "null" if value is None else "a lambda" if callable(value) else f"a {type(value).__name__}"


def _nullable(function: Callable[..., Any]) -> Callable[..., Any]:
    """Null in, null out: what the checker calls strict (``codeai.analysis.builtins.STRICT``)."""

    def call(*values: Any) -> Any:
        return None if None in values else function(*values)

    return call


def _length(value: Any) -> int:
    return 0 if value is None else len(value)


def _slug(value: str) -> str:
    plain = unicodedata.normalize("NFKD", value.replace("ß", "ss")).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def _join(values: Any, separator: str | None = None) -> str:
    return (", " if separator is None else separator).join(text(value) for value in values or ())


def _round(value: Any, places: int = 0) -> Any:
    if abs(places) > _PLACES:
        raise EvaluationError(f"numbers are rounded to at most {_PLACES} places")
    if isinstance(value, float):
        return float(round(Decimal(repr(value)), places))
    if isinstance(value, int):
        return value if places >= 0 else whole(round(value, places))
    return unsigned_zero(value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN, EXACT))


def _abs(value: Any) -> Any:
    if isinstance(value, Decimal):
        return value.copy_abs()
    return whole(abs(value)) if isinstance(value, int) else abs(value)


def _extreme(choose: Callable[..., Any]) -> Callable[..., Any]:
    def call(*values: Any) -> Any:
        candidates = values[0] if len(values) == 1 and isinstance(values[0], list | tuple) else values
        present = [value for value in candidates or () if value is not None]
        return choose(present) if present else None

    return call


def _mapped(values: Any, function: Callable[[Any], Any] | None) -> list[Any]:
    return [value if function is None else function(value) for value in values or ()]


def _sum(values: Any, function: Callable[[Any], Any] | None = None) -> Any:
    total: Any = 0
    for value in _mapped(values, function):
        if value is not None:
            total = value if total == 0 and not isinstance(total, Decimal | float) else arithmetic("+", total, value)
    return total


def _avg(values: Any, function: Callable[[Any], Any] | None = None) -> Any:
    present = [value for value in _mapped(values, function) if value is not None]
    return divide(_sum(present), len(present)) if present else None


def _count(values: Any, function: Callable[[Any], bool] | None = None) -> int:
    return sum(1 for value in values or () if function is None or function(value))


def _sort(values: Any, function: Callable[[Any], Any] | None = None) -> list[Any]:
    def key(value: Any) -> tuple[bool, Any]:
        found = value if function is None else function(value)
        return (found is None, 0 if found is None else found)

    try:
        return sorted(values or (), key=key)
    except TypeError:
        raise EvaluationError("these values have no common order") from None


def _unique(values: Any) -> list[Any]:
    found: dict[str, Any] = {}
    for value in values or ():
        found.setdefault(repr(to_json(value)), value)
    return list(found.values())


def _group_by(values: Any, function: Callable[[Any], Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for value in values or ():
        found.setdefault(text(function(value)), []).append(value)
    return found


def _find(values: Any, function: Callable[[Any], bool]) -> Any:
    return next((value for value in values or () if function(value)), None)


def _format_date(value: Any, pattern: str) -> str:
    return str(value.strftime(strftime_of(pattern)))


def _parse_date(value: str, pattern: str | None = None) -> datetime.date | None:
    try:
        if pattern is None:
            return datetime.date.fromisoformat(value[:10])
        return datetime.datetime.strptime(value, strftime_of(pattern)).date()  # noqa: DTZ007  # only the date is used
    except ValueError:
        return None


def _add(value: Any, count: int, **unit: int) -> Any:
    try:
        return value + datetime.timedelta(**{name: scale * count for name, scale in unit.items()})
    except OverflowError:
        raise EvaluationError("the date is out of range") from None


def _timestamp(value: Any) -> datetime.datetime:
    """A date is its first moment."""
    if isinstance(value, datetime.datetime):
        return value
    return datetime.datetime.combine(value, datetime.time(), datetime.UTC)


def _diff_days(left: Any, right: Any) -> int:
    if type(left) is not type(right):
        left, right = _timestamp(left), _timestamp(right)
    return int((right - left).days)


def _moved(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def call(value: Any, by: Any) -> Any:
        try:
            return function(value, by)
        except (ValueError, OverflowError) as error:
            raise EvaluationError(str(error)) from None

    return call


def _parse(kind: Callable[[str], Any], what: str) -> Callable[[str], Any]:
    def call(value: str) -> Any:
        try:
            found = kind(value.strip())
        except FAILURES:
            raise EvaluationError(f"'{value[:40]}' is not {what}") from None
        if isinstance(found, Decimal) and not found.is_finite():
            raise EvaluationError(f"'{value[:40]}' is not {what}")
        return whole(found) if isinstance(found, int) else found

    return call


def _parse_json(value: str) -> Any:
    try:
        return json.loads(value, parse_float=Decimal)
    except (ValueError, RecursionError):
        raise EvaluationError("the text is not JSON") from None


def _random(low: int | None = None, high: int | None = None) -> Any:
    source = random.SystemRandom()
    if low is None:
        return source.random()
    return float(source.randint(min(0, low), max(0, low)) if high is None else source.randint(min(low, high), max(low, high)))


PLAIN: Final[dict[str, Callable[..., Any]]] = {
    "length": _length,
    "upper": _nullable(str.upper),
    "lower": _nullable(str.lower),
    "trim": _nullable(str.strip),
    "trim_left": _nullable(str.lstrip),
    "trim_right": _nullable(str.rstrip),
    "split": _nullable(lambda value, separator: value.split(separator) if separator else list(value)),
    "join": _join,
    "replace": _nullable(lambda value, old, new: value.replace(old, new) if old else value),
    "contains": contains,
    "starts_with": starts_with,
    "ends_with": ends_with,
    "slug": _nullable(_slug),
    "abs": _nullable(_abs),
    "ceil": _nullable(lambda value: whole(math.ceil(value))),
    "floor": _nullable(lambda value: whole(math.floor(value))),
    "round": _nullable(_round),
    "min": _extreme(min),
    "max": _extreme(max),
    "sum": _sum,
    "avg": _avg,
    "count": _count,
    "first": lambda values: values[0] if values else None,
    "last": lambda values: values[-1] if values else None,
    "map": _mapped,
    "filter": lambda values, function: [value for value in values or () if function(value)],
    "find": _find,
    "sort": _sort,
    "unique": _unique,
    "group_by": _group_by,
    "any": lambda values, function=bool: any(function(value) for value in values or ()),
    "all": lambda values, function=bool: all(function(value) for value in values or ()),
    "keys": lambda value: [key for key in value or () if not key.startswith("@")],
    "values": lambda value: [part for key, part in (value or {}).items() if not key.startswith("@")],
    "merge": lambda left, right: {**_mapping(left), **_mapping(right)},
    "format_date": _nullable(_format_date),
    "parse_date": _nullable(_parse_date),
    "add_days": _nullable(lambda value, count: _add(value, count, days=1)),
    "add_hours": _nullable(lambda value, count: _add(_timestamp(value), count, hours=1)),
    "add_months": _nullable(_moved(add_months)),
    "diff_days": _nullable(_diff_days),
    "start_of": _nullable(_moved(start_of)),
    "end_of": _nullable(_moved(end_of)),
    "parse_int": _nullable(_parse(lambda value: int(value, 10), "a whole number")),
    "parse_decimal": _nullable(_parse(Decimal, "a number")),
    "to_string": text,
    "to_json": lambda value: json.dumps(to_json(value), default=str, ensure_ascii=False),
    "parse_json": _nullable(_parse_json),
    "uuid": new_uuid,
    "object_id": lambda: secrets.token_hex(12),
    "hash": _nullable(lambda value: hashlib.sha256(text(value).encode()).hexdigest()),
    "hmac": _nullable(lambda value, key: hmac.new(text(key).encode(), text(value).encode(), hashlib.sha256).hexdigest()),
    "random": _random,
}


def _mapping(value: Any) -> Mapping[str, Any]:
    return to_json(value) if isinstance(value, Mapping) else {}


def _print(context: Context, *values: Any) -> None:
    line, shell = " ".join(text(value) for value in values), context.effects.shell
    context.log("info", line, {}) if shell is None else shell.print(line)


async def _hash_password(context: Context, password: str | None) -> str | None:
    return None if password is None else await context.services.hash_password(password)


# Built-ins that need the context; the value tells whether they have to be awaited.
WITH_CONTEXT: Final[dict[str, tuple[Callable[..., Any], bool]]] = {
    "now": (lambda context: context.now, False),
    "today": (lambda context: context.now.date(), False),
    "hash_password": (_hash_password, True),
    "verify_password": (lambda context, password, hashed: context.services.verify_password(password, hashed), True),
    "issue_token": (lambda context, subject, roles=(), lifetime=None: context.services.issue_token(subject, roles or (), lifetime), False),
    "print": (_print, False),
    # In tests only.
    "executions": (lambda context, name: context.client.executions(name), True),
    "calls": (lambda context, name: context.client.calls(name), True),
    "events": (lambda context, name: context.client.events(name), True),
    "messages": (lambda context, name: context.client.messages(), True),
}
