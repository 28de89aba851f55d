"""Finding nodes by place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from codeai.language.tree.module import Gap, Module
from codeai.language.tree.node import Node, children

_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def chain(module: Module, offset: int) -> list[Node]:
    """The nodes around an offset, the outermost first."""
    found: list[Node] = [module]
    while True:
        inner = [node for node in children(found[-1]) if node.start <= offset <= node.end and not isinstance(node, Gap)]
        if not inner:
            return found
        found.append(min(inner, key=lambda node: (node.end == offset and node.start != offset, node.end - node.start)))


def word_at(text: str, at: int) -> tuple[int, int] | None:
    """The stretch of the word around an offset of a text."""
    begin = at
    while begin > 0 and (text[begin - 1].isalnum() or text[begin - 1] == "_"):
        begin -= 1
    found = _WORD.match(text, begin)
    return found.span() if found is not None and found.end() >= at else None


def walked(node: Node) -> Iterator[Node]:
    """A node and all beneath it."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        yield one
        waiting.extend(children(one))
