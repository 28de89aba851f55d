"""Annotations of fields: ``@relation(…)``, ``@db.VarChar(80)``, ``@updatedAt``, ``@@index([a])`` of Prisma, ``@Id`` of others.

What is known becomes what it means here, in one finding for each field; what is not known is told with what fields have instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from codeai.language.diagnostics import Edit
from codeai.language.lexer import END, INTEGER, NAME
from codeai.language.parser.foreign_fields import ON_DELETE
from codeai.language.parser.reporting import ParseFailure
from codeai.language.tree import declarations as d
from codeai.language.tree import types as ty
from codeai.language.tree.node import Identifier, Reference

if TYPE_CHECKING:
    from codeai.language.parser.entities import Entities
    from codeai.language.parser.types import Types

# Annotations before or behind a field in small letters, and the modifiers that say the same; an empty text says nothing here.
_MEANT: Final = {
    **dict.fromkeys(("id", "primarykey", "primarycolumn"), "primary"),
    **dict.fromkeys(("generatedvalue", "autoincrement"), "auto"),
    "primarygeneratedcolumn": "primary, auto",
    **dict.fromkeys(("updatedat", "updatedatecolumn", "updatetimestamp", "lastmodifieddate"), "auto_update"),
    **dict.fromkeys(("createdat", "createdatecolumn", "creationtimestamp", "createddate"), "auto"),
    "deletedatecolumn": "soft_delete",
    **dict.fromkeys(("notnull", "notblank", "notempty", "nonnull", "isnotempty", "isdefined", "required"), "required"),
    **dict.fromkeys(("unique", "isunique"), "unique"),
    **dict.fromkeys(("isoptional", "nullable", "optional"), "optional"),
    **dict.fromkeys(("positive", "ispositive"), "min(1)"),
    **dict.fromkeys(("jsonignore", "exclude"), "secret"),
    **dict.fromkeys(("map", "column", "joincolumn", "enumerated", "isstring", "isint", "isboolean", "isnumber", "isarray", "prop"), ""),
    **dict.fromkeys(("field", "apiproperty", "jsonproperty", "lob", "ignore", "ignored", "type", "manytoone", "onetoone", "db"), ""),
}
_BEHIND_TYPE: Final = "what is said of a field stands behind its type, as in 'id: uuid, primary, auto'"
_RELATION: Final = "a reference is the field that keeps the key, and its relation is read without '_id'"


# -- behind a type ---------------------------------------------------------------------------------------------------------


def behind(parser: Types, type_: ty.TypeExpression) -> tuple[ty.TypeExpression, ty.Modifier | None] | None:
    """``@updatedAt``, ``@map("…")``, ``@db.VarChar(80)``, ``@relation(…)`` at the current token; None for others."""
    word = parser.text_at(1)
    if parser.kind_at(1) != NAME or parser.breaks[parser.i] or parser.breaks_at(1) or (word.lower() not in _MEANT and word != "relation"):
        return None
    start, before = parser.start, parser.previous_end
    parser.i += 2
    if word == "relation":
        return _related(parser, type_, start, before)
    if word == "db":
        return _stored(parser, type_, start, before)
    if parser.at("(") and not parser.breaks[parser.i]:
        parser.skip_balanced()
    meant = _MEANT[word.lower()]
    edits = (Edit(before, parser.previous_end, f", {meant}" if meant else ""),)
    help_text = f"write ', {meant}'" if meant else "leave it out: a column is called as its field is"
    parser.report(f"expected ',', got '@{word}'", "CAI0037", start, parser.previous_end, help_text=help_text, edits=edits)
    return type_, ty.Modifier(start, parser.previous_end, Identifier(start, start, meant)) if meant else None


def _stored(parser: Types, type_: ty.TypeExpression, start: int, before: int) -> tuple[ty.TypeExpression, None]:
    """``@db.VarChar(80)``: the type of the column is that of the field."""
    parser.take(".")
    word = parser.texts[parser.i].lower() if parser.at(NAME) else ""
    parser.take(NAME)
    size = parser.text_at(1) if parser.at("(") and parser.kind_at(1) == INTEGER else ""
    if parser.at("("):
        parser.skip_balanced()
    meant = {"text": "text", "date": "date", "uuid": "uuid", "varchar": f"string({size})" if size else ""}.get(word, "")
    optional = "?" * isinstance(type_, ty.OptionalType)
    edits: tuple[Edit, ...] = (Edit(before, parser.previous_end, ""),)
    help_text = "the type of the column is that of the field"
    if meant:
        edits = (Edit(type_.start, type_.end, meant + optional), *edits)
        help_text = f"write the type as '{meant}{optional}'"
    parser.report("expected ',', got '@db'", "CAI0037", start, parser.previous_end, help_text=help_text, edits=edits)
    return type_, None


def _related(parser: Types, type_: ty.TypeExpression, start: int, before: int) -> tuple[ty.TypeExpression, ty.Modifier | None]:
    """``author User @relation(fields: [authorId], references: [id], onDelete: Cascade)``: a reference to the entity."""
    begin = parser.i
    if parser.at("("):
        parser.skip_balanced()
    words = parser.texts[begin : parser.i]
    key = words[words.index("fields") + 3] if "fields" in words[:-3] else ""
    plain = type_.item if isinstance(type_, ty.OptionalType) else type_
    if not isinstance(plain, ty.NamedType) or plain.arguments:  # the other side, which is mended where its type stands
        edits: tuple[Edit, ...] = (Edit(before, parser.previous_end, ""),)
        parser.report("expected ',', got '@relation'", "CAI0037", start, parser.previous_end, help_text=_RELATION, edits=edits)
        return type_, None
    deleted = _behind_word(words, "onDelete").lower()
    deleted = {"setnull": "set_null", "noaction": "restrict"}.get(deleted, deleted)
    reference = f"ref({plain.name.text}){'?' * (plain is not type_)}"
    further = f", on_delete({deleted})" if deleted in ON_DELETE else ""
    edits = (Edit(type_.start, type_.end, reference), Edit(before, parser.previous_end, further), *_line_of(parser, key))
    help_text = f"write '{reference}{further}'" + (f", and leave '{key}' out, which it keeps itself" if key else "")
    parser.report("expected ',', got '@relation'", "CAI0037", start, parser.previous_end, help_text=help_text, edits=edits)
    argument = Reference(plain.name.start, plain.name.end, (plain.name,))
    found = ty.NamedType(type_.start, type_.end, Identifier(type_.start, type_.start, "ref"), (argument,))
    return (found if plain is type_ else ty.OptionalType(type_.start, type_.end, found)), None


def _behind_word(words: list[str], word: str) -> str:
    return words[words.index(word) + 2] if word in words[:-2] else ""


def _line_of(parser: Types, name: str) -> tuple[Edit, ...]:
    """The edit that takes the field of that name out of the block around the current token."""
    depth, at = 0, parser.i
    while at > 0 and (depth or parser.kinds[at] != "{"):
        depth += (parser.kinds[at] == "}") - (parser.kinds[at] == "{") if at != parser.i else 0
        at -= 1
    end = at + 1
    while parser.kinds[end] not in (END, "}"):
        if name and parser.texts[end] == name and parser.breaks[end] and parser.kinds[end + 1] in (NAME, ":"):
            last = end + 1
            while not parser.breaks[last]:
                last += 1
            return (Edit(parser.starts[end], parser.starts[last], ""),) if parser.kinds[last] != "}" else ()
        end += 1
    return ()


# -- before a field --------------------------------------------------------------------------------------------------------


def before(parser: Types) -> None:
    """``@Id @GeneratedValue`` before a field: steps over them, and says once what to write behind its type."""
    start, told = parser.start, []
    while parser.at("@") and parser.kind_at(1) == NAME:
        parser.i += 1
        told.append(parser.texts[parser.i])
        parser.i += 1
        while parser.at(".") and parser.kind_at(1) == NAME:
            parser.i += 2
        if parser.at("(") and not parser.breaks[parser.i]:
            parser.skip_balanced()
    meant = ", ".join(filter(None, (_MEANT.get(word.lower(), "") for word in told)))
    end = parser.previous_end if told else parser.ends[parser.i]
    known = all(word.lower() in _MEANT for word in told)
    place = parser.i
    while parser.kinds[place] not in (END, "}") and not (parser.breaks[place + 1] and place > parser.i):
        place += 1
    behind_field = parser.ends[place] if parser.kinds[place] not in (END, "}") else parser.ends[place - 1]
    edits: tuple[Edit, ...] = ()
    if known and parser.at(NAME):
        edits = (Edit(start, parser.start, ""), *((Edit(behind_field, behind_field, f", {meant}"),) if meant else ()))
    help_text = f"write '{parser.texts[parser.i]}: …, {meant}'" if meant and parser.at(NAME) else _BEHIND_TYPE
    parser.report("expected a field, got '@'", "CAI0037", start, end, help_text=help_text, edits=edits)
    if not parser.at(NAME):
        raise ParseFailure


# -- of an entity ----------------------------------------------------------------------------------------------------------


def of_entity(parser: Entities) -> tuple[d.Clause, ...]:
    """``@@index([a, b])``, ``@@unique([a, b])``, ``@@map("table")``: what they say is a clause here."""
    start = parser.start
    parser.i += 2
    word = parser.texts[parser.i] if parser.at(NAME) else ""
    parser.take(NAME)
    begin = parser.i
    if parser.at("("):
        parser.skip_balanced()
    inside = range(begin, parser.i)
    names = [parser.texts[at] for at in inside if parser.kinds[at] == NAME and parser.kinds[at - 1] in ("[", ",")]
    text = next((parser.texts[at] for at in inside if parser.kinds[at] in ("string", "raw")), "")
    meant = ""
    if word in ("index", "unique") and names:
        meant = f"index: [{', '.join(names)}]{' unique' * (word == 'unique')}"
    elif word == "map" and text:
        meant = f"table: {text}"
    help_text = (
        f"write '{meant}'" if meant else "an entity has one field that is 'primary', and lines like 'index: [a, b]' and 'table: \"…\"'"
    )
    edits = (Edit(start, parser.previous_end, meant),) if meant else ()
    parser.report(f"expected a field, got '@@{word}'", "CAI0037", start, parser.previous_end, help_text=help_text, edits=edits)
    return ()
