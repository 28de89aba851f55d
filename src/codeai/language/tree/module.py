"""One file of a program."""

from __future__ import annotations

from codeai.language.tree.declarations import Declaration
from codeai.language.tree.node import Comment, Node


class Module(Node, frozen=True, eq=False, gc=False):
    """The declarations of one file in their order, and its comments for the formatter."""

    path: str
    declarations: tuple[Declaration, ...]
    comments: tuple[Comment, ...] = ()
