"""Sessions of PostgreSQL whose client stands still in the middle of a statement: they are ended, or their locks would stay for ever.

A process that is stopped or loses its machine between two statements is ended by ``idle_in_transaction_session_timeout``. In the middle of
one it is not idle, and no limit of a statement counts while PostgreSQL waits for the rest of it.
"""

from __future__ import annotations

import logging
from typing import Final

from codeai.storage.interface import Database

_LOG: Final = logging.getLogger("codeai.storage")
FROZEN_AFTER: Final = 9.0
_WAITING: Final = """
SELECT pid, CAST(state_change AS text) FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user AND application_name = 'codeai' AND pid <> pg_backend_pid()
  AND state = 'active' AND wait_event = 'ClientRead' AND state_change < clock_timestamp() - CAST($1 AS float8) * interval '1 second'"""
_END: Final = f"SELECT pid, pg_terminate_backend(pid) FROM ({_WAITING}) AS waiting(pid, since) WHERE pid = ANY($2::integer[])"  # noqa: S608  # a constant


class FrozenSessions:
    """Ends such sessions of this program in one database.

    :param after: seconds for which nothing of a statement came
    """

    def __init__(self, database: Database, after: float = FROZEN_AFTER) -> None:
        self._database = database
        self._after = after
        self._seen: frozenset[tuple[object, ...]] = frozenset()

    async def look(self) -> int:
        """Ends those that were there at the last look, too: who sends much at once may be seen waiting by chance. Returns how many."""
        if self._database.dialect != "postgresql":
            return 0
        found = frozenset(tuple(row) for row in await self._database.reading().fetch(_WAITING, (self._after,)))
        again = [row[0] for row in found & self._seen]
        self._seen = found
        if not again:
            return 0
        ended = await self._database.writing().fetch(_END, (self._after, again))
        _LOG.warning("sessions of processes that stand still were ended", extra={"sessions": len(ended)})
        return len(ended)
