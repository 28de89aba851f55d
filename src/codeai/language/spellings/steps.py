"""Steps of blocks in older files, which are written as calls: ``user = find(User, id)``, ``create(User, request)``, ``delete(x)``.

A step becomes the statements it needs and the expression it is worth. ``Result`` holds both: where a step stands inside of another
expression, only a value can be had.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import msgspec

from codeai.language.lexer import NAME, STRING
from codeai.language.naming import snake_case
from codeai.language.spellings import hosts, texts
from codeai.language.tree import expressions as ex
from codeai.language.tree import queries as q
from codeai.language.tree import statements as st
from codeai.language.tree.node import Identifier, Reference

if TYPE_CHECKING:
    from codeai.language.parser.queries import Queries
    from codeai.language.parser.statements import Statements


class Call(msgspec.Struct):
    """A step while it is translated: its name, place and arguments, with bare names resolved."""

    name: Identifier
    end: int
    arguments: tuple[ex.Argument, ...]

    @property
    def values(self) -> tuple[ex.Expression, ...]:
        """The arguments without their names."""
        return tuple(argument.value for argument in self.arguments)


class Result(msgspec.Struct):
    """What a step stands for."""

    value: ex.Expression | None = None
    before: tuple[st.Statement, ...] = ()
    after: tuple[st.Statement, ...] = ()


# -- where steps stand ---------------------------------------------------------------------------------------------------


def is_step(p: Queries, ahead: int = 0) -> bool:
    """Whether an older step is called at a token: its name with parentheses, and no function of the program has that name."""
    name = p.text_at(ahead)
    if name not in STEPS or p.kind_at(ahead + 1) != "(" or p.breaks_at(ahead + 1):
        return False
    if name in ("find", "query", "create", "findOne") and not _entity_at(p, ahead + 2):
        return False
    if name in _OF_ITEMS and not _ends_with_text(p, ahead + 1):
        return False
    return name not in p.host.declared and not p.outline.declares("function", name)


def _ends_with_text(p: Queries, ahead: int) -> bool:
    """Whether the last argument of the call is a text, as in ``sum(list, "a * b")``."""
    depth = 0
    while p.kind_at(ahead) != "end":
        kind = p.kind_at(ahead)
        depth += (kind in ("(", "[", "{")) - (kind in (")", "]", "}"))
        if depth == 0:
            return p.kind_at(ahead - 1) == STRING and p.kind_at(ahead - 2) == ","
        ahead += 1
    return False


def _entity_at(p: Queries, ahead: int) -> bool:
    text = p.text_at(ahead)
    return p.kind_at(ahead) == STRING or (p.kind_at(ahead) == NAME and (text[:1].isupper() or text in p.outline.entities))


def expression(p: Queries) -> ex.Expression | None:
    """A step inside of an expression."""
    if not is_step(p):
        return None
    start = p.start
    result = _read(p)
    if result.value is None or result.before:
        p.report("this step stands on a line of its own", "CAI0034", start, p.previous_end, help_text="assign it to a name first")
        return ex.NullLiteral(start, p.previous_end)
    return result.value


def statement(p: Statements) -> tuple[st.Statement, ...] | None:
    """A step as a statement."""
    if not is_step(p):
        return None
    start = p.start
    changed = p.text_at(2) if p.texts[p.i] in ("update", "patch") and p.kind_at(3) == "," else ""
    result = _read(p)
    value = result.value
    if value is None:
        return (*result.before, *result.after)
    if changed and changed in p.host.declared and p.host.older:
        name = Identifier(value.start, value.start, changed)
        return (*result.before, st.Assign(start, value.end, name, value), *result.after)
    return (*result.before, st.ExpressionStatement(value.start, value.end, value), *result.after)


def assignment(p: Statements) -> tuple[st.Statement, ...] | None:
    """``x = step(…)``, or any first assignment in an older block: it declares the variable."""
    step = is_step(p, 2)
    if not step and (not p.host.older or p.texts[p.i] in p.host.declared):
        return None
    name = p.identifier()
    p.i += 1
    mutable = hosts.assigned_again(p, name.text, p.host.end or p.tokens.ends[-1])
    result = _read(p) if step else Result(p.host.resolved(p.expression()))
    value = result.value
    if value is None:
        p.report("this step has no value", "CAI0034", name.start, p.previous_end, help_text="leave out the assignment")
        return ()
    known = name.text in p.host.declared
    p.host.declared.add(name.text)
    p.host.assigned = name.text
    if isinstance(value, q.Get | q.Select | q.CreateRow) and value.entity is not None:
        p.host.entities[name.text] = value.entity.text
    made: st.Statement
    if known:
        made = st.Assign(name.start, value.end, name, value)
    else:
        made = st.Let(name.start, value.end, name, value, mutable)
        p.older(name.start, name.end, f"{'var' if mutable else 'let'} {name.text}")
    return (*result.before, made, *_found(result, name))


def _found(result: Result, name: Identifier) -> tuple[st.Statement, ...]:
    """What follows the assignment of a row: a condition that it was found, now that it has a name."""
    made: list[st.Statement] = []
    for part in result.after:
        if isinstance(part, st.Require) and isinstance(part.condition, ex.IsNull) and isinstance(part.condition.operand, ex.Star):
            row = ex.Name(name.start, name.end, name.text)
            part = msgspec.structs.replace(part, condition=msgspec.structs.replace(part.condition, operand=row))
        made.append(part)
    return tuple(made)


def _read(p: Queries) -> Result:
    """Reads a step with its arguments and translates it."""
    name = p.identifier()
    p.i += 1
    arguments = p.inside(lambda: _arguments(p))
    p.expect(")", "')'")
    found = STEPS[name.text](p, Call(name, p.previous_end, arguments))
    if found is None:
        shown = _SHOWN.get(name.text, f"{name.text}(…)")
        p.fail(f"malformed step '{name.text}'", "CAI0034", name.start, p.previous_end, help_text=f"write {shown}")
    return found


def _arguments(p: Queries) -> tuple[ex.Argument, ...]:
    found: list[ex.Argument] = []
    while not p.at(")"):
        start = p.start
        key = None
        if p.at(NAME) and p.kind_at(1) == ":":
            key = p.identifier()
            p.i += 1
        value = p.host.resolved(p.expression())
        found.append(ex.Argument(start, value.end, key, value))
        if not p.take(","):
            break
    return tuple(found)


# -- reading -------------------------------------------------------------------------------------------------------------


def _entity(p: Queries, value: ex.Expression) -> Identifier | None:
    if isinstance(value, ex.StringLiteral):
        return Identifier(value.start, value.end, p.outline.entity_of(value.value))
    return Identifier(value.start, value.end, value.text) if isinstance(value, ex.Name) else None


def _find(p: Queries, call: Call) -> Result | None:
    entity = _entity(p, call.values[0]) if call.values else None
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
    if isinstance(key, ex.MapLiteral):
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
        values = [argument.value for argument in p.inside(lambda: _arguments(p))]
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


def _paginate(p: Queries, call: Call) -> Result | None:
    """``paginate(query, limit, offset)``."""
    if not call.values:
        return None
    first, *rest = call.values
    p.older(call.name.start, call.end, "limit … offset …")
    if isinstance(first, q.Select) and len(rest) <= 2:
        limit, offset = (*rest, None, None)[:2]
        return Result(msgspec.structs.replace(first, limit=limit or first.limit, offset=offset or first.offset))
    return Result(first) if not rest else None


def _transform(p: Queries, call: Call) -> Result | None:
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


# -- writing -------------------------------------------------------------------------------------------------------------


def _source(value: ex.Expression) -> tuple[tuple[ex.MapEntry, ...], ex.Expression | None]:
    return (value.entries, None) if isinstance(value, ex.MapLiteral) else ((), value)


def _create(p: Queries, call: Call) -> Result | None:
    entity = _entity(p, call.values[0]) if len(call.values) == 2 else None
    if entity is None:
        return None
    values, source = _source(call.values[1])
    p.older(call.name.start, call.end, f"create {entity.text} {'from …' if source is not None else '{ … }'}")
    return Result(q.CreateRow(call.name.start, call.end, entity, values, source))


def _row(p: Queries, table: ex.Expression, key: ex.Expression) -> tuple[ex.Name, st.Statement] | None:
    """The row that ``update("t", id, …)`` and ``delete("t", id)`` name: read first, so that a missing one is 404."""
    entity = _entity(p, table)
    if entity is None:
        return None
    start, end = table.start, key.end
    name = hosts.fresh(p, snake_case(entity.text))
    get = q.Get(start, end, entity, key)
    return ex.Name(start, end, name), st.Let(start, end, Identifier(start, end, name), get, False)


def _update(p: Queries, call: Call) -> Result | None:
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


def _one_field(p: Queries, call: Call, test: ex.Binary) -> Result | None:
    """``update(row.f = e)``."""
    if not isinstance(test.left, ex.Member):
        return None
    entry = ex.MapEntry(test.left.name.start, test.end, test.left.name, test.right)
    p.older(call.name.start, call.end, f"update row {{ {test.left.name.text}: … }}")
    return Result(q.UpdateRow(call.name.start, call.end, test.left.target, (entry,)))


def _delete(p: Queries, call: Call) -> Result | None:
    values, start, end = call.values, call.name.start, call.end
    p.older(start, end, "delete row")
    if len(values) == 2:
        found = _row(p, values[0], values[1])
        return Result(q.DeleteRow(start, end, found[0]), before=(found[1],)) if found is not None else None
    return Result(q.DeleteRow(start, end, values[0])) if len(values) == 1 else None


# -- everything else -----------------------------------------------------------------------------------------------------


def _of_items(p: Queries, call: Call) -> Result | None:
    """``sum(list, "a * b")`` is ``sum(list, item => item.a * item.b)``."""
    if len(call.values) != 2 or not isinstance(call.values[1], ex.StringLiteral):
        return None
    function = texts.of_item(p, call.values[1])
    arguments = (call.arguments[0], ex.Argument(function.start, function.end, None, function))
    return Result(ex.Call(call.name.start, call.end, ex.Name(call.name.start, call.name.end, call.name.text), arguments))


def upsert(p: Statements) -> tuple[st.Statement, ...]:
    """``upsert E set a = 1 where k = v``: the row that has the unique key, changed or made."""
    start = p.start
    p.i += 1
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


_OF_ITEMS: Final = ("sum", "avg")


def _validate(p: Queries, call: Call) -> Result | None:
    if len(call.values) > 1:
        return None
    p.older(call.name.start, call.end, "body { … }, which is checked before the block")
    return Result()


def _authorize(p: Queries, call: Call) -> Result | None:
    """``authorize(request)``: signed in; with a role, permission or row, that too."""
    if not 1 <= len(call.values) <= 2:
        return None
    start, end = call.name.start, call.end
    p.host.guarded = True
    if len(call.values) == 1:
        p.older(start, end, "auth: required")
        return Result()
    what = call.values[1]
    if isinstance(what, ex.StringLiteral):
        return Result(after=(_allowed(p, what, start, end),))
    if not isinstance(what, ex.Name):
        return None
    entity = p.host.entities.get(what.text, "")
    outline = p.outline.entities.get(entity)
    if outline is None:
        return Result(after=(_allowed(p, ex.StringLiteral(what.start, what.end, what.text), start, end),))
    if outline.policies:
        p.older(start, end, "allow … in the entity, which holds for every statement")
        return Result()
    owner = next((name for name, target in outline.references.items() if target == "User"), "")
    owner = owner or next((name for name in ("owner", "owner_id", "user_id", "author_id", "created_by") if name in outline.fields), "")
    if not owner:
        p.fail(f"nothing says who may change a row of '{entity}'", "CAI0034", start, end, help_text="add 'allow update: …' to the entity")
    mine = ex.Member(start, end, ex.Name(start, end, "user"), Identifier(start, end, "id"))
    test = ex.Binary(start, end, "==", ex.Member(start, end, what, Identifier(start, end, owner)), mine)
    p.older(start, end, f"require {what.text}.{owner} == user.id else fail 403")
    return Result(after=(_require(test, start, end),))


def _allowed(p: Queries, what: ex.StringLiteral, start: int, end: int) -> st.Statement:
    """A name is a role of the program, else a permission if one is written so."""
    name = what.value
    permission = not p.outline.declares("role", name) and (":" in name or name in p.outline.permissions)
    method = "has_permission" if permission else "has_role"
    known: ex.Expression = ex.StringLiteral(what.start, what.end, name) if permission else ex.Name(what.start, what.end, name)
    call = ex.Call(
        start,
        end,
        ex.Member(start, end, ex.Name(start, end, "user"), Identifier(start, end, method)),
        (ex.Argument(what.start, what.end, None, known),),
    )
    p.older(start, end, f"require user.{method}({name}) else fail 403")
    return _require(call, start, end)


def _require(condition: ex.Expression, start: int, end: int) -> st.Statement:
    failure = st.Failure(start, end, ex.IntLiteral(start, end, 403), None, None)
    return st.Require(start, end, condition, failure)


def _call(p: Queries, call: Call) -> Result | None:
    """``call("Payments.charge", { … })`` and ``call(Payments.charge, …)``."""
    if not 1 <= len(call.values) <= 3:
        return None
    parts = _dotted(call.values[0])
    rest = list(call.values[1:])
    if parts is not None and len(parts) == 1 and rest and isinstance(rest[0], ex.StringLiteral):
        second = rest.pop(0)
        parts = (*parts, Identifier(second.start, second.end, second.value if isinstance(second, ex.StringLiteral) else ""))
    if parts is None or len(rest) > 1 or (rest and not isinstance(rest[0], ex.MapLiteral)):
        return None
    values = rest[0].entries if rest and isinstance(rest[0], ex.MapLiteral) else ()
    name = Reference(parts[0].start, parts[-1].end, parts)
    quoted = isinstance(call.values[0], ex.StringLiteral) and not p.outline.declares("operation", name.text)
    operation = msgspec.structs.replace(name, quoted=quoted)
    p.older(call.name.start, call.end, f"call {operation.text} {{ … }}")
    return Result(q.CallOperation(call.name.start, call.end, operation, values))


def _dotted(value: ex.Expression) -> tuple[Identifier, ...] | None:
    if isinstance(value, ex.StringLiteral):
        return tuple(Identifier(value.start, value.end, part) for part in value.value.split("."))
    if isinstance(value, ex.Name):
        return (Identifier(value.start, value.end, value.text),)
    if isinstance(value, ex.Member):
        inner = _dotted(value.target)
        return (*inner, value.name) if inner is not None else None
    return None


def _check(p: Queries, call: Call) -> Result | None:
    """``check(database)``: a statement that the database has to answer."""
    if len(call.values) != 1 or not isinstance(call.values[0], ex.Name | ex.Member):
        return None
    entity = next(iter(p.outline.entities), None)
    start, end = call.name.start, call.end
    if entity is None:
        p.fail("there is no entity to ask the database for", "CAI0034", start, end, help_text="GET /health checks the database")
    p.older(start, end, f"exists {entity}")
    asked = q.Select(start, end, "exists", Identifier(start, end, entity), as_system=True)
    return Result(ex.Binary(start, end, "or", asked, ex.BooleanLiteral(start, end, True)))


def _log(p: Queries, call: Call) -> Result | None:
    if not 1 <= len(call.values) <= 2:
        return None
    start, end = call.name.start, call.end
    word = call.name.text.removeprefix("log").removeprefix("_").replace("warning", "warn")
    data: tuple[ex.MapEntry, ...] = ()
    if len(call.values) == 2:
        value = call.values[1]
        name = value.text if isinstance(value, ex.Name) else "value"
        entry = ex.MapEntry(value.start, value.end, Identifier(value.start, value.end, name), value)
        data = value.entries if isinstance(value, ex.MapLiteral) else (entry,)
    p.older(start, end, f"log {word} …" if word else "log …")
    level = Identifier(start, start, word) if word else None
    return Result(after=(st.Log(start, end, level, call.values[0], data),))


def _foreign(p: Queries, call: Call) -> Result | None:
    p.unsupported(call.name.start, call.end, f"'{call.name.text}'", _FOREIGN[call.name.text])
    return Result(ex.NullLiteral(call.name.start, call.end))


_FOREIGN: Final = {
    "exec_sql": "write the statement as select, update or delete, or call an extern function",
    "import": "write 'extern function name(…) from \"module.name\"' and call it",
}
_SHOWN: Final = {
    "find": "find(Entity, id)",
    "create": "create(Entity, request)",
    "insert": 'insert("table", request)',
    "update": "update(row, request)",
    "delete": "delete(row)",
    "authorize": 'authorize(request, "role")',
    "call": 'call("Integration.operation", { … })',
}
STEPS: Final[dict[str, Callable[[Queries, Call], Result | None]]] = {
    **dict.fromkeys(("find", "findOne", "query"), _find),
    **dict.fromkeys(("create", "insert"), _create),
    **dict.fromkeys(("update", "patch"), _update),
    "delete": _delete,
    **dict.fromkeys(_OF_ITEMS, _of_items),
    "validate": _validate,
    "authorize": _authorize,
    "call": _call,
    "paginate": _paginate,
    "transform": _transform,
    "check": _check,
    **dict.fromkeys(("log", "log_info", "log_warning", "log_error", "log_debug"), _log),
    **dict.fromkeys(_FOREIGN, _foreign),
}
