"""What a loop says that fails again and again: once that it does, and once that it goes on."""

from __future__ import annotations

import logging
import time
from typing import Final

from codeai.storage.errors import StorageError

_LOG: Final = logging.getLogger("codeai.durable")


class Outage:
    """The failures of one loop since it last went on.

    :param what: what is said of them
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._failures = 0
        self._since = 0.0
        self._last: type[Exception] | None = None

    def failed(self, error: Exception) -> None:
        """Says so unless it was said; what the database did not say itself, with its traceback."""
        if not self._failures:
            self._since = time.monotonic()
        self._failures += 1
        if type(error) is not self._last:
            self._last = type(error)
            _LOG.warning(self._what, extra={"cause": str(error)}, exc_info=None if isinstance(error, StorageError) else error)

    def over(self) -> None:
        """It went on: says so when it had failed."""
        if self._failures:
            known = {"failures": self._failures, "seconds": round(time.monotonic() - self._since, 1)}
            _LOG.warning(f"{self._what}: over", extra=known)
            self._failures, self._last = 0, None
