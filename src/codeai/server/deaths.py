"""Workers that died: how long the next one waits, and when there were too many."""

from __future__ import annotations

from collections import deque
from typing import Final

TOO_MANY: Final = 5
WINDOW: Final = 60.0
FIRST_PAUSE: Final = 0.2
LONGEST_PAUSE: Final = 5.0


class Deaths:
    """The deaths of the workers of one server.

    :param first_pause: seconds between a death and the next start; each further one doubles it, a quiet ``WINDOW`` ends that
    """

    def __init__(self, first_pause: float = FIRST_PAUSE) -> None:
        self._first_pause = first_pause
        self._pause = first_pause
        self._last: deque[float] = deque(maxlen=TOO_MANY)

    def pause(self, now: float) -> float | None:
        """One died at ``now``, in seconds of a clock that does not jump: how long to wait; None when so many died that it is of no use."""
        if not self._last or now - self._last[-1] >= WINDOW:
            self._pause = self._first_pause
        self._last.append(now)
        if len(self._last) == TOO_MANY and now - self._last[0] < WINDOW:
            return None
        found, self._pause = self._pause, min(self._pause * 2, max(LONGEST_PAUSE, self._first_pause))
        return found
