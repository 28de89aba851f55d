"""What ends the pauses of a dispatcher: offers of this process and of others, and what becomes due before its next sweep."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable


class Wakes:
    """Wakes the loops of one dispatcher.

    :param now: milliseconds since 1970 where time is virtual; None for the clock of the machine
    """

    def __init__(self, now: Callable[[], int | None]) -> None:
        self._now = now
        self.claims = asyncio.Event()
        self.sweeps = asyncio.Event()
        self.next_sweep = 0.0
        self.restricted = True  # whether there may be something that has an order or a lane

    def wake(self) -> None:
        """There is something to claim, or room for it."""
        self.claims.set()

    def wake_restricted(self) -> None:
        """There is something to claim that has an order or a lane."""
        self.restricted = True
        self.claims.set()

    def wake_in(self, delay_ms: int) -> None:
        """Something becomes due so many milliseconds from now."""
        if time.monotonic() + delay_ms / 1000 < self.next_sweep:
            self.sweeps.set()

    def offered(self, restricted: bool, delay_ms: int, due: int | None) -> None:
        """Something was offered that is to begin after a delay, or is due at some time (in milliseconds since 1970)."""
        if due is not None:
            delay_ms = due - (self._now() or int(time.time() * 1000))
        if delay_ms > 0:
            self.wake_in(delay_ms)
        elif restricted:
            self.wake_restricted()
        else:
            self.wake()
