"""Computed fields that depend on themselves, also through other entities and the functions that they call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from codeai.analysis.circles import circles, shown
from codeai.analysis.reporter import Reporter
from codeai.analysis.symbols import Symbols
from codeai.language import types as t
from codeai.model import expression as ir
from codeai.model.application import Function
from codeai.model.entity import Entity
from codeai.model.storing import parts


def report_circular(entities: Iterable[Entity], functions: Iterable[Function], symbols: Symbols, report: Reporter) -> None:
    """Reports each circle at the first computed field of it: reading such a field would never end."""
    bodies = {function.name: function.body for function in functions}
    places = {f"{entity.name}.{field.name}": (entity.name, field.name) for entity in entities for field in entity.computed}
    uses = {f"{entity.name}.{field.name}": _used(field.value) for entity in entities for field in entity.computed}
    waiting = list(uses)
    while waiting:
        for name in uses[waiting.pop()]:
            if name not in uses and name in bodies:
                uses[name] = _used(bodies[name])
                waiting.append(name)
    for circle in circles(uses):
        first = next((at for at, name in enumerate(circle) if name in places), None)
        if first is not None:
            circle = [*circle[first:], *circle[:first]]
            entity, field = places[circle[0]]
            said = f"computed field '{field}' depends on itself{shown(_labels(circle, places))}"
            report.error(symbols.entities[entity].places[field].name, said, "CAI0211", help_text="store one of them")


def _used(value: object) -> dict[str, None]:
    """The computed fields (``Entity.field``) and functions that a part of the model reads and calls, each once."""
    found: dict[str, None] = {}
    for part in parts(value):
        if isinstance(part, ir.ComputedValue):
            row = t.required(part.row.type)
            if isinstance(row, t.Row):
                found[f"{row.entity}.{part.field}"] = None
        elif isinstance(part, ir.CallFunction):
            found[part.function] = None
    return found


def _labels(circle: list[str], places: Mapping[str, tuple[str, str]]) -> list[str]:
    """Fields alone where all are of one entity."""
    several = len({places[name][0] for name in circle if name in places}) > 1
    return [name if several or name not in places else places[name][1] for name in circle]
