"""Did you mean: the nearest known name by edit distance (optimal string alignment), within a millisecond for 10,000 names.

All names are laid into one text, a line each, in which the first or the last part of the wanted name is looked for: a name with
``n`` edits shares at least one of ``n + 1`` parts, and what shares neither its beginning nor its end nobody would have meant.
So only few names are compared letter by letter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

_MOST_EDITS: Final = 4
_MOST_EDITS_OF_MANY: Final = 2
_FEW: Final = 4_000  # characters of names that are compared one by one


class Suggestion(msgspec.Struct, frozen=True):
    """A known name; ``sure`` when one letter makes the difference and no other name is as near, so that it may be mended."""

    name: str
    sure: bool


def suggest(name: str, known: Iterable[str]) -> str | None:
    """The known name that an author most likely meant, or None when nothing is near.

    A name is near at up to a third of its length in edits: at least one, at most four, among many names two. Letter case weighs
    nothing, nor does ``_`` among few names.
    """
    found = nearest(name, known)
    return found.name if found is not None else None


def nearest(name: str, known: Iterable[str]) -> Suggestion | None:
    """The same, with whether it is sure."""
    names = list(known)
    lines = "\n".join(names)
    if not lines or lines.count("\n") >= len(names):  # quoted names may hold anything
        names = [known for known in names if known and "\n" not in known]
        lines = "\n".join(names)
    if not names:
        return None
    few = len(lines) < _FEW
    wanted, text = _fold(name, few), b"\n" + _fold(lines, few) + b"\n"
    most = _MOST_EDITS if few else _MOST_EDITS_OF_MANY
    for limit in sorted({1, min(max(1, len(wanted) // 3), most)}):
        found: dict[int, int] = {}
        for at, candidate in _sharing(wanted, text, limit):
            distance = _distance(wanted, candidate, limit)
            if distance <= limit:
                found[at] = distance
        least = min(found.values(), default=0)
        best = [names[text.count(b"\n", 0, at)] for at in sorted(found) if found[at] == least]
        near = [candidate for candidate in dict.fromkeys(best) if candidate != name]
        if near:
            return Suggestion(near[0], limit == 1 and len(near) == 1 and len(wanted) >= 3)
    return None


def _fold(text: str, few: bool) -> bytes:
    """Small letters, as bytes, which are quicker to search than characters; of few names without ``_``."""
    folded = text.lower().encode(errors="replace")
    return folded.translate(None, b"_") if few else folded


def _sharing(wanted: bytes, text: bytes, limit: int) -> Iterator[tuple[int, bytes]]:
    """The lines (by the offset of their start, less one) that begin or end as the wanted name does, of about its length."""
    if len(text) < _FEW:
        yield from ((at, line) for at, line in _lines(text) if abs(len(line) - len(wanted)) <= limit)
        return
    size = max(1, len(wanted) // (limit + 1))
    swapped = wanted[: size - 1] + wanted[size : size + 1]  # a transposition may lie across the end of the first part
    heads = {wanted[:size], swapped} if limit == 1 else {wanted[:size]}
    for head in filter(None, heads):
        at = text.find(b"\n" + head)
        while at >= 0:
            end = text.index(b"\n", at + 1)
            if -limit <= end - at - 1 - len(wanted) <= limit:
                yield at, text[at + 1 : end]
            at = text.find(b"\n" + head, end)
    tail = wanted[-size:] + b"\n"
    at = text.find(tail)
    while at >= 0:
        end = at + size
        start = text.rindex(b"\n", 0, end)
        if -limit <= end - start - 1 - len(wanted) <= limit:
            yield start, text[start + 1 : end]
        at = text.find(tail, end)


def _lines(text: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    for line in text[1:-1].split(b"\n"):
        yield at, line
        at += len(line) + 1


def _distance(left: bytes, right: bytes, limit: int) -> int:
    """Edits between two texts, or more than ``limit`` when there are more."""
    start, stop = 0, min(len(left), len(right))
    while start < stop and left[start] == right[start]:
        start += 1
    end = 0
    while end < stop - start and left[-1 - end] == right[-1 - end]:
        end += 1
    left, right = left[start : len(left) - end], right[start : len(right) - end]
    if not left or not right or len(set(left) ^ set(right)) > 2 * limit:
        return max(len(left), len(right)) if not left or not right else limit + 1
    before: list[int] = []
    previous = list(range(len(right) + 1))
    for row, character in enumerate(left, 1):
        current = [row]
        for column, other in enumerate(right, 1):
            cost = previous[column - 1] if character == other else 1 + min(previous[column - 1], previous[column], current[-1])
            if row > 1 and column > 1 and character == right[column - 2] and left[row - 2] == other:
                cost = min(cost, before[column - 2] + 1)
            current.append(cost)
        if min(current) > limit:
            return limit + 1
        before, previous = previous, current
    return previous[-1]
