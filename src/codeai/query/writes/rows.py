"""The values of a row that is about to be written."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final
from uuid import UUID

import msgspec

from codeai.language import types as t
from codeai.model import expression as ir
from codeai.model.entity import Entity, Field
from codeai.model.identifiers import new_uuid
from codeai.model.record_rules import Look
from codeai.model.validation import Check, InvalidFields, check_of, rules_of, stored
from codeai.query.compiler import Model
from codeai.query.errors import NotAllowed
from codeai.query.inputs import Inputs

_NOW: Final = ir.Call(type=t.Timestamp(), function="now", arguments=())
_SYSTEM: Final = ir.CurrentUser(type=t.Bool(), attribute="is_system")
_TENANT: Final = ir.CurrentUser(type=t.optional(t.String()), attribute="tenant")
Values = Sequence[Any]
Row = dict[str, Any]


class _Column(msgspec.Struct, frozen=True):
    """How one field gets its value: ``kept`` brings a given one into the form of the column, ``made`` is for an absent one.

    ``within`` looks at the members of records.
    """

    kept: Callable[[Any], Any] | None
    made: Callable[[Values], Any]
    check: Check | None
    needed: bool
    within: Look | None


def _nothing(values: Values) -> None:
    return None


def _kept(name: str, type_: t.Type, key: str | None) -> Callable[[Any], Any] | None:
    """What brings a value into the form of its column; None where it is in that form already. A row stands for its ``key``."""
    inner: Callable[[Any], Any] | None = None
    if isinstance(type_, t.Uuid):
        inner = lambda value: _uuid(name, value) if isinstance(value, str) else value  # noqa: E731  # one line says it
    elif isinstance(type_, t.Decimal):
        inner = lambda value: stored(value, type_)  # noqa: E731  # as above
    if key is None:
        return inner

    def of_row(value: Any) -> Any:
        value = value.get(key) if isinstance(value, Mapping) else value
        return value if inner is None else inner(value)

    return of_row


def _uuid(name: str, text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidFields(((name, "wrong_value", "must be a uuid"),)) from None


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
        self._columns = {field.name: self._column(model, field) for field in entity.fields}
        self._all = tuple((name, column.kept, column.made) for name, column in self._columns.items())

    def _column(self, model: Model, field: Field) -> _Column:
        type_ = model.plain(field.stored_type)
        key = model.entity(field.type.entity).primary if isinstance(field.type, t.Ref) else None
        needed = not field.nullable and not (field.auto and isinstance(field.type, t.Int))
        check = check_of(type_, field.constraints) if rules_of(type_, field.constraints) else None
        return _Column(_kept(field.name, type_, key), self._maker(field), check, needed, model.records.of(field.type))

    def created(self, values: Values, given: Mapping[str, Any]) -> Row:
        """A whole new row.

        :param given: the values that the program or the client sets, by field
        :raises InvalidFields: values break the rules of their fields
        """
        row: Row = {}
        for name, kept, made in self._all:
            if name not in given:
                row[name] = made(values)
            else:
                row[name] = given[name] if kept is None else kept(given[name])
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

    def _maker(self, field: Field) -> Callable[[Values], Any]:
        """What a field gets that nobody gave."""
        if not (field.auto or field.auto_update):
            slot = self._defaults.get(field.name)
            return _nothing if slot is None else itemgetter(slot)
        if isinstance(field.type, t.Uuid):
            return lambda values: new_uuid()
        return _nothing if isinstance(field.type, t.Int) else lambda values: self._moment(field, values)

    def _moment(self, field: Field, values: Values) -> Any:
        now: datetime.datetime = values[self._now]
        return now.date() if isinstance(field.type, t.Date) else now

    def plain(self, name: str, value: Any) -> Any:
        """A value as its column keeps it; a row stands for its key."""
        column = self._columns.get(name)
        return value if column is None or column.kept is None else column.kept(value)

    def _own_tenant(self, row: Row, values: Values) -> None:
        name = self.entity.tenant_field
        if name is None or values[self._system] is True:
            return
        tenant = values[self._tenant]
        if tenant is None and self._columns[name].needed:
            raise NotAllowed(
                "create", self.entity.name, hint="it belongs to a tenant, and you to none: your token has no claim that names one"
            )
        row[name] = self.plain(name, tenant)

    def _checked(self, row: Row) -> Row:
        errors: list[tuple[str, str, str]] = []
        for name, value in row.items():
            column = self._columns[name]
            if value is None:
                if column.needed:
                    errors.append((name, "required", "must have a value"))
                continue
            if column.check is not None and (found := column.check(value)) is not None:
                errors.append((name, *found))
            elif column.within is not None:
                errors.extend((name + path, code, said) for path, code, said in column.within(value))
        if errors:
            raise InvalidFields(tuple(errors))
        return row


def picker(names: Sequence[str]) -> Callable[[Row], tuple[Any, ...]]:
    """A function that gives the values of these fields of a row, in order."""
    if len(names) == 1:
        only = names[0]
        return lambda row: (row[only],)
    return itemgetter(*names) if names else lambda row: ()


class Given:
    """The values that a program gives to a row: entries, and the members of a record that name fields.

    :param new: the row is made, so that a key which nobody generates may be among them
    """

    def __init__(
        self, maker: RowMaker, inputs: Inputs, entries: tuple[ir.Entry, ...], source: ir.Expression | None, *, new: bool = False
    ) -> None:
        self._slots = [(entry.name, inputs.slot(entry.value)) for entry in entries]
        self._source = inputs.slot(source) if source is not None else -1
        self._allowed = frozenset(
            field.name for field in maker.entity.fields if not (field.generated or field.read_only or (field.primary and not new))
        )

    def of(self, values: Values) -> Row:
        """The values by field; those of entries win."""
        found: Row = {}
        if self._source >= 0 and values[self._source] is not None:
            found = {name: value for name, value in values[self._source].items() if name in self._allowed}
        for name, slot in self._slots:
            found[name] = values[slot]
        return found
