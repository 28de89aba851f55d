"""Declarations as a program writes them, for people to read."""

from __future__ import annotations

import textwrap
from typing import Final

from codeai.language.source import Sources
from codeai.language.tree import declarations as d
from codeai.language.tree.node import Node

_MOST: Final = 24  # lines of a declaration that are shown


def source_of(node: Node, sources: Sources) -> str:
    """The text of a declaration, its indentation taken away; of a long one the beginning."""
    file = sources.file_at(node.start)
    start = node.start - file.base
    line = file.text.rfind("\n", 0, start) + 1
    text = file.text[line : node.end - file.base] if not file.text[line:start].strip() else file.text[start : node.end - file.base]
    lines = textwrap.dedent(text).rstrip().split("\n")
    if len(lines) > _MOST:
        lines = [*lines[:_MOST], "    …", lines[-1]]
    return "\n".join(lines)


def head_of(node: Node, sources: Sources) -> str:
    """The first line of a declaration, without the block that it opens."""
    return source_of(node, sources).split("\n", 1)[0].split("{", 1)[0].rstrip() if _blocks(node) else source_of(node, sources)


def _blocks(node: Node) -> bool:
    return isinstance(node, d.FunctionDeclaration | d.EndpointDeclaration | d.ResourceDeclaration)
