"""Connections, each with the one thread on which it is used."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, TypeVar

from codeai.storage import errors
from codeai.storage.settings import DatabaseSettings
from codeai.storage.sqlite.functions import register
from codeai.storage.sqlite.threads import Thread
from codeai.storage.sqlite.translation import translated, with_remedy
from codeai.storage.watching import WATCHER

_Result = TypeVar("_Result")
_CHECK_EVERY: Final = 20_000  # virtual machine instructions between two looks at the clock


class Line:
    """A connection with the one thread on which it is used.

    :param cache: of pages, in kB
    """

    def __init__(self, settings: DatabaseSettings, *, write: bool, cache: int = 2_000) -> None:
        self._settings = settings
        self._deadline = 0.0
        self.connection = _connect(settings, write=write)
        self.connection.execute(f"PRAGMA cache_size = -{cache}")
        self.connection.set_progress_handler(self._expired, _CHECK_EVERY)
        self._thread = Thread("codeai-writer" if write else "codeai-reader")

    def _expired(self) -> bool:
        return self._deadline != 0.0 and time.monotonic() > self._deadline

    async def run(self, work: Callable[[sqlite3.Connection], _Result], statement: str) -> _Result:
        """Does work on the thread of the connection; a cancelled caller interrupts it and waits until it has stopped."""
        watcher = WATCHER.get()
        return await (self._run(work) if watcher is None else watcher.watch(statement, self._run(work)))

    def _run(self, work: Callable[[sqlite3.Connection], _Result]) -> Awaitable[_Result]:
        return self._thread.run(lambda: self._work(work), self.connection.interrupt)

    def _work(self, work: Callable[[sqlite3.Connection], _Result]) -> _Result:
        self._deadline = time.monotonic() + self._settings.statement_timeout
        try:
            return work(self.connection)
        except (sqlite3.Error, OverflowError) as error:
            raise translated(error) from error
        finally:
            self._deadline = 0.0

    def close(self) -> None:
        """Ends the thread and the connection."""
        self._thread.close()
        self.connection.close()


def _connect(settings: DatabaseSettings, *, write: bool) -> sqlite3.Connection:
    path = settings.path or Path(":memory:")
    try:
        connection = sqlite3.connect(
            path, timeout=settings.lock_timeout, isolation_level=None, check_same_thread=False, cached_statements=512
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA temp_store = MEMORY")
        if not write:
            connection.execute("PRAGMA query_only = ON")
    except sqlite3.Error as error:
        raise errors.DatabaseUnavailable(f"cannot open {settings.shown}: {with_remedy(error)}") from error
    register(connection)
    return connection
