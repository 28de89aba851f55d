"""The values of a row that is about to be written."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from codeai.language import types as t
from codeai.model import expression as ir
from codeai.model.entity import Entity, Field
from codeai.model.identifiers import new_uuid
from codeai.model.validation import InvalidFields, check_of, stored
from codeai.query.compiler import Model
from codeai.query.inputs import Inputs

_NOW: Final = ir.Call(type=t.Timestamp(), function="now", arguments=())
_SYSTEM: Final = ir.CurrentUser(type=t.Bool(), attribute="is_system")
_TENANT: Final = ir.CurrentUser(type=t.optional(t.String()), attribute="tenant")
Values = Sequence[Any]
Row = dict[str, Any]


class RowMaker:
    """Makes the values of new and changed rows of one entity.

    :param inputs: takes in what the host has to evaluate: the time, defaults, the tenant
    """

    def __init__(self, model: Model, entity: Entity, inputs: Inputs) -> None:
        self.entity = entity
        self._now = inputs.slot(_NOW)
        self._tenant = inputs.slot(_TENANT) if entity.tenant_field else -1
        self._system = inputs.slot(_SYSTEM) if entity.tenant_field else -1
        self._defaults = {field.name: inputs.slot(field.default) for field in entity.fields if field.default is not None}
        self._checks = {field.name: check_of(model.plain(field.stored_type), field.constraints) for field in entity.fields}
        self._types = {field.name: model.plain(field.stored_type) for field in entity.fields}
        self._keys = {field.name: model.entity(field.type.entity).primary for field in entity.fields if isinstance(field.type, t.Ref)}

    def created(self, values: Values, given: Mapping[str, Any]) -> Row:
        """A whole new row.

        :param given: the values that the program or the client sets, by field
        :raises InvalidFields: values break the rules of their fields
        """
        row: Row = {}
        for field in self.entity.fields:
            if field.name in given:
                row[field.name] = self.plain(field.name, given[field.name])
            else:
                row[field.name] = self._made(field, values)
        self._own_tenant(row, values)
        return self._checked(row)

    def changed(self, values: Values, given: Mapping[str, Any]) -> Row:
        """The fields of a row that change."""
        row: Row = {name: self.plain(name, value) for name, value in given.items()}
        for field in self.entity.fields:
            if field.auto_update:
                row[field.name] = self._moment(field, values)
        if self.entity.tenant_field in row and values[self._system] is not True:
            raise InvalidFields(((self.entity.tenant_field or "", "read_only", "is set by the server"),))
        return self._checked(row)

    def deleted(self, values: Values) -> Row:
        """The field that marks a row as deleted, with the time."""
        field = self.entity.soft_delete_field
        return {} if field is None else {field.name: values[self._now]}

    def default(self, field: Field, values: Values) -> Any:
        """The value of a field that nobody gave."""
        slot = self._defaults.get(field.name)
        return None if slot is None else values[slot]

    def _made(self, field: Field, values: Values) -> Any:
        if field.auto or field.auto_update:
            if isinstance(field.type, t.Uuid):
                return new_uuid()
            return None if isinstance(field.type, t.Int) else self._moment(field, values)
        return self.default(field, values)

    def _moment(self, field: Field, values: Values) -> Any:
        now: datetime.datetime = values[self._now]
        return now.date() if isinstance(field.type, t.Date) else now

    def plain(self, name: str, value: Any) -> Any:
        """A value as its column keeps it; a row stands for its key."""
        if isinstance(value, Mapping) and name in self._keys:
            value = value.get(self._keys[name])
        type_ = self._types.get(name)
        if isinstance(type_, t.Uuid) and isinstance(value, str):
            try:
                return UUID(value)
            except ValueError:
                raise InvalidFields(((name, "wrong_value", "must be a uuid"),)) from None
        return stored(value, type_) if type_ is not None else value

    def _own_tenant(self, row: Row, values: Values) -> None:
        name = self.entity.tenant_field
        if name is None or values[self._system] is True:
            return
        row[name] = self.plain(name, values[self._tenant])

    def _checked(self, row: Row) -> Row:
        errors: list[tuple[str, str, str]] = []
        for name, value in row.items():
            field = self.entity.field(name)
            assert field is not None
            if value is None:
                if not field.nullable and not (field.auto and isinstance(field.type, t.Int)):
                    errors.append((name, "required", "must have a value"))
                continue
            found = self._checks[name](value)
            if found is not None:
                errors.append((name, *found))
        if errors:
            raise InvalidFields(tuple(errors))
        return row


class Given:
    """The values that a program gives to a row: entries, and the members of a record that name fields."""

    def __init__(self, maker: RowMaker, inputs: Inputs, entries: tuple[ir.Entry, ...], source: ir.Expression | None) -> None:
        self._slots = [(entry.name, inputs.slot(entry.value)) for entry in entries]
        self._source = inputs.slot(source) if source is not None else -1
        self._allowed = frozenset(field.name for field in maker.entity.fields if not (field.primary or field.generated or field.read_only))

    def of(self, values: Values) -> Row:
        """The values by field; those of entries win."""
        found: Row = {}
        if self._source >= 0 and values[self._source] is not None:
            found = {name: value for name, value in values[self._source].items() if name in self._allowed}
        for name, slot in self._slots:
            found[name] = values[slot]
        return found
