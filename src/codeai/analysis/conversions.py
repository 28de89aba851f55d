"""Which types fit where, and the conversions that need no call (language page, section 3)."""

from __future__ import annotations

import datetime
import re
import uuid
from collections.abc import Callable
from decimal import Decimal

from codeai.language import types as t
from codeai.language.durations import duration_milliseconds
from codeai.model import expression as ir

TEXTUAL = (t.String, t.Text, t.Email, t.Url, t.Enum)
NUMERIC = (t.Int, t.Decimal, t.Float)
FROM_TEXT = (t.Uuid, t.Date, t.Timestamp, t.Time, t.Duration, t.Decimal, t.Int)
SCALARS = (*TEXTUAL, *NUMERIC, t.Bool, t.Uuid, t.Date, t.Timestamp, t.Time, t.Duration)


def is_text(type_: t.Type) -> bool:
    """Whether values of the type are strings (null aside)."""
    return isinstance(t.required(type_), TEXTUAL)


def is_number(type_: t.Type) -> bool:
    """Whether values of the type are numbers (null aside)."""
    return isinstance(t.required(type_), NUMERIC)


def sent_alike(given: t.Type, stored: t.Type) -> bool:
    """Whether values of one type are those of the other as a client sends them."""
    if isinstance(given, t.Unknown) or isinstance(stored, t.Unknown | t.Ref) or is_text(given) == is_text(stored) is True:
        return True
    if is_text(given):
        return isinstance(stored, t.Uuid | t.Enum | t.Date | t.Timestamp | t.Time)  # read from the text
    return type(given) is type(stored) or (is_number(given) and is_number(stored)) or isinstance(given, t.Ref)


def is_unknown(type_: t.Type) -> bool:
    """Whether nothing is known of the type."""
    return isinstance(t.required(type_), t.Unknown)


def is_true(value: ir.Expression) -> ir.Expression:
    """A condition; of what has no declared type only ``true`` holds, in programs as in databases."""
    if isinstance(value, ir.Constant) or not isinstance(t.required(value.type), t.Json | t.Unknown):
        return value
    return ir.Binary(type=t.Bool(), operator="==", left=value, right=ir.Constant(type=t.Bool(), value=True, at=value.at), at=value.at)


def wider_number(left: t.Type, right: t.Type) -> t.Type | None:
    """The type in which two numbers meet: int → decimal, int → float; decimal and float do not meet."""
    if type(left) is type(right):
        return t.Decimal() if isinstance(left, t.Decimal) else left
    kinds = {type(left), type(right)}
    if kinds == {t.Int, t.Decimal}:
        return t.Decimal()
    if kinds == {t.Int, t.Float}:
        return t.Float()
    return None


def distinct_names(wanted: t.Type, found: t.Type) -> tuple[str, str]:
    """How a message calls two types that do not fit: what they hold is said where their names are the same."""
    first, second = t.required(wanted), t.required(found)
    if str(first) == str(second) and isinstance(first, t.List) and isinstance(second, t.List):
        inner = distinct_names(first.item, second.item)
        return f"{first} of {inner[0]}", f"{second} of {inner[1]}"
    if str(first) == str(second) and isinstance(first, t.Record) and isinstance(second, t.Record):
        missing = next((f"'{field.name}'" for field in first.fields if field.required and second.field(field.name) is None), "its fields")
        return f"{first} with {missing}", "one of other fields"
    return str(first), str(second)


def literal_value(text: str, target: t.Type) -> object | None:
    """The value of a literal text as another type, or None when it is not one."""
    try:
        if isinstance(target, t.Uuid):
            return uuid.UUID(text) if re.fullmatch(r"[0-9a-fA-F-]{36}", text) else None
        if isinstance(target, t.Date):
            return datetime.date.fromisoformat(text)
        if isinstance(target, t.Time):
            return datetime.time.fromisoformat(text)
        if isinstance(target, t.Timestamp):
            found = datetime.datetime.fromisoformat(text)
            return found.astimezone(datetime.UTC) if found.tzinfo else found.replace(tzinfo=datetime.UTC)
        if isinstance(target, t.Duration):
            milliseconds = duration_milliseconds(text.strip())
            return None if milliseconds is None else datetime.timedelta(milliseconds=milliseconds)
    except ValueError:
        return None
    return None


def convert(value: ir.Expression, target: t.Type, on_failure: str = "error") -> ir.Expression:
    """A conversion node, with the nullability of the operand."""
    wanted = t.optional(target) if t.is_nullable(value.type) else target
    return ir.Convert(type=wanted, operand=value, on_failure="no_match" if on_failure == "no_match" else "error", at=value.at)


def from_outside(value: ir.Expression) -> bool:
    """Whether a string comes as text from outside, so that it may stand for an id or a date: the caller's id, path parameters."""
    if isinstance(value, ir.CurrentUser):
        return value.attribute in ("id", "tenant")
    return isinstance(value, ir.RequestValue) and value.place in ("path", "header", "cookie")


Keys = Callable[[str], t.Type]


def _no_keys(entity: str) -> t.Type:
    return t.Unknown()


