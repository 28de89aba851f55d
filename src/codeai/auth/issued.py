"""Whether a token was issued while something was done: what is kept of the answer then must not hold it."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final


class Issued:
    """Notes it for one piece of work, in whatever tasks that is done."""

    def __init__(self) -> None:
        self.token = False


ISSUED: Final[ContextVar[Issued | None]] = ContextVar("codeai_issued", default=None)


def note_token() -> None:
    """A token is issued."""
    found = ISSUED.get()
    if found is not None:
        found.token = True
