"""Steps that write: ``create``, ``insert``, ``update``, ``patch``, ``delete``, ``upsert``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from codeai.language.naming import snake_case
from codeai.language.operators import CONTINUING_WORDS, WORDS
from codeai.language.spellings import hosts
from codeai.language.spellings.steps.call import Call, Result, entity_of
from codeai.language.tree import expressions as ex
from codeai.language.tree import queries as q
from codeai.language.tree import statements as st
from codeai.language.tree.node import Identifier

if TYPE_CHECKING:
    from codeai.language.parser.queries import Queries
    from codeai.language.parser.statements import Statements

_ROWS: Final = (ex.Name, ex.Member, ex.Index, ex.Call, q.Get, q.Select)  # what may stand for a row


def _source(value: ex.Expression) -> tuple[tuple[ex.MapEntry, ...], ex.Expression | None]:
    return (value.entries, None) if isinstance(value, ex.MapLiteral) else ((), value)


def create(p: Queries, call: Call) -> Result | None:
    """``create(E, request)``, ``insert("t", { … })``."""
    entity = entity_of(p, call.values[0]) if len(call.values) == 2 else None
    if entity is None:
        return None
    values, source = _source(call.values[1])
    p.older(call.name.start, call.end, f"create {entity.text} {'from …' if source is not None else '{ … }'}")
    return Result(q.CreateRow(call.name.start, call.end, entity, values, source))


def _row(p: Queries, table: ex.Expression, key: ex.Expression) -> tuple[ex.Name, st.Statement] | None:
    """The row that ``update("t", id, …)`` and ``delete("t", id)`` name: read first, so that a missing one is 404."""
    entity = entity_of(p, table)
    if entity is None:
        return None
    start, end = table.start, key.end
    name = hosts.fresh(p, snake_case(entity.text))
    get = q.Get(start, end, entity, key)
    return ex.Name(start, end, name), st.Let(start, end, Identifier(start, end, name), get, False)


def update(p: Queries, call: Call) -> Result | None:
    """``update(row, request)``, ``update("t", id, request)``, ``update(row, field, value)``, ``update(row.f = e)``."""
    values, start, end = call.values, call.name.start, call.end
    if len(values) == 1 and isinstance(values[0], ex.Binary) and values[0].operator == "=":
        return _one_field(p, call, values[0])
    if len(values) == 3 and isinstance(values[0], ex.StringLiteral):
        found = _row(p, values[0], values[1])
        if found is None:
            return None
        entries, source = _source(values[2])
        p.older(start, end, "update row from …")
        return Result(q.UpdateRow(start, end, found[0], entries, source), before=(found[1],))
    if values and not _is_row(values[0]):
        return None
    if len(values) == 3 and isinstance(values[1], ex.Name | ex.StringLiteral | ex.Member):
        field = values[1].value if isinstance(values[1], ex.StringLiteral) else values[1].text if isinstance(values[1], ex.Name) else ""
        if not field:
            return None
        entry = ex.MapEntry(values[1].start, values[2].end, Identifier(values[1].start, values[1].end, field), values[2])
        p.older(start, end, f"update row {{ {field}: … }}")
        return Result(q.UpdateRow(start, end, values[0], (entry,)))
    if len(values) != 2 or not isinstance(values[0], ex.Name | ex.Member | ex.Index):
        return None
    entries, source = _source(values[1])
    p.older(start, end, "update row from …" if source is not None else "update row { … }")
    return Result(q.UpdateRow(start, end, values[0], entries, source))


def _is_row(value: ex.Expression) -> bool:
    """Whether a value may stand for a row: words of operators cannot stand behind 'update'."""
    root = value
    while isinstance(root, ex.Member | ex.Index):
        root = root.target
    return isinstance(root, _ROWS) and not (isinstance(value, ex.Name) and value.text in (*WORDS, "as"))


def _one_field(p: Queries, call: Call, test: ex.Binary) -> Result | None:
    """``update(row.f = e)``."""
    if not isinstance(test.left, ex.Member) or not _is_row(test.left.target):
        return None
    entry = ex.MapEntry(test.left.name.start, test.end, test.left.name, test.right)
    p.older(call.name.start, call.end, f"update row {{ {test.left.name.text}: … }}")
    return Result(q.UpdateRow(call.name.start, call.end, test.left.target, (entry,)))


def delete(p: Queries, call: Call) -> Result | None:
    """``delete(row)``, ``delete("t", id)``."""
    values, start, end = call.values, call.name.start, call.end
    found = _row(p, values[0], values[1]) if len(values) == 2 else None
    if found is None and (len(values) != 1 or not _is_row(values[0])):
        return None
    p.older(start, end, "delete row")
    if found is not None:
        return Result(q.DeleteRow(start, end, found[0]), before=(found[1],))
    return Result(q.DeleteRow(start, end, values[0]))


def upsert(p: Statements) -> tuple[st.Statement, ...]:
    """``upsert E set a = 1 where k = v``: the row that has the unique key, changed or made."""
    start = p.start
    p.i += 1
    if p.texts[p.i] in CONTINUING_WORDS:
        p.fail_expected("an entity")
    entity = p.identifier("an entity")
    p.expect_word("set")
    values: list[ex.MapEntry] = []
    while True:
        field = p.identifier("a field")
        p.expect("=", "'='")
        value = p.expression()
        values.append(ex.MapEntry(field.start, value.end, field, value))
        if not (p.take(",") or p.take_word("set")):
            break
    p.expect_word("where")
    where = _with_values(p, p.expression(), entity.text)
    key = _keys(where)
    if key is None:
        p.fail(
            "'upsert' finds its row by fields that equal a value", "CAI0034", where.start, where.end, help_text="write where key = value"
        )
    p.older(start, where.end, f"if exists {entity.text} where … {{ update … }} else {{ create … }}")
    name = hosts.fresh(p, snake_case(entity.text))
    end = where.end
    row = ex.Name(start, end, name)
    found = st.Let(start, end, Identifier(start, end, name), q.Select(start, end, "first", entity, where=where), False)
    create = q.CreateRow(start, end, entity, (*key, *values))
    update = q.UpdateRow(start, end, row, tuple(values))
    made = st.Block(start, end, (st.ExpressionStatement(start, end, create),))
    changed = st.Block(start, end, (st.ExpressionStatement(start, end, update),))
    return (found, st.If(start, end, (st.Arm(start, end, ex.IsNull(start, end, row, False), made),), changed))


def _with_values(p: Statements, where: ex.Expression, entity: str) -> ex.Expression:
    """The condition with what is compared resolved, where it is no field of the entity."""
    if not isinstance(where, ex.Binary):
        return where
    if where.operator == "and":
        left, right = (_with_values(p, side, entity) for side in (where.left, where.right))
        return msgspec.structs.replace(where, left=left, right=right)
    outline = p.outline.entities.get(entity)
    if isinstance(where.right, ex.Name) and outline is not None and where.right.text in outline.fields:
        return where
    return msgspec.structs.replace(where, right=p.host.resolved(where.right))


def _keys(where: ex.Expression) -> tuple[ex.MapEntry, ...] | None:
    if isinstance(where, ex.Binary) and where.operator == "and":
        left, right = _keys(where.left), _keys(where.right)
        return (*left, *right) if left is not None and right is not None else None
    if isinstance(where, ex.Binary) and where.operator in ("=", "==") and isinstance(where.left, ex.Name):
        return (ex.MapEntry(where.start, where.end, Identifier(where.left.start, where.left.end, where.left.text), where.right),)
    return None
