"""Which items of a repeated step have ended: a set of numbers that are mostly neighbours, and how far it goes in the order of endings."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

import msgspec


class Stored(msgspec.Struct, frozen=True):
    """Its form as JSON."""

    seq: int
    ranges: tuple[tuple[int, int], ...]


class Settled:
    """A set of numbers as ranges.

    :param ranges: first and last number of each, in order and apart from each other
    :param seq: everything that had ended up to this place in the order of endings is in the set
    """

    def __init__(self, ranges: Sequence[tuple[int, int]] = (), seq: int = 0) -> None:
        self._ranges = [(first, last) for first, last in ranges]
        self.seq = seq
        self.changed = False

    @classmethod
    def loaded(cls, text: str) -> Settled:
        """A stored one."""
        found = msgspec.json.decode(text, type=Stored)
        return cls(found.ranges, found.seq)

    def stored(self, seq: int) -> str:
        """The text of it, as of a place in the order of endings."""
        return msgspec.json.encode(Stored(seq, tuple(self._ranges))).decode()

    def __contains__(self, number: int) -> bool:
        place = bisect_right(self._ranges, (number, number)) if self._ranges else 0
        return any(first <= number <= last for first, last in self._ranges[max(place - 1, 0) : place + 1])

    def add(self, number: int) -> None:
        """Adds a number."""
        if number in self:
            return
        self.changed = True
        place = bisect_right(self._ranges, (number, number))
        first = last = number
        if place < len(self._ranges) and self._ranges[place][0] == number + 1:
            last = self._ranges.pop(place)[1]
        if place and self._ranges[place - 1][1] == number - 1:
            place -= 1
            first = self._ranges.pop(place)[0]
        self._ranges.insert(place, (first, last))

    def missing(self, length: int) -> Iterator[int]:
        """The numbers below ``length`` that were not in it when this was called, in order."""
        begin = 0
        for first, last in tuple(self._ranges):
            yield from range(begin, min(first, length))
            begin = last + 1
        yield from range(begin, length)
