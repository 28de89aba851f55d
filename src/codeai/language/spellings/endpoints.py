"""Clauses of endpoints in older files: ``middleware m``, ``require_role``, ``request T from body``, ``response T status 201``."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import msgspec

from codeai.language.lexer import INTEGER, NAME, STRING
from codeai.language.spellings import shapes
from codeai.language.tree import declarations as d
from codeai.language.tree import expressions as ex
from codeai.language.tree import statements as st
from codeai.language.tree import types as ty
from codeai.language.tree.node import Identifier

if TYPE_CHECKING:
    from codeai.language.parser.clauses import Clauses

PLACES: Final = ("path", "query", "header", "cookie", "body")
_FIELD_TYPES: Final = ("uuid", "int", "float", "decimal", "bool", "timestamp", "date", "email", "string", "text")
_PAGE: Final = ("limit", "offset", "page")


def _middleware(p: Clauses) -> tuple[d.Clause, ...] | None:
    return _names(p, "use", "use: [{}]")


def _role(p: Clauses) -> tuple[d.Clause, ...] | None:
    return _names(p, "roles", "roles: [{}]")


def _permission(p: Clauses) -> tuple[d.Clause, ...] | None:
    return _names(p, "permissions", "permissions: [{}]")


def _names(p: Clauses, key: str, canonical: str) -> tuple[d.Clause, ...]:
    word = p.key()
    names = list(p.names())
    while p.at(",") and p.kind_at(1) in (NAME, STRING) and _is_name(p):
        p.i += 1
        names.extend(p.names())
    p.older(word.start, p.previous_end, canonical.format(", ".join(name.text for name in names)))
    return (d.NamesClause(word.start, p.previous_end, Identifier(word.start, word.end, key), tuple(names)),)


def _is_name(p: Clauses) -> bool:
    """Whether a name of the list follows the comma, and no clause."""
    if p.breaks_at(2) or p.kind_at(2) in (",", "}", ";"):
        return True
    return p.text_at(1) not in CLAUSES and (p.text_at(2) in CLAUSES or p.text_at(2) in ("do", "auth", "returns", "body", "roles"))


def _request(p: Clauses) -> tuple[d.Clause, ...] | None:
    start = p.start
    p.i += 1
    p.take(":")
    type_ = p.type_expression()
    place = Identifier(start, p.previous_end, "body")
    if p.take_word("from"):
        place = p.identifier("'body', 'path', 'query', 'header' or 'cookie'")
        if place.text not in PLACES:
            meant = p.unknown("place", place, PLACES, "CAI0024")
            place = meant if meant.text in PLACES else Identifier(place.start, place.end, "body")
    place = Identifier(start, p.previous_end, place.text)
    if place.text == "path":
        return (_path(p, start, place),)
    if isinstance(type_, ty.RecordType):
        p.older(start, p.previous_end, f"{place.text} {{ … }}")
        fields = tuple(field for field in type_.fields if isinstance(field, d.FieldDeclaration))
        return (d.InputClause(start, p.previous_end, place, fields),)
    fields = _page_fields(p, type_) if place.text == "query" else ()
    if fields:
        p.older(start, p.previous_end, "query { … }")
        return (d.InputClause(start, p.previous_end, place, fields),)
    p.older(start, p.previous_end, f"{place.text}: …")
    return (d.InputClause(start, p.previous_end, place, (), shapes.derived(p, type_)),)


def _path(p: Clauses, start: int, place: Identifier) -> d.Clause:
    """``request UserID from path``: each parameter of the path, with the type of the field it names."""
    p.older(start, p.previous_end, "path { … }")
    fields = tuple(_field(p, name, start, p.previous_end, required=True) for name in p.host.parameters)
    return d.InputClause(start, p.previous_end, place, fields)


def _field(p: Clauses, name: str, start: int, end: int, *, required: bool) -> d.FieldDeclaration:
    word = "string"
    if name == "id" or name.lower().endswith("id"):
        keys = {outline.fields.get(outline.primary, "uuid") for outline in p.outline.entities.values()}
        word = keys.pop() if len(keys) == 1 else "uuid"
    for outline in p.outline.entities.values():
        if name not in ("id",) and name in outline.fields and outline.fields[name] in _FIELD_TYPES:
            word = outline.fields[name]
    return _input(name, word, start, end)


def _input(name: str, word: str, start: int, end: int) -> d.FieldDeclaration:
    return d.FieldDeclaration(start, end, Identifier(start, end, name), ty.NamedType(start, end, Identifier(start, end, word)))


def _page_fields(p: Clauses, type_: ty.TypeExpression) -> tuple[d.FieldDeclaration, ...]:
    """The query of a list whose block pages by ``limit`` and ``offset``, which no entity has as fields."""
    found = shapes.entity_and_kind(p, type_.name.text) if isinstance(type_, ty.NamedType) and not type_.arguments else None
    used = [word for word in _PAGE if _mentions(p, word)]
    if found is None or not used:
        return ()
    start, end = type_.start, type_.end
    outline = p.outline.entities[found[0]]
    named = [(name, word) for name, word in outline.fields.items() if word in _FIELD_TYPES and name != outline.primary]
    return tuple(_input(name, word, start, end) for name, word in (*named, *((word, "int") for word in used)))


def _mentions(p: Clauses, word: str) -> bool:
    """Whether the rest of the endpoint has the word as a value, outside of clauses of queries."""
    at = p.i
    while p.kinds[at] != "end" and p.starts[at] < p.host.end:
        if p.texts[at] == word and p.kinds[at] == NAME and p.kinds[at - 1] in ("(", ",", "."):
            return True
        at += 1
    return False


def _response(p: Clauses) -> tuple[d.Clause, ...] | None:
    start = p.start
    p.i += 1
    p.take(":")
    if p.at_word("status") and p.kind_at(1) == INTEGER:
        type_: ty.TypeExpression = ty.NamedType(start, p.previous_end, Identifier(start, p.previous_end, "void"))
    else:
        type_ = p.plain_type()
        if p.at("[") and p.kind_at(1) == "]":
            p.i += 2
            type_ = ty.NamedType(type_.start, p.previous_end, Identifier(type_.start, type_.end, "list"), (type_,))
    status = p.literal() if p.take_word("status") else None
    if isinstance(status, ex.IntLiteral) and status.value >= 400:
        known = status.value in {code.value for code in HTTPStatus}
        message = HTTPStatus(status.value).phrase.lower() if known else "failed"
        p.older(start, p.previous_end, f'error {status.value}: "{message}"')
        return (d.ErrorClause(start, p.previous_end, status, message),)
    p.older(start, p.previous_end, "returns: …")
    paged = not _word_ahead(p, "do")
    return (d.ReturnsClause(start, p.previous_end, shapes.derived(p, type_, paged=paged), status),)


def _word_ahead(p: Clauses, word: str) -> bool:
    at = p.i
    while p.kinds[at] != "end" and p.starts[at] < p.host.end:
        if p.texts[at] == word and p.kinds[at] == NAME:
            return True
        at += 1
    return False


CLAUSES: Final[dict[str, Callable[[Clauses], tuple[d.Clause, ...] | None]]] = {
    "middleware": _middleware,
    "require_role": _role,
    "require_permission": _permission,
    "request": _request,
    "response": _response,
}


# -- the whole -----------------------------------------------------------------------------------------------------------


def finished(p: Clauses, clauses: tuple[d.Clause, ...]) -> tuple[d.Clause, ...]:
    """The clauses of an endpoint: several ``middleware`` lines are one ``use``, the last assignment is the result."""
    found: list[d.Clause] = []
    used: d.NamesClause | None = None
    for clause in clauses:
        if isinstance(clause, d.NamesClause) and clause.key.text == "use" and used is not None:
            at = found.index(used)
            end = clause.end if found[-1] is used else used.end
            used = found[at] = msgspec.structs.replace(used, end=end, names=(*used.names, *clause.names))
            continue
        if isinstance(clause, d.NamesClause) and clause.key.text == "use" and p.host.older:
            used = clause
        found.append(_returning(p, clause, clauses) if isinstance(clause, d.DoClause) else clause)
    if p.host.guarded and not any(isinstance(c, d.AuthClause) or (isinstance(c, d.NamesClause) and c.key.text in _GUARDS) for c in clauses):
        place = found[0].start if found else 0
        found.insert(0, d.AuthClause(place, place, (Identifier(place, place, "required"),)))
    return tuple(found)


_GUARDS: Final = ("roles", "permissions")


def _returning(p: Clauses, clause: d.DoClause, clauses: tuple[d.Clause, ...]) -> d.DoClause:
    """A block that returns nothing answers with what was assigned last."""
    body, name = clause.body, p.host.assigned
    returns = next((c for c in clauses if isinstance(c, d.ReturnsClause)), None)
    void = returns is not None and isinstance(returns.type, ty.NamedType) and returns.type.name.text == "void"
    if not name or void or not body.statements or _returns(body) or any(body.start <= gap.start < body.end for gap in p.gaps[-9:]):
        return clause
    end = body.statements[-1].end
    value = st.Return(end, end, ex.Name(end, end, name))
    p.older(end - 1, end, f"return {name}")
    return msgspec.structs.replace(clause, body=msgspec.structs.replace(body, statements=(*body.statements, value)))


def _returns(block: st.Block) -> bool:
    for statement in block.statements:
        if isinstance(statement, st.Return):
            return True
        if isinstance(statement, st.If):
            if any(_returns(arm.body) for arm in statement.arms) and statement is block.statements[-1]:
                return True
    return False
