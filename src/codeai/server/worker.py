"""One serving process: the event loop, what it serves, and the end in good order."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import ssl
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from codeai.http.wire.connection import Answerer
from codeai.http.wire.server import HttpServer
from codeai.observability.health import Health
from codeai.server.listening import Place, listen, most_files
from codeai.server.supervisor import orphaned, tell_supervisor

_LOG = logging.getLogger("codeai.server")
_LOOK_EVERY = 1.0  # seconds
_OTHER_FILES = 256  # connections to databases and peers, files


class Listener(msgspec.Struct, frozen=True):
    """An application and where it listens, with TLS where there is a context, for so many connections."""

    app: Answerer
    place: Place
    tls: ssl.SSLContext | None = None
    most: int = 10_000


def run_worker(
    listeners: Sequence[Listener],
    health: Health,
    *,
    start: Callable[[], Awaitable[None]],
    stop: Callable[[], Awaitable[None]],
    ready: Callable[[], None],
    hang_up: Callable[[], None],
    drain_delay: float,
    shutdown_timeout: float,
) -> None:
    """Serves until SIGTERM or SIGINT: readiness fails first, requests that run are finished, then everything is closed.

    :param hang_up: what SIGHUP does
    :param drain_delay: seconds between failing readiness and closing the socket, so that balancers notice
    :param shutdown_timeout: seconds after which open requests are given up
    """
    runner = _Worker(listeners, health, start, stop, ready, hang_up, drain_delay, shutdown_timeout)
    if sys.platform != "win32":
        import uvloop

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
            loop.run(runner.run())
    else:
        asyncio.run(runner.run())


def http_server(listener: Listener) -> HttpServer:
    """What serves an application at its place; raises OSError when nobody may listen there."""
    files = most_files()
    most = min(listener.most, max(files - _OTHER_FILES, files // 2))
    return HttpServer(listener.app, listen(listener.place), listener.tls, most=most)


async def until_ended(ended: asyncio.Event, end: Callable[[], None]) -> None:
    """Waits until somebody asks for the end; does so itself when the supervisor is gone.

    A worker that went on alone would answer and work beside those of the next server.
    """
    while not ended.is_set():
        try:
            async with asyncio.timeout(_LOOK_EVERY):
                await ended.wait()
        except TimeoutError:
            if orphaned():
                _LOG.error("supervisor is gone, ending")
                end()


def settle_memory() -> None:
    """Takes what was built at start out of the garbage collector's sight: full collections would stop requests for 20 ms and more.

    Requests make few cycles, so that young collections may be rarer, too.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


class _Worker:
    def __init__(
        self,
        listeners: Sequence[Listener],
        health: Health,
        start: Any,
        stop: Any,
        ready: Any,
        hang_up: Callable[[], None],
        drain: float,
        timeout: float,
    ) -> None:
        self._listeners = listeners
        self._health = health
        self._start, self._stop, self._ready = start, stop, ready
        self._hang_up = hang_up
        self._drain = drain
        self._timeout = timeout
        self._ended = asyncio.Event()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._signalled, number)
        loop.add_signal_handler(signal.SIGHUP, self._hang_up)
        await self._start()
        try:
            servers = [http_server(listener) for listener in self._listeners]
            for server in servers:
                await server.start()
            settle_memory()
            self._ready()
            await until_ended(self._ended, lambda: self._signalled(signal.SIGTERM))
            await self._finish(servers)
        finally:
            await self._stop()

    def _signalled(self, number: signal.Signals) -> None:
        if self._ended.is_set():
            if number == signal.SIGINT:  # somebody presses Ctrl-C again; a second SIGTERM comes from the supervisor as a matter of course
                os._exit(130)
            return
        self._health.draining = True
        for listener in self._listeners:
            listener.app.closing = True
        tell_supervisor()
        self._ended.set()

    def _running(self) -> int:
        return sum(listener.app.running for listener in self._listeners)

    async def _finish(self, servers: Sequence[HttpServer]) -> None:
        """Lets balancers notice, closes the sockets, lets running requests end."""
        _LOG.info("draining", extra={"requests": self._running()})
        await asyncio.sleep(self._drain)
        left = max(self._timeout - self._drain - 1, 0.1)
        await asyncio.gather(*(server.stop(left) for server in servers))
        if self._running():
            _LOG.warning("requests were given up", extra={"requests": self._running()})
        _LOG.info("stopped")
