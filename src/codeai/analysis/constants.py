"""Constants of the program that no place would ever take: a text that is no uuid, a number below what its field allows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from codeai.analysis.conversions import literal_value
from codeai.language import types as t
from codeai.language.tree import expressions as ex
from codeai.language.tree.node import Node
from codeai.model import expression as ir
from codeai.model.entity import Constraints
from codeai.model.validation import check_of

_SPELT: Final[dict[type[t.Type], str]] = {
    t.Uuid: "01890a5d-ac96-774b-bcce-b302099a8057",
    t.Date: "2026-11-26",
    t.Timestamp: "2026-11-26T09:30:00Z",
    t.Time: "09:30",
}
_CHECKED: Final = (t.String, t.Text, t.Email, t.Url, t.Int, t.Decimal, t.Float)
NONE: Final = Constraints()


def constants(node: Node, value: ir.Expression, wanted: t.Type) -> Iterator[tuple[Node, ir.Expression, t.Type]]:
    """The constants of which a resolved value may become one, each with its place and what is wanted there; those in lists, too."""
    plain = t.required(wanted)
    if isinstance(value, ir.ListOf) and isinstance(node, ex.ListLiteral):
        for part, item in zip(node.items, value.items, strict=True):
            yield from constants(part, item, plain.item if isinstance(plain, t.List) else t.Unknown())
    elif isinstance(value, ir.Conditional) and isinstance(node, ex.Conditional):
        yield from constants(node.then, value.then, plain)
        yield from constants(node.otherwise, value.otherwise, plain)
    elif isinstance(value, ir.Constant) or (isinstance(value, ir.Convert) and isinstance(value.operand, ir.Constant)):
        yield node, value, plain


def misspelt(value: ir.Expression) -> tuple[str, str] | None:
    """What is wrong with a constant text that stands for a uuid, date or time, and how one is written; None when nothing is."""
    wanted = t.required(value.type)
    if not isinstance(value, ir.Convert) or not isinstance(value.operand, ir.Constant) or not isinstance(value.operand.value, str):
        return None
    if type(wanted) not in _SPELT or literal_value(value.operand.value, wanted) is not None:
        return None
    return f"'{value.operand.value}' is no {wanted}", f"a {wanted} is written as in '{_SPELT[type(wanted)]}'"


def unfit(value: ir.Expression, type_: t.Type, constraints: Constraints = NONE) -> str | None:
    """What is wrong with a constant by the rules of the field that takes it, as in ``must be at least 1``; None when nothing is."""
    wanted = t.required(type_)
    if not isinstance(value, ir.Constant) or value.value is None or not isinstance(wanted, _CHECKED):
        return None
    found = check_of(wanted, constraints)(value.value)
    return found[1] if found is not None else None
