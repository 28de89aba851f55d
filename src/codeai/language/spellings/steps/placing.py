"""Where steps stand: as a statement, behind an assignment, or inside of another expression."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import msgspec

from codeai.language.lexer import NAME, STRING
from codeai.language.naming import snake_case
from codeai.language.spellings import hosts
from codeai.language.spellings.steps.call import Call, Result, arguments_of
from codeai.language.spellings.steps.guarding import authorize, validate
from codeai.language.spellings.steps.outside import FOREIGN, call_operation, check, foreign, log
from codeai.language.spellings.steps.reading import OF_ITEMS, find, of_items, paginate, transform
from codeai.language.spellings.steps.writing import create, delete, update
from codeai.language.tree import expressions as ex
from codeai.language.tree import queries as q
from codeai.language.tree import statements as st
from codeai.language.tree.node import Identifier

if TYPE_CHECKING:
    from codeai.language.parser.queries import Queries
    from codeai.language.parser.statements import Statements


# What to write instead of each: the canonical form, with what an older one would have to say.
_SHOWN: Final = {
    **dict.fromkeys(("find", "findOne"), "first Entity where …', or 'find(Entity, id)"),
    "query": "select Entity where …",
    **dict.fromkeys(("create", "insert"), "create Entity { … }', or 'create(Entity, request)"),
    **dict.fromkeys(("update", "patch"), "update row { … }', or 'update(row, request)"),
    "delete": "delete row', or 'delete(row)",
    "paginate": "select Entity … limit … offset …', or 'paginate(find(Entity), limit, offset)",
    "authorize": """require user.has_role(…)', or 'authorize(request, "role")""",
    "call": """call Integration.operation { … }', or 'call("Integration.operation", { … })""",
    "validate": "body { … }', which is checked before the block",
    "transform": "list.map(item => …)",
    **dict.fromkeys(("sum", "avg"), "sum(Entity.field)', or 'list.sum(item => …)"),
    **dict.fromkeys(("log", "log_debug", "log_error", "log_info", "log_warning"), 'log info "…" { key: value }'),
    "check": "require …",
}


STEPS: Final[dict[str, Callable[[Queries, Call], Result | None]]] = {
    **dict.fromkeys(("find", "findOne", "query"), find),
    **dict.fromkeys(("create", "insert"), create),
    **dict.fromkeys(("update", "patch"), update),
    "delete": delete,
    **dict.fromkeys(OF_ITEMS, of_items),
    "validate": validate,
    "authorize": authorize,
    "call": call_operation,
    "paginate": paginate,
    "transform": transform,
    "check": check,
    **dict.fromkeys(("log", "log_info", "log_warning", "log_error", "log_debug"), log),
    **dict.fromkeys(FOREIGN, foreign),
}


def is_step(p: Queries, ahead: int = 0) -> bool:
    """Whether an older step is called at a token: its name with parentheses, and no function of the program has that name."""
    name = p.text_at(ahead)
    if name not in STEPS or p.kind_at(ahead + 1) != "(" or p.breaks_at(ahead + 1):
        return False
    if name in ("find", "query", "create", "findOne") and not _entity_at(p, ahead + 2):
        return False
    if name in OF_ITEMS and not _ends_with_text(p, ahead + 1):
        return False
    return name not in p.host.declared and not p.outline.declares("function", name)


def _ends_with_text(p: Queries, ahead: int) -> bool:
    """Whether the last argument of the call is a text, as in ``sum(list, "a * b")``."""
    depth = 0
    while p.kind_at(ahead) != "end":
        kind = p.kind_at(ahead)
        depth += (kind in ("(", "[", "{")) - (kind in (")", "]", "}"))
        if depth == 0:
            ahead -= p.kind_at(ahead - 1) == ","
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
    if result.value is None or result.before or result.after:
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
    if result.after and isinstance(value, q.Select) and value.entity is not None:
        name = Identifier(value.start, value.start, hosts.fresh(p, snake_case(value.entity.text)))
        return (*result.before, st.Let(value.start, value.end, name, value, False), *_found(result, name))
    return (*result.before, st.ExpressionStatement(value.start, value.end, value), *result.after)


def assignment(p: Statements) -> tuple[st.Statement, ...] | None:
    """``x = step(…)``, or any first assignment in an older block: it declares the variable."""
    step = is_step(p, 2)
    if not step and (not p.host.older or p.texts[p.i] in p.host.declared):
        return None
    name = p.variable()
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
    if isinstance(value, q.Select) and value.kind == "select":
        p.host.queries[name.text] = value
    else:
        p.host.queries.pop(name.text, None)
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
    arguments = p.inside(lambda: arguments_of(p))
    p.expect(")", "')'")
    found = STEPS[name.text](p, Call(name, p.previous_end, arguments))
    if found is None:
        shown = _SHOWN.get(name.text, f"{name.text}(…)")
        fail = p.fail_for_lack if name.text == "paginate" else p.fail  # which pages what an earlier step has found
        fail(f"malformed step '{name.text}'", "CAI0034", name.start, p.previous_end, help_text=f"write '{shown}'")
    return found
