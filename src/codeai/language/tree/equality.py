"""Whether two trees say the same: all of their nodes, without the places where they stand."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from operator import attrgetter
from typing import Any, Final

from codeai.language.tree.node import Node

_PLACES: Final = ("start", "end", "comments", "quoted")  # where it is written and how, which is not what it says


def same(one: object, other: object) -> bool:
    """Whether two values of trees, nodes or tuples of nodes, differ in nothing but their places."""
    lefts, rights = [one], [other]
    while lefts:
        left, right = lefts.pop(), rights.pop()
        if left is right:
            continue
        kind = type(left)
        if kind is not type(right):
            return False
        parts = _parts(kind)  # type: ignore[arg-type]  # mypy takes the hash of its instances for that of a class
        if parts is not None:
            lefts += parts(left)
            rights += parts(right)
        elif isinstance(left, tuple) and isinstance(right, tuple):
            if len(left) != len(right):
                return False
            lefts += left
            rights += right
        elif left != right:
            return False
    return True


@cache
def _parts(kind: type[Any]) -> Callable[[Any], tuple[Any, ...]] | None:
    """What a node of this kind consists of, as a tuple; None for what is no node."""
    if not issubclass(kind, Node):
        return None
    names = [name for name in kind.__struct_fields__ if name not in _PLACES]
    if len(names) < 2:
        return lambda node: tuple(getattr(node, name) for name in names)
    return attrgetter(*names)
