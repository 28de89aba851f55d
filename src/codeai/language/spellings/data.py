"""Entities as older files declare them: ``model``, tables in ``database postgres``, SQL modifiers, indexes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import msgspec

from codeai.language.lexer import NAME, RAW, STRING, is_name
from codeai.language.naming import table_name
from codeai.language.spellings.descriptions import described
from codeai.language.spellings.names import entity_of_table
from codeai.language.spellings.sql_defaults import UUIDS, default_value
from codeai.language.tree import declarations as d
from codeai.language.tree import types as ty
from codeai.language.tree.node import Identifier, Reference

if TYPE_CHECKING:
    from codeai.language.parser.declarations import Parser
    from codeai.language.parser.entities import Entities
    from codeai.language.parser.types import Types

MODIFIERS: Final = ("primary_key", "not_null", "nullable", "null", "references")


# -- declarations --------------------------------------------------------------------------------------------------------


def model(p: Parser) -> tuple[d.Declaration, ...]:
    """``model X { … }``: an entity, or a type when nothing in it is a key."""
    start, description = p.start, p.tokens.docs.get(p.i, "")
    p.i += 1
    name = p.identifier()
    p.expect("{", "'{'")
    clauses = p.items(p.entity_clause)
    fields = tuple(clause for clause in clauses if isinstance(clause, d.FieldDeclaration))
    if len(fields) == len(clauses) and fields and not any(has(field, "primary") for field in fields):
        p.older(start, name.end, f"type {name.text}")
        return (d.TypeDeclaration(start, p.previous_end, description, name, fields),)
    p.older(start, name.end, f"entity {name.text}")
    return (d.EntityDeclaration(start, p.previous_end, description, name, clauses),)


def table(p: Parser) -> tuple[d.Declaration, ...]:
    """``users { id uuid primary_key … }`` in a ``database`` block."""
    description = p.tokens.docs.get(p.i, "")
    written = p.identifier("a table or 'model'")
    name = Identifier(written.start, written.end, entity_of_table(written.text))
    p.expect("{", "'{'")
    p.older(written.start, written.end, f"entity {name.text}")
    p.owner = name.text
    clauses = tuple(_softly_deleted(clause) for clause in p.items(p.entity_clause))
    if table_name(name.text) != written.text:
        clauses = (d.TableClause(written.start, written.end, written.text), *clauses)
    return (d.EntityDeclaration(written.start, p.previous_end, description, name, clauses),)


def _softly_deleted(clause: d.Clause) -> d.Clause:
    """In a table, a nullable timestamp called ``deleted_at`` marks deleted rows."""
    if not isinstance(clause, d.FieldDeclaration) or clause.name.text != "deleted_at" or clause.modifiers:
        return clause
    if not isinstance(clause.type, ty.NamedType) or clause.type.name.text != "timestamp":
        return clause
    mark = ty.Modifier(clause.end, clause.end, Identifier(clause.end, clause.end, "soft_delete"))
    return msgspec.structs.replace(clause, modifiers=(mark,))


def database(p: Parser) -> tuple[d.Declaration, ...]:
    """``database postgres { … }``: its models and tables are declarations like others."""
    from codeai.language.spellings.documents import collection

    start = p.start
    p.i += 1
    if p.at("{"):
        p.fail_expected("'postgres' or 'mongodb'", help_text="the database is named in 'config { database { … } }', or by DATABASE_URL")
    kind = p.identifier("'postgres' or 'mongodb'")
    if kind.text not in _STORES:
        p.unknown("kind of database", kind, _STORES, "CAI0024")
    p.expect("{", "'{'")
    p.older(start, kind.end, "entity … { … }")
    kinds: dict[str, Callable[[Parser], tuple[d.Declaration, ...]]] = {"model": model, "collection": collection}

    def member() -> tuple[d.Declaration, ...]:
        following = p.kind_at(1)
        if p.at(NAME) and (p.texts[p.i] in kinds or following == "{"):
            return described(p, lambda: kinds.get(p.texts[p.i], table)(p))
        if p.at_word("entity") and following == NAME:
            return p.declaration()
        return p.fail_expected("a table, 'model' or 'collection'")

    p.inner = ("entity", "model")
    try:
        return p.items(member)
    finally:
        p.inner = ()


_STORES: Final = ("postgres", "postgresql", "mysql", "sqlite", "mongodb")


# -- fields --------------------------------------------------------------------------------------------------------------


def has(field: d.FieldDeclaration, modifier: str) -> bool:
    """Whether a field has a modifier."""
    return any(found.name.text == modifier for found in field.modifiers)


def begins_modifier(p: Types, ahead: int) -> bool:
    """Whether a modifier of SQL stands there."""
    text, following = p.text_at(ahead), p.kind_at(ahead + 1)
    if text in ("references", "default"):
        return following in (STRING, RAW)
    return text in MODIFIERS and following != ":"


def modifier(p: Types, type_: ty.TypeExpression) -> tuple[ty.TypeExpression, ty.Modifier | None]:
    """A modifier of SQL: the type that the field has with it, and the modifier that it stands for if any."""
    name = p.identifier()
    if name.text == "references":
        return _references(p, name), None
    if name.text == "default":
        return type_, _default(p, name, type_)
    canonical = {"primary_key": "primary", "not_null": "required"}.get(name.text)
    p.older(name.start, name.end, canonical or "a field without 'required'")
    return type_, ty.Modifier(name.start, name.end, Identifier(name.start, name.end, canonical)) if canonical else None


def _references(p: Types, key: Identifier) -> ty.TypeExpression:
    start, end = p.start, p.ends[p.i]
    written = p.text_literal("a table").split("(")[0].strip()
    entity = p.outline.entity_of(written)
    if not is_name(entity):
        p.fail(f"expected a table, got '{written[:40]}'", "CAI0010", start, end, help_text='as in references "users(id)"')
    p.older(key.start, end, f"ref({entity})")
    name = Identifier(start, end, entity)
    return ty.NamedType(key.start, end, Identifier(key.start, key.end, "ref"), (Reference(start, end, (name,)),))


def _default(p: Types, key: Identifier, type_: ty.TypeExpression) -> ty.Modifier | None:
    start, end = p.start, p.ends[p.i]
    text = p.text_literal()
    if text.strip().lower() in UUIDS:
        p.older(key.start, end, "auto")
        return ty.Modifier(key.start, end, Identifier(key.start, key.end, "auto"))
    value = default_value(text, start, end)
    if value is None:
        p.report(f"unknown default '{text}'", "CAI0015", start, end, help_text="now(), gen_random_uuid(), quoted text or a number")
        return None
    p.older(key.start, end, "default(…)")
    return ty.Modifier(key.start, end, Identifier(key.start, key.end, "default"), (value,))


def kept_current(p: Types, modifiers: list[ty.Modifier], type_: ty.TypeExpression) -> list[ty.Modifier]:
    """``updated_at: timestamp, auto`` is ``auto_update``."""
    if not (isinstance(type_, ty.NamedType) and type_.name.text == "timestamp"):
        return modifiers
    found: list[ty.Modifier] = []
    for part in modifiers:
        if part.name.text == "auto":
            p.older(part.start, part.end, "auto_update")
            part = ty.Modifier(part.start, part.end, Identifier(part.start, part.end, "auto_update"))
        found.append(part)
    return found


# -- indexes -------------------------------------------------------------------------------------------------------------


def index(p: Entities) -> tuple[d.Clause, ...] | None:
    """``index(a, b)`` and ``unique_index(a)``."""
    if p.kind_at(1) != "(":
        return None
    key = p.identifier()
    p.i += 1
    columns = _columns(p, ")")
    unique = key.text == "unique_index"
    clause = d.IndexClause(key.start, p.previous_end, columns, unique)
    p.older(key.start, key.end, f"index: [{', '.join(column.name.text for column in columns)}]{' unique' if unique else ''}")
    return (clause,)


def indexes(p: Entities) -> tuple[d.Clause, ...] | None:
    """``indexes { index: [a] unique  unique: [b] }``."""
    if p.kind_at(1) != "{":
        return None
    key = p.identifier()
    p.i += 1
    p.older(key.start, key.end, "index: […]")
    return p.items(lambda: _listed_index(p))


def _listed_index(p: Entities) -> d.Clause:
    key = p.identifier("'index' or 'unique'")
    if key.text not in ("index", "unique"):
        p.unknown("setting", key, ("index", "unique"), "CAI0013")
    p.take(":")
    p.expect("[", "'['")
    columns = _columns(p, "]")
    unique = key.text == "unique"
    while p.at(NAME) and not p.breaks[p.i] and p.texts[p.i] in _INDEX_WORDS and p.kind_at(1) != ":":
        word = p.identifier()
        unique = unique or word.text == "unique"
        if word.text == "geospatial":
            p.warn(word.start, word.end, "a geospatial index becomes a plain one", "CAI0032", help_text=_PLAINLY)
    return d.IndexClause(key.start, p.previous_end, columns, unique)


_INDEX_WORDS: Final = ("unique", "text", "geospatial", "sparse")
_PLAINLY: Final = "it serves equality and order; what is near is asked of an extern function"


def _columns(p: Entities, closing: str) -> tuple[d.IndexColumn, ...]:
    found: list[d.IndexColumn] = []
    while not p.at(closing):
        name = p.quoted_names("a field")[0] if p.at(STRING) else p.identifier("a field")
        p.take(":")
        descending = p.take_word("desc")
        if not descending:
            p.take_word("asc")
        found.append(d.IndexColumn(name.start, p.previous_end, name, descending))
        if not p.take(","):
            break
    p.expect(closing, f"'{closing}'")
    return tuple(found)


CLAUSES: Final[dict[str, Callable[[Entities], tuple[d.Clause, ...] | None]]] = {
    "index": index,
    "unique_index": index,
    "indexes": indexes,
}
