"""Payloads: checked against their schema when an event is emitted, written as JSON, read back as values."""

from __future__ import annotations

import base64
import datetime
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from codeai.evaluate.operations import converter
from codeai.language import types as t
from codeai.model.event import Event
from codeai.model.record_rules import RecordRules
from codeai.model.validation import InvalidFields, check_of, stored
from codeai.storage.codecs import decode_json, encode_json

Plain = Callable[[t.Type], t.Type]
Default = Callable[[], Any]


class UnreadablePayload(ValueError):
    """An event was emitted with another payload than the one that the program declares by now."""

    def __init__(self, event: str) -> None:
        super().__init__(f"the payload does not fit event '{event}' as this version of the program declares it")


class PayloadSchema:
    """The payload of one event.

    :param plain: a type with references as the type of their key
    :param key_of: the primary field of an entity, for rows that stand where a reference is expected
    :param defaults: the value of a field that nobody gave, by field
    :param records: the rules of record types
    """

    def __init__(
        self, event: Event, plain: Plain, key_of: Callable[[str], str], defaults: Mapping[str, Default], records: RecordRules
    ) -> None:
        self._name = event.name
        self._fields = event.fields
        self._defaults = defaults
        self._types = {field.name: plain(field.type) for field in event.fields}
        self._keys = {field.name: key_of(field.type.entity) for field in event.fields if isinstance(field.type, t.Ref | t.Row)}
        self._checks = {field.name: check_of(self._types[field.name], field.constraints) for field in event.fields}
        self._within = {field.name: look for field in event.fields if (look := records.of(field.type)) is not None}
        self._readers = {field.name: value_reader(self._types[field.name], plain) for field in event.fields}

    def checked(self, payload: object) -> dict[str, Any]:
        """The payload as it is kept; what is not declared is left out.

        :raises InvalidFields: a value is missing or breaks the rules of its field
        """
        given = payload if isinstance(payload, Mapping) else {}
        found: dict[str, Any] = {}
        errors: list[tuple[str, str, str]] = []
        for field in self._fields:
            name = field.name
            value = given.get(name)
            if value is None and name not in given and name in self._defaults:
                value = self._defaults[name]()
            if isinstance(value, Mapping) and name in self._keys:
                value = value.get(self._keys[name])
            value = stored(value, self._types[name])
            if value is None:
                if field.required or not field.nullable:
                    errors.append((f"{self._name}.{name}", "required", "must have a value"))
            elif (wrong := self._checks[name](value)) is not None:
                errors.append((f"{self._name}.{name}", *wrong))
            elif name in self._within:
                errors.extend((f"{self._name}.{name}{path}", code, said) for path, code, said in self._within[name](value))
            found[name] = value
        if errors:
            raise InvalidFields(tuple(errors))
        return found

    def encoded(self, payload: Mapping[str, Any]) -> str:
        """The JSON text of a checked payload."""
        return encode_json(payload)

    def decoded(self, text: str) -> dict[str, Any]:
        """The values of a payload; fields that the program does not know any more are left out, new ones are null.

        :raises UnreadablePayload: a field has another type by now
        """
        try:
            found = decode_json(text)
            return {name: None if found.get(name) is None else read(found[name]) for name, read in self._readers.items()}
        except Exception as error:  # whatever the readers of all types say
            raise UnreadablePayload(self._name) from error


def value_reader(type_: t.Type, plain: Plain = t.required) -> Callable[[Any], Any]:
    """From a decoded JSON value to the value form of a type."""
    type_ = plain(t.required(type_))
    if isinstance(type_, t.Duration):
        return lambda value: msgspec.convert(value, datetime.timedelta)
    if isinstance(type_, t.Bytes):
        return base64.b64decode
    if isinstance(type_, t.Record) and type_.fields:
        fields = {field.name: value_reader(field.type, plain) for field in type_.fields}
        return lambda value: {name: None if value.get(name) is None else read(value[name]) for name, read in fields.items()}
    if isinstance(type_, t.List):
        item = value_reader(type_.item, plain)
        return lambda values: [None if value is None else item(value) for value in values]
    if isinstance(type_, t.Map):
        inner = value_reader(type_.value, plain)
        return lambda values: {name: None if value is None else inner(value) for name, value in values.items()}
    if isinstance(type_, t.Json | t.Unknown | t.Record):  # of a type within itself the name only is known
        return _same
    return converter(type_)


def _same(value: Any) -> Any:
    return value
