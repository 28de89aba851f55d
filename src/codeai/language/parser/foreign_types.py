"""Types as other languages write them: ``[T]``, ``T[]``, ``list<T>``, ``T | null``, ``"a" | "b"``, ``ref Order``.

None is part of the language, and what each means is plain: so it is one finding with the edit that mends it, and what follows is
checked as if it were written so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, TypeVar

from codeai.language.diagnostics import Diagnostic, Edit
from codeai.language.lexer import INTEGER, NAME, STRING, is_name
from codeai.language.tree import types as ty
from codeai.language.tree.node import Identifier, Node, Reference

if TYPE_CHECKING:
    from codeai.language.parser.types import Types

_CLOSING: Final = {"<": ">", "[": "]", "{": "}"}
_NOTHING: Final = ("null", "none", "nil", "undefined")
_OPTIONAL: Final = ("optional", "option", "nullable", "maybe")
# What takes arguments elsewhere, by its name in small letters, and the name here; '?' is written behind a type.
_TAKING: Final = {
    **dict.fromkeys(("list", "array", "set", "vector", "sequence", "readonlyarray"), "list"),
    **dict.fromkeys(("map", "dict", "record", "hashmap", "dictionary"), "map"),
    **dict.fromkeys(_OPTIONAL, "?"),
    **{name: name for name in ("ref", "many", "enum", "paginated")},
}
_PREFIX: Final = "this type is written"
_LONGEST: Final = 80  # characters of a type that a message repeats
_SIZED: Final = ("string", "varchar", "decimal", "numeric")


def at_beginning(parser: Types) -> ty.TypeExpression | None:
    """``[T]``, or a choice of texts; None where the text is neither."""
    if parser.at("[") and parser.kind_at(1) in (NAME, STRING, "[", "{"):
        return _between_brackets(parser)
    if parser.kinds[parser.i] == STRING and parser.kind_at(1) == "|" and parser.kind_at(2) == STRING:
        return _choice(parser)
    return None


def with_arguments(parser: Types, name: Identifier) -> ty.TypeExpression | None:
    """Behind the name: ``list<T>``, ``Optional[T]``, ``enum { a, b }``, ``string[20]``, ``ref Order``; None where none of them stands."""
    if parser.breaks[parser.i]:
        return None
    opening, meant = parser.kinds[parser.i], _TAKING.get(name.text.lower())
    if opening == "[" and parser.kind_at(1) == INTEGER and name.text in _SIZED:
        return _bracketed(parser, name, name.text)
    if meant is None or (opening == "[" and parser.kind_at(1) == "]"):
        return None
    if opening in ("<", "[") or (opening == "{" and meant == "enum"):
        return _bracketed(parser, name, meant)
    glued = parser.start - name.end < 2  # items of one line have two spaces between them
    if (
        glued
        and opening == NAME
        and name.text in ("ref", "many", "list")
        and parser.kind_at(1) not in (":", "(")
        and not parser.at_modifier()
    ):
        argument = parser.type_argument(name.text)
        edits = [(name.end, argument.start, "("), (argument.end, argument.end, ")")]
        return _told(parser, ty.NamedType(name.start, argument.end, name, (argument,)), edits)
    return None


def bar(parser: Types) -> bool:
    """``enum(a | b)``: steps over a bar where a comma should stand."""
    if not parser.at("|"):
        return False
    start, end = parser.start, parser.ends[parser.i]
    edits = (Edit(parser.previous_end, end, ","),)
    parser.report("expected ',', got '|'", "CAI0037", start, end, expected=("','", "')'"), edits=edits)
    parser.i += 1
    return True


def behind(parser: Types, found: ty.TypeExpression) -> ty.TypeExpression:
    """``T[]``, ``T | null`` and ``timestamp with time zone``: the type with what other languages write behind it."""
    while not parser.breaks[parser.i]:
        start = parser.start
        if parser.at("[") and parser.kind_at(1) == "]":
            parser.i += 2
            name = Identifier(found.start, found.start, "list")
            edits = [(found.start, found.start, "list("), (start, parser.previous_end, ")")]
            found = _rows(parser, found, parser.previous_end) or _told(
                parser, ty.NamedType(found.start, parser.previous_end, name, (found,)), edits
            )
        elif parser.at("!") and start == parser.previous_end:
            if parser.kind_at(1) in ("]", ")", ">", ","):  # of the items of a list nothing need be said
                parser.i += 1
                _told(parser, found, [(found.end, parser.previous_end, "")])
                continue
            _required(parser)
        elif parser.at("|") and parser.text_at(1) in _NOTHING:
            parser.i += 2
            edits = [(found.end, parser.previous_end, "?")]
            found = _told(parser, ty.OptionalType(found.start, parser.previous_end, found), edits)
        elif parser.texts[parser.i] in ("with", "without") and (parser.text_at(1), parser.text_at(2)) == ("time", "zone"):
            parser.i += 3
            _told(parser, found, [(found.end, parser.previous_end, "")])
        else:
            break
    return found


def _rows(parser: Types, element: ty.TypeExpression, end: int, start: int = -1) -> ty.TypeExpression | None:
    """``Post[]`` or ``[Post!]!`` as a field of an entity: the rows that refer to it; None for other lists.

    :param end: where what other languages write there ends
    :param start: where it begins, if before the element
    """
    if parser.keyword not in ("entity", "model") or not isinstance(element, ty.NamedType) or element.arguments:
        return None
    other, owner = parser.outline.entities.get(element.name.text), parser.owner
    back = next((name for name, word in (other.fields if other is not None else {}).items() if word == owner), "")
    back = back or next((name for name, led in (other.references if other is not None else {}).items() if led == owner), "")
    if not back:
        return None
    start = element.start if start < 0 else start
    name = Identifier(element.end, element.end, back)
    reference = Reference(element.start, element.end, (element.name, name))
    taken_back(parser, start, end)
    meant = f"many({element.name.text}.{back})"
    parser.report(f"{_PREFIX} '{meant}' here", "CAI0037", start, end, edits=(Edit(start, end, meant),))
    return ty.NamedType(start, end, Identifier(start, start, "many"), (reference,))


def _required(parser: Types) -> None:
    """``String!``: what must be given is said by a modifier."""
    start, end = parser.start, parser.ends[parser.i]
    parser.i += 1
    last = parser.diagnostics[-1] if parser.diagnostics else None
    if last is not None and last.message.startswith(_PREFIX) and last.primary.end == start:  # one finding for '[String!]!'
        inner = taken_back(parser, last.primary.start, start)
        edits = (*inner, Edit(start, end, ", required"))
        said = f"{_PREFIX} '{mended(parser, last.primary.start, end, edits)}' here"
        parser.report(said, "CAI0037", last.primary.start, end, edits=edits)
        return
    help_text = "what must be given is 'required', as in 'name: string, required'"
    parser.report("expected ',', got '!'", "CAI0037", start, end, help_text=help_text, edits=(Edit(start, end, ", required"),))


def _between_brackets(parser: Types) -> ty.TypeExpression:
    start, end = parser.start, parser.ends[parser.i]
    parser.i += 1
    element = parser.type_expression()
    closing = parser.start
    parser.expect("]", "']'")
    edits = [(start, end, "list("), (closing, parser.previous_end, ")")]
    rows = _rows(parser, element, parser.previous_end + (parser.at("!") and parser.start == parser.previous_end), start)
    if rows is not None:
        parser.take("!")
        return rows
    return _told(parser, ty.NamedType(start, parser.previous_end, Identifier(start, end, "list"), (element,)), edits)


def _choice(parser: Types) -> ty.TypeExpression:
    start, end = parser.start, parser.ends[parser.i]
    edits = [(start, start, "enum(")]
    members = [_member(parser, edits)]
    while parser.at("|") and parser.kind_at(1) == STRING:
        parser.i += 1
        edits.append((members[-1].end, parser.start, ", "))
        members.append(_member(parser, edits))
    edits.append((parser.previous_end, parser.previous_end, ")"))
    return _told(parser, ty.NamedType(start, parser.previous_end, Identifier(start, end, "enum"), tuple(members)), edits)


def _bracketed(parser: Types, name: Identifier, meant: str) -> ty.TypeExpression:
    """What stands between brackets other than ``()`` behind a name that takes arguments."""
    start, end, closing = parser.start, parser.ends[parser.i], _CLOSING[parser.kinds[parser.i]]
    edits = [(name.start, name.end, meant)] if meant not in (name.text, "?") else []
    parser.i += 1
    parser.depth += 1
    found: list[Node] = []
    while not parser.at(closing):
        found.append(_member(parser, edits) if meant == "enum" and parser.kinds[parser.i] == STRING else parser.type_argument(meant))
        if not parser.take(","):
            break
    parser.depth -= 1
    last = parser.start
    parser.expect(closing, f"'{closing}'", "','")
    if meant == "map" and len(found) == 2:  # keys are texts
        edits.append((found[0].start, found[1].start, ""))
        del found[0]
    if meant == "?" and len(found) == 1 and isinstance(found[0], ty.TypeExpression):
        edits += [(name.start, end, ""), (last, parser.previous_end, "?")]
        return _told(parser, ty.OptionalType(name.start, parser.previous_end, found[0]), edits)
    edits += [(start, end, "("), (last, parser.previous_end, ")")]
    name = Identifier(name.start, name.end, meant)
    return _told(parser, ty.NamedType(name.start, parser.previous_end, name, tuple(found)), edits)


def _member(parser: Types, edits: list[tuple[int, int, str]]) -> Reference:
    """A member of an enum that stands in quotes; ``edits`` get what takes them away where it is a name."""
    start, end, text = parser.start, parser.ends[parser.i], parser.text_literal()
    if is_name(text):
        edits.append((start, end, text))
    return Reference(start, end, (Identifier(start, end, text),), quoted=not is_name(text))


_Found = TypeVar("_Found", bound=ty.TypeExpression)


def _told(parser: Types, found: _Found, edits: Sequence[tuple[int, int, str]]) -> _Found:
    """The type, about which it is said how it is written here.

    :param edits: what makes it so: from where, to where, and what stands there then
    """
    end = max(found.end, *(edit[1] for edit in edits))
    changes = sorted((*taken_back(parser, found.start, end), *(Edit(*edit) for edit in edits)), key=lambda edit: (edit.start, edit.end))
    text = mended(parser, found.start, end, changes)
    message = f"{_PREFIX} '{text}' here" if len(text) <= _LONGEST else f"{_PREFIX} in other words here"
    parser.report(message, "CAI0037", found.start, end, edits=tuple(changes))
    return found


def canonical(parser: Types, found: ty.TypeExpression) -> str:
    """A type just parsed, as it is written here; what was told about it is taken back, for somebody who says more."""
    return mended(parser, found.start, found.end, taken_back(parser, found.start, found.end))


def taken_back(parser: Types, start: int, end: int) -> list[Edit]:
    """The edits of what was told last about types inside of a stretch, which is not told twice."""
    edits: list[Edit] = []
    while parser.diagnostics and _within(parser.diagnostics[-1], start, end):
        edits += parser.diagnostics.pop().edits
    return sorted(edits, key=lambda edit: (edit.start, edit.end))


def _within(found: Diagnostic, start: int, end: int) -> bool:
    return found.message.startswith(_PREFIX) and start <= found.primary.start and found.primary.end <= end


def mended(parser: Types, start: int, end: int, edits: Sequence[Edit]) -> str:
    """A stretch of the text with edits made, on one line."""
    base, at, text = parser.file.base, start, ""
    for edit in edits:
        text += parser.file.text[at - base : edit.start - base] + edit.replacement
        at = edit.end
    return " ".join((text + parser.file.text[at - base : end - base]).split())
