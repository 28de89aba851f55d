"""Circles in what names use: functions, computed fields, roles."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping


def circles(uses: Mapping[str, Collection[str]]) -> Iterator[list[str]]:
    """The shortest way from a name back to itself, as the names on it; of the circles through one name, one. In linear time where
    there is none.
    """
    known: set[str] = set()
    for name in tangled(uses):
        circle = _circle(name, uses)
        if circle and not known.intersection(circle):
            known.update(circle)
            yield circle


def tangled(uses: Mapping[str, Collection[str]]) -> list[str]:
    """The names that lie on a circle, or between two of them, in linear time."""
    left = _left(uses)
    users: dict[str, list[str]] = {name: [] for name in left}
    for name in left:
        for other in uses[name]:
            if other in users:
                users[other].append(name)
    between = set(_left(users))
    return [name for name in left if name in between]


def shown(circle: list[str]) -> str:
    """What a message adds: ``: a → b → a``; nothing for what uses itself directly."""
    return f": {' → '.join([*circle, circle[0]])}" if len(circle) > 1 else ""


def _left(uses: Mapping[str, Collection[str]]) -> list[str]:
    """The names that are left when all are taken away that use nothing that is left."""
    users: dict[str, list[str]] = {}
    open_uses = dict.fromkeys(uses, 0)
    for name, used in uses.items():
        for other in used:
            if other in uses:
                users.setdefault(other, []).append(name)
                open_uses[name] += 1
    waiting = [name for name, count in open_uses.items() if not count]
    for name in waiting:
        for user in users.get(name, ()):
            open_uses[user] -= 1
            if not open_uses[user]:
                waiting.append(user)
    return [name for name, count in open_uses.items() if count]


def _circle(name: str, uses: Mapping[str, Collection[str]]) -> list[str]:
    waiting, came_from = [name], {name: ""}
    for at in waiting:
        for following in uses.get(at, ()):
            if following == name:
                way = [at]
                while came_from[way[-1]]:
                    way.append(came_from[way[-1]])
                return way[::-1]
            if following not in came_from:
                came_from[following] = at
                waiting.append(following)
    return []
