"""Rules of the members of record types, for values that the program itself has made: what is stored, emitted and sent.

What clients send is checked where it is decoded (``http.shapes``), with the same rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from codeai.language import types as t
from codeai.model.endpoint import InputField, Shape
from codeai.model.validation import check_of, rules_of

Problem = tuple[str, str, str]  # the path behind the value (``.street``), code, message
Look = Callable[[Any], Iterator[Problem]]
_OTHER_FORM = (TypeError, AttributeError, ValueError, ArithmeticError)  # a value in another form than its check knows


class RecordRules:
    """The rules of all record types of a program, by their names.

    :param shapes: the declared types, with the constraints of their members
    """

    def __init__(self, shapes: Iterable[Shape] = ()) -> None:
        self._shapes = {shape.name: shape for shape in shapes}
        self._known: dict[str, Look] = {}

    def of(self, type_: t.Type) -> Look | None:
        """What is wrong with records in values of a type; None where it holds no records."""
        plain = t.required(type_)
        if isinstance(plain, t.List):
            item = self.of(plain.item)
            return None if item is None else _items(item)
        if isinstance(plain, t.Map):
            value = self.of(plain.value)
            return None if value is None else _values(value)
        return self._of_name(plain.name) if isinstance(plain, t.Record) and plain.name in self._shapes else None

    def _of_name(self, name: str) -> Look:
        """A type may hold itself, so that its rules are looked up when a value comes."""

        def look(value: Any) -> Iterator[Problem]:
            if name not in self._known:
                self._known[name] = self._record(self._shapes[name])
            return self._known[name](value)

        return look

    def _record(self, shape: Shape) -> Look:
        members = [(field, _rule(field), self.of(field.type)) for field in shape.fields]

        def look(value: Any) -> Iterator[Problem]:
            if not isinstance(value, Mapping):
                return
            for field, rule, within in members:
                part = value.get(field.name)
                if part is None:
                    if not field.nullable and (field.required or field.name in value):
                        yield f".{field.name}", "required", "must have a value"
                    continue
                if (found := rule(part)) is not None:
                    yield f".{field.name}", *found
                elif within is not None:
                    yield from ((f".{field.name}{path}", code, said) for path, code, said in within(part))

        return look


NO_RULES: Final = RecordRules()


def _rule(field: InputField) -> Callable[[Any], tuple[str, str] | None]:
    if not rules_of(field.type, field.constraints):
        return lambda value: None
    check = check_of(field.type, field.constraints)

    def rule(value: Any) -> tuple[str, str] | None:
        try:
            return check(value)
        except _OTHER_FORM:
            return None

    return rule


def _items(item: Look) -> Look:
    def look(value: Any) -> Iterator[Problem]:
        for at, part in enumerate(value if isinstance(value, list | tuple) else ()):
            yield from ((f".{at}{path}", code, said) for path, code, said in item(part))

    return look


def _values(inner: Look) -> Look:
    def look(value: Any) -> Iterator[Problem]:
        for name, part in value.items() if isinstance(value, Mapping) else ():
            yield from ((f".{name}{path}", code, said) for path, code, said in inner(part))

    return look
