"""One serving process: the event loop, Granian inside it, and the end in good order."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

import msgspec

from codeai.http.messages import Receive, Scope, Send
from codeai.observability.health import Health
from codeai.server.listening import BACKLOG, Place
from codeai.server.supervisor import tell_supervisor

_LOG = logging.getLogger("codeai.server")


class Served(Protocol):
    """An ASGI application that counts the requests that it answers; ``closing`` makes each answer the last of its connection."""

    running: int
    closing: bool

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection event (ASGI 3)."""


class Listener(msgspec.Struct, frozen=True):
    """An application and where it listens."""

    app: Served
    place: Place


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


def settle_memory() -> None:
    """Takes what was built at start out of the garbage collector's sight: full collections would stop requests for 20 ms and more.

    Requests make few cycles, so that young collections may be rarer, too.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def granian_server(listener: Listener) -> Any:
    """Granian for one listener, inside of this process's event loop: ``serve()`` runs until ``stop()``."""
    from granian.constants import Interfaces, SSLProtocols

    from codeai.server.sockets import SharedServer

    place = listener.place
    return SharedServer(
        listener.app,
        address=place.host,
        port=place.port,
        descriptor=place.descriptor,
        interface=Interfaces.ASGINL,
        log_enabled=False,
        websockets=False,
        backlog=BACKLOG,
        ssl_cert=place.tls.certificate if place.tls else None,
        ssl_key=place.tls.key if place.tls else None,
        ssl_protocol_min=SSLProtocols.tls12,
    )


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
            loop.add_signal_handler(number, self._signalled)
        loop.add_signal_handler(signal.SIGHUP, self._hang_up)
        await self._start()
        try:
            servers = [granian_server(listener) for listener in self._listeners]
            serving = [asyncio.ensure_future(server.serve()) for server in servers]
            await asyncio.sleep(0)
            settle_memory()
            self._ready()
            await asyncio.wait({*serving, asyncio.ensure_future(self._ended.wait())}, return_when=asyncio.FIRST_COMPLETED)
            await self._finish(servers, serving)
        finally:
            await self._stop()

    def _signalled(self) -> None:
        if self._ended.is_set():
            os._exit(130)
        self._health.draining = True
        for listener in self._listeners:
            listener.app.closing = True
        tell_supervisor()
        self._ended.set()

    def _running(self) -> int:
        return sum(listener.app.running for listener in self._listeners)

    async def _finish(self, servers: list[Any], serving: list[asyncio.Future[Any]]) -> None:
        """Lets balancers notice, closes the sockets, lets running requests end."""
        _LOG.info("draining", extra={"requests": self._running()})
        await asyncio.sleep(self._drain)
        for server in servers:
            server.stop()  # no connection is accepted any more, idle ones are closed, requests that run go on
        done = asyncio.gather(*serving, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(done, max(self._timeout - self._drain - 1, 0.1))
        if self._running():
            _LOG.warning("requests were given up", extra={"requests": self._running()})
        _LOG.info("stopped")
