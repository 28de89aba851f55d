"""Points at which tests end or stop the process: before and after every durable write. Only the environment makes them do anything."""

from __future__ import annotations

import os
import signal
from typing import Final

VARIABLE: Final = "CODEAI_FAULT_POINT"


class FaultPoints:
    """Kills this process when a named point is passed for the n-th time: ``CODEAI_FAULT_POINT=after-commit:3``.

    ``stop@after-commit:3`` stops it (SIGSTOP) until somebody sends SIGCONT.
    """

    def __init__(self, wanted: str) -> None:
        self._signal = signal.SIGSTOP if wanted.startswith("stop@") else signal.SIGKILL
        name, _, number = wanted.removeprefix("stop@").partition(":")
        self._name = name
        self._left = int(number or 1)

    def __call__(self, point: str) -> None:
        """Passes a point."""
        if point == self._name:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), self._signal)


class NoFaults:
    """Production: points are passed without effect."""

    def __call__(self, point: str) -> None:
        """Passes a point."""


def fault_points(environment: dict[str, str] | os._Environ[str]) -> FaultPoints | NoFaults:
    """The points of this process; never in production."""
    wanted = environment.get(VARIABLE)
    return FaultPoints(wanted) if wanted and environment.get("CODEAI_ENV") != "production" else NoFaults()
