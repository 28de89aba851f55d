"""Tree and comments back to text in the one canonical style. Pure: text in, text out."""

from __future__ import annotations

from codeai.language.formatter.declarations import Declarations
from codeai.language.source import SourceFile
from codeai.language.tree.module import Module


def format_module(module: Module, file: SourceFile) -> str:
    """The text of a module in canonical form; formatting that again changes nothing.

    :param module: a tree without syntax errors
    :param file: the text it was parsed from, for comments, blank lines and the spelling of literals
    """
    return Declarations(module, file).module()
