"""Collections of documents: ``database mongodb { collection X { … } }`` becomes entities with json columns for what is embedded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import msgspec

from codeai.language.naming import table_name
from codeai.language.spellings.data import has, index, indexes
from codeai.language.spellings.names import entity_of_table
from codeai.language.tree import declarations as d
from codeai.language.tree import expressions as ex
from codeai.language.tree import types as ty
from codeai.language.tree.node import Identifier

if TYPE_CHECKING:
    from codeai.language.parser.declarations import Parser

OBJECT_ID = "^[0-9a-f]{24}$"
_EMBEDDED: Final = ("json", "list", "map")


def collection(p: Parser) -> tuple[d.Declaration, ...]:
    """``collection X { _id: objectid … nested: embedded { … } indexes { … } }``."""
    start, description = p.start, p.tokens.docs.get(p.i, "")
    p.i += 1
    written = p.identifier("a collection")
    plain = written.text[:1].isupper()
    name = Identifier(written.start, written.end, written.text if plain else entity_of_table(written.text))
    p.expect("{", "'{'")
    p.older(start, name.end, f"entity {name.text}")

    def member() -> d.Clause | tuple[d.Clause, ...] | None:
        if p.texts[p.i] in ("index", "unique_index", "indexes"):
            found = indexes(p) if p.texts[p.i] == "indexes" else index(p)
            if found is not None:
                return found
        clause = p.entity_clause()
        return _field(p, clause) if isinstance(clause, d.FieldDeclaration) else clause

    clauses = tuple(_with_key(p.items(member)))
    clauses = tuple(clause for clause in clauses if not _beyond_columns(p, clause, clauses))
    if not plain and table_name(name.text) != written.text:
        clauses = (d.TableClause(written.start, written.end, written.text), *clauses)
    return (d.EntityDeclaration(start, p.previous_end, description, name, clauses),)


def _with_key(clauses: tuple[d.Clause, ...]) -> Iterator[d.Clause]:
    """The clauses, where ``_id`` is the key if no field is said to be."""
    keyed = any(isinstance(clause, d.FieldDeclaration) and has(clause, "primary") for clause in clauses)
    for clause in clauses:
        if keyed or not isinstance(clause, d.FieldDeclaration) or clause.name.text != "_id":
            yield clause
            continue
        made = () if has(clause, "default") else (_generated(ty.Modifier(clause.end, clause.end, _at(clause, "auto"))),)
        key = ty.Modifier(clause.end, clause.end, _at(clause, "primary"))
        yield msgspec.structs.replace(clause, modifiers=(key, *made, *clause.modifiers))


def _at(field: d.FieldDeclaration, text: str) -> Identifier:
    return Identifier(field.end, field.end, text)


def _beyond_columns(p: Parser, clause: d.Clause, clauses: tuple[d.Clause, ...]) -> bool:
    """Whether a clause is an index over embedded parts, which no column has; says so."""
    if not isinstance(clause, d.IndexClause):
        return False
    embedded = {
        field.name.text
        for field in clauses
        if isinstance(field, d.FieldDeclaration)
        and (isinstance(field.type, ty.RecordType) or (isinstance(field.type, ty.NamedType) and field.type.name.text in _EMBEDDED))
    }
    for column in clause.columns:
        if column.name.text in embedded:
            message = f"an index on the embedded '{column.name.text}' is left out"
            p.warn(column.start, column.end, message, "CAI0032", help_text="give what is searched a field of its own")
            return True
    return False


def _field(p: Parser, field: d.FieldDeclaration) -> d.FieldDeclaration:
    """A field with the types of documents: ``objectid`` is a text of 24 hexadecimal digits, ``date, auto`` an instant."""
    type_ = field.type
    if not isinstance(type_, ty.NamedType):
        return field
    if type_.name.text == "date" and (has(field, "auto") or has(field, "auto_update")):
        p.older(type_.start, type_.end, "timestamp")
        return msgspec.structs.replace(field, type=_named(type_, "timestamp"))
    if type_.name.text == "objectid":
        p.older(type_.start, type_.end, "string(24)")
        modifiers = tuple(_generated(part) for part in field.modifiers)
        pattern = _modifier(type_, "pattern", ex.StringLiteral(type_.start, type_.end, OBJECT_ID))
        length = ex.IntLiteral(type_.start, type_.end, 24)
        string = ty.NamedType(type_.start, type_.end, _named(type_, "string").name, (length,))
        return msgspec.structs.replace(field, type=string, modifiers=(*modifiers, pattern))
    return field


def _generated(part: ty.Modifier) -> ty.Modifier:
    if part.name.text != "auto":
        return part
    start, end = part.start, part.end
    made = ex.Call(start, end, ex.Name(start, end, "object_id"), ())
    return ty.Modifier(start, end, Identifier(start, end, "default"), (made,))


def _named(type_: ty.NamedType, name: str) -> ty.NamedType:
    return ty.NamedType(type_.start, type_.end, Identifier(type_.start, type_.end, name))


def _modifier(type_: ty.NamedType, name: str, argument: ex.Expression) -> ty.Modifier:
    return ty.Modifier(type_.start, type_.end, Identifier(type_.start, type_.end, name), (argument,))
