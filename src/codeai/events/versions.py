"""Versions of the program that run at once while one is rolled out: each writes down its wiring, and all know who is there.

An event goes to the targets of the newest version that has the event and of which a process lives, whoever relays it. A version is
written down before its processes serve, and an event is read before the versions are, so that none is relayed without the version
that emitted it. New is what was first seen later: an old process that starts again does not become the newest by that.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

import msgspec

from codeai.events.wiring import Wiring, succeeding
from codeai.storage.errors import StorageError
from codeai.storage.interface import Database, Session
from codeai.storage.portable import portable

_LOG: Final = logging.getLogger("codeai.events")
BEAT_EVERY: Final = 10.0  # seconds
LAPSES_MS: Final = 60_000  # after which a process that gives no sign of life is taken for dead
_KEPT: Final = 50  # wirings of versions that do not run any more
_LOCK: Final = 0x434149_57495245  # any number that only this program uses: versions are written down one after another
_KNOWN: Final = "SELECT body FROM codeai_wirings WHERE version = $1"
_NEWEST: Final = "SELECT generation, body FROM codeai_wirings ORDER BY generation DESC LIMIT 1"
_ADD: Final = "INSERT INTO codeai_wirings (version, generation, body, created_ms) VALUES ($1, $2, $3, {now})"
_FORGET: Final = """
DELETE FROM codeai_wirings WHERE generation <= $1
  AND NOT EXISTS (SELECT 1 FROM codeai_processes AS p WHERE p.version = codeai_wirings.version)"""
_BEAT: Final = (
    "INSERT INTO codeai_processes (id, version, seen_ms) VALUES ($1, $2, {now}) ON CONFLICT (id) DO UPDATE SET seen_ms = excluded.seen_ms"
)
_LEAVE: Final = "DELETE FROM codeai_processes WHERE id = $1"
_LAPSED: Final = f"DELETE FROM codeai_processes WHERE seen_ms < {{now}} - {10 * LAPSES_MS}"  # noqa: S608  # a number of ours
_LIVE: Final = f"""
SELECT w.version FROM codeai_wirings AS w
WHERE w.version IN (SELECT p.version FROM codeai_processes AS p WHERE p.seen_ms > {{now}} - {LAPSES_MS}) ORDER BY w.generation DESC"""  # noqa: S608  # as above


class Versions:
    """The version of this process, and those beside it.

    :param wiring: of this process, as ``wiring.wiring_of`` makes it
    """

    def __init__(self, database: Database, wiring: Wiring) -> None:
        self._database = database
        self.on_newest: Callable[[], Awaitable[None]] | None = None  # called when the newer versions have gone
        self._was_newest = True
        self._process = str(uuid.uuid4())
        self._version = wiring.version()
        self._alone = database.dialect == "sqlite"  # one process has the file
        self.own = wiring
        self._wirings = {self._version: wiring}
        self._beating: asyncio.Task[None] | None = None
        sql = (_KNOWN, _NEWEST, _ADD, _FORGET, _BEAT, _LEAVE, _LAPSED, _LIVE)
        texts = [portable(text, database.dialect) for text in sql]
        self._known, self._newest, self._add, self._forget, self._beat, self._leave, self._lapsed, self._live = texts

    async def start(self) -> None:
        """Writes the version down, and goes on to say that it lives. From here on ``own`` has the names that handlers keep."""
        async with self._database.transaction() as session:
            if self._alone:
                await session.execute("DELETE FROM codeai_processes", ())
            else:
                await session.execute("SELECT pg_advisory_xact_lock($1)", (_LOCK,))
                await session.execute(self._lapsed, ())
            await session.execute(self._beat, (self._process, self._version))
            self.own = await self._registered(session)
        self._wirings[self._version] = self.own
        if not self._alone:
            self._beating = asyncio.create_task(self._beats())
            self._was_newest = await self.newest(self._database.reading())

    async def _registered(self, session: Session) -> Wiring:
        row = await session.fetch_row(self._known, (self._version,))
        if row is not None:
            return _read(row[0])
        newest = await session.fetch_row(self._newest, ())
        generation, wiring = 1, self.own
        if newest is not None:
            generation, wiring = int(newest[0]) + 1, succeeding(self.own, _read(newest[1]))  # type: ignore[call-overload]  # a number
            await session.execute(self._forget, (generation - _KEPT,))
        await session.execute(self._add, (self._version, generation, msgspec.json.encode(wiring).decode()))
        return wiring

    async def _beats(self) -> None:
        while True:
            await asyncio.sleep(BEAT_EVERY)
            try:
                await self.beat()
            except StorageError as error:
                _LOG.warning("a sign of life was not given", extra={"cause": str(error)})

    async def beat(self) -> None:
        """Gives a sign of life, and sees whether the newer versions are still there."""
        await self._database.writing().execute(self._beat, (self._process, self._version))
        was, self._was_newest = self._was_newest, await self.newest(self._database.reading())
        if self._was_newest and not was and self.on_newest is not None:
            await self.on_newest()

    async def newest(self, session: Session) -> bool:
        """Whether no newer version runs."""
        return (await self.live(session))[0] is self.own

    async def accompanied(self) -> bool:
        """Whether processes of other versions run."""
        return len(await self.live(self._database.reading())) > 1

    async def stop(self) -> None:
        """Takes leave, so that nobody counts on this process."""
        if self._beating is None:
            return
        self._beating.cancel()
        with suppress(asyncio.CancelledError):
            await self._beating
        self._beating = None
        with suppress(StorageError):
            await self._database.writing().execute(self._leave, (self._process,))

    async def live(self, session: Session) -> tuple[Wiring, ...]:
        """The wirings of versions that run, the newest first; that of this process is always among them."""
        if self._alone or self._beating is None:
            return (self.own,)
        versions = [str(row[0]) for row in await session.fetch(self._live, ())]
        if self._version not in versions:
            versions.append(self._version)
        return tuple([await self._wiring(session, version) for version in versions])

    async def _wiring(self, session: Session, version: str) -> Wiring:
        found = self._wirings.get(version)
        if found is None:
            row = await session.fetch_row(self._known, (version,))
            assert row is not None  # the statement before has found it, and those of living processes are kept
            found = self._wirings[version] = _read(row[0])
        return found


def _read(body: object) -> Wiring:
    return msgspec.json.decode(str(body), type=Wiring)
