"""Asking the compiler what could stand somewhere, by a name that nothing has."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from codeai.analysis.observing import Observing, Seen
from codeai.analysis.program import analyse
from codeai.analysis.reporter import Reporter
from codeai.analysis.symbols import Symbols
from codeai.language.diagnostics import Diagnostic
from codeai.language.parser import parse_module
from codeai.language.source import SourceFile, Sources
from codeai.language.tree import expressions as ex
from codeai.language.tree.module import Module
from codeai.language.tree.node import Identifier, Node
from codeai.lsp.completion.excerpt import Excerpt, declaring
from codeai.lsp.nodes import chain

MARK: Final = "zqxjkvqz"  # is near no word of anybody
_BASE: Final = 1 << 40  # behind the places of all files


class Answer(msgspec.Struct):
    """What the compiler says of the mark: words of the parser, names by the code of what is missed, and what surrounds it."""

    symbols: Symbols
    words: tuple[str, ...] = ()
    names: dict[str, list[str]] = {}
    around: list[Node] = []
    seen: dict[Node, Seen] = {}
    marked: ex.Expression | None = None


class _Listening(Reporter):
    """Hears among which names the mark was looked for."""

    def __init__(self, syntax: Iterable[Diagnostic] = ()) -> None:
        super().__init__(list(syntax))
        self.names: dict[str, list[str]] = {}

    def unknown(self, node: Node, message: str, name: str, known: Iterable[str], code: str, **more: Any) -> str | None:
        """See ``Reporter``."""
        if MARK not in name:
            return super().unknown(node, message, name, known, code, **more)
        self.names.setdefault(code, list(known))
        return None

    def touched(self, node: Node) -> bool:
        """What is broken otherwise does not matter here."""
        return False


def ask(excerpt: Excerpt, written: str, start: int, end: int, modules: Iterable[Module]) -> Answer:
    """What the compiler says of a mark.

    :param written: the mark, with what must follow it for the text to be one
    :param start: where in the file the word begins in whose place it is put
    :param modules: the trees of the program, for what they declare
    """
    text = excerpt.text[: start - excerpt.start] + written + excerpt.text[end - excerpt.start :]
    sources = Sources()
    file = SourceFile("", text, _BASE)
    sources.files.append(file)
    parsed = parse_module(file)
    at = _BASE + start - excerpt.start
    expected = [found for found in parsed.diagnostics if found.primary.start <= at <= found.primary.end and MARK in found.message]
    words = tuple(word.strip("'") for found in expected for word in found.expected if word.startswith("'"))
    listening, seen, symbols = _Listening(), dict[Node, Seen](), Symbols()

    def elaborator(found: Symbols, _: Reporter) -> Observing:
        nonlocal symbols
        symbols = found
        return Observing(found, listening, seen)

    inner = Module(file.base, file.end, "", tuple(declaring(modules, parsed.module.declarations)))
    analyse([parsed.module, inner], sources, elaborator=elaborator)
    marked = next((node for node in seen if isinstance(node, ex.Name | ex.Member) and _name(node) == MARK), None)
    return Answer(symbols, words, listening.names, chain(parsed.module, at + 1), seen, marked)


def _name(node: Node) -> str:
    return node.text if isinstance(node, ex.Name | Identifier) else node.name.text if isinstance(node, ex.Member) else ""
