"""``on_success``: what an operation does at its end, in its transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from codeai.evaluate.context import Context
from codeai.evaluate.program import Host
from codeai.query.writes.companions import Companion

Beside = Callable[[Mapping[str, Any]], Sequence[Companion]]


class Announcement(Protocol):
    """An ``on_success`` that is nothing but one event, which a new row can therefore take along in its own statement."""

    def beside(self, context: Context, changes: Any) -> Beside:
        """The companions of a new row."""


class Success:
    """Runs the block over the host values ``result`` and ``changes``.

    :param announcement: says the same in a form that needs no statement of its own; None when there is none
    """

    def __init__(self, host: Host, announcement: Announcement | None = None) -> None:
        self._host = host
        self.announcement = announcement

    async def run(self, context: Context, result: Any, changes: Any) -> None:
        """Runs it once the operation has succeeded."""
        context.values = {"result": result, "changes": changes}
        await self._host(context)


def sent_values(body: Any, sent: frozenset[str]) -> Any:
    """What a client has sent of a body: the changes that an operation makes."""
    return {name: value for name, value in body.items() if name in sent} if isinstance(body, Mapping) else body
