"""Names in a statement that cannot be read yet: there is no tree of it, but a word that only one declaration has will be that."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from codeai.analysis.payloads import wire_name
from codeai.language.tree import declarations as d
from codeai.language.tree import statements as st
from codeai.language.tree.module import Module
from codeai.lsp.checked import Checked
from codeai.lsp.names.finding import Use
from codeai.lsp.nodes import chain

_SPACES: Final = ("type", "function", "run", "integration", "role", "middleware", "auth", "webhook")
_CONTAINERS: Final = (Module, d.Declaration, st.Block, d.DoClause)


def use_near(checked: Checked, path: Path, offset: int, start: int, end: int) -> Use | None:
    """The use at an offset, or what the word there would be if it could be read; renaming and uses go by what is certain.

    :param start: where the word begins, in the space of the program
    """
    found = checked.use_at(offset)
    module = checked.module(path)
    if found is not None or module is None or not isinstance(chain(module, offset)[-1], _CONTAINERS):
        return found
    word = checked.loaded.sources.text(start, end)
    keys = [("event", wire_name(word)), *((space, word) for space in _SPACES)]
    known = [key for key in keys if key in checked.declared]
    return Use(start, end, known[0]) if len(known) == 1 else None
