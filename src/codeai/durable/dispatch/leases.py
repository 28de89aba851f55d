"""Leases of what a process works on: prolonged in time, or given up in time, so that nobody works on what is another's by now."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

from codeai.durable.dispatch.claiming import LEASE_MS
from codeai.durable.dispatch.statements import Statements, id_list
from codeai.storage.interface import Database

RENEW_EVERY: Final = 3.0
BEGIN_WITHIN: Final = 7.0


class Leases:
    """The leases of one worker.

    :param now: milliseconds since 1970 where time is virtual; None for the database's clock
    """

    def __init__(self, database: Database, sql: Statements, worker: str, now: Callable[[], int | None]) -> None:
        self._database = database
        self._sql = sql
        self._worker = worker
        self._now = now
        # One process has the file: nobody else takes what runs here, and the writer may be busy for longer than a lease.
        self._alone = database.dialect == "sqlite"
        self.renewed = time.monotonic()

    def fresh(self) -> None:
        """Nothing is held, or all of it was claimed just now."""
        self.renewed = time.monotonic()

    @property
    def ended(self) -> bool:
        """Whether others may work on what was held by now."""
        return time.monotonic() - self.renewed >= LEASE_MS / 1000

    def may_begin(self) -> bool:
        """Whether they were renewed recently enough to begin something new."""
        return time.monotonic() - self.renewed < BEGIN_WITHIN

    async def renew(self, ids: Sequence[int]) -> None:
        """Prolongs the leases of activations, unless they have ended."""
        began = time.monotonic()
        if self._alone or not ids:
            self.renewed = began
        if ids and began - self.renewed < LEASE_MS / 1000:
            values = (self._now(), LEASE_MS, self._worker, id_list(ids, self._database.dialect))
            await self._database.writing().execute(self._sql.renew, values)
            self.renewed = began
