"""Uses of names, and what all who find them have in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from codeai.analysis.payloads import wire_name
from codeai.language import types as t
from codeai.language.tree import expressions as ex
from codeai.language.tree.node import Identifier, Node, Reference
from codeai.lsp.names.declared import Key
from codeai.lsp.names.values import Values


class Use(msgspec.Struct, frozen=True, order=True):
    """A name that refers to a declaration, or is that of one: a stretch of the program's text. Of a quoted path it is the part."""

    start: int
    end: int
    key: Key
    written: bool = False  # whether a value is given to what it names


Found = Iterator[Use]


class Finding:
    """Knows where it is: in which declaration, of which entity, in which workflow or job."""

    def __init__(self, values: Values) -> None:
        self._values = values
        self._host = 0
        self._entity: str | None = None
        self._run: str | None = None

    def known(self, node: Node, key: Key, *, written: bool = False) -> Found:
        """A use, where there is such a declaration."""
        if key in self._values.declared:
            yield Use(node.start, node.end, key, written)

    def _entries(self, entries: Iterable[ex.MapEntry], type_: t.Type) -> Found:
        for entry in entries:
            key = self._values.of_field(type_, entry.key.text)
            if key is not None:
                yield Use(entry.key.start, entry.key.end, key, True)

    def _field(self, name: Identifier, entity: str | None, *, written: bool = False) -> Found:
        key = self._values.of_field(t.Row(entity), name.text) if entity is not None else None
        if key is not None:
            yield Use(name.start, name.end, key, written)

    def _operation(self, reference: Reference) -> Found:
        places = parts_of(reference)
        yield from self.known(places[0], ("integration", places[0].text))
        if len(places) == 2:
            yield from self.known(places[1], ("operation", places[0].text, places[1].text))

    def event(self, reference: Reference) -> Found:
        """A use of an event in one of its spellings."""
        start, end = reference.start, reference.end
        quoted = end - start == len(reference.text) + 2
        place = Node(start + quoted, end - quoted)
        yield from self.known(place, ("event", wire_name(reference.text)))


def parts_of(reference: Reference) -> tuple[Identifier, ...]:
    """The parts of a reference with the places where they stand, in quotes, too."""
    if len({part.start for part in reference.parts}) == len(reference.parts) and not reference.quoted:
        return reference.parts
    more = reference.end - reference.start - len(reference.text)
    if more not in (0, 2):  # an older spelling, of which only the whole is a place
        return tuple(Identifier(reference.start, reference.end, part.text) for part in reference.parts)
    at = reference.start + more // 2
    found: list[Identifier] = []
    for part in reference.parts:
        found.append(Identifier(at, at + len(part.text), part.text))
        at += len(part.text) + 1
    return tuple(found)
