"""One file of a program."""

from __future__ import annotations

from codeai.language.tree.declarations import Declaration
from codeai.language.tree.node import Comment, Node


class Gap(Node, frozen=True, eq=False, gc=False):
    """A stretch of text that the parser gave up or did not understand: what it would have declared is not known.

    :param keyword: the word with which the declaration around it begins; '' where that is none of the language
    :param owner: the name of that declaration
    :param whole: whether the declaration itself is lost
    :param unnamed: whether not even the name is there of what it would have declared
    :param words: the names that stand in it
    """

    keyword: str
    owner: str
    whole: bool
    unnamed: bool
    words: frozenset[str]


class Module(Node, frozen=True, eq=False, gc=False):
    """The declarations of one file in their order, its comments for the formatter, and what of its text is in neither."""

    path: str
    declarations: tuple[Declaration, ...]
    comments: tuple[Comment, ...] = ()
    gaps: tuple[Gap, ...] = ()
