"""Modifiers of fields as other languages write them: ``@unique``, ``default: 5``, ``onDelete: cascade``, ``max = 10``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from codeai.language.diagnostics import Edit
from codeai.language.lexer import NAME
from codeai.language.operators import TYPE_WORDS
from codeai.language.tree import expressions as ex
from codeai.language.tree import types as ty
from codeai.language.tree.node import Identifier

if TYPE_CHECKING:
    from codeai.language.parser.types import Types

_ASSOCIATIONS: Final = ("belongs_to", "has_many", "has_one", "has_and_belongs_to_many")
_AT: Final = "expected ',', got '@'"
_BEHIND_COMMA: Final = "a modifier follows a comma, as in ', required'"
_VALUED: Final = ("default", "min", "max", "min_length", "max_length", "length", "pattern", "on_delete", "rename_from")
ON_DELETE: Final = ("cascade", "restrict", "set_null")


def association(parser: Types) -> None:
    """``belongs_to :author``: fails with the way a reference is written."""
    word, other = parser.texts[parser.i], parser.text_at(2)
    if word in _ASSOCIATIONS and parser.kind_at(1) == ":" and parser.starts[parser.i + 1] > parser.ends[parser.i]:
        help_text = f"a reference is a field: '{other}: ref({other[:1].upper()}{other[1:]})'; the other side: 'books: many(Book.author)'"
        parser.fail(f"unknown clause '{word}'", "CAI0037", parser.start, parser.ends[parser.i], help_text=help_text)


def deletion(parser: Types, name: Identifier) -> ty.Modifier:
    """``cascade`` alone, which says what happens on the deletion of what a field refers to."""
    meant = f"on_delete({name.text})"
    edits = (Edit(name.start, name.end, meant),)
    parser.report(f"unknown modifier '{name.text}'", "CAI0037", name.start, name.end, help_text=f"write '{meant}'", edits=edits)
    return ty.Modifier(name.start, name.end, Identifier(name.start, name.end, "on_delete"), (ex.Name(name.start, name.end, name.text),))


def tagged(parser: Types) -> bool:
    """Steps over a tag of Go behind a type, ``json:"name"`` between backticks, about which the lexer has said what a text would be."""
    start, end = parser.start, parser.ends[parser.i]
    if parser.breaks[parser.i] or not parser.file.text.startswith("`", start - parser.file.base):
        return False
    parser.diagnostics[:] = [found for found in parser.diagnostics if found.primary.start != start]
    edits = (Edit(parser.previous_end, end, ""),)
    help_text = "a field is called in JSON as it is here; what is said of it are modifiers, as in ', required'"
    parser.report("expected ',', got '`'", "CAI0037", start, end, help_text=help_text, edits=edits)
    parser.i += 1
    return True


def modifier(parser: Types, known: Sequence[str]) -> ty.Modifier | None:
    """The modifier at the current comma or ``@``, which it reports; None where the text is nothing such.

    :param known: the modifiers of the language
    """
    meant = _named(parser.text_at(1), known) if parser.kind_at(1) == NAME else ""
    if not meant or parser.breaks_at(1):
        return None
    if parser.at("@"):
        return _annotation(parser, meant)
    if meant in _VALUED and parser.kind_at(2) in (":", "=") and _value_follows(parser, meant):
        return _setting(parser, meant)
    return None


def _named(word: str, known: Sequence[str]) -> str:
    folded = word.replace("_", "").lower()
    same = next((name for name in known if name.replace("_", "") == folded), "")
    return same or ("primary" if folded == "id" and "primary" in known else "")


def _annotation(parser: Types, meant: str) -> ty.Modifier:
    start = parser.start
    edits: tuple[Edit, ...] = (Edit(parser.previous_end, parser.ends[parser.i + 1], f", {meant}"),)
    told = parser.diagnostics[-1] if parser.diagnostics else None
    if told is not None and told.message == _AT and told.primary.end == parser.previous_end:  # told once for a field
        parser.diagnostics.pop()
        start, edits = told.primary.start, (*told.edits, *edits)
    parser.i += 1
    parser.texts[parser.i] = meant
    parser.report(_AT, "CAI0037", start, parser.ends[parser.i], help_text=_BEHIND_COMMA, expected=("','",), edits=edits)
    return parser.modifier()


def _value_follows(parser: Types, meant: str) -> bool:
    """Whether a value stands behind the colon, and no type: then it is a modifier and no field of that name."""
    kind, word = parser.kind_at(3), parser.text_at(3)
    if kind != NAME:
        return kind not in ("{", "[") or meant == "default"
    if word in ("true", "false", "null") or (meant == "on_delete" and word.replace(" ", "_").lower() in ON_DELETE):
        return True
    return meant == "default" and word not in TYPE_WORDS and word[:1].islower()


def assigned(parser: Types, before: int, value: ex.Expression) -> ty.Modifier:
    """``active: bool = true, required``: what stands behind a type with other modifiers is a default.

    :param before: where what stands before the ``=`` ends
    """
    written = parser.file.text[value.start - parser.file.base : value.end - parser.file.base]
    edits = (Edit(before, value.start, ", default("), Edit(value.end, value.end, ")"))
    help_text = f"a default is a modifier, 'default({written})'; what is computed has none"
    parser.report("expected ',', got '='", "CAI0037", before, value.end, help_text=help_text, expected=("','",), edits=edits)
    return ty.Modifier(before, value.end, Identifier(before, before, "default"), (value,))


def _setting(parser: Types, meant: str) -> ty.Modifier:
    parser.i += 1
    name = Identifier(parser.start, parser.ends[parser.i], meant)
    parser.i += 1
    sign = parser.texts[parser.i]
    parser.i += 1
    first = parser.start
    value = parser.expression()
    edits = (Edit(name.start, first, f"{meant}("), Edit(value.end, value.end, ")"))
    written = parser.file.text[value.start - parser.file.base : value.end - parser.file.base]
    parser.report(f"expected '(', got '{sign}'", "CAI0037", name.start, value.end, help_text=f"write '{meant}({written})'", edits=edits)
    return ty.Modifier(name.start, value.end, name, (value,))
