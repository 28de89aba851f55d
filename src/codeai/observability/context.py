"""What the code that runs now works for: a request, an execution. Log lines and spans ask here, so that nobody has to pass it on."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Final, Protocol


class Work(Protocol):
    """A unit of work. ``debug`` lets its debug lines through, whatever the level is."""

    @property
    def debug(self) -> bool:
        """Whether its debug lines are wanted."""

    def log_fields(self) -> Mapping[str, object]:
        """The fields that all of its log lines have, as ``request_id``."""


CURRENT: Final[ContextVar[Work | None]] = ContextVar("codeai_work", default=None)
