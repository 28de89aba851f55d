"""The base of all tree nodes, and names."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from inspect import get_annotations
from typing import Final

import msgspec

_PLAIN: Final = ("str", "bool", "int", "str | None", "int | None", "frozenset[str]")  # annotations of what is no node


class Node(msgspec.Struct, frozen=True, eq=False, gc=False, tag_field="node", tag=True):
    """A piece of program text: ``start`` and ``end`` (exclusive) are offsets in the space of the program's sources.

    Nodes compare by identity, so that facts about them can be kept in dictionaries beside the tree.
    """

    start: int
    end: int


class Identifier(Node, frozen=True, eq=False, gc=False):
    """A name, where it is declared or used."""

    text: str


class Reference(Node, frozen=True, eq=False, gc=False):
    """A dotted name: an event, an operation, a relation path.

    ``quoted``: an older file names it in quotes, so that it may also be declared elsewhere.
    """

    parts: tuple[Identifier, ...]
    quoted: bool = False

    @property
    def text(self) -> str:
        """The name as written, with dots."""
        return ".".join(part.text for part in self.parts)


class Comment(Node, frozen=True, eq=False, gc=False):
    """A comment with its marks; whether it is the description of what stands below it (``///``, not behind something else)."""

    text: str
    describes: bool = False


def children(node: Node) -> Iterator[Node]:
    """The nodes directly below a node, in the order of its fields."""
    for name in _holding(type(node)):
        value = getattr(node, name)
        if isinstance(value, Node):
            yield value
        elif isinstance(value, tuple):
            for item in value:
                if isinstance(item, Node):
                    yield item


@cache
def _holding(kind: type[Node]) -> tuple[str, ...]:
    """The fields of a kind of node that may hold nodes."""
    plain = {name for each in kind.__mro__ for name, annotation in get_annotations(each).items() if annotation in _PLAIN}
    return tuple(name for name in kind.__struct_fields__ if name not in plain)
