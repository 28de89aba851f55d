"""Hearing ``NOTIFY`` of PostgreSQL, on a connection of its own that comes back by itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

import asyncpg

from codeai.storage.postgresql.connecting import opened
from codeai.storage.settings import DatabaseSettings

_LOG: Final = logging.getLogger("codeai.storage")
_CHECK_EVERY: Final = 15.0
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 0.5  # until then others wait for the next sweep
Heard = Callable[[str], None]


async def listen(
    settings: DatabaseSettings,
    channels: Mapping[str, Heard],
    lost: Callable[[], None] = lambda: None,
    known: Callable[[asyncpg.Connection], None] = lambda _: None,
) -> None:
    """Listens until it is cancelled.

    :param channels: for each channel, what is called with the payload of each notice, and with ``""`` after each (re)connection,
        since notices may have been missed
    :param lost: called when nothing is heard any more
    :param known: called with each connection that is opened for it
    """
    pause = _FIRST_PAUSE

    def connected() -> None:
        nonlocal pause
        pause = _FIRST_PAUSE

    while True:
        try:
            connection = await opened(settings)
            known(connection)
            await _session(connection, channels, connected, lost)
        except Exception as error:  # whatever ends a connection: it is opened again
            cause = str(error) or type(error).__name__
            _LOG.warning(
                "the connection for notices was lost, trying again", extra={"channels": ", ".join(channels), "cause": cause, "pause": pause}
            )
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


async def _session(
    connection: asyncpg.Connection, channels: Mapping[str, Heard], connected: Callable[[], None], gone: Callable[[], None]
) -> None:
    lost = asyncio.Event()

    def ended(_: object) -> None:
        lost.set()
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
            with suppress(TimeoutError):
                async with asyncio.timeout(_CHECK_EVERY):  # wait_for of Python 3.11 forgets to be cancelled when both happen at once
                    await lost.wait()
            if not lost.is_set():
                await connection.fetchval("SELECT 1", timeout=5)
        raise ConnectionError("the connection ended")
    finally:
        gone()
        connection.terminate()
