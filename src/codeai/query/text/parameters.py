"""Values beside a query text: ``params.name`` stands for a literal, so that it takes the type that its place asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from codeai.language.tree import expressions as ex
from codeai.language.tree.node import Node
from codeai.query.errors import SemanticError

_Node = TypeVar("_Node", bound=Node)


def with_parameters(node: _Node, parameters: Mapping[str, Any]) -> _Node:
    """A copy of a tree with its parameters filled in.

    :param parameters: texts, numbers, truth values, nulls and lists of them, by name
    :raises SemanticError: a name has no value, or a value is no literal
    """
    if isinstance(node, ex.Member) and isinstance(node.target, ex.Name) and node.target.text == "params":
        name = node.name.text
        if name not in parameters:
            raise SemanticError(
                f"unknown parameter '{name}'",
                hint=f"give it a value: in params of the query API, or with --param {name}=…",
                at=node.name.start,
            )
        return _literal(node, name, parameters[name])  # type: ignore[return-value]  # an expression in the place of one
    return type(node)(**{field: _inside(getattr(node, field), parameters) for field in node.__struct_fields__})


def _inside(value: Any, parameters: Mapping[str, Any]) -> Any:
    if isinstance(value, Node):
        return with_parameters(value, parameters)
    if isinstance(value, tuple):
        return tuple(_inside(part, parameters) for part in value)
    return value


def _literal(node: Node, name: str, value: Any) -> ex.Expression:
    start, end = node.start, node.end
    if value is None:
        return ex.NullLiteral(start, end)
    if isinstance(value, bool):
        return ex.BooleanLiteral(start, end, value)
    if isinstance(value, int):
        return _signed(ex.IntLiteral(start, end, abs(value)), negative=value < 0)
    if isinstance(value, str):
        return ex.StringLiteral(start, end, value)
    if isinstance(value, list):
        return ex.ListLiteral(start, end, tuple(_literal(node, name, item) for item in value))
    if not isinstance(value, dict):
        text = str(value)
        return _signed(ex.DecimalLiteral(start, end, text.lstrip("-")), negative=text.startswith("-"))
    raise SemanticError(f"parameter '{name}' is an object", hint="send its parts one by one", at=start)


def _signed(literal: ex.Expression, *, negative: bool) -> ex.Expression:
    return ex.Unary(literal.start, literal.end, "-", literal) if negative else literal
