"""Finding nodes by place."""

from __future__ import annotations

from collections.abc import Iterator

from codeai.language.tree import declarations as d
from codeai.language.tree.module import Module
from codeai.language.tree.node import Node, children


def chain(module: Module, offset: int) -> list[Node]:
    """The nodes around an offset, the outermost first."""
    found: list[Node] = [module]
    while True:
        inner = [node for node in children(found[-1]) if node.start <= offset <= node.end]
        if not inner:
            return found
        found.append(min(inner, key=lambda node: (node.end == offset and node.start != offset, node.end - node.start)))


def declaration_at(module: Module, offset: int) -> d.Declaration | None:
    """The top-level declaration around an offset."""
    return next((one for one in module.declarations if one.start <= offset <= one.end), None)


def walked(node: Node) -> Iterator[Node]:
    """A node and all beneath it."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        yield one
        waiting.extend(children(one))
