"""What a version of the program leads events to, as plain data: other versions read it, and handlers keep their names through it.

Handlers have no names of their own. Each gets a number within its event, which it keeps in all versions, wherever it stands, as long
as it says the same. What it says is all that decides who may run a delivery. Only when no version runs any more that says so, it
goes to the handler that stands in the place of that one, if there is one: if as many have changed as there were, these are the old
ones, edited, in their order. Otherwise nobody can tell, and the delivery is a dead letter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from codeai.events.routes import Route
from codeai.model.application import Application
from codeai.model.event import Handler
from codeai.model.storing import digest, dumped

INSIDE: Final = ("handler", "workflow", "webhook")  # kinds whose targets the program declares; of others it has the kind or not


class Named(msgspec.Struct, frozen=True, array_like=True):
    """A handler: the hash of what it says, its name, and the name that the first of its line had, by which deliveries are in order."""

    content: str
    name: str
    line: str


class Wiring(msgspec.Struct, frozen=True):
    """The wiring of one version.

    :param routes: kind and target by event, for all targets but handlers
    :param handlers: by event, in the order of the program
    :param targets: kinds and names to which a process of this version delivers; ``(kind, "")`` is any of the kind
    :param last: the highest number that a handler of an event ever had
    :param beside: what versions differ in besides, and is decided by the newest: its schedules
    :param successors: the handlers that stand in the place of others, by the names of those
    """

    routes: dict[str, list[tuple[str, str]]]
    handlers: dict[str, list[Named]]
    targets: list[tuple[str, str]]
    last: dict[str, int]
    beside: list[str] = []
    successors: dict[str, str] = {}

    def version(self) -> str:
        """The hash of all but names."""
        contents = {wire: [one.content for one in found] for wire, found in sorted(self.handlers.items())}
        return digest({"routes": dict(sorted(self.routes.items())), "handlers": contents, "targets": self.targets, "beside": self.beside})

    def routes_of(self, wire: str) -> tuple[Route, ...]:
        """Who hears of an event. Conditions are left to the deliveries."""
        handlers = (Route("handler", one.name, line=one.line) for one in self.handlers.get(wire, ()))
        return (*handlers, *(Route(kind, target) for kind, target in self.routes[wire]))  # type: ignore[arg-type]  # kinds

    def handlers_of(self, application: Application) -> dict[str, Named]:
        """The handlers of its program, by the names that they have in the program alone."""
        left = {wire: iter(found) for wire, found in self.handlers.items()}
        return {handler.name: next(left[handler.event]) for handler in application.handlers if handler.body}

    def delivers(self, kind: str, target: str, event: str | None) -> bool:
        """Whether a process of this version can make a delivery; ``event`` is None for messages."""
        if event is not None and event not in self.routes:
            return False
        if kind == "handler":
            return any(one.name == target for found in self.handlers.values() for one in found)
        return (kind, target if kind in INSIDE else "") in self.targets


def wiring_of(
    application: Application, routes: Mapping[str, Sequence[Route]], outside: Iterable[str], beside: Iterable[str] = ()
) -> Wiring:
    """The wiring of a program, with the names that its handlers have when no other version was there before.

    :param outside: the kinds of targets outside that this process reaches
    :param beside: texts that are equal in versions whose schedules are
    """
    handlers: dict[str, list[Named]] = {}
    last: dict[str, int] = {}
    for handler in application.handlers:
        last[handler.event] = last.get(handler.event, 0) + 1
        if handler.body:
            handlers.setdefault(handler.event, []).append(Named(content_of(handler), handler.name, handler.name))
    named = [
        *(("workflow", workflow.name) for workflow in application.workflows),
        *(("webhook", webhook.name) for webhook in application.webhooks),
        *((kind, "") for kind in outside if kind not in INSIDE),
    ]
    others = {wire: [(route.kind, route.target) for route in found if route.kind != "handler"] for wire, found in routes.items()}
    return Wiring(others, handlers, sorted(named), last, sorted(beside))  # type: ignore[arg-type]  # kinds are texts


def content_of(handler: Handler) -> str:
    """The hash of what a handler says, wherever it stands."""
    data: Any = {"where": dumped(handler.where), "body": dumped(handler.body)}
    return digest(data)[:32]


def succeeding(wiring: Wiring, before: Wiring) -> Wiring:
    """The wiring with the names that its handlers have after another version."""
    handlers, last, successors = dict(wiring.handlers), {**wiring.last, **before.last}, dict(before.successors)
    for wire in before.last.keys() & wiring.last.keys():
        contents = [one.content for one in wiring.handlers.get(wire, ())]
        after = Naming(wire, before.handlers.get(wire, ()), before.last[wire])
        handlers[wire], last[wire] = after.of(contents), after.last
        successors = {old: after.edited.get(new, new) for old, new in successors.items()} | after.edited
    present = {one.name for found in handlers.values() for one in found}
    kept = {old: new for old, new in successors.items() if new in present and old not in present}
    return msgspec.structs.replace(wiring, handlers=handlers, last=last, successors=kept)


class Naming:
    """The names of the handlers of one event after those of another version; no number is given twice.

    :param last: the highest number that was given; afterwards with the new ones
    """

    def __init__(self, wire: str, before: Sequence[Named], last: int) -> None:
        self._wire = wire
        self._before = before
        self.last = last
        self.edited: dict[str, str] = {}

    def of(self, contents: Sequence[str]) -> list[Named]:
        """The handlers of these contents; ``edited`` tells afterwards which of them stand in the place of others."""
        left = list(self._before)
        found: list[Named | None] = []
        for content in contents:
            same = next((one for one in left if one.content == content), None)
            found.append(same)
            if same is not None:
                left.remove(same)
        places = iter(left if found.count(None) == len(left) else ())
        return [one if one is not None else self._new(content, next(places, None)) for content, one in zip(contents, found, strict=True)]

    def _new(self, content: str, before: Named | None) -> Named:
        self.last += 1
        name = f"{self._wire}#{self.last}"
        if before is None:
            return Named(content, name, name)
        self.edited[before.name] = name
        return Named(content, name, before.line)
