"""A stretch of network between a server and what it talks to, which tests slow down, silence or cut."""

import asyncio
import socket
import struct
import threading
from typing import Literal

from services.listening import Listening

State = Literal["whole", "silent", "cut"]


class Network(Listening):
    """Listens on a free port and carries bytes to another port and back, in a thread of its own."""

    def __init__(self, to: int) -> None:
        super().__init__()
        self._to = to
        self._state: State = "whole"
        self._delay = 0.0
        self.held = 0  # pieces that were taken in silence
        self._carried = asyncio.Event()
        self._carried.set()
        self._writers: set[asyncio.StreamWriter] = set()

    def whole(self, delay: float = 0.0) -> None:
        """Carries everything, each piece after so many seconds."""
        self._turn("whole", delay)

    def silent(self) -> None:
        """Takes everything and carries nothing: nobody hears that anything is wrong."""
        self._turn("silent")

    def cut(self) -> None:
        """Breaks all connections (RST), also those that are made from now on."""
        self._turn("cut")

    def _turn(self, state: State, delay: float = 0.0) -> None:
        done = threading.Event()

        def turn() -> None:
            self._state, self._delay = state, delay
            self._carried.set() if state == "whole" else self._carried.clear()
            if state == "cut":
                for writer in self._writers:
                    _reset(writer)
            done.set()

        self._loop.call_soon_threadsafe(turn)
        assert done.wait(60)

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._state == "cut":
            _reset(writer)
            return
        try:
            other_reader, other_writer = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:
            _reset(writer)
            return
        ends = {writer, other_writer}
        self._writers |= ends
        try:
            await asyncio.gather(self._carry(reader, other_writer), self._carry(other_reader, writer))
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._writers -= ends
            for end in ends:
                end.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(65_536):
            if self._delay:
                await asyncio.sleep(self._delay)
            self.held += not self._carried.is_set()
            await self._carried.wait()
            writer.write(piece)
            await writer.drain()
        await self._carried.wait()
        raise ConnectionError("one end has hung up")


def _reset(writer: asyncio.StreamWriter) -> None:
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
