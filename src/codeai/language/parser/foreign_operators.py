"""Operators as other languages write them: ``a like b``, ``a not contains b``, ``a is b``, ``a === b``, ``a <> b``, ``a ** b``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from codeai.language.diagnostics import Edit
from codeai.language.lexer import BROKEN, END, NAME, STRING
from codeai.language.operators import COALESCE, COMPARISON
from codeai.language.tree import expressions as ex

if TYPE_CHECKING:
    from codeai.language.parser.expressions import Expressions

_NEGATABLE: Final = ("contains", "includes", "starts_with", "ends_with", "matches", "between", "like", "ilike")
_LIKE: Final = ("like", "ilike")
_LONGER: Final = {"==": "=", "!=": "=", "<": ">", "*": "*"}  # signs that make one of another language with what follows
_MEANT: Final = {"===": "==", "!==": "!=", "<>": "!="}


def infix(parser: Expressions, word: str) -> tuple[int, str] | None:
    """Power and name of an operator that a word begins which begins none here."""
    if parser.breaks[parser.i] and not parser.depth:
        return None
    if word == "not" and parser.text_at(1) in _NEGATABLE and parser.kind_at(2) not in (":", END):
        return (COMPARISON, "not …")
    return (COMPARISON, "like") if word in _LIKE and parser.kind_at(1) in (STRING, NAME, "(") and not parser.breaks_at(1) else None


def negated(parser: Expressions, left: ex.Expression) -> ex.Expression:
    """``a not contains b``, from behind ``not`` on."""
    start, word, at = parser.previous_end - len("not"), parser.texts[parser.i], parser.i
    parser.i += 1
    if word in _LIKE:
        inner = like(parser, left, start, word)
        return ex.Unary(left.start, inner.end, "not", inner)
    right = parser.expression(COMPARISON)
    if word == "between":
        parser.expect_word("and")
        high = parser.expression(COALESCE - 1)
        inner = ex.Between(left.start, high.end, left, right, high)
    else:
        inner = ex.Binary(left.start, right.end, "contains" if word == "includes" else word, left, right)
    edits = (Edit(left.start, left.start, "not ("), Edit(start, parser.starts[at], ""), Edit(inner.end, inner.end, ")"))
    said, advice = f"no operator is called 'not {word}'", f"write 'not (a {word} b)'"
    parser.report(said, "CAI0037", start, parser.ends[at], help_text=advice, edits=edits)
    return ex.Unary(left.start, inner.end, "not", inner)


def like(parser: Expressions, left: ex.Expression, start: int, word: str) -> ex.Expression:
    """``a like "x%"``, from behind the word on."""
    end = parser.previous_end
    right = parser.expression(COMPARISON)
    advice = "write 'starts_with', 'ends_with' or 'contains' without '%', or 'matches' with a pattern"
    parser.report(f"no operator is called '{word}'", "CAI0037", start, end, help_text=advice)
    return ex.Binary(left.start, right.end, "contains", left, right)


def nothing(parser: Expressions) -> None:
    """``is None``: takes the word for ``null``, and reports it."""
    if parser.texts[parser.i] in ("None", "nil", "undefined", "NULL"):
        start, end, word = parser.start, parser.ends[parser.i], parser.texts[parser.i]
        parser.report(f"expected 'null', got '{word}'", "CAI0037", start, end, expected=("'null'",), edits=(Edit(start, end, "null"),))
        parser.texts[parser.i] = "null"


def identity(parser: Expressions, left: ex.Expression, start: int, *, differs: bool) -> ex.Expression | None:
    """``a is b``, from behind ``is`` or ``is not`` on; None where ``null`` follows, or nothing that could be an operand."""
    word = parser.kinds[parser.i] == NAME and parser.texts[parser.i] not in ("true", "false") and parser.kind_at(1) != "."
    if word or parser.kinds[parser.i] in (BROKEN, END, "}", ")"):
        return None  # 'null', or what was to be 'unique'
    meant, end, at = "!=" if differs else "==", parser.previous_end, parser.i
    right = parser.expression(COMPARISON)
    said, advice = f"expected 'null', got '{parser.texts[at]}'", f"'is' asks for null only: write '{meant}'"
    parser.report(said, "CAI0037", start, end, help_text=advice, edits=(Edit(start, end, meant),))
    return ex.Binary(left.start, right.end, meant, left, right)


def longer(parser: Expressions, operator: str) -> str:
    """What is meant by an operator and the sign behind it: ``===``, ``!==``, ``<>``, ``**``. Without one, the operator."""
    kind = parser.kinds[parser.i]
    if parser.starts[parser.i] != parser.previous_end or _LONGER.get(operator) != kind:
        return operator
    start, end = parser.starts[parser.i - 1], parser.ends[parser.i]
    written = operator + kind
    parser.i += 1
    if written == "**":
        parser.report("no operator is called '**'", "CAI0037", start, end, help_text="a power is written as a product: 'a * a'")
        return operator
    meant = _MEANT[written]
    parser.report(
        f"no operator is called '{written}'", "CAI0037", start, end, help_text=f"write '{meant}'", edits=(Edit(start, end, meant),)
    )
    return meant
