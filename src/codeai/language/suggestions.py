"""Did you mean: the nearest known name by edit distance (optimal string alignment), well within a millisecond for 10,000 names.

Few names are compared one by one. Many are laid into one text, in which the first and the last part of the wanted name are looked for:
what shares neither its beginning nor its end nobody would have meant. Only those names are compared letter by letter, by a library in C,
which a program without mistakes never loads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Final

import msgspec

_MOST_EDITS: Final = 4
_MOST_EDITS_OF_MANY: Final = 2
_FEW: Final = 600  # characters of names that are compared without the library, which takes as long to load as ten suggestions
_MANY: Final = 4_000  # characters of names that are not compared one by one
_MOST_NEAR: Final = 8  # of equally near names
_MOST_ALIKE: Final = 300  # a beginning or end that more names share does not tell them apart
_ANY: Final = "surrogatepass"  # quoted names may hold anything


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
    names = known if isinstance(known, list) else list(known)
    lines = "\n".join(names)
    if len(lines) < _MANY:
        return _chosen(name, _near_few(name, names, _distance if len(lines) < _FEW else _quick_distance()), True)
    found = _chosen(name, *_near_many(name, lines))
    return found if found is not None and found.name in names else None  # of a name of several lines, each is laid out as one


def _chosen(name: str, near: list[tuple[int, str]], complete: bool) -> Suggestion | None:
    """The first of the nearest names, which come with their distances in the order in which they are known.

    :param complete: whether no name was left out that may be as near
    """
    others = [(distance, one) for distance, one in near if one != name]
    if not others:
        return None
    least = min(distance for distance, _ in others)
    best = list(dict.fromkeys(one for distance, one in others if distance == least))
    return Suggestion(best[0], complete and least <= 1 and len(best) == 1 and len(name) >= 3)


def _near_few(name: str, names: list[str], measure: Callable[[str, str, int], int]) -> list[tuple[int, str]]:
    wanted = _fold(name)
    limit = max(1, min(len(wanted) // 3, _MOST_EDITS))
    distances = ((measure(wanted, _fold(one), limit), one) for one in names if one)
    return [(distance, one) for distance, one in distances if distance <= limit and distance < len(wanted)]


def _near_many(name: str, lines: str) -> tuple[list[tuple[int, str]], bool]:
    """One or two of the nearest, and whether all that may be as near were looked at."""
    from rapidfuzz.distance import OSA
    from rapidfuzz.process import extract

    wanted = name.encode(errors=_ANY).lower()
    if len(wanted) < 2:
        return [], False
    text = f"\n{lines}\n".encode(errors=_ANY)
    limit = max(1, min(len(wanted) // 3, _MOST_EDITS_OF_MANY))
    alike, complete = _alike(wanted, text.lower(), limit)  # of as many bytes: a name stands where its small letters do
    near: list[tuple[int, str]] = []
    for line, distance, at in extract(wanted, alike, scorer=OSA.distance, score_cutoff=limit, limit=_MOST_NEAR):
        if len(near) > 1 or (near and distance > near[0][0]):
            break
        found = text[at : at + len(line)].decode(errors=_ANY)
        if found != name:
            near.append((int(distance), found))
    return near, complete


def _alike(wanted: bytes, text: bytes, edits: int) -> tuple[dict[int, bytes], bool]:
    """The lines that begin or end as the wanted name does, by their places, and whether all that are one edit away are among them.

    :param edits: so many of them leave the beginning or the end as it is, if they stand together

    A letter stands between the two parts, so that no two letters that change places spoil both. What too many begin with (Product1,
    Product2, …) is made longer, and the end so short that what is wrong in between does no harm; unless too many end like that.
    """
    size = length = max(edits, (len(wanted) - edits) // (edits + 1))
    while len(behind := text.split(b"\n" + wanted[:size], _MOST_ALIKE)) > _MOST_ALIKE and size < len(wanted):
        size += (len(wanted) - size) // 3 or 1
        length = max(1, min(length, len(wanted) - size - 1))
    while len(before := text.split(wanted[-length:] + b"\n", _MOST_ALIKE)) > _MOST_ALIKE and length < len(wanted):
        length += 1
    head, tail = wanted[:size], wanted[-length:]
    lines: dict[int, bytes] = {}
    longest = len(wanted) + _MOST_EDITS_OF_MANY
    at, most = -size, longest - size
    for piece, rest in pairwise(behind):
        at += len(piece) + size + 1
        end = rest.find(b"\n", 0, most + 1)
        if end >= 0 or len(rest) <= most:
            lines[at] = head + rest[: end if end >= 0 else None]
    at, most = 0, longest - length
    for piece in before[:-1]:
        start = piece.rfind(b"\n", max(0, len(piece) - most - 1)) + 1
        if start or len(piece) <= most:
            lines[at + start] = piece[start:] + tail
        at += len(piece) + length + 1
    return lines, size + length < len(wanted)


def _quick_distance() -> Callable[[str, str, int], int]:
    from rapidfuzz.distance import OSA

    return lambda left, right, limit: OSA.distance(left, right, score_cutoff=limit)


def _fold(text: str) -> str:
    return text.lower().replace("_", "")


def _distance(left: str, right: str, limit: int) -> int:
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
