"""Time limits of requests, watched together: a request notes its deadline, one timer per process looks after all of them.

A timer of its own for each request costs more than a small request does. The price is precision: limits are kept to about a
tenth of a second, which is why short ones do not come here.
"""

from __future__ import annotations

import asyncio
from typing import Final

TICK: Final = 0.1
SHORTEST: Final = 2.0


class Deadline:
    """The limit of one task; ``expired`` says that the task was cancelled for it."""

    __slots__ = ("at", "expired", "task")

    def __init__(self, at: float, task: asyncio.Task[object] | None) -> None:
        self.at = at
        self.task = task
        self.expired = False

    def answers(self) -> bool:
        """Whether the cancellation that has just arrived was for this limit and for nothing else."""
        return self.expired and self.task is not None and self.task.uncancel() <= 0


class Deadlines:
    """The limits that run. The timer sleeps while there are none."""

    def __init__(self) -> None:
        self._running: set[Deadline] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, seconds: float) -> Deadline:
        """Starts the limit of the current task; ``end`` must follow."""
        loop = self._loop
        if loop is None or self._timer is None:
            loop = self._loop = asyncio.get_running_loop()
            self._timer = loop.call_later(TICK, self._look)
        found = Deadline(loop.time() + seconds, asyncio.current_task(loop))
        self._running.add(found)
        return found

    def end(self, deadline: Deadline) -> None:
        """The task has finished what was limited."""
        self._running.discard(deadline)

    def _look(self) -> None:
        loop = self._loop
        assert loop is not None
        if not self._running:
            self._timer = None
            return
        self._timer = loop.call_later(TICK, self._look)
        now = loop.time()
        for deadline in [each for each in self._running if each.at <= now]:
            self._running.discard(deadline)
            if deadline.task is not None:
                deadline.expired = True
                deadline.task.cancel()
