"""Rows that a field should hold, as object mappers let them: ``author: User``, ``posts: list(Post)``. Fields refer to rows."""

from __future__ import annotations

import msgspec

from codeai.analysis.reporter import Reporter
from codeai.analysis.symbols import EntitySymbol, Symbols
from codeai.language import types as t
from codeai.language.diagnostics import Edit
from codeai.language.tree import types as ty
from codeai.language.tree.node import Reference


def report_held(symbols: Symbols, report: Reporter) -> None:
    """Reports the fields of entities whose values would be rows, with the reference that is meant; their types are not known then."""
    for entity in symbols.entities.values():
        for name, field in list(entity.fields.items()):
            held = _held(field.type)
            if held is not None:
                entity.fields[name] = msgspec.structs.replace(field, type=t.Unknown())
                _report(entity, name, symbols.entities[held], report, several=not isinstance(field.type, t.Row))


def _held(type_: t.Type) -> str | None:
    inside = type_.item if isinstance(type_, t.List) else type_.value if isinstance(type_, t.Map) else type_
    return row.entity if isinstance(row := t.required(inside), t.Row) else None


def _report(entity: EntitySymbol, name: str, other: EntitySymbol, report: Reporter, *, several: bool) -> None:
    place, back = entity.places[name].type, _back(other, entity.name)
    one, many = f"ref({other.name})", f"many({other.name}.{back})"
    if several and back:
        said, advice, meant = f"rows of '{other.name}' are not stored in a field", f"write {many}", many
    elif several:
        said, meant = f"rows of '{other.name}' are not stored in a field", ""
        advice = f"add a field of type ref({entity.name}) to '{other.name}', and name it here: many({other.name}.…)"
    else:
        said, meant = f"type '{other.name}' is no type of a field", "" if back else one
        advice = f"write {one}, or {many} for the rows that refer to this one" if back else f"write {one}"
    edits = (Edit(place.start, place.end, meant),) if meant else ()
    report.error(place, said, "CAI0208", help_text=advice, edits=edits)


def _back(other: EntitySymbol, entity: str) -> str:
    """The first field of another entity that leads to this one, be it as it must be written or as object mappers write it."""
    return next((name for name, node in other.places.items() if _leads_to(node.type, entity)), "")


def _leads_to(type_: ty.TypeExpression, entity: str) -> bool:
    if isinstance(type_, ty.OptionalType):
        return _leads_to(type_.item, entity)
    if not isinstance(type_, ty.NamedType):
        return False
    named = [argument.text for argument in type_.arguments if isinstance(argument, Reference)]
    return type_.name.text == entity or (type_.name.text == "ref" and named == [entity])
