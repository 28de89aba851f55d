"""Columns as SQL describes them: ``id uuid primary key default gen_random_uuid()``, ``references users(id) on delete cascade not null``.

All that stands behind a type so is one finding, with the field as it is written here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from codeai.language.diagnostics import Edit
from codeai.language.lexer import NAME, STRING
from codeai.language.operators import COMPARISON
from codeai.language.parser.foreign_fields import ON_DELETE
from codeai.language.parser.foreign_types import mended, taken_back
from codeai.language.spellings.sql_defaults import UUIDS
from codeai.language.tree import expressions as ex
from codeai.language.tree import types as ty
from codeai.language.tree.node import Identifier, Reference

if TYPE_CHECKING:
    from codeai.language.parser.types import Types

# The first words of phrases, with the words that may be the second ones; None stands for anything.
_PHRASES: Final[dict[str, tuple[str, ...] | None]] = {
    "primary": ("key",),
    "not": ("null",),
    "default": None,
    "references": None,
    "on": ("delete", "update"),
    "generated": ("always", "by"),
    "check": ("(",),
    "constraint": None,
}
_NO_VALUES: Final = (":", "(", ",", "}", "string", "raw", "end")


def begins(parser: Types) -> bool:
    """Whether a phrase of SQL stands at the current token, in whatever letters."""
    word = parser.texts[parser.i].lower()
    if word not in _PHRASES or parser.kinds[parser.i] != NAME or parser.breaks[parser.i] or parser.breaks_at(1):
        return False
    if word == "default" and parser.kind_at(1) == STRING and (parser.kind_at(2), parser.kind_at(3)) == (":", ":"):
        return True  # 'draft'::text
    second = _PHRASES[word]
    if second is not None:
        return parser.text_at(1).lower() in second
    return parser.kind_at(1) not in _NO_VALUES and parser.start - parser.previous_end < 2  # items of one line have two spaces between them


def described(parser: Types, type_: ty.TypeExpression, modifiers: list[ty.Modifier]) -> ty.TypeExpression:
    """Takes the phrases, reports them together, and returns the type that the field has with them.

    :param modifiers: those before them, to which those that they stand for are added
    """
    start, before, first = parser.start, parser.previous_end, len(modifiers)
    kept, further = type_, ""
    inner = taken_back(parser, type_.start, start)
    while not parser.breaks[parser.i]:
        if begins(parser):
            type_, text = _phrase(parser, type_, modifiers)
            further += text
        elif parser.at_modifier():
            modifiers.append(parser.modifier())
        elif not parser.take_word("null"):
            break
    if isinstance(type_, ty.NamedType) and type_ is not kept and isinstance(type_.arguments[0], Reference):
        inner = [Edit(kept.start, kept.end, f"ref({type_.arguments[0].text})")]
    behind = "".join(f", {_written(parser, one)}" for one in modifiers[first:])
    shown = mended(parser, kept.start, kept.end, [edit for edit in inner if edit.end <= kept.end])
    written = ", ".join([shown, *(_written(parser, one) for one in modifiers)])
    rest = Edit(start, parser.previous_end, behind[2:]) if first else Edit(before, parser.previous_end, behind)
    edits = (*(edit for edit in inner), rest, *([Edit(parser.previous_end, parser.previous_end, further)] if further else ()))
    help_text = "a condition is a line of its own, 'check: …'" if further else "modifiers stand behind commas"
    parser.report(f"this column is written '{written}' here", "CAI0037", start, parser.previous_end, help_text=help_text, edits=edits)
    return type_


def _phrase(parser: Types, type_: ty.TypeExpression, modifiers: list[ty.Modifier]) -> tuple[ty.TypeExpression, str]:
    """One phrase: the type with it, and what must be written on a line of its own."""
    word, start = parser.texts[parser.i].lower(), parser.start
    parser.i += 1
    if word in ("primary", "not"):
        parser.i += 1
        modifiers.append(_modifier(start, parser.previous_end, "primary" if word == "primary" else "required"))
    elif word == "default":
        value = parser.expression(COMPARISON)
        written = parser.file.text[value.start - parser.file.base : value.end - parser.file.base]
        made = written.replace(" ", "").lower() in UUIDS
        modifiers.append(_modifier(start, value.end, "auto") if made else ty.Modifier(start, value.end, _name(start, "default"), (value,)))
        while parser.at(":") and parser.kind_at(1) == ":" and parser.kind_at(2) == NAME:  # 'draft'::text
            parser.i += 3
    elif word == "references":
        type_ = _reference(parser, type_)
    elif word == "on":
        _action(parser, modifiers)
    elif word == "generated":
        while parser.at(NAME) and parser.texts[parser.i].lower() in ("always", "by", "default", "as", "identity"):
            parser.i += 1
        modifiers.append(_modifier(start, parser.previous_end, "auto"))
    elif word == "check":
        first, last = parser.ends[parser.i], parser.i
        parser.skip_balanced()
        last = parser.starts[parser.i - 1]
        return type_, f"\n    check: {parser.file.text[first - parser.file.base : last - parser.file.base].strip()}"
    else:
        parser.i += 1  # the name of a constraint
    return type_, ""


def _reference(parser: Types, type_: ty.TypeExpression) -> ty.TypeExpression:
    start = type_.start
    table = parser.identifier("a table")
    while parser.take("."):
        table = parser.identifier("a table")
    if parser.at("(") and not parser.breaks[parser.i]:
        parser.skip_balanced()
    name = Identifier(table.start, table.end, parser.outline.entity_of(table.text))
    reference = Reference(table.start, table.end, (name,))
    return ty.NamedType(start, parser.previous_end, _name(start, "ref"), (reference,))


def _action(parser: Types, modifiers: list[ty.Modifier]) -> None:
    """``on delete set null``; of keys that change nothing need be said."""
    start, what = parser.starts[parser.i - 1], parser.texts[parser.i].lower()
    words = [parser.text_at(1).lower()]
    parser.i += 2
    if words[0] in ("set", "no") and parser.at(NAME):
        words.append(parser.texts[parser.i].lower())
        parser.i += 1
    meant = {"no_action": "restrict", "set_default": "set_null"}.get("_".join(words), "_".join(words))
    if what == "delete" and meant in ON_DELETE:
        argument = ex.Name(start, parser.previous_end, meant)
        modifiers.append(ty.Modifier(start, parser.previous_end, _name(start, "on_delete"), (argument,)))


def _name(start: int, text: str) -> Identifier:
    return Identifier(start, start, text)


def _modifier(start: int, end: int, name: str) -> ty.Modifier:
    return ty.Modifier(start, end, _name(start, name), ())


def _written(parser: Types, modifier: ty.Modifier) -> str:
    base, name = parser.file.base, modifier.name.text
    values = []
    for value in modifier.arguments:
        text = getattr(value, "text", "") if name == "on_delete" else ""
        values.append(text or parser.file.text[value.start - base : value.end - base])
    return f"{name}({', '.join(values)})" if values else name
