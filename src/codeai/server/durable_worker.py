"""The process that runs what is durable: the dispatcher, an end in good order, and HTTP for monitors alone where it is all of a server."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Sequence

from codeai.server.composition import Composition
from codeai.server.supervisor import tell_supervisor
from codeai.server.worker import Listener, http_server, settle_memory, until_ended

_LOG = logging.getLogger("codeai.server")


def run_durable(composition: Composition, hang_up: Callable[[], None], listeners: Sequence[Listener] = ()) -> None:
    """Works until SIGTERM or SIGINT; what runs then may end within the shutdown time-out of the composition's settings.

    :param listeners: what answers monitors and operators, until the last work has ended
    """
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(composition, hang_up, listeners))


async def _run(composition: Composition, hang_up: Callable[[], None], listeners: Sequence[Listener]) -> None:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    def end() -> None:
        composition.health.draining = True
        for listener in listeners:
            listener.app.closing = True
        tell_supervisor()
        ended.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    loop.add_signal_handler(signal.SIGHUP, hang_up)
    await composition.start()
    servers = [http_server(listener) for listener in listeners]
    try:
        for server in servers:
            await server.start()
        settle_memory()
        _LOG.info("working", extra={"worker": composition.dispatcher.worker, **_addresses(listeners)})
        await until_ended(ended, end)
        _LOG.info("draining")
    finally:
        await composition.stop()
        await asyncio.gather(*(server.stop(1.0) for server in servers))
        _LOG.info("stopped")


def _addresses(listeners: Sequence[Listener]) -> dict[str, str]:
    return {"address": listeners[0].place.shown} if listeners else {}
