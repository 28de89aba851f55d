"""Inlay hints: the types of variables whose declarations do not say them, where the value does not either."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from lsprotocol import types as lsp

from codeai.language import types as t
from codeai.language.tree import expressions as ex
from codeai.language.tree import queries as q
from codeai.language.tree import statements as st
from codeai.language.written import written
from codeai.lsp.checked import Checked
from codeai.lsp.nodes import walked

# Values of which everybody sees the type.
_PLAIN: Final = (
    *(ex.StringLiteral, ex.Interpolation, ex.IntLiteral, ex.DecimalLiteral, ex.BooleanLiteral, ex.DurationLiteral, ex.NullLiteral),
    *(q.CreateRow, q.Get, q.TestRequest),
)
_LONGEST: Final = 40


def hints(checked: Checked, path: Path, start: int, end: int) -> Iterator[lsp.InlayHint]:
    """The hints of a stretch of the program."""
    module, file = checked.module(path), checked.file(path)
    if module is None or file is None:
        return
    lines = checked.lines[path]
    for declaration in module.declarations:
        if declaration.end < start or end < declaration.start:
            continue
        for node in walked(declaration):
            if isinstance(node, st.Let) and start <= node.name.start <= end and not isinstance(node.value, _PLAIN):
                variable = checked.variables.get(node.name.start)
                shown = written(variable.type) if variable is not None and not isinstance(variable.type, t.Unknown) else ""
                if shown and len(shown) <= _LONGEST and node.type is None:
                    place = lines.position(node.name.end - file.base)
                    yield lsp.InlayHint(place, f": {shown}", lsp.InlayHintKind.Type, padding_left=False)
