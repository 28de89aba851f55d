"""Bodies: from JSON text to checked values, by msgspec classes that are made from the model at start."""

from __future__ import annotations

import contextlib
import datetime
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, Union
from uuid import UUID

import msgspec

from codeai.http.documents import parsed, refused, with_whole_numbers
from codeai.http.problems import FieldError, Problem
from codeai.language import types as t
from codeai.language.durations import duration_milliseconds
from codeai.language.suggestions import suggest
from codeai.model.application import Application
from codeai.model.endpoint import InputField, Shape
from codeai.model.entity import Constraints
from codeai.model.validation import Check, check_of, rounded

_KEY: Final = re.compile(rb'"[ \t\r\n]*:')
_TIMESTAMP: Final = Annotated[datetime.datetime, msgspec.Meta(tz=True)]


class Decoded(msgspec.Struct, frozen=True):
    """A body: its values by name, and which of them the client sent."""

    values: Any
    sent: frozenset[str]


class ShapeDecoder:
    """Decodes one shape.

    :param defaults: computes the default of a field that is absent
    """

    def __init__(self, shape: Shape, types: ShapeTypes, default: Callable[[InputField], Callable[[], Any]]) -> None:
        self._shape = shape
        self._fields = shape.fields
        struct = types.struct(shape)
        self._decoder = msgspec.json.Decoder(list[struct] if shape.many else struct)  # type: ignore[valid-type]  # made at run time
        self._types = {field.name: types.of(field.type) for field in shape.fields}
        self._checks = [(field, types.check(field.type, field.constraints)) for field in shape.fields]
        self._defaults = {field.name: default(field) for field in shape.fields if field.default is not None}
        self._plan = [
            (field.name, _attribute(field.name), types.rule(field.type, field.constraints), check, self._defaults.get(field.name))
            for field, check in self._checks
        ]
        self._complete = frozenset(field.name for field in shape.fields)
        self._flat = not shape.many and all(types.scalar(field.type) for field in shape.fields)

    def decode(self, body: bytes) -> Decoded:
        """The values of a body.

        :raises Problem: 400 for what is no JSON, 422 for what does not fit, with every field that is wrong
        """
        found: Any = None
        if self._flat:
            with contextlib.suppress(msgspec.MsgspecError, OverflowError, ArithmeticError, RecursionError, UnicodeDecodeError):
                found = self._decoder.decode(body)
        # A flat object with as many keys in its text as fields that came has none twice.
        if found is None or len(_KEY.findall(body)) != sum(getattr(found, each[1]) is not msgspec.UNSET for each in self._plan):
            found = self._closely(body)
        if self._shape.many:
            decoded = [self._values(item, f"{at}.") for at, item in enumerate(found)]
            return Decoded([item.values for item in decoded], frozenset())
        return self._values(found, "")

    def _closely(self, body: bytes) -> Any:
        """The decoded body, after a look at what the decoder does not see."""
        parsed(body)
        try:
            return self._decoder.decode(body)
        except (msgspec.ValidationError, OverflowError, ArithmeticError) as error:
            return self._whole_numbers(body, error)
        except (msgspec.DecodeError, RecursionError) as error:
            raise refused(error) from None

    def _whole_numbers(self, body: bytes, error: Exception) -> Any:
        """The values when only ``3.0`` was sent for ``3``, which is the same number in JSON; the problem otherwise."""
        plain = with_whole_numbers(body)
        try:
            return self._decoder.decode(msgspec.json.encode(plain))
        except (msgspec.ValidationError, OverflowError, ArithmeticError, msgspec.DecodeError):
            raise Problem(422, "the request has invalid values", "invalid", errors=self._all_errors(plain, error)) from None

    def _values(self, found: Any, prefix: str) -> Decoded:
        values: dict[str, Any] = {}
        errors: list[FieldError] = []
        absent: list[str] = []
        for name, attribute, rule, check, default in self._plan:
            value = getattr(found, attribute)
            if value is msgspec.UNSET:
                absent.append(name)
                if default is not None:
                    values[name] = default()
            elif rule is None or (value is not None and rule(value) is not None):
                values[name], problems = check(value)
                errors.extend(FieldError(f"{prefix}{name}{path}", code, message) for path, code, message in problems)
            else:
                values[name] = value
        if errors:
            raise Problem(422, "the request has invalid values", "invalid", errors=tuple(errors))
        return Decoded(values, self._complete.difference(absent) if absent else self._complete)

    def _all_errors(self, document: Any, error: Exception) -> tuple[FieldError, ...]:
        """Every field of the body that is wrong, since the decoder stops at the first."""
        if self._shape.many or not isinstance(document, dict):
            return (field_error(str(error)),)
        found: list[FieldError] = []
        for name in document:
            if name not in self._types:
                near = suggest(name[:100], self._types)
                more = f"; did you mean '{near}'?" if near else ""
                found.append(FieldError(name, "unknown_field", "is not a field of this request" + more))
        for field in self._fields:
            if field.name not in document:
                if field.required:
                    found.append(FieldError(field.name, "required", "is missing"))
                continue
            found.extend(self._one_error(field, document[field.name]))
        return tuple(found) or (field_error(str(error)),)

    def _one_error(self, field: InputField, value: Any) -> list[FieldError]:
        if value is None:
            return [] if field.nullable else [FieldError(field.name, "required", "must not be null")]
        try:
            converted = msgspec.json.decode(msgspec.json.encode(value), type=self._types[field.name])
        except (msgspec.ValidationError, OverflowError, ArithmeticError, ValueError) as error:
            return [field_error(str(error), field.name)]
        check = next(check for known, check in self._checks if known is field)
        return [FieldError(field.name + path, code, message) for path, code, message in check(converted)[1]]


