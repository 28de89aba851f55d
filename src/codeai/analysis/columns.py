"""Which modifiers go with which types, and with each other (language page, section 5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from codeai.language import types as t
from codeai.language.tree import declarations as d
from codeai.language.tree.node import Node

_TEXTS: Final = (t.String, t.Text, t.Email, t.Url)
_MADE: Final = (t.Uuid, t.Int, t.Timestamp, t.Date)
_KEYS: Final = (*_TEXTS, t.Uuid, t.Int, t.Date, t.Timestamp, t.Enum, t.Ref)
_COMPARED_WHOLE: Final = (t.Json, t.List, t.Map, t.Record, t.Bytes)  # what no index holds as a value
_OF_SEARCH: Final = ("rank", "rowid")  # names that FTS5 keeps for itself
_NO_COLUMNS: Final = (t.Paginated, t.Void)

# The modifiers that say the contrary of each other, and what is said of both.
_CONTRARY: Final = (
    ("required", "optional", "a field is required or optional, not both"),
    ("read_only", "write_only", "a field is read_only or write_only, not both"),
    ("read_only", "immutable", "a field that clients never write needs no 'immutable'"),
)
_Misfit = tuple[Node, str, str]


def misfits(node: d.FieldDeclaration, modifiers: Mapping[str, Node], type_: t.Type) -> Iterator[_Misfit]:
    """What is wrong with the modifiers of a field: the place, what, and what to write instead."""
    plain = t.required(type_)
    if isinstance(plain, t.Unknown):
        return
    if isinstance(plain, _NO_COLUMNS):
        yield node.type, f"type '{plain}' is no type of a field", "results have it, fields do not"
        return
    if isinstance(plain, t.Row):
        return  # it is said once all fields are known
    if "auto" in modifiers and not isinstance(plain, _MADE):
        yield modifiers["auto"], f"'auto' does not make {_plural(plain)}", "use uuid, int or timestamp"
    if ("auto_update" in modifiers or "soft_delete" in modifiers) and not isinstance(plain, t.Timestamp):
        yield node, "'auto_update' and 'soft_delete' belong to timestamps", ""
    if "auto" in modifiers and ("auto_update" in modifiers or "default" in modifiers):
        other = "auto_update" if "auto_update" in modifiers else "default"
        yield modifiers[other], f"'auto' gives the value, and '{other}' another", "leave one of them out"
    if "soft_delete" in modifiers and "required" in modifiers:
        yield modifiers["required"], "a row that is not deleted has no time of its deletion", "leave 'required' out"
    if "searchable" in modifiers and not isinstance(plain, _TEXTS):
        yield modifiers["searchable"], f"'searchable' does not fit type '{plain}'", ""
    if "searchable" in modifiers and node.name.text.lower() in _OF_SEARCH:
        said = f"a search of SQLite has something called '{node.name.text}' already"
        yield modifiers["searchable"], said, "call the field something else, or leave 'searchable' out"
    if "primary" in modifiers and not isinstance(plain, _KEYS):
        yield modifiers["primary"], f"'primary' does not fit type '{plain}'", "use uuid, int or string"
    if "unique" in modifiers and isinstance(plain, _COMPARED_WHOLE):
        yield modifiers["unique"], f"'unique' does not fit type '{plain}'", ""
    if "required" in modifiers and isinstance(type_, t.Optional):
        yield modifiers["required"], "a field is required or optional, not both", f"write '{plain}' without '?'"
    for one, other, said in _CONTRARY:
        if one in modifiers and other in modifiers:
            yield modifiers[other], said, ""


def _plural(type_: t.Type) -> str:
    return "strings" if isinstance(type_, t.String | t.Text) else f"values of type '{type_}'"
