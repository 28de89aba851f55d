"""Shapes that older endpoints name without declaring them: ``CreateUser``, ``UserList`` … are derived from the entity ``User``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from codeai.language.suggestions import suggest
from codeai.language.tree import types as ty
from codeai.language.tree.node import Identifier

if TYPE_CHECKING:
    from codeai.language.parser.types import Types

_PREFIXES: Final = {"Create": "create", "Update": "update", "Patch": "update"}
_SUFFIXES: Final = ("List", "Detail", "Params", "Filters", "Filter", "ID", "Id")
_WORDS: Final = (
    *("uuid", "string", "text", "int", "float", "decimal", "bool", "timestamp", "date", "time", "duration", "email", "url", "json"),
    "bytes",
)
_OTHERS: Final = ("list", "map", "paginated", "void", "any", "enum", "ref")


def derived(p: Types, type_: ty.TypeExpression, *, paged: bool = False) -> ty.TypeExpression:
    """A type of an older endpoint in canonical form.

    :param paged: whether ``UserList`` is a page rather than a list
    """
    if isinstance(type_, ty.OptionalType):
        return ty.OptionalType(type_.start, type_.end, derived(p, type_.item))
    if not isinstance(type_, ty.NamedType):
        return type_
    if type_.arguments:
        inner = tuple(derived(p, part) if isinstance(part, ty.TypeExpression) else part for part in type_.arguments)
        return ty.NamedType(type_.start, type_.end, type_.name, inner)
    name = type_.name.text
    if name in _WORDS or name in _OTHERS or _declared(p, name):
        return type_
    return _shape(p, type_, paged) or _open(p, type_)


def _declared(p: Types, name: str) -> bool:
    outline = p.outline
    return name in outline.entities or outline.declares("type", name) or outline.declares("enum", name)


def entity_and_kind(p: Types, name: str) -> tuple[str, str] | None:
    """``CreateUser`` → ``User``, ``Create``; None when there is no such entity."""
    for prefix in _PREFIXES:
        if name.startswith(prefix) and name[len(prefix) :] in p.outline.entities:
            return name[len(prefix) :], prefix
    for suffix in _SUFFIXES:
        if name.endswith(suffix) and name[: -len(suffix)] in p.outline.entities:
            return name[: -len(suffix)], suffix
    return None


def _shape(p: Types, type_: ty.NamedType, paged: bool) -> ty.TypeExpression | None:
    found = entity_and_kind(p, type_.name.text)
    if found is None:
        return None
    entity, kind = found
    start, end = type_.start, type_.end
    name = Identifier(start, end, entity)
    row = ty.NamedType(start, end, name)
    result: ty.TypeExpression
    if kind in _PREFIXES:
        result, shown = ty.ShapeType(start, end, name, Identifier(start, end, _PREFIXES[kind])), f"{entity}.{_PREFIXES[kind]}"
    elif kind == "List":
        outer = "paginated" if paged else "list"
        result, shown = ty.NamedType(start, end, Identifier(start, end, outer), (row,)), f"{outer}({entity})"
    elif kind in ("ID", "Id"):
        key = Identifier(start, end, p.outline.entities[entity].primary)
        result, shown = ty.ShapeType(start, end, name, Identifier(start, end, "pick"), (key,)), f"{entity}.pick({key.text})"
    elif kind == "Detail":
        result, shown = row, entity
    else:
        result, shown = ty.ShapeType(start, end, name, Identifier(start, end, "partial")), f"{entity}.partial"
    p.older(start, end, shown)
    return result


def _open(p: Types, type_: ty.NamedType) -> ty.TypeExpression:
    name = type_.name.text
    known = [*p.outline.entities, *p.outline.names.get("type", ()), *p.outline.names.get("enum", ()), *_WORDS]
    known += [f"{prefix}{entity}" for entity in p.outline.entities for prefix in _PREFIXES]
    known += [f"{entity}{suffix}" for entity in p.outline.entities for suffix in _SUFFIXES]
    near = suggest(name, known)
    advice = f"did you mean '{near}'?" if near else f"declare 'type {name} {{ … }}'"
    p.warn(type_.start, type_.end, f"type '{name}' is not declared, so that any JSON stands for it", "CAI0033", help_text=advice)
    return ty.NamedType(type_.start, type_.end, Identifier(type_.start, type_.end, "json"))
