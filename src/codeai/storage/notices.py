"""Short notices that the processes at one PostgreSQL give each other: what became old, what changed its state.

A notice reaches whoever listens within milliseconds and once, or not at all while the connection to the database is lost; who must not
miss one hears of the gap (``on_gap``, ``on_hearing``). Nothing is kept: a notice is for those who are there.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol, runtime_checkable

from codeai.storage.errors import StorageError
from codeai.storage.interface import Database, Session

_LOG: Final = logging.getLogger("codeai.storage")
_CHANNEL: Final = "codeai_notices"
_LONGEST: Final = 7_500
_PATIENCE: Final = 5.0
_TELL: Final = f"SELECT pg_notify('{_CHANNEL}', $1)"
Heard = Callable[[str], None]


class Speaker(Protocol):
    """Says something again and again (see ``Notices.speak``)."""

    def due(self) -> tuple[str | None, float]:
        """What is to be told now, or None, and seconds until the next look unless somebody wakes."""

    def said(self) -> None:
        """It has been told; when that fails, ``due`` is asked again as soon as somebody can be told."""


@runtime_checkable
class AtEnd(Protocol):
    """A session that gives a notice together with its commit."""

    def notify_at_end(self, channel: str, payload: str) -> None:
        """Notes the notice; nothing is given when the transaction does not commit."""


class TooLong(ValueError):
    """A notice does not fit (PostgreSQL takes 8,000 bytes)."""


class Notices:
    """Gives and hears notices; a process does not hear its own.

    :param database: where it ``hears`` nothing (SQLite, behind a pooler), nothing is given either
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._mark = secrets.token_hex(6)
        self._topics: dict[str, Heard] = {}
        self._channels: dict[str, Heard] = {}
        self._gaps: list[Callable[[], None]] = []
        self._returns: list[Callable[[], None]] = []
        self._task: asyncio.Task[None] | None = None
        self._telling: set[asyncio.Task[None]] = set()
        self._hearing = asyncio.Event()
        self._speech: _Speech | None = None

    @property
    def possible(self) -> bool:
        """Whether this database passes notices on."""
        return self._database.hears

    def on(self, topic: str, heard: Heard) -> None:
        """Says who hears the notices of a topic, as texts."""
        self._topics[topic] = heard

    def on_channel(self, channel: str, heard: Heard) -> None:
        """Also listens to a channel of somebody else's, on the same connection (see ``listening.listen``)."""
        self._channels[channel] = heard

    def on_gap(self, action: Callable[[], None]) -> None:
        """What is done when nothing is heard any more; may be called more than once for one gap."""
        self._gaps.append(action)

    def on_hearing(self, action: Callable[[], None]) -> None:
        """What is done when notices are heard, from the beginning or again."""
        self._returns.append(action)

    def speak(self, topic: str, speaker: Speaker) -> Callable[[], None]:
        """Tells what a speaker says, one notice after the other, on the connection that listens, and never waits for a disk.

        :returns: what wakes it when something has become due
        """
        self._speech = _Speech(f"{self._mark} {topic} ", speaker)
        return self._speech.woken.set

    async def start(self) -> None:
        """Begins to listen, if anybody wants to hear something; returns when it does, or after a few seconds without it."""
        if not self.possible or not (self._topics or self._channels):
            return
        channels = dict(self._channels)
        if self._topics:
            channels[_CHANNEL] = self._notice
        else:
            self._hearing.set()
        self._task = asyncio.create_task(self._database.listen(channels, self._gap, self._speech))
        with suppress(TimeoutError):
            await asyncio.wait_for(self._hearing.wait(), _PATIENCE)

    async def stop(self) -> None:
        """Ends that."""
        for task in [*self._telling, *([self._task] if self._task is not None else [])]:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        self._task = None

    def _gap(self) -> None:
        self._hearing.clear()
        for action in self._gaps:
            action()

    def _notice(self, payload: str) -> None:
        if not payload:
            self._hearing.set()
            for action in self._returns:
                action()
            return
        sender, _, rest = payload.partition(" ")
        topic, _, text = rest.partition(" ")
        heard = self._topics.get(topic)
        if sender != self._mark and heard is not None:
            heard(text)

    async def write(self, session: Session, topic: str, text: str) -> None:
        """Gives a notice when the transaction of ``session`` commits, and never when it does not.

        :raises TooLong: as it says
        """
        payload = f"{self._mark} {topic} {text}"
        if len(payload.encode()) > _LONGEST:
            raise TooLong(topic)
        if isinstance(session, AtEnd):
            session.notify_at_end(_CHANNEL, payload)
        else:
            await session.fetch_row(_TELL, (payload,))

    def tell(self, topic: str, text: str) -> None:
        """Gives a notice now, without waiting for it; while the database does not answer it is lost."""
        if self._task is not None:  # who does not listen does not know what others told: it tells nothing either
            task = asyncio.ensure_future(self._told(topic, text))
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    async def _told(self, topic: str, text: str) -> None:
        try:
            await self.write(self._database.writing(), topic, text)
        except StorageError as error:
            _LOG.debug("a notice was not given", extra={"topic": topic, "cause": str(error)})


class _Speech:
    """A ``Voice`` that gives notices. Whether a notice survives a crash of the database is all one: nobody hears it then."""

    def __init__(self, head: str, speaker: Speaker) -> None:
        self.woken = asyncio.Event()
        self._head = head
        self._speaker = speaker

    def due(self) -> tuple[str | None, float]:
        """See ``Voice``."""
        text, pause = self._speaker.due()
        if text is None:
            return None, pause
        payload = (self._head + text).replace("'", "''")
        return f"SET LOCAL synchronous_commit = off; NOTIFY {_CHANNEL}, '{payload}'", pause

    def said(self) -> None:
        """See ``Voice``."""
        self._speaker.said()
