"""The process that runs what is durable: no HTTP, the dispatcher alone, and an end in good order."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable
from contextlib import suppress

from codeai.durable.dispatch.statements import CHANNEL
from codeai.server.composition import Composition
from codeai.server.supervisor import tell_supervisor
from codeai.server.worker import settle_memory
from codeai.storage.settings import DatabaseSettings

_LOG = logging.getLogger("codeai.server")


def run_durable(composition: Composition, database: DatabaseSettings, hang_up: Callable[[], None]) -> None:
    """Works until SIGTERM or SIGINT; what runs then may end within the shutdown time-out of the composition's settings."""
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(composition, database, hang_up))


async def _run(composition: Composition, database: DatabaseSettings, hang_up: Callable[[], None]) -> None:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    def end() -> None:
        tell_supervisor()
        ended.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    loop.add_signal_handler(signal.SIGHUP, hang_up)
    await composition.start()
    listening = listener(composition, database)
    try:
        settle_memory()
        _LOG.info("working", extra={"worker": composition.dispatcher.worker})
        await ended.wait()
        _LOG.info("draining")
    finally:
        if listening is not None:
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening
        await composition.stop()
        _LOG.info("stopped")


def listener(composition: Composition, database: DatabaseSettings) -> asyncio.Task[None] | None:
    """Hears what other processes offer; behind a transaction pooler only the sweep does."""
    if database.dialect != "postgresql" or database.pooler == "transaction":
        return None
    from codeai.storage.listening import listen

    return asyncio.create_task(listen(database, CHANNEL, composition.dispatcher.heard))
