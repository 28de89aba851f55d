"""JSON as records of declared types: a record has the members of its type, with their defaults, and no others.

As a field of an entity, a member that is required or has a default is never null: a null that was sent is no absent member.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from codeai.evaluate.context import Context
from codeai.evaluate.operations import FAILURES, as_list, as_map, converter
from codeai.language import types as t

Fit = Callable[[Any, Context], Any]
Defaults = Callable[[str], Mapping[str, Callable[[Context], Any]]]


class Misfit(ValueError):
    """A member that is not what its type says.

    :param path: the member, from the record on
    :param said: what is wrong with it
    """

    def __init__(self, path: str, said: str) -> None:
        super().__init__(f"'{path}' {said}")
        self.path = path
        self.said = said


def holds_records(type_: t.Type) -> bool:
    """Whether values of the type are records, or lists and maps of them."""
    plain = t.required(type_)
    if isinstance(plain, t.List):
        return holds_records(plain.item)
    return holds_records(plain.value) if isinstance(plain, t.Map) else isinstance(plain, t.Record)


def fitting(type_: t.Type, defaults: Defaults) -> Fit:
    """What makes a value of the type of JSON.

    :param defaults: what makes the members of a record type that were not given, by its name
    :returns: a function of the JSON and the context; it raises ValueError (or a kin) for what does not fit
    """
    plain = t.required(type_)
    if isinstance(plain, t.Record) and plain.fields:  # of a type within itself the name only is known
        return _record(plain, defaults)
    if isinstance(plain, t.List) and holds_records(plain):
        item = fitting(plain.item, defaults)
        return lambda value, context: [None if part is None else item(part, context) for part in as_list(value)]
    if isinstance(plain, t.Map) and holds_records(plain):
        member = fitting(plain.value, defaults)
        return lambda value, context: {name: None if part is None else member(part, context) for name, part in as_map(value).items()}
    convert = converter(plain)
    return lambda value, _: convert(value)


def _record(type_: t.Record, defaults: Defaults) -> Fit:
    absent = defaults(type_.name)
    types = {field.name: t.required(field.type) for field in type_.fields}
    fields = [
        (field.name, fitting(field.type, defaults), (field.required or field.name in absent) and not t.is_nullable(field.type))
        for field in type_.fields
    ]

    def fit(value: Any, context: Context) -> dict[str, Any]:
        given = as_map(value)
        found: dict[str, Any] = {}
        for name, member, never_null in fields:
            part = given.get(name)
            if part is not None:
                try:
                    found[name] = member(part, context)
                except Misfit as error:
                    raise Misfit(f"{name}.{error.path}", error.said) from None
                except FAILURES:
                    raise Misfit(name, f"is no {types[name]}") from None
            elif name not in given and name in absent:
                found[name] = absent[name](context)
            elif never_null:
                raise Misfit(name, "must not be null" if name in given else "is missing")
            elif name in given:
                found[name] = None
        return found

    return fit
