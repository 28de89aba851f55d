"""Words of which the compiler says nothing where they are missing: they stand in its tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec
from lsprotocol.types import CompletionItemKind as Kind

from codeai.analysis.configured import KNOWN, SETTINGS
from codeai.language.parser.foreign_fields import ON_DELETE
from codeai.language.parser.types import SHAPES
from codeai.language.parser.workflows import OUTCOMES
from codeai.lsp.completion.asking import Answer
from codeai.lsp.completion.items import Candidate

_BEHIND: Final = {"on_fail": OUTCOMES, "on_timeout": OUTCOMES, "on_delete": ON_DELETE}
_QUERIES: Final = frozenset(("select", "first", "exists", "count", "sum", "avg", "min", "max", "update", "delete", "find"))
_CLAUSES: Final = ("where", "order by", "limit", "offset", "with", "group by", "having", "search", "join")


class Place(msgspec.Struct, frozen=True):
    """The word at the cursor, and the word before that.

    ``blocks`` are the words that open the blocks around, where the cursor begins an item of one; ``line`` are those of its line.
    """

    start: int
    end: int
    before: str = ""
    blocks: tuple[str, ...] = ()
    line: tuple[str, ...] = ()
    name: bool = False


def fixed(answer: Answer, place: Place) -> Iterator[Candidate]:
    """Settings of ``config``, outcomes, shapes of entities, and clauses of a query behind a whole expression."""
    yield from (Candidate(word, Kind.Keyword) for word in _BEHIND.get(place.before, ()))
    if place.blocks[:1] == ("config",):
        yield from (Candidate(name, Kind.Property, snippet=f"{name}: $0") for name in _settings(place.blocks))
    if place.blocks == ("middleware",) and not answer.names:
        yield Candidate("type", Kind.Property, snippet="type: $0")
    if answer.names or answer.words or answer.marked is not None or not place.name:
        return
    if place.line and place.line[-1] in answer.symbols.entities:
        yield from (Candidate(shape, Kind.Property, snippet=f"{shape}($0)" if shape in ("pick", "omit") else "") for shape in SHAPES)
    elif _QUERIES.intersection(place.line):
        yield from (Candidate(word, Kind.Keyword) for word in _CLAUSES)


def _settings(blocks: tuple[str, ...]) -> list[str]:
    if len(blocks) == 1:
        return sorted(KNOWN)
    return sorted({path[1] for path in SETTINGS if len(path) == 2 and path[0] == blocks[1]})
