"""Where connections are accepted, watched and ended."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable
from typing import Final

from codeai.http.wire.connection import Answerer, Connection
from codeai.http.wire.handshakes import Door
from codeai.http.wire.heads import Heads

_LOG: Final = logging.getLogger("codeai.http")
_GRACE: Final = 0.1
_UNIX: Final = getattr(socket, "AF_UNIX", None)  # which Windows does not have


class HttpServer:
    """Serves an application on a listening socket (see ``connection.Home``).

    Limits are in seconds, and kept to about one second: a connection without a request (longer than the minute that balancers keep
    theirs, so that it is the balancer who ends one), a head that does not come, an answer that is not taken, a client that goes on
    sending after its last answer, and a handshake of TLS. Clients beyond ``most`` connections, handshakes among them, are told so and sent
    away, or just sent away where they could be told only after a handshake.
    """

    idle_limit = 75.0
    head_limit = 30.0
    write_limit = 60.0
    linger_limit = 2.0
    patience = 10.0
    look_every = 1.0

    def __init__(self, app: Answerer, listening: socket.socket, tls: ssl.SSLContext | None = None, *, most: int = 10_000) -> None:
        self.app = app
        self._most = most
        self._sent_away = 0  # since that was last said
        self.heads = Heads()
        self.now = 0.0
        self.loop: asyncio.AbstractEventLoop
        self._listening = listening
        self._door = Door(self, listening, tls) if tls is not None else None
        self._close: Callable[[], None] | None = None  # what accepts
        self._connections: set[Connection] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._finishing = False
        self._empty = asyncio.Event()

    async def start(self) -> None:
        """Accepts connections from now on."""
        self.loop = asyncio.get_running_loop()
        if self._door is not None:
            self._door.open()
            self._close = self._door.close
        else:
            create = self.loop.create_unix_server if self._listening.family == _UNIX else self.loop.create_server
            self._close = (await create(self.enter, sock=self._listening)).close
        self._look()

    async def stop(self, timeout: float) -> None:
        """Accepts no more, lets requests that run be answered, and ends what is left after the time-out (in seconds).

        What was on its way when that was asked for still gets in: a listening socket that closes takes its queue with it.
        """
        if self._close is None:
            return
        await asyncio.sleep(_GRACE)
        self._close()
        self._finish()
        try:
            async with asyncio.timeout(timeout):
                await self._empty.wait()
        except TimeoutError:
            for connection in list(self._connections):
                connection.abort()
            for handshake in list(self._door.handshakes) if self._door is not None else ():
                handshake.cancel()
        if self._timer is not None:
            self._timer.cancel()

    @property
    def connections(self) -> int:
        """How many there are, with those that do not speak TLS yet."""
        return len(self._connections) + (len(self._door.handshakes) if self._door is not None else 0)

    def enter(self) -> Connection:
        """See ``handshakes.House``."""
        return Connection(self)

    def opened(self, connection: Connection) -> bool:
        """See ``connection.Home``."""
        self._connections.add(connection)
        if self._finishing:  # its handshake took until now
            self.loop.call_later(_GRACE, connection.finish)
        if self._door is not None or len(self._connections) <= self._most:  # the door has counted it
            return True
        self._sent_away += 1
        return False

    def room(self) -> bool:
        """See ``handshakes.House``."""
        if self.connections < self._most:
            return True
        self._sent_away += 1
        return False

    def closed(self, connection: Connection) -> None:
        """See ``connection.Home``."""
        self._connections.discard(connection)
        self._look_for_last()

    def left(self) -> None:
        """See ``handshakes.House``."""
        self._look_for_last()

    def _finish(self) -> None:
        self._finishing = True
        for connection in list(self._connections):
            connection.finish()
        self._look_for_last()

    def _look_for_last(self) -> None:
        if self._finishing and not self.connections:
            self._empty.set()

    def _look(self) -> None:
        """Looks after the deadlines."""
        self.now = now = self.loop.time()
        self.heads.tick()
        self._timer = self.loop.call_later(self.look_every, self._look)
        if self._sent_away:
            _LOG.warning("too many connections", extra={"limit": self._most, "refused": self._sent_away})
            self._sent_away = 0
        for connection in [each for each in self._connections if each.deadline <= now]:
            connection.expire()
