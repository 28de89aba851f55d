"""The time of tests: it passes as ever, and jumps where a test says ``advance``."""

from __future__ import annotations

import datetime
from collections.abc import Awaitable, Callable

from codeai.events.relay import RELAY
from codeai.storage.interface import Database
from codeai.storage.portable import portable

_STEPS = 100_000
# The relay comes by itself every second; whatever commits calls it besides.
_NEXT = "SELECT min(ready_ms) FROM codeai_activations WHERE state = 2 AND kind <> $1"


class VirtualTime:
    """The clock of a program under test."""

    def __init__(self) -> None:
        self._ahead = datetime.timedelta()

    def __call__(self) -> datetime.datetime:
        """Now."""
        return datetime.datetime.now(datetime.UTC) + self._ahead

    async def advance(self, length: datetime.timedelta, database: Database, settle: Callable[[], Awaitable[None]]) -> None:
        """Moves to a later time; what becomes due on the way runs at its time, in order.

        :param settle: runs everything that is due to its end
        """
        target = self() + length
        text = portable(_NEXT, database.dialect)
        for _ in range(_STEPS):
            await settle()
            row = await database.reading().fetch_row(text, (RELAY,))
            due = row[0] if row is not None else None
            if not isinstance(due, int) or due / 1000 >= target.timestamp():
                break
            self._move(datetime.datetime.fromtimestamp(due / 1000 + 0.001, datetime.UTC))
        self._move(target)
        await settle()

    def _move(self, to: datetime.datetime) -> None:
        """Never backwards."""
        self._ahead += max(to - self(), datetime.timedelta())