_Problems = list[tuple[str, str, str]]
_ValueCheck = Callable[[Any], tuple[Any, _Problems]]


class ShapeTypes:
    """Python types for the types of the program, each made once.

    :param default: makes what computes the default of a field
    """

    def __init__(self, application: Application, default: Callable[[InputField], Callable[[], Any]]) -> None:
        self._default = default
        self._shapes = {shape.name: shape for shape in application.shapes}
        self._keys = {entity.name: entity.primary_field.type for entity in application.entities}
        self._structs: dict[str, Any] = {}
        self._making: set[str] = set()  # a type within itself is decoded when its turn comes
        self._conversions: dict[str, _ValueCheck] = {}

    def of(self, type_: t.Type) -> Any:
        """The Python type that msgspec decodes a value into."""
        if isinstance(type_, t.Optional):
            return Union[self.of(type_.item), None]  # types made at run time
        if isinstance(type_, t.Ref | t.Row):
            return self.of(self._keys[type_.entity])
        if isinstance(type_, t.List):
            return list[self.of(type_.item)]  # type: ignore[misc]  # made at run time
        if isinstance(type_, t.Map):
            return dict[str, self.of(type_.value)]  # type: ignore[misc]  # made at run time
        if isinstance(type_, t.Enum):
            return Literal[type_.members]
        if isinstance(type_, t.Record):
            return self.record(type_)
        return _PYTHON.get(type(type_), Any)

    def record(self, type_: t.Record) -> Any:
        """The class of a record type."""
        shape = self._shapes.get(type_.name)
        if shape is None:
            fields = tuple(
                InputField(name=f.name, type=t.required(f.type), required=f.required, nullable=t.is_nullable(f.type)) for f in type_.fields
            )
            shape = Shape(name=type_.name, fields=fields)
        return self.struct(shape)

    def struct(self, shape: Shape) -> Any:
        """The class of a shape; unknown fields are refused."""
        if shape.open:
            return Any
        if shape.name and shape.name in self._structs and self._shapes.get(shape.name) == shape:
            return self._structs[shape.name]
        if shape.name and shape.name in self._making:
            return Any
        self._making.add(shape.name)
        made = msgspec.defstruct(
            shape.name or "Body",
            [self._definition(field) for field in shape.fields],
            forbid_unknown_fields=True,
            kw_only=True,
            rename={_attribute(field.name): field.name for field in shape.fields},
        )
        self._making.discard(shape.name)
        if shape.name:
            self._structs[shape.name] = made
        return made

    def _definition(self, field: InputField) -> Any:
        type_ = self.of(field.type)
        if field.nullable:
            type_ = Union[type_, None]  # types made at run time
        if field.required:
            return (_attribute(field.name), type_)
        return (_attribute(field.name), Union[type_, msgspec.UnsetType], msgspec.UNSET)  # as above

    def scalar(self, type_: t.Type) -> bool:
        """Whether values of the type have no parts."""
        return not isinstance(t.required(type_), t.Record | t.List | t.Map | t.Json)

    def rule(self, type_: t.Type, constraints: Constraints) -> Check | None:
        """The rule of values that are taken as they are decoded; None for types that need a conversion."""
        plain = t.required(type_)
        if isinstance(plain, t.Ref | t.Row):
            plain = self._keys[plain.entity]
        kinds = t.Record | t.List | t.Duration | t.Timestamp
        converted = isinstance(plain, kinds) or (isinstance(plain, t.Decimal) and plain.precision is not None)
        return None if converted else check_of(plain, constraints)

    def check(self, type_: t.Type, constraints: Constraints) -> _ValueCheck:
        """Turns a decoded value into the value form and says what is wrong with it (path, code, message)."""
        plain = t.required(type_)
        if isinstance(plain, t.Ref | t.Row):
            plain = self._keys[plain.entity]
        convert = self._conversion(plain)
        rule = check_of(plain, constraints)

        def check(value: Any) -> tuple[Any, _Problems]:
            if value is None:
                return None, []
            value, problems = convert(value)
            if problems:
                return value, problems
            found = rule(value)
            return value, [("", *found)] if found is not None else []

        return check

    def _conversion(self, type_: t.Type) -> _ValueCheck:
        if isinstance(type_, t.Record):
            return self._conversion_of_record(type_)
        if isinstance(type_, t.List):
            inner = self.check(type_.item, Constraints())
            return lambda values: _each(values, inner)
        if isinstance(type_, t.Duration):
            return _duration
        if isinstance(type_, t.Timestamp):
            return _timestamp
        if isinstance(type_, t.Decimal) and type_.precision is not None:
            return lambda value: (rounded(value, type_.scale or 0) if value.is_finite() else value, [])
        return lambda value: (value, [])

    def _conversion_of_record(self, type_: t.Record) -> _ValueCheck:
        name = type_.name
        if name not in self._shapes:
            return self._record_conversion(type_)
        if name not in self._conversions:
            self._conversions[name] = lambda value: self._conversions[name](value)  # noqa: PLW0108  # a type within itself
            self._conversions[name] = self._record_conversion(type_)
        return self._conversions[name]

    def _decoded(self, type_: t.Record, value: Any) -> tuple[Any, _Problems]:
        """A record within one of its own type, which the decoder has left as it was."""
        try:
            return msgspec.convert(value, self.record(type_)), []
        except (msgspec.ValidationError, OverflowError, ArithmeticError, ValueError) as error:
            found = field_error(str(error))
            return value, [(f".{found.field}" if found.field else "", found.code, found.message)]

    def _record_conversion(self, type_: t.Record) -> _ValueCheck:
        shape = self._shapes.get(type_.name)
        if shape is not None:
            fields = [(field.name, self.check(field.type, field.constraints)) for field in shape.fields]
        else:
            fields = [(field.name, self.check(field.type, Constraints())) for field in type_.fields]
        defaults = {field.name: self._default(field) for field in shape.fields if field.default is not None} if shape is not None else {}

        def convert(found: Any) -> tuple[Any, _Problems]:
            values: dict[str, Any] = {}
            problems: _Problems = []
            if not isinstance(found, msgspec.Struct):
                found, problems = self._decoded(type_, found)
                if problems:
                    return found, problems
            for name, check in fields:
                value = getattr(found, _attribute(name))
                if value is not msgspec.UNSET:
                    values[name], wrong = check(value)
                    problems.extend((f".{name}{path}", code, message) for path, code, message in wrong)
                elif name in defaults:
                    values[name] = defaults[name]()
            return values, problems

        return convert


