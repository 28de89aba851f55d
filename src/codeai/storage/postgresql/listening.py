"""Hearing ``NOTIFY`` of PostgreSQL, on a connection of its own that comes back by itself, and saying something there."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

import asyncpg

from codeai.storage.causes import cause_of
from codeai.storage.interface import Voice
from codeai.storage.postgresql.connecting import opened
from codeai.storage.settings import DatabaseSettings

_LOG: Final = logging.getLogger("codeai.storage")
_CHECK_EVERY: Final = 2.0  # so long, and the time of an answer, a network may be silent before it counts as gone
_ANSWER: Final = 2.0
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 0.5  # until then others wait for the next sweep
_SAY_AGAIN: Final = 60.0  # an outage is tried twice a second, and said when it begins, when its cause changes, and once a minute
Heard = Callable[[str], None]


async def listen(
    settings: DatabaseSettings,
    channels: Mapping[str, Heard],
    lost: Callable[[], None] = lambda: None,
    known: Callable[[asyncpg.Connection], None] = lambda _: None,
    voice: Voice | None = None,
) -> None:
    """Listens until it is cancelled.

    :param channels: for each channel, what is called with the payload of each notice, and with ``""`` after each (re)connection,
        since notices may have been missed
    :param lost: called when nothing is heard any more
    :param known: called with each connection that is opened for it
    :param voice: what is said there meanwhile
    """
    pause, said, said_at = _FIRST_PAUSE, "", 0.0

    def connected() -> None:
        nonlocal pause, said
        pause, said = _FIRST_PAUSE, ""

    while True:
        try:
            connection = await opened(settings, "codeai listening")
            known(connection)
            await _session(connection, channels, connected, lost, voice)
        except Exception as error:  # whatever ends a connection: it is opened again
            cause, now = cause_of(error), time.monotonic()
            if cause != said or now - said_at >= _SAY_AGAIN:
                said, said_at = cause, now
                extra = {"channels": ", ".join(channels), "cause": cause, "pause": pause}
                _LOG.warning("the connection for notices was lost, trying again", extra=extra)
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


async def _session(
    connection: asyncpg.Connection,
    channels: Mapping[str, Heard],
    connected: Callable[[], None],
    gone: Callable[[], None],
    voice: Voice | None,
) -> None:
    lost = asyncio.Event()
    woken = asyncio.Event() if voice is None else voice.woken

    def ended(_: object) -> None:
        lost.set()
        woken.set()
        gone()

    def notice(_: object, __: int, channel: str, payload: object) -> None:
        channels[channel](str(payload))

    try:
        connection.add_termination_listener(ended)
        for channel in channels:
            await connection.add_listener(channel, notice)
        connected()
        for heard in channels.values():
            heard("")
        while not lost.is_set():
            statement, pause = (None, _CHECK_EVERY) if voice is None else voice.due()
            if statement is not None and voice is not None:
                await connection.execute(statement, timeout=_ANSWER)
                voice.said()
            elif not await _woken(woken, min(pause, _CHECK_EVERY)) and pause >= _CHECK_EVERY:
                await connection.fetchval("SELECT 1", timeout=_ANSWER)
        raise ConnectionError("the connection ended")
    finally:
        gone()
        connection.terminate()


async def _woken(event: asyncio.Event, seconds: float) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):  # wait_for of Python 3.11 forgets to be cancelled when both happen at once
            await event.wait()
    found = event.is_set()
    event.clear()
    return found
