"""How processes at one PostgreSQL tell each other which tables were written, so that their caches forget what became old.

PostgreSQL commits transactions that give notices one after the other, each until it is on disk. So who writes seldom gives the notice in
the transaction of the write, where it cannot get lost; who writes often holds a *promise* instead: it says "I write" every tenth of a
second, with the tables of all writes since, and its transactions give no notices of their own. The promise ends by itself after a moment
without such a *beat*, and then writes give their own notices again. Who hears a beat expects the next one. When it does not come,
that process may have died with something unsaid, and everything that was read from tables is forgotten.

Hence the bound: a process answers from its cache for at most ``SILENCE`` and a look after a commit of another one, and then only when that
one died or stood still in between; commonly it is the time of two exchanges with the database.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final

from codeai.cache.memory import ALL, MemoryStore
from codeai.storage.interface import Session
from codeai.storage.notices import Notices, TooLong

TOPIC: Final = "written"
BEAT: Final = 0.1
PROMISE: Final = 0.4  # seconds after a beat in which writes need no notices of their own
SILENCE: Final = 1.0  # seconds without a beat after which a process that promised more counts as dead
_LOOK: Final = 0.1
_DOUBT: Final = 30.0  # a commit that a dead process has sent may take effect so long afterwards
_PACE: Final = 0.01
_OFTEN: Final = 0.25
_REST: Final = 0.5
_MOST: Final = 7_000
_BEATS, _ENDS, _WRITES = "beat", "end", "write"
_NOBODY: Final = "?"


class Announcements:
    """Tells the writes of this process (see ``watching.Announcer``).

    :param now: seconds of a monotonic clock
    """

    def __init__(self, notices: Notices, now: Callable[[], float]) -> None:
        self._notices = notices
        self._now = now
        self._mark = secrets.token_hex(6)
        self._wake = notices.speak(TOPIC, self)
        self._unsaid: set[str] = set()
        self._saying: tuple[set[str], float] = (set(), 0.0)
        self._open = 0
        self._last = -_REST
        self._wanted = False
        self._spoke = 0.0
        self._promised_until = 0.0

    def begin(self) -> bool:
        """See ``Announcer``."""
        now = self._now()
        if self._open or now - self._last < _OFTEN:
            self._want()
        self._open += 1
        self._last = now
        return now >= self._promised_until

    async def announce(self, session: Session, tables: Iterable[str]) -> None:
        """See ``Announcer``."""
        try:
            await self._notices.write(session, TOPIC, f"{self._mark} {_WRITES} {' '.join(sorted(tables))}")
        except TooLong:
            await self._notices.write(session, TOPIC, f"{self._mark} {_WRITES} {ALL}")

    def end(self, tables: Iterable[str]) -> None:
        """See ``Announcer``."""
        self._open -= 1
        self._last = self._now()
        if self._wanted:
            self._unsaid.update(tables)
            self._wake()

    def _want(self) -> None:
        if not self._wanted:
            self._wanted = True
            self._wake()

    def due(self) -> tuple[str | None, float]:
        """See ``notices.Speaker``."""
        if not self._wanted:
            return None, _DOUBT
        now = self._now()
        if now < self._spoke + _PACE:
            return None, self._spoke + _PACE - now
        tables = self._unsaid | self._saying[0]
        if not tables and now < self._spoke + BEAT:
            return None, self._spoke + BEAT - now
        resting = not tables and not self._open and now - self._last > _REST
        self._spoke, self._unsaid, self._saying = now, set(), (tables, now)
        if resting:
            self._wanted, self._promised_until = False, 0.0
        return f"{self._mark} {_ENDS if resting else _BEATS} {_named(tables)}", 0.0

    def said(self) -> None:
        """See ``notices.Speaker``."""
        if self._wanted:
            self._promised_until = self._saying[1] + PROMISE
        self._saying = (set(), 0.0)


def _named(tables: set[str]) -> str:
    text = " ".join(sorted(tables))
    return text if len(text.encode()) < _MOST else ALL


class Hearing:
    """Hears the writes of other processes for a cache in memory, and knows when it cannot.

    :param now: seconds of a monotonic clock
    """

    def __init__(self, store: MemoryStore, now: Callable[[], float]) -> None:
        self._store = store
        self._now = now
        self._expected: dict[str, float] = {}
        self._looking: asyncio.Task[None] | None = None

    def connect(self, notices: Notices) -> None:
        """From now on notices are heard; until the connection stands, nothing counts that was read from tables."""
        self._store.deafen()
        notices.on_gap(self._store.deafen)
        notices.on_hearing(self._begins)
        notices.on(TOPIC, self.heard)

    def _begins(self) -> None:
        """Somebody may have promised beats before this process could hear them, and die before the next one."""
        self._store.hear()
        self._expected = {_NOBODY: self._now()}
        self._look_on()

    def heard(self, text: str) -> None:
        """A notice of ``Announcements``."""
        sender, kind, *tables = text.split()
        if tables:
            self._store.heard(tables)
        if kind == _BEATS:
            self._expected[sender] = self._now()
            self._look_on()
        elif kind == _ENDS:
            self._expected.pop(sender, None)

    def _look_on(self) -> None:
        if self._looking is None or self._looking.done():
            self._looking = asyncio.get_running_loop().create_task(self._look())

    async def _look(self) -> None:
        while self._expected:
            await asyncio.sleep(_LOOK)
            self.look()

    def look(self) -> None:
        """Forgets everything while somebody who promised to be heard of is not."""
        now = self._now()
        silent = {sender: since for sender, since in self._expected.items() if now - since > SILENCE}
        if silent:
            self._store.doubt()
        for sender, since in silent.items():
            if sender == _NOBODY or now - since > SILENCE + _DOUBT:
                del self._expected[sender]

    async def stop(self) -> None:
        """Ends that."""
        if self._looking is not None:
            self._looking.cancel()
            with suppress(asyncio.CancelledError):
                await self._looking
