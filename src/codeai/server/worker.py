"""One serving process: the event loop, Granian inside it, and the end in good order."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

import msgspec

from codeai.http.messages import Receive, Scope, Send
from codeai.observability.health import Health

_LOG = logging.getLogger("codeai.server")


class Served(Protocol):
    """An ASGI application that counts the requests that it answers."""

    running: int

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection event (ASGI 3)."""


class AddressInUse(Exception):
    """Somebody listens on the port already."""


def check_port(host: str, port: int) -> None:
    """Whether the port is free.

    :raises AddressInUse: it is not
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise AddressInUse(f"cannot listen on {host}:{port}: {error.strerror}") from error


class Listener(msgspec.Struct, frozen=True):
    """An application and where it listens."""

    app: Served
    host: str
    port: int


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
            servers = [self._server(listener) for listener in self._listeners]
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
        self._ended.set()

    def _server(self, listener: Listener) -> Any:
        from granian.constants import Interfaces
        from granian.server.embed import Server

        return Server(
            listener.app,
            address=listener.host,
            port=listener.port,
            interface=Interfaces.ASGINL,
            log_enabled=False,
            websockets=False,
            backlog=1024,
        )

    def _running(self) -> int:
        return sum(listener.app.running for listener in self._listeners)

    async def _finish(self, servers: list[Any], serving: list[asyncio.Future[Any]]) -> None:
        """Lets balancers notice, then running requests end, then closes the socket."""
        _LOG.info("draining", extra={"requests": self._running()})
        await asyncio.sleep(self._drain)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(self._timeout - self._drain - 1, 0.1)):
                while self._running():  # noqa: ASYNC110  # an event would cost every request something
                    await asyncio.sleep(0.02)
        for server in servers:
            server.stop()
        with contextlib.suppress(TimeoutError, asyncio.CancelledError):
            await asyncio.wait_for(asyncio.gather(*serving), 2)
        _LOG.info("stopped")
