"""What an editor shows of the word under the pointer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from lsprotocol import types as lsp

from codeai.analysis.builtins import BUILTINS, usage
from codeai.language.tree import declarations as d
from codeai.language.tree import expressions as ex
from codeai.language.tree import statements as st
from codeai.language.tree import types as ty
from codeai.language.tree import workflows as w
from codeai.language.tree.node import Identifier, Node
from codeai.language.written import written
from codeai.lsp.checked import Checked
from codeai.lsp.guessing import use_near
from codeai.lsp.names.declared import Declared
from codeai.lsp.names.finding import Use
from codeai.lsp.nodes import chain, word_at
from codeai.lsp.words import meaning
from codeai.lsp.writing import head_of

_OWNED: Final = {"field": 1, "member": 1, "operation": 1, "payload": 0, "argument": 1}


def hover(checked: Checked, path: Path, offset: int) -> lsp.Hover | None:
    """The declaration of a name with its description and type; else what the word of the language means."""
    file = checked.file(path)
    if file is None:
        return None
    word = word_at(file.text, offset - file.base)
    if word is None:
        return None
    start, end = (file.base + at for at in word)
    use = use_near(checked, path, offset, start, end)
    text = file.text[word[0] : word[1]]
    shown = _of_use(checked, use) if use is not None and use.start <= offset <= use.end else _of_word(checked, path, offset, start, text)
    if not shown:
        return None
    place = checked.place(use.start, use.end)[1] if use is not None else checked.place(start, end)[1]
    return lsp.Hover(lsp.MarkupContent(lsp.MarkupKind.Markdown, shown), place)


def _of_use(checked: Checked, use: Use) -> str:
    if use.key[0] == "variable":
        variable = checked.variables.get(int(use.key[1]))
        if variable is None:
            return ""
        word = "var" if variable.mutable else "let"
        return _code(f"{word} {variable.name}: {written(variable.type)}")
    declared = checked.declared[use.key]
    return "\n\n".join(part for part in (_code(_shown(declared, checked)), describing(declared.node)) if part)


def _shown(declared: Declared, checked: Checked) -> str:
    sources = checked.loaded.sources
    owner = _OWNED.get(str(declared.key[0]))
    if isinstance(declared.node, d.PathSegment):
        return f"path.{declared.node.text}: string"
    if isinstance(declared.node, Identifier):
        return f"{declared.key[1]}.{declared.node.text}"
    text = head_of(declared.node, sources)
    if owner is None or isinstance(declared.node, w.Step):
        return text
    whose = checked.declared.get(("event", declared.key[1])) if declared.key[0] == "payload" else None
    name = sources.text(whose.name.start, whose.name.end) if whose is not None else str(declared.key[1])
    return f"// of {name}\n{text}"


def describing(node: Node) -> str:
    """The description of a declaration."""
    return str(getattr(node, "description", "")).strip()


def _of_word(checked: Checked, path: Path, offset: int, start: int, word: str) -> str:
    module = checked.module(path)
    around = chain(module, offset) if module is not None else []
    for kind in _roles(around, start, word):
        said = meaning(kind, word)
        if said:
            usual = usage(word) if kind == "function" and word in BUILTINS else word
            return f"{_code(usual)}\n\n{said}"
    for node in reversed(around):
        seen = checked.seen.get(node)
        if seen is not None and isinstance(node, ex.Name | ex.Member):
            return _code(f"{checked.loaded.sources.text(node.start, node.end)}: {written(seen.value.type)}")
    return ""


def _roles(around: list[Node], start: int, word: str) -> Iterator[str]:
    """What a word may be where it stands, the most likely first."""
    for node in reversed(around):
        if isinstance(node, ty.Modifier) and node.start == start:
            yield "modifier"
        elif isinstance(node, ty.NamedType) and node.start == start:
            yield "type"
        elif isinstance(node, ex.Call) and _callee(node) == start:
            yield "function"
        elif isinstance(node, d.Declaration) and (node.start == start or word == "function"):
            yield "declaration"
        elif isinstance(node, d.Clause) and (node.start == start or _key(node) == start) and not isinstance(node, d.FieldDeclaration):
            yield "clause"
        elif isinstance(node, st.Statement | ex.Expression) and node.start == start:
            yield "statement"


def _callee(node: ex.Call) -> int:
    return node.callee.name.start if isinstance(node.callee, ex.Member) else node.callee.start


def _key(node: Node) -> int:
    key = getattr(node, "key", None)
    return key.start if isinstance(key, Identifier) else -1


def _code(text: str) -> str:
    return f"```codeai\n{text}\n```" if text else ""
