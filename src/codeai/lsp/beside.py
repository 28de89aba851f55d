"""What a program names and what lies in other files: imports, and functions in Python."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from lsprotocol import types as lsp

from codeai.functions.checking import FOLDER
from codeai.language.tree import declarations as d
from codeai.language.tree import queries as q
from codeai.lsp.checked import Buffers, Checked
from codeai.lsp.lines import Lines
from codeai.lsp.nodes import chain


def beside(checked: Checked, path: Path, offset: int, uri: Callable[[Path], str]) -> Iterator[lsp.Location]:
    """The files of an ``import`` at an offset, the function in Python of an activity or an extern function."""
    module = checked.module(path)
    for node in reversed(chain(module, offset) if module is not None else []):
        if isinstance(node, d.ImportDeclaration):
            start = lsp.Range(lsp.Position(0, 0), lsp.Position(0, 0))
            for file in Buffers({}).matching(path.parent, node.pattern) if _inside(node.pattern) else ():
                if file in checked.lines:
                    yield lsp.Location(uri(file), start)
            return
        source = (
            node.function.text if isinstance(node, q.CallActivity) else node.source if isinstance(node, d.FunctionDeclaration) else None
        )
        if source is not None:
            yield from _python(checked, source, uri)
            return


def _inside(pattern: str) -> bool:
    return bool(pattern) and not pattern.startswith("/") and ".." not in Path(pattern).parts


def _python(checked: Checked, source: str, uri: Callable[[Path], str]) -> Iterator[lsp.Location]:
    module, _, name = source.rpartition(".")
    if not module or not name.isidentifier():
        return
    file = checked.home.folder.joinpath(FOLDER, *module.split(".")).with_suffix(".py")
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return
    found = re.search(rf"^(?:async[ \t]+)?def[ \t]+({name})\b", text, re.MULTILINE)
    if found is not None:
        yield lsp.Location(uri(file), Lines(text, next(iter(checked.lines.values())).encoding).range(*found.span(1)))