def fit(value: ir.Expression, target: t.Type, on_failure: str = "error", keys: Keys = _no_keys) -> ir.Expression | None:
    """``value`` as ``target`` by the implicit conversions, or None when it does not fit. Nullability is the caller's matter.

    :param keys: gives the type of an entity's key, as which references are compared and assigned
    """
    source, wanted = t.required(value.type), t.required(target)
    if isinstance(source, t.Unknown | t.Null) or isinstance(wanted, t.Unknown):
        return value
    if source == wanted:
        return value
    if isinstance(source, t.Json):
        key = keys(wanted.entity) if isinstance(wanted, t.Ref) else wanted
        return convert(value, wanted if isinstance(key, t.Unknown) else key, on_failure)
    if isinstance(wanted, t.Ref) and not isinstance(source, t.Row | t.Ref | t.Json):
        wanted = keys(wanted.entity)
    elif isinstance(source, t.Ref) and not isinstance(wanted, t.Ref | t.Json):
        source = keys(source.entity)
        if source == wanted:
            return value
    if source == wanted or isinstance(source, t.Unknown) or isinstance(wanted, t.Unknown):
        return value
    if isinstance(wanted, t.Json):
        return convert(value, wanted)
    if isinstance(wanted, t.Ref):
        return _fit_reference(value, source, wanted)
    if isinstance(wanted, t.Decimal | t.Float) and isinstance(source, NUMERIC):
        return _fit_number(value, source, wanted)
    if isinstance(wanted, t.Enum):
        return value if isinstance(source, TEXTUAL) else None
    if isinstance(wanted, TEXTUAL):
        return value if isinstance(source, TEXTUAL) else None
    if isinstance(source, TEXTUAL) and isinstance(wanted, FROM_TEXT):
        return _fit_text(value, wanted, on_failure)
    if isinstance(source, t.Date) and isinstance(wanted, t.Timestamp):
        return convert(value, wanted)
    if isinstance(source, t.Timestamp) and isinstance(wanted, t.Date):
        return convert(value, wanted)
    return _fit_structure(value, source, wanted, keys)


def _fit_reference(value: ir.Expression, source: t.Type, wanted: t.Ref) -> ir.Expression | None:
    if isinstance(source, t.Row):
        return value if source.entity == wanted.entity else None
    return value if isinstance(source, t.Ref) and source.entity == wanted.entity else None


def _fit_number(value: ir.Expression, source: t.Type, wanted: t.Type) -> ir.Expression | None:
    if isinstance(wanted, t.Decimal):
        if isinstance(value, ir.Constant) and isinstance(value.value, int):
            return ir.Constant(type=wanted, value=Decimal(value.value), at=value.at)
        return value if isinstance(source, t.Decimal) else convert(value, wanted) if isinstance(source, t.Int) else None
    if isinstance(value, ir.Constant):
        return ir.Constant(type=wanted, value=float(value.value), at=value.at)
    return convert(value, wanted) if isinstance(source, t.Int) else None


def _fit_text(value: ir.Expression, wanted: t.Type, on_failure: str) -> ir.Expression | None:
    if isinstance(value, ir.Constant) and isinstance(value.value, str):
        found = literal_value(value.value, wanted)
        if found is not None:
            return ir.Constant(type=wanted, value=found, at=value.at)
        return None if isinstance(wanted, t.Decimal | t.Int | t.Duration) else convert(value, wanted, on_failure)
    if from_outside(value) or isinstance(value, ir.Interpolate):
        return convert(value, wanted, on_failure)
    return None


def _fit_structure(value: ir.Expression, source: t.Type, wanted: t.Type, keys: Keys) -> ir.Expression | None:
    if isinstance(source, t.List) and isinstance(wanted, t.List):
        return _fit_list(value, source, wanted, keys)
    return value if _same_structure(source, wanted, keys) else None


def _same_structure(source: t.Type, wanted: t.Type, keys: Keys) -> bool:
    """Whether records, rows and maps meet: one row is no row of another entity, a record has what the other one needs.

    What a row has is the matter of who knows the entities; a record without a name may be one of anything.
    """
    if isinstance(source, t.Row) and isinstance(wanted, t.Row):
        return source.entity == wanted.entity
    if isinstance(source, t.Record) and isinstance(wanted, t.Row):
        return source.name in ("", wanted.entity)
    if isinstance(source, t.Record) and isinstance(wanted, t.Record):
        return source.name == wanted.name != "" or all(_holds(source, field, keys) for field in wanted.fields)
    if isinstance(source, t.Record) and isinstance(wanted, t.Map):
        return all(_meets(field.type, wanted.value, keys) for field in source.fields)
    if isinstance(source, t.Map) and isinstance(wanted, t.Map):
        return _meets(source.value, wanted.value, keys)
    return isinstance(source, t.Row | t.Map) and isinstance(wanted, t.Record | t.Row | t.Map)


def _holds(source: t.Record, field: t.RecordField, keys: Keys) -> bool:
    found = source.field(field.name)
    return not field.required if found is None else _meets(found.type, field.type, keys)


def _meets(source: t.Type, wanted: t.Type, keys: Keys) -> bool:
    return fit(ir.Local(type=source, name="part"), wanted, keys=keys) is not None


def _fit_list(value: ir.Expression, source: t.List, wanted: t.List, keys: Keys) -> ir.Expression | None:
    if isinstance(value, ir.ListOf):
        items = [fit(item, wanted.item, keys=keys) for item in value.items]
        if any(item is None for item in items):
            return None
        return ir.ListOf(type=wanted, items=tuple(item for item in items if item is not None), at=value.at)
    probe = ir.Local(type=source.item, name="item")
    fitted = fit(probe, wanted.item, keys=keys)
    if fitted is None:
        return None
    return value if fitted is probe else convert(value, wanted)
