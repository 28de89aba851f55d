"""Did you mean: the nearest known name by edit distance (optimal string alignment), well within a millisecond for 10,000 names.

Few names are compared one by one. Many are laid into one text, in which the first and the last part of the wanted name are looked for:
what shares neither its beginning nor its end nobody would have meant. Only those names are compared letter by letter, by a library in C,
which a program without mistakes never loads.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice
from typing import Final

import msgspec

_MOST_EDITS: Final = 4
_MOST_EDITS_OF_MANY: Final = 2
_FEW: Final = 4_000  # characters of names that are compared one by one
_MOST_NEAR: Final = 8  # of equally near names
_MOST_ALIKE: Final = 500  # a beginning or end that more names share does not tell them apart


class Suggestion(msgspec.Struct, frozen=True):
    """A known name; ``sure`` when one letter makes the difference and no other name is as near, so that it may be mended. Where too
    many names share a part to look at all of them, none is sure.
    """

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
    if len(lines) < _FEW:
        return _chosen(name, _near_few(name, names), True)
    found = _near_many(name, names, lines)
    if found is None:  # quoted names may hold anything
        names = [one for one in names if "\n" not in one]
        found = _near_many(name, names, "\n".join(names))
    return _chosen(name, *(found or ([], False)))


def _chosen(name: str, near: list[tuple[int, str]], complete: bool) -> Suggestion | None:
    """The first of the nearest names, which come with their distances in the order in which they are known.

    :param complete: whether no name was left out that may be as near
    """
    others = [(distance, one) for distance, one in near if one != name]
    if not others:
        return None
    least = min(distance for distance, _ in others)
    best = list(dict.fromkeys(one for distance, one in others if distance == least))
    return Suggestion(best[0], complete and least <= 1 and len(best) == 1 and len(_fold(name, False)) >= 3)


def _near_few(name: str, names: list[str]) -> list[tuple[int, str]]:
    wanted = _fold(name, True)
    limit = max(1, min(len(wanted) // 3, _MOST_EDITS))
    distances = ((_distance(wanted, _fold(one, True), limit), one) for one in names if one)
    return [(distance, one) for distance, one in distances if distance <= limit and distance < len(wanted)]


def _near_many(name: str, names: list[str], lines: str) -> tuple[list[tuple[int, str]], bool] | None:
    """One or two of the nearest, and whether all that may be as near were looked at; None when some name takes several lines."""
    from rapidfuzz.distance import OSA
    from rapidfuzz.process import extract

    wanted, text = _fold(name, False), b"\n" + _fold(lines, False) + b"\n"
    if len(wanted) < 2:
        return [], False
    limit = max(1, min(len(wanted) // 3, _MOST_EDITS_OF_MANY))
    candidates, complete = _sharing(wanted, text, limit)
    found = extract(wanted, candidates, scorer=OSA.distance, score_cutoff=limit, limit=_MOST_NEAR)
    near: list[tuple[int, int, str]] = []
    for line, distance, _ in found:
        if len(near) > 1 or (near and distance > near[0][0]):
            break
        at = text.index(b"\n%b\n" % line)
        index = text.count(b"\n", 0, at)
        if index >= len(names) or _fold(names[index], False) != line:
            return None
        if names[index] != name:
            near.append((int(distance), index, names[index]))
    return [(distance, one) for distance, _, one in sorted(near)], complete


def _fold(text: str, few: bool) -> bytes:
    """Small letters, as bytes, which are quicker to search than characters; of few names without ``_``."""
    folded = text.lower().encode(errors="replace")
    return folded.translate(None, b"_") if few else folded


def _sharing(wanted: bytes, text: bytes, limit: int) -> tuple[list[bytes], bool]:
    """The lines that begin or end as the wanted name does, of about its length, and whether these are all."""
    complete = True
    size = max(1, len(wanted) // (limit + 1))
    shortest, longest = max(len(wanted) - limit, 1), len(wanted) + limit
    swapped = wanted[: size - 1] + wanted[size : size + 1] if limit == 1 else b""  # a transposition across the end of the first part
    found: dict[bytes, None] = {}
    while size <= len(wanted):
        for head in filter(None, {wanted[:size], swapped}):
            rest = rb"\n(%b[^\n]{%d,%d})(?=\n)" % (re.escape(head), max(shortest - len(head), 0), max(longest - len(head), 0))
            found.update(dict.fromkeys(one[1] for one in islice(re.finditer(rest, text), _MOST_ALIKE)))
        if len(found) < _MOST_ALIKE:
            break
        complete = False
        found.clear()  # Product1, Product2, …
        size += (len(wanted) - size) // 3 + 1
    tail = wanted[-max(1, len(wanted) // (limit + 2)) :] + b"\n"
    end = text.find(tail)
    for _ in range(_MOST_ALIKE // 2):
        if end < 0:
            break
        end += len(tail) - 1
        start = text.rindex(b"\n", 0, end)
        if shortest <= end - start - 1 <= longest:
            found[text[start + 1 : end]] = None
        end = text.find(tail, end)
    return list(found), complete and end < 0


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