def _each(values: list[Any], inner: _ValueCheck) -> tuple[Any, _Problems]:
    found: list[Any] = []
    problems: _Problems = []
    for at, value in enumerate(values):
        converted, wrong = inner(value)
        found.append(converted)
        problems.extend((f".{at}{path}", code, message) for path, code, message in wrong)
    return found, problems


def _duration(value: str) -> tuple[Any, _Problems]:
    milliseconds = duration_milliseconds(value)
    try:
        if milliseconds is not None:
            return datetime.timedelta(milliseconds=milliseconds), []
        return msgspec.convert(value, datetime.timedelta), []
    except (msgspec.ValidationError, OverflowError):
        return value, [("", "not_duration", "must be a duration, as in 1h30m or PT1H30M")]


def _timestamp(value: datetime.datetime) -> tuple[Any, _Problems]:
    try:
        return value.astimezone(datetime.UTC), []
    except OverflowError:
        return value, [("", "out_of_range", "must lie between the years 1 and 9999 in UTC")]


_PYTHON: Final[Mapping[type[t.Type], Any]] = {
    t.Uuid: UUID,
    t.String: str,
    t.Text: str,
    t.Email: str,
    t.Url: str,
    t.Int: int,
    t.Float: float,
    t.Decimal: Decimal,
    t.Bool: bool,
    t.Timestamp: _TIMESTAMP,
    t.Date: datetime.date,
    t.Time: datetime.time,
    t.Duration: str,
    t.Bytes: bytes,
    t.Json: Any,
}


def _attribute(name: str) -> str:
    """The Python attribute of a field: any name is a field in the program, not so in Python."""
    return "f_" + name.replace("-", "_dash_")


def field_error(message: str, prefix: str = "") -> FieldError:
    """What msgspec says of a document, in the words of the language; ``prefix`` is where the document stands."""
    text, _, path = message.partition(" - at `$")
    path = re.sub(r"\[(\d+)\]", r".\1", path.rstrip("`")).replace("[...]", "").lstrip(".")
    field = ".".join(part for part in (prefix, path) if part)
    missing = re.match(r"Object missing required field `(.*)`", text)
    unknown = re.match(r"Object contains unknown field `(.*)`", text)
    if missing or unknown:
        name = (missing or unknown).group(1)  # type: ignore[union-attr]  # one of them matched
        return FieldError(
            ".".join(filter(None, (field, name))),
            "required" if missing else "unknown_field",
            "is missing" if missing else "is not a field of this request",
        )
    if text == "Number out of range":
        return FieldError(field, "out_of_range", "is a number beyond every range")
    text = re.sub(r"`str\b", "`string", text)  # Python's word, which callers need not know
    return FieldError(field, "wrong_type", text[:1].lower() + text[1:].replace("`", "'"))
