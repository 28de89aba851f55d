"""Steps that let pass or not: ``validate`` and ``authorize``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codeai.language.spellings.steps.call import Call, Result
from codeai.language.tree import expressions as ex
from codeai.language.tree import statements as st
from codeai.language.tree.node import Identifier

if TYPE_CHECKING:
    from codeai.language.parser.queries import Queries


def validate(p: Queries, call: Call) -> Result | None:
    """``validate(request)``: a body is checked before the block runs."""
    if len(call.values) > 1:
        return None
    p.older(call.name.start, call.end, "body { … }, which is checked before the block")
    return Result()


def authorize(p: Queries, call: Call) -> Result | None:
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
