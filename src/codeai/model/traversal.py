"""Walking resolved expressions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import msgspec

from codeai.model import expression as ir

SCALARS: Final = frozenset([str, int, bool, type(None)])  # what has nothing inside
_NODES = (ir.Expression, ir.Entry, ir.Column, ir.Join, ir.Order)


def children(node: Any) -> Iterator[Any]:
    """The expressions (and entries, columns, joins, sort terms) directly inside a node."""
    for name in node.__struct_fields__:
        yield from _parts(getattr(node, name))


def _parts(value: Any) -> Iterator[Any]:
    if isinstance(value, _NODES):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from _parts(part)


def any_node(node: Any, test: Callable[[Any], bool]) -> bool:
    """Whether a node or one inside it passes the test."""
    return test(node) or any(any_node(part, test) for part in children(node))


def rebuilt(node: Any, change: Callable[[Any], Any]) -> Any:
    """A copy with ``change`` applied to every node, from the inside out; what does not change is the same, and not a copy."""
    changes: dict[str, Any] = {}
    for name in node.__struct_fields__:
        old = getattr(node, name)
        new = _changed(old, change) if type(old) not in SCALARS else old
        if new is not old:
            changes[name] = new
    return change(msgspec.structs.replace(node, **changes) if changes else node)


def _changed(value: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, _NODES):
        return rebuilt(value, change)
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        parts = [_changed(part, change) for part in value]
        return value if all(new is old for new, old in zip(parts, value, strict=True)) else tuple(parts)
    return value


def without_place(node: ir.Expression) -> ir.Expression:
    """The expression without its offsets, so that the same expression in two places is one."""

    def strip(part: Any) -> Any:
        return msgspec.structs.replace(part, at=-1) if isinstance(part, ir.Expression) and part.at != -1 else part

    found: ir.Expression = rebuilt(node, strip)
    return found


def flattened(operator: str, node: ir.Expression) -> Sequence[ir.Expression]:
    """The operands of a chain of ``and`` or ``or``."""
    if isinstance(node, ir.Binary) and node.operator == operator:
        return (*flattened(operator, node.left), *flattened(operator, node.right))
    return (node,)
