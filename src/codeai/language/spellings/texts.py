"""Quoted texts that are more than texts: references in ``input`` maps, whole expressions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from codeai.language.lexer import NAME, STRING, Tokens, is_dotted, tokenize
from codeai.language.tree import expressions as ex
from codeai.language.tree.node import Identifier, Node

if TYPE_CHECKING:
    from codeai.language.parser.expressions import Expressions

_ROOTS: Final = ("workflow", "steps", "trigger", "config", "input")
_OPERATORS: Final = frozenset(("==", "=", "!=", "<", "<=", ">", ">=", "+", "??", "."))
_ESCAPED: Final = re.compile(r'\\"((?:[^"\\]|\\[^"])*)\\"')
_Kind = TypeVar("_Kind", bound=Node)


def reference(p: Expressions, value: ex.Expression) -> ex.Expression:
    """A text of an ``input`` map: a reference when all of it is a dotted path that leads somewhere, else the text."""
    if not isinstance(value, ex.StringLiteral):
        return value
    parts = value.value.split(".")
    if len(parts) < 2 or parts[0] not in _ROOTS or not is_dotted(value.value):
        return value
    always = parts[0] == "steps" or parts[:2] == ["workflow", "input"]
    if not always and not _resolves(p, parts):
        advice = "write it without quotes where a reference is meant"
        p.warn(value.start, value.end, f"'{value.value}' looks like a reference and names nothing", "CAI0036", help_text=advice)
        return value
    if parts[0] == "workflow":
        parts = parts[1:]
    p.older(value.start, value.end, ".".join(parts))
    found: ex.Expression = ex.Name(value.start, value.end, parts[0])
    for part in parts[1:]:
        found = ex.Member(value.start, value.end, found, Identifier(value.start, value.end, part))
    return found


def _resolves(p: Expressions, parts: list[str]) -> bool:
    root, *rest = parts
    if root == "config":
        return ".".join(rest) in p.outline.settings
    if root == "workflow":
        return False
    known = p.host.inputs.get(root)
    return known is not None and rest[0] in known


def entries(p: Expressions, found: tuple[ex.MapEntry, ...]) -> tuple[ex.MapEntry, ...]:
    """The entries of an ``input`` map with their references."""
    return tuple(msgspec.structs.replace(entry, value=_deep(p, entry.value)) for entry in found)


def _deep(p: Expressions, value: ex.Expression) -> ex.Expression:
    if isinstance(value, ex.MapLiteral):
        return msgspec.structs.replace(value, entries=entries(p, value.entries))
    if isinstance(value, ex.ListLiteral):
        return msgspec.structs.replace(value, items=tuple(_deep(p, item) for item in value.items))
    return reference(p, value)


def tokens_within(p: Expressions) -> Tokens:
    """The tokens of what the string at the current token says. Strings in it have single quotes or escaped ones; of each pair of
    those the first loses the stroke before it and the second the one behind, so that everything stays in its place.
    """
    base, text = p.file.base, p.file.text
    start, end = p.start - base, p.ends[p.i] - base
    if '\\"' in (content := text[start + 1 : end - 1]):
        text = text[: start + 1] + _ESCAPED.sub(r' "\1" ', content) + text[end - 1 :]
    tokens = tokenize(text, base, start + 1, end - 1, error=p.lexer_class)
    p.diagnostics.extend(tokens.diagnostics)
    return tokens


def stands_alone(p: Expressions, ahead: int = 0) -> bool:
    """Whether a string at the current token, or some tokens ahead, is a whole expression, not the operand of one."""
    if p.kind_at(ahead) != STRING:
        return False
    following, text = p.kind_at(ahead + 1), p.text_at(ahead + 1)
    operator = following in _OPERATORS or (following == NAME and text in ("in", "contains", "is", "starts_with", "ends_with", "between"))
    return not operator or p.breaks_at(ahead + 1)


def expression(p: Expressions) -> ex.Expression:
    """A whole expression in the string at the current token, as in ``if "steps.s.output.ok == true"``."""
    start, end = p.start, p.ends[p.i]
    tokens = tokens_within(p)
    p.i += 1
    inner = p.within(tokens)
    value = inner.expression()
    if not inner.at("end"):
        inner.fail_expected("the end of the expression")
    p.older(start, end, "an expression without quotes")
    return without_workflow(value)


def without_workflow(node: _Kind) -> _Kind:
    """The node with ``workflow.input`` written ``input`` everywhere in it."""
    if isinstance(node, ex.Member) and isinstance(node.target, ex.Name) and node.target.text == "workflow" and node.name.text == "input":
        return ex.Name(node.start, node.end, "input")  # type: ignore[return-value]  # an expression for an expression
    changed: dict[str, object] = {}
    for name in node.__struct_fields__:
        value = getattr(node, name)
        if isinstance(value, Node):
            new: object = without_workflow(value)
        elif isinstance(value, tuple):
            new = tuple(without_workflow(item) if isinstance(item, Node) else item for item in value)
            new = value if all(a is b for a, b in zip(value, new, strict=True)) else new
        else:
            continue
        if new is not value:
            changed[name] = new
    return msgspec.structs.replace(node, **changed) if changed else node


def of_item(p: Expressions, text: ex.StringLiteral) -> ex.Lambda:
    """``"price * quantity"`` as a function of an item: ``item => item.price * item.quantity``."""
    at, p.i = p.i, p.starts.index(text.start)
    value = expression(p)
    p.i = at
    return ex.Lambda(text.start, text.end, (Identifier(text.start, text.end, "item"),), _members(value))


def _members(value: ex.Expression) -> ex.Expression:
    if isinstance(value, ex.Name):
        item = ex.Name(value.start, value.start, "item")
        return item if value.text == "item" else ex.Member(value.start, value.end, item, Identifier(value.start, value.end, value.text))
    if isinstance(value, ex.Binary):
        return msgspec.structs.replace(value, left=_members(value.left), right=_members(value.right))
    if isinstance(value, ex.Unary):
        return msgspec.structs.replace(value, operand=_members(value.operand))
    if isinstance(value, ex.Member):
        return msgspec.structs.replace(value, target=_members(value.target))
    if isinstance(value, ex.Call):
        arguments = tuple(msgspec.structs.replace(part, value=_members(part.value)) for part in value.arguments)
        return msgspec.structs.replace(value, arguments=arguments)
    return value
