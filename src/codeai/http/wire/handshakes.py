"""Where clients come in that are to speak TLS: each counts from its beginning, since one that says nothing costs as much as any."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import ssl
from typing import Final, Protocol

_LOG: Final = logging.getLogger("codeai.http")
_AT_ONCE: Final = 64  # then others get their turn
_PAUSE: Final = 1.0
_NO_FILES: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class House(Protocol):
    """Behind the door. ``patience`` is how many seconds a handshake may take."""

    loop: asyncio.AbstractEventLoop
    patience: float

    def room(self) -> bool:
        """Whether there is room for one more; who is sent away is counted."""

    def enter(self) -> asyncio.Protocol:
        """Speaks with a client that has shaken hands."""

    def left(self) -> None:
        """A handshake has ended, well or badly."""


class Door:
    """Accepts connections; ``handshakes`` are those under way."""

    def __init__(self, house: House, listening: socket.socket, context: ssl.SSLContext) -> None:
        self._house = house
        self._listening = listening
        self._context = context
        self.handshakes: set[asyncio.Task[None]] = set()

    def open(self) -> None:
        """From now on."""
        self._house.loop.add_reader(self._listening, self._accept)

    def close(self) -> None:
        """No more; handshakes go on."""
        self._house.loop.remove_reader(self._listening)
        self._listening.close()

    def _accept(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                client, _ = self._listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in _NO_FILES:
                    raise
                _LOG.warning("no connection can be accepted", extra={"cause": error.strerror})
                self._house.loop.remove_reader(self._listening)
                self._house.loop.call_later(_PAUSE, self._again)
                return
            if self._house.room():
                task = self._house.loop.create_task(self._shake_hands(client))
                self.handshakes.add(task)
            else:
                client.close()  # to tell it why would take the handshake for which there is no room

    def _again(self) -> None:
        if self._listening.fileno() >= 0:
            self.open()

    async def _shake_hands(self, client: socket.socket) -> None:
        house, task = self._house, asyncio.current_task()
        client.setblocking(False)
        if client.family != getattr(socket, "AF_UNIX", None):
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            await house.loop.connect_accepted_socket(house.enter, client, ssl=self._context, ssl_handshake_timeout=house.patience)
        except (OSError, ssl.SSLError):
            client.close()
        finally:
            if task is not None:
                self.handshakes.discard(task)
            house.left()
