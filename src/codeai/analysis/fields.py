"""Fields that are no columns: inputs, payloads and records, and what they cannot say."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from codeai.analysis.reporter import Reporter
from codeai.language import types as t
from codeai.language.tree import declarations as d
from codeai.language.tree.node import Node

# Modifiers that say something of a column, and what to do instead.
_OF_COLUMNS: Final = {
    **dict.fromkeys(("primary", "auto", "auto_update", "soft_delete", "searchable", "rename_from", "immutable"), ""),
    "unique": "in an endpoint write 'validate { … is unique }'",
    "on_delete": "the field of the entity says it",
}
_NO_VALUES: Final = (t.Paginated, t.Void, t.Many)
_STRUCTURED: Final = (t.Json, t.Map, t.Record, t.Row, t.Bytes)
_OF_TEXT: Final = ("path", "query", "header", "cookie")


def check_fields(fields: Iterable[d.FieldDeclaration], report: Reporter, place: str = "") -> None:
    """Reports names that stand twice, computed fields and modifiers of columns.

    :param place: where an endpoint takes the fields from; empty for records
    """
    seen: dict[str, Node] = {}
    for field in fields:
        name = field.name.text
        key = name.lower().replace("-", "_") if place == "header" else name
        if key in seen:
            report.duplicate(field.name, name, seen[key], named=True)
        seen[key] = field.name
        if field.computed is not None:
            report.error(
                field.computed, "only fields of entities are computed", "CAI0208", help_text="a value for what is not sent is default(…)"
            )
        _check_modifiers(field, report, place)


def _check_modifiers(field: d.FieldDeclaration, report: Reporter, place: str) -> None:
    given: dict[str, Node] = {}
    for modifier in field.modifiers:
        name = modifier.name.text
        if name in given:
            report.duplicate(modifier, name, given[name])
        given[name] = modifier
        if name in _OF_COLUMNS:
            report.error(modifier, f"'{name}' is said of a column, and '{field.name.text}' is none", "CAI0208", help_text=_OF_COLUMNS[name])
        elif place == "path" and name in ("default", "optional"):
            report.error(modifier, "a path has all of its parameters", "CAI0208", help_text=f"leave '{name}' out")
    if "required" in given and "optional" in given:
        report.error(given["optional"], "a field is required or optional, not both", "CAI0208")


def check_type(field: d.FieldDeclaration, type_: t.Type, report: Reporter, place: str = "") -> None:
    """Reports a type that no value of a request or record has, and structures where a text is read."""
    plain = t.required(type_)
    if isinstance(plain, _NO_VALUES):
        report.error(field.type, f"type '{plain}' is no type of a field", "CAI0208", help_text="results have it, fields do not")
        return
    item = t.required(plain.item) if isinstance(plain, t.List) and place in ("query", "header") else plain
    if place in _OF_TEXT and isinstance(item, (*_STRUCTURED, t.List)):
        report.error(
            field.type, f"a {place} parameter is a text, and no '{item}' is read from it", "CAI0208", help_text="take it as 'body'"
        )
