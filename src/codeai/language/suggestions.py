"""Did you mean: the nearest known name by edit distance (optimal string alignment), quick enough for thousands of names."""

from __future__ import annotations

from collections.abc import Iterable


def suggest(name: str, known: Iterable[str]) -> str | None:
    """The known name that an author most likely meant, or None when nothing is near.

    A name is near at up to a third of its length in edits (at least one); letter case and ``_`` weigh nothing.
    """
    wanted = _fold(name)
    limit = max(1, len(wanted) // 3)
    best: str | None = None
    best_distance = limit + 1
    letters = set(wanted)
    for candidate in known:
        if candidate == name:
            continue
        folded = _fold(candidate)
        bound = best_distance - 1
        if abs(len(folded) - len(wanted)) > bound:
            continue
        if folded == wanted:
            return candidate
        if len(letters.symmetric_difference(folded)) > 2 * bound:
            continue
        distance = _distance(wanted, folded, bound)
        if distance < best_distance:
            best, best_distance = candidate, distance
    return best


def _fold(name: str) -> str:
    return name.replace("_", "").lower()


def _distance(left: str, right: str, limit: int) -> int:
    """Edits between two texts, or ``limit + 1`` when there are more."""
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
