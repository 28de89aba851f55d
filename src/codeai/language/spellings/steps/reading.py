"""Steps that read: ``find``, ``findOne``, ``query``, ``paginate``, ``transform``, ``sum`` of products."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from codeai.language.lexer import is_name
from codeai.language.spellings import texts
from codeai.language.spellings.steps.call import Call, Result, arguments_of, entity_of
from codeai.language.tree import expressions as ex
from codeai.language.tree import queries as q
from codeai.language.tree import statements as st
from codeai.language.tree.node import Identifier

if TYPE_CHECKING:
    from codeai.language.parser.queries import Queries


OF_ITEMS: Final = ("sum", "avg")


def find(p: Queries, call: Call) -> Result | None:
    """``find(E, id)``, ``find(E) where …``, ``findOne(E, { … })``, ``query("t", "cond")``."""
    entity = entity_of(p, call.values[0]) if call.values else None
    if entity is None or len(call.values) > 2:
        return None
    start = call.name.start
    key = call.values[1] if len(call.values) == 2 else None
    single = call.name.text == "findOne" or key is not None
    where: ex.Expression | None
    if isinstance(key, ex.StringLiteral) and call.name.text == "query":
        where = p.sql_condition(key)
        p.older(start, call.end, f"select {entity.text} where …")
        return Result(_trailing(p, q.Select(start, call.end, "select", entity, where=where)))
    if isinstance(key, ex.MapLiteral) and all(is_name(entry.key.text) for entry in key.entries):
        where = _equalities(key)
        return Result(_trailing(p, q.Select(start, call.end, "first" if single else "select", entity, where=where)))
    if key is not None:
        return _get(p, call, entity, key)
    kind = "first" if single else "select"
    p.older(start, call.end, f"{kind} {entity.text}")
    return Result(_trailing(p, q.Select(start, call.end, kind, entity)))


def _equalities(values: ex.MapLiteral) -> ex.Expression | None:
    found: ex.Expression | None = None
    for entry in values.entries:
        name = ex.Name(entry.key.start, entry.key.end, entry.key.text)
        test = ex.Binary(entry.start, entry.end, "==", name, entry.value)
        found = test if found is None else ex.Binary(found.start, test.end, "and", found, test)
    return found


def _get(p: Queries, call: Call, entity: Identifier, key: ex.Expression) -> Result:
    """``find(E, id)``: the row or 404; with a condition, the first row that has key and condition, or 404."""
    start = call.name.start
    row = q.Get(start, call.end, entity, key)
    found = _trailing(p, q.Select(start, call.end, "first", entity))
    where = found.where
    outline = p.outline.entities.get(entity.text)
    soft = outline.soft if outline is not None else ""
    if isinstance(where, ex.IsNull) and isinstance(where.operand, ex.Name) and where.operand.text == soft and not where.negated:
        where = None  # rows that are deleted softly are left out anyhow
    if where is None:
        p.older(start, call.end, f"get {entity.text}(…)")
        return Result(msgspec.structs.replace(row, end=found.end, loads=found.loads))
    p.older(start, call.end, f"first {entity.text} where …")
    field = ex.Name(key.start, key.end, outline.primary if outline is not None else "id")
    test = ex.Binary(key.start, where.end, "and", ex.Binary(key.start, key.end, "==", field, key), where)
    value = msgspec.structs.replace(found, where=test)
    failure = st.Failure(start, call.end, ex.IntLiteral(start, call.end, 404), None, None)
    missing = ex.IsNull(start, call.end, ex.Star(start, call.end), True)
    return Result(value, after=(st.Require(start, call.end, missing, failure),))


def _trailing(p: Queries, select: q.Select) -> q.Select:
    """The clauses behind ``find(E)``: conditions, also quoted, order, and ``paginate(limit, offset)``."""
    clauses = p.clauses()
    limit, offset = clauses.limit, clauses.offset
    if p.at_word("paginate") and p.kind_at(1) == "(" and p.text_at(2) not in p.host.declared:
        at = p.start
        p.i += 2
        values = [argument.value for argument in p.inside(lambda: arguments_of(p))]
        p.expect(")", "')'")
        limit, offset = (*values, None, None)[:2]
        p.older(at, p.previous_end, "limit … offset …")
    return msgspec.structs.replace(
        select,
        end=p.previous_end,
        loads=tuple(clauses.loads),
        with_deleted=clauses.with_deleted,
        joins=tuple(clauses.joins),
        where=clauses.where if clauses.where is not None else select.where,
        search=clauses.search,
        order_by=tuple(clauses.order_by),
        limit=limit,
        offset=offset,
        as_system=clauses.as_system,
    )


def paginate(p: Queries, call: Call) -> Result | None:
    """``paginate(query, limit, offset)``."""
    if not call.values:
        return None
    first, *rest = call.values
    p.older(call.name.start, call.end, "limit … offset …")
    if isinstance(first, ex.Name) and rest and first.text in p.host.queries:  # the rows of a page are asked for by themselves
        first = msgspec.structs.replace(p.host.queries[first.text], start=call.name.start, end=call.end)
    if isinstance(first, q.Select) and len(rest) <= 2:
        limit, offset = (*rest, None, None)[:2]
        return Result(msgspec.structs.replace(first, limit=limit or first.limit, offset=offset or first.offset))
    return Result(first) if not rest else None


def transform(p: Queries, call: Call) -> Result | None:
    """``transform(value)``, ``transform(list, x => …)``, ``transform(value, function)``, ``transform(value, { … })``."""
    if not 1 <= len(call.values) <= 2:
        return None
    value, how = (*call.values, None)[:2]
    assert value is not None
    start, end = call.name.start, call.end
    p.older(start, end, "the value itself")
    if how is None:
        return Result(value)
    if isinstance(how, ex.Lambda):
        method = ex.Member(start, end, value, Identifier(start, end, "map"))
        return Result(ex.Call(start, end, method, (ex.Argument(how.start, how.end, None, how),)))
    if isinstance(how, ex.Name):
        return Result(ex.Call(start, end, how, (ex.Argument(value.start, value.end, None, value),)))
    return Result(how) if isinstance(how, ex.MapLiteral) else None


def of_items(p: Queries, call: Call) -> Result | None:
    """``sum(list, "a * b")`` is ``sum(list, item => item.a * item.b)``."""
    if len(call.values) != 2 or not isinstance(call.values[1], ex.StringLiteral):
        return None
    function = texts.of_item(p, call.values[1])
    arguments = (call.arguments[0], ex.Argument(function.start, function.end, None, function))
    return Result(ex.Call(call.name.start, call.end, ex.Name(call.name.start, call.name.end, call.name.text), arguments))
