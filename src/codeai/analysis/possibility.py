"""Records and rows that nobody could ever make, since each needs another one of its own kind first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from codeai.analysis.circles import circles
from codeai.analysis.literals import default_of
from codeai.analysis.reporter import Reporter
from codeai.analysis.symbols import Symbols
from codeai.language.tree import declarations as d
from codeai.language.tree import expressions as ex
from codeai.language.tree import types as ty
from codeai.language.tree.node import Node

_Needs = dict[str, Node]


def report_impossible(symbols: Symbols, report: Reporter) -> None:
    """Reports each circle of types, and of entities, that require one another, at the first field of it."""
    records = {name: dict(_records(fields, symbols)) for name, fields in symbols.record_fields.items()}
    _report("type", records, report, "make one of the fields optional, or a list")
    rows = {name: dict(_rows(name, symbols)) for name in symbols.entities}
    _report("entity", rows, report, "make one of the fields optional, and set it when both rows are there")


def _report(what: str, needs: Mapping[str, _Needs], report: Reporter, advice: str) -> None:
    for circle in circles(needs):
        way = " → ".join([*circle, circle[0]])
        said = f"{what} '{circle[0]}' needs one of its own kind before there is any: {way}"
        report.error(needs[circle[0]][circle[1 % len(circle)]], said, "CAI0215", help_text=advice)


def _records(fields: Sequence[Node], symbols: Symbols) -> Iterator[tuple[str, Node]]:
    """The types that a value must hold one of, each with the field that says so; those in inline records, too."""
    for field in fields:
        if isinstance(field, d.FieldDeclaration) and _needed(field):
            if isinstance(field.type, ty.RecordType):
                yield from _records(field.type.fields, symbols)
            elif isinstance(field.type, ty.NamedType) and field.type.name.text in symbols.record_fields:
                yield field.type.name.text, field.name


def _needed(field: d.FieldDeclaration) -> bool:
    """Whether there is one in each value; a record as default is filled up as one that is given."""
    default = default_of(field)
    return isinstance(default, ex.MapLiteral) or (default is None and any(modifier.name.text == "required" for modifier in field.modifiers))


def _rows(name: str, symbols: Symbols) -> Iterator[tuple[str, Node]]:
    """The entities that a row must refer to one of. A row whose key its author chooses may refer to itself."""
    entity = symbols.entities[name]
    for relation in entity.relations.values():
        place = entity.places.get(relation.field)
        if relation.kind == "one" and place is not None and _needed(place) and not (relation.entity == name and not _made(name, symbols)):
            yield relation.entity, place.name


def _made(name: str, symbols: Symbols) -> bool:
    """Whether the server makes the key of an entity."""
    entity = symbols.entities[name]
    place = entity.places.get(entity.primary)
    return place is not None and any(modifier.name.text == "auto" for modifier in place.modifiers)
