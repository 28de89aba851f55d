"""Whether a value obeys the type and the constraints of its field: the one place for such rules.

Types have been decoded already (a date is a date); here stand the bounds, the forms of e-mail addresses and URLs, and what no
database can hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from typing import Any, Final
from urllib.parse import urlsplit

from codeai.language import types as t
from codeai.language.patterns import portable
from codeai.model.entity import Constraints

Finding = tuple[str, str]
Check = Callable[[Any], Finding | None]

_EXACT: Final = Context(prec=200, rounding=ROUND_HALF_EVEN)
# The form that browsers accept (WHATWG HTML, "valid e-mail address"), with a dot in the domain left optional there as here.
_EMAIL: Final = re.compile(
    r"[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
    r"(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*"
)
_DIGITS: Final = 100


class InvalidFields(Exception):
    """Values that break the rules of their fields; ``errors`` are path, code and message of each."""

    def __init__(self, errors: tuple[tuple[str, str, str], ...]) -> None:
        super().__init__("; ".join(f"{field}: {message}" for field, _, message in errors))
        self.errors = errors


def check_of(type_: t.Type, constraints: Constraints) -> Check:
    """A function that says what is wrong with a value of the type that is not null, or None."""
    checks = rules_of(type_, constraints)
    if len(checks) == 1:
        return checks[0]

    def check_all(value: Any) -> Finding | None:
        for check in checks:
            found = check(value)
            if found is not None:
                return found
        return None

    return check_all


def rules_of(type_: t.Type, constraints: Constraints) -> list[Check]:
    """The rules that ``check_of`` tries in order; none where every value of the type is fine."""
    type_ = t.required(type_)
    return [check for check in (_form(type_), *_bounds(type_, constraints)) if check is not None]


def _form(type_: t.Type) -> Check | None:
    if isinstance(type_, t.String):
        return _string(type_.length)
    if isinstance(type_, t.Text):
        return _string(None)
    if isinstance(type_, t.Email):
        return _email
    if isinstance(type_, t.Url):
        return _url
    if isinstance(type_, t.Enum):
        return _member(type_.members)
    if isinstance(type_, t.Int):
        return _whole
    if isinstance(type_, t.Decimal):
        return _decimal(type_)
    if isinstance(type_, t.Float):
        return _float
    if isinstance(type_, t.List):
        return _items(check_of(type_.item, Constraints()))
    return _json if isinstance(type_, t.Json | t.Map) else None


def _string(length: int | None) -> Check:
    def check(value: Any) -> Finding | None:
        if length is not None and len(value) > length:
            return "too_long", f"must have at most {length} characters"
        return _storable(value)

    return check


def _storable(value: str) -> Finding | None:
    if "\x00" in value:
        return "null_character", "must not contain the null character"
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        return "not_unicode", "must be valid Unicode"
    return None


def _email(value: str) -> Finding | None:
    if len(value) > 254 or not _EMAIL.fullmatch(value):
        return "not_email", "must be an e-mail address"
    return None


def _url(value: str) -> Finding | None:
    try:
        parts = urlsplit(value)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port >= 0)
    except ValueError:
        fine = False
    if not fine or len(value) > 2048 or any(character.isspace() or character < " " for character in value):
        return "not_url", "must be an absolute http or https URL"
    return _storable(value)


def _member(members: tuple[str, ...]) -> Check:
    allowed = frozenset(members)
    message = "must be one of " + ", ".join(members)
    return lambda value: None if value in allowed else ("not_member", message)


def _whole(value: int) -> Finding | None:
    return None if -(2**63) <= value < 2**63 else ("out_of_range", "must fit in 64 bits")


def _float(value: float) -> Finding | None:
    return None if value - value == 0 else ("out_of_range", "must be a finite number")


def _decimal(type_: t.Decimal) -> Check:
    whole_digits = None if type_.precision is None else type_.precision - (type_.scale or 0)

    def check(value: Decimal) -> Finding | None:
        if not value.is_finite() or abs(value.adjusted()) > _DIGITS:
            return "out_of_range", "must be a number of reasonable size"
        if whole_digits is not None and rounded(value, type_.scale or 0).adjusted() >= whole_digits and value:
            return "out_of_range", f"must have at most {whole_digits} digits before the point"
        return None

    return check


def rounded(value: Decimal, scale: int) -> Decimal:
    """A decimal with that many places, half-even (language page, section 3)."""
    try:
        return value.quantize(Decimal(1).scaleb(-scale), context=_EXACT)
    except InvalidOperation:
        return value


def stored(value: Any, type_: t.Type) -> Any:
    """A value as its column keeps it: decimals are rounded to their places."""
    if isinstance(type_, t.Decimal) and type_.precision is not None and value is not None:
        return rounded(value, type_.scale or 0)
    return value


def _items(inner: Check) -> Check:
    def check(values: Any) -> Finding | None:
        for value in values:
            found = inner(value) if value is not None else ("required", "must not contain null")
            if found is not None:
                return found
        return None

    return check


def _json(value: Any) -> Finding | None:
    if isinstance(value, str):
        return _storable(value)
    if isinstance(value, dict):
        return next((found for part in (*value, *value.values()) if (found := _json(part)) is not None), None)
    if isinstance(value, list):
        return next((found for part in value if (found := _json(part)) is not None), None)
    return None


def _bounds(type_: t.Type, constraints: Constraints) -> list[Check]:
    found: list[Check] = []
    size: Callable[[Any], Any] = len if isinstance(type_, t.Bytes) else lambda value: value
    unit = " bytes" if isinstance(type_, t.Bytes) else ""
    minimum, maximum = constraints.minimum, constraints.maximum
    if minimum is not None:
        found.append(lambda value: None if size(value) >= minimum else ("too_small", f"must be at least {minimum}{unit}"))
    if maximum is not None:
        found.append(lambda value: None if size(value) <= maximum else ("too_large", f"must be at most {maximum}{unit}"))
    found.extend(_lengths(type_, constraints))
    if constraints.pattern is not None:
        pattern = re.compile(portable(constraints.pattern).python)
        found.append(lambda value: None if pattern.search(value) else ("pattern", f"must match {constraints.pattern}"))
    return found


def _lengths(type_: t.Type, constraints: Constraints) -> list[Check]:
    found: list[Check] = []
    unit = "items" if isinstance(type_, t.List) else "characters"
    shortest, longest = constraints.min_length, constraints.max_length
    if shortest is not None:
        found.append(lambda value: None if len(value) >= shortest else ("too_short", f"must have at least {shortest} {unit}"))
    if longest is not None:
        found.append(lambda value: None if len(value) <= longest else ("too_long", f"must have at most {longest} {unit}"))
    return found
