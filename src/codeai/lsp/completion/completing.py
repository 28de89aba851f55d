"""From a cursor to what an editor offers there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec
from lsprotocol import types as lsp

from codeai.language.lexer import NAME, Tokens, tokenize
from codeai.language.tree.module import Module
from codeai.lsp.completion.asking import MARK, ask
from codeai.lsp.completion.candidates import candidates
from codeai.lsp.completion.excerpt import Excerpt, around
from codeai.lsp.completion.fixed import Place, fixed
from codeai.lsp.completion.items import Candidate, item
from codeai.lsp.lines import Normal

# What must follow for the text to be one, by the word before the cursor.
_FOLLOWING: Final = {
    **dict.fromkeys(("create", "start", "run", "on", "update"), " { }"),
    "call": ".x { }",
    "get": "(0)",
    "allow": ": public",
    "send": "(0) { }",
    "set": " = 1",
    "resource": " at /x { }",
}


def complete(lines: Normal, offset: int, modules: Iterable[Module], *, snippets: bool) -> list[lsp.CompletionItem]:
    """What could stand at an offset of a text.

    :param lines: the text as it is now
    :param modules: the trees of its program, which may be those of a moment ago
    :param snippets: whether the editor knows snippets
    """
    excerpt = around(lines.text, offset)
    place = place_at(excerpt, lines.text, offset)
    found: list[Candidate] = []
    modules = list(modules)
    for following in _forms(place, lines.text):
        answer = ask(excerpt, MARK + following, place.start, place.end, modules)
        found = list(candidates(answer, place.blocks[-1] if place.blocks else ""))
        if found:
            break
    offered = _first_of_each([*found, *fixed(answer, place)])
    where = lines.range(place.start, offset)
    return [item(_without(one, lines.text, place.end), where, snippets=snippets) for one in offered.values()]


def _forms(place: Place, text: str) -> Iterator[str]:
    yield ""
    if place.before in _FOLLOWING:
        yield _FOLLOWING[place.before]
    elif place.name and not text[place.end : place.end + 2].lstrip().startswith(":"):
        yield ": 1"


def _first_of_each(found: Iterable[Candidate]) -> dict[str, Candidate]:
    kept: dict[str, Candidate] = {}
    for one in found:
        if MARK not in one.label:
            kept.setdefault(one.label, one)
    return kept


def _without(candidate: Candidate, text: str, end: int) -> Candidate:
    """A candidate without what follows the cursor already."""
    rest = text[end : end + 2].lstrip(" ")
    if candidate.snippet and rest[:1] in (":", "(") and rest[:1] in candidate.snippet:
        return msgspec.structs.replace(candidate, snippet="")
    return candidate


def place_at(excerpt: Excerpt, text: str, offset: int) -> Place:
    """Where the cursor stands."""
    start = offset
    while start > 0 and (text[start - 1].isalnum() or text[start - 1] == "_"):
        start -= 1
    end = offset
    while end < len(text) and (text[end].isalnum() or text[end] == "_"):
        end += 1
    marked = text[excerpt.start : start] + MARK
    tokens = tokenize(marked, excerpt.start)
    at = next((at for at in range(len(tokens.kinds)) if tokens.starts[at] == start and tokens.kinds[at] == NAME), None)
    if at is None:
        return Place(start, end)
    return Place(start, end, _before(tokens, at), _blocks(tokens, at), _line(tokens, at), True)


def _before(tokens: Tokens, at: int) -> str:
    """The word before a token, over a colon or parenthesis."""
    at -= 1
    if at >= 0 and tokens.kinds[at] in (":", "("):
        at -= 1
    return tokens.texts[at] if at >= 0 and tokens.kinds[at] == NAME else ""


def _line(tokens: Tokens, at: int) -> tuple[str, ...]:
    """The words before a token on its line; of a name behind a dot, that before the dot is the last."""
    found: list[str] = []
    while at > 0 and not tokens.breaks[at]:
        at -= 1
        if tokens.kinds[at] == NAME:
            found.append(tokens.texts[at])
    return tuple(reversed(found))


def _blocks(tokens: Tokens, at: int) -> tuple[str, ...]:
    """The words that open the blocks around a token that begins an item; none where it begins none."""
    opened: list[str] = []
    word = ""
    begins = True
    for i in range(at + 1):
        kind = tokens.kinds[i]
        begins = begins or tokens.breaks[i]
        if i == at:
            return tuple(opened) if begins else ()
        if begins and kind == NAME:
            word = tokens.texts[i]
        begins = kind in ("{", "}")
        if kind == "{":
            opened.append(word)
        elif kind == "}" and opened:
            opened.pop()
    return ()
