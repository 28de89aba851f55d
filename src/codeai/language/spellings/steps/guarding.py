"""Steps that let pass or not: ``validate`` and ``authorize``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from codeai.language.lexer import is_name
from codeai.language.operators import VALUES
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
    """``authorize(request)``: signed in; with a role, a permission, several of them (any is enough) or a row, that too."""
    if not 1 <= len(call.values) <= 2:
        return None
    start, end = call.name.start, call.end
    what = call.values[-1]
    p.host.guarded = True
    if len(call.values) == 1 and isinstance(what, ex.Name) and what.text in ("request", "user", p.host.place):
        p.older(start, end, "auth: required")
        return Result()
    if isinstance(what, ex.Name):
        return _of_name(p, what, start, end)
    names = what.items if isinstance(what, ex.ListLiteral) else (what,)
    texts = [name for name in names if isinstance(name, ex.StringLiteral)]
    return Result(after=(_allowed(p, texts, start, end),)) if texts and len(texts) == len(names) else None


def _of_name(p: Queries, what: ex.Name, start: int, end: int) -> Result:
    """A row that was read before, else a role or permission."""
    outline = p.outline.entities.get(p.host.entities.get(what.text, ""))
    if outline is None and what.text in p.host.declared:
        hint = "write 'require … else fail 403'"
        p.fail_for_lack(f"nothing says of which entity '{what.text}' is a row", "CAI0034", what.start, what.end, help_text=hint)
    if outline is None:
        return Result(after=(_allowed(p, [ex.StringLiteral(what.start, what.end, what.text)], start, end),))
    if outline.policies:
        p.older(start, end, "allow … in the entity, which holds for every statement")
        return Result()
    owner = next((name for name, target in outline.references.items() if target == "User"), "")
    owner = owner or next((name for name in ("owner", "owner_id", "user_id", "author_id", "created_by") if name in outline.fields), "")
    if not owner:
        said = f"nothing says who may change a row of '{p.host.entities[what.text]}'"
        p.fail(said, "CAI0034", start, end, help_text="add 'allow update: …' to the entity")
    mine = ex.Member(start, end, ex.Name(start, end, "user"), Identifier(start, end, "id"))
    test = ex.Binary(start, end, "==", ex.Member(start, end, what, Identifier(start, end, owner)), mine)
    p.older(start, end, f"require {what.text}.{owner} == user.id else fail 403")
    return Result(after=(_require(test, start, end),))


def _allowed(p: Queries, names: Sequence[ex.StringLiteral], start: int, end: int) -> st.Statement:
    """The caller has one of the roles or permissions."""
    first, *others = (_held(p, name, start, end) for name in names)
    condition: ex.Expression = first
    for other in others:
        condition = ex.Binary(start, end, "or", condition, other)
    p.older(start, end, f"require user.{_method(first)}({names[0].value}){' or …' if others else ''} else fail 403")
    return _require(condition, start, end)


def _held(p: Queries, what: ex.StringLiteral, start: int, end: int) -> ex.Call:
    """A name is a role of the program, else a permission if one is written so."""
    name = what.value
    permission = not p.outline.declares("role", name) and (not is_name(name) or name in p.outline.permissions)
    method = "has_permission" if permission else "has_role"
    known: ex.Expression = (
        ex.StringLiteral(what.start, what.end, name) if permission or name in VALUES else ex.Name(what.start, what.end, name)
    )
    callee = ex.Member(start, end, ex.Name(start, end, "user"), Identifier(start, end, method))
    return ex.Call(start, end, callee, (ex.Argument(what.start, what.end, None, known),))


def _method(call: ex.Call) -> str:
    return call.callee.name.text if isinstance(call.callee, ex.Member) else ""


def _require(condition: ex.Expression, start: int, end: int) -> st.Statement:
    failure = st.Failure(start, end, ex.IntLiteral(start, end, 403), None, None)
    return st.Require(start, end, condition, failure)
