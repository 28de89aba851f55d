"""The breaker of a process whose siblings are told of what it sees, where there is no Redis that all of them could ask.

Each process decides by itself: a call costs no exchange. Failures of the others count as its own, and a change of state is theirs too, some
milliseconds later. Who begins to probe tells it, and the others wait for what comes of it; two that begin at the same moment both
probe. A process that has just begun to listen asks for the states that are not closed. Whatever a process misses mends itself: by its
own failures, or by a probe when its own time is over.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

from codeai.integrations.breaker import LocalMachine, Outcome, Snapshot
from codeai.model.integration import Breaker

ASK: Final = "state"


class ToldMachine:
    """See ``Machine``.

    :param tell: tells the siblings: ``failure``, ``success`` (which ends a row of failures), a new state, or ``state``, which
        asks for it and is answered by ``still-open``
    """

    def __init__(self, model: Breaker, tell: Callable[[str], None]) -> None:
        self._own = LocalMachine(model)
        self._tell = tell

    async def admit(self, now: float) -> Outcome:
        """See ``Machine``."""
        return self._moved(await self._own.admit(now))

    async def report(self, now: float, permit: int, result: Literal["success", "failure", "cancelled"]) -> Outcome:
        """See ``Machine``."""
        before = self._own.failures
        found = self._moved(await self._own.report(now, permit, result))
        if found.before is None and self._own.failures != before:
            self._tell(result)
        return found

    async def reset(self, now: float) -> Outcome:
        """See ``Machine``."""
        found = await self._own.reset(now)
        self._tell("closed")  # also when this one was closed: another may not be
        return found

    async def snapshot(self, now: float) -> Snapshot:
        """See ``Machine``."""
        return await self._own.snapshot(now)

    def _moved(self, found: Outcome) -> Outcome:
        if found.before is not None:
            self._tell(found.state)
        return found

    def told(self, what: str, now: float) -> Outcome:
        """Takes up what a sibling tells; it has logged the change."""
        if what == ASK:
            if self._own.state != "closed":
                self._tell("still-open")
        else:
            self._own.told(what, now)
        return Outcome(self._own.state)
