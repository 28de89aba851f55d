"""Hearing ``NOTIFY`` of PostgreSQL, on a connection of its own that comes back by itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from codeai.storage.postgres import opened
from codeai.storage.settings import DatabaseSettings

_LOG: Final = logging.getLogger("codeai.storage")
_CHECK_EVERY: Final = 15.0
_LONGEST_PAUSE: Final = 5.0


async def listen(settings: DatabaseSettings, channel: str, heard: Callable[[str], None]) -> None:
    """Listens until it is cancelled.

    :param heard: called with the payload of each notice, and with ``""`` after each reconnection, since notices may have been missed
    """
    pause = 0.1
    while True:
        try:
            await _session(settings, channel, heard)
        except Exception as error:  # whatever ends a connection: it is opened again
            _LOG.warning("listening again", extra={"channel": channel, "cause": str(error) or type(error).__name__, "pause": pause})
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


async def _session(settings: DatabaseSettings, channel: str, heard: Callable[[str], None]) -> None:
    connection = await opened(settings)
    lost = asyncio.Event()

    def notice(_: object, __: int, ___: str, payload: object) -> None:
        heard(str(payload))

    try:
        connection.add_termination_listener(lambda _: lost.set())
        await connection.add_listener(channel, notice)
        heard("")
        while not lost.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(lost.wait(), _CHECK_EVERY)
            if not lost.is_set():
                await connection.fetchval("SELECT 1", timeout=5)
        raise ConnectionError("the connection ended")
    finally:
        connection.terminate()
