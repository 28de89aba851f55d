"""The body of a request while it comes in: kept in order, bounded, and waited for by whoever answers."""

from __future__ import annotations

import asyncio
import io
from typing import Final, Protocol

from codeai.http.messages import too_large
from codeai.http.problems import Problem

# What is taken from the connection before anybody has asked for the body; then the client has to wait.
_AHEAD: Final = 65_536


class Source(Protocol):
    """The connection from which a body comes."""

    def hold(self) -> None:
        """Reads no more for the time being."""

    def go_on(self) -> None:
        """Reads on; a client that waits to be asked for the body (RFC 9110, section 10.1.1) is asked."""


class WireBody:
    """A body (see ``messages.Body``). It is fed by the connection and read once.

    ``complete`` says that all of it has come; ``size`` counts what has.
    """

    __slots__ = ("_dropped", "_first", "_limit", "_more", "_problem", "_source", "_waiter", "complete", "size")

    def __init__(self, source: Source) -> None:
        self._source = source
        self._first = b""
        self._more: io.BytesIO | None = None  # all of it, once it comes in pieces: a list of many small ones would be many times as large
        self._limit = _AHEAD
        self._waiter: asyncio.Future[None] | None = None
        self._problem: Problem | None = None
        self._dropped = False
        self.complete = False
        self.size = 0

    # -- the connection's side -------------------------------------------------------------------------------------

    def feed(self, chunk: bytes) -> None:
        """More of it has come."""
        self.size += len(chunk)
        if self._dropped:
            return
        if self.size == len(chunk):
            self._first = chunk
        else:
            if self._more is None:
                self._more = io.BytesIO()
                self._more.write(self._first)
            self._more.write(chunk)
        if self.size > self._limit:
            self._source.hold()
            self._wake()

    def finish(self) -> None:
        """All of it has come."""
        self.complete = True
        self._wake()

    def break_off(self, problem: Problem) -> None:
        """No more of it will come; the problem says why."""
        self._problem = problem
        self._wake()

    def drop(self) -> None:
        """Nobody wants it any more: what comes is counted and thrown away."""
        self._dropped = True
        self._first, self._more = b"", None

    # -- the reader's side -----------------------------------------------------------------------------------------

    async def read(self, limit: int) -> bytes:
        """See ``messages.Body``."""
        self._limit = limit
        while not self.complete and self.size <= limit:
            if self._problem is not None:
                raise self._problem
            self._source.go_on()
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        if self.size > limit:
            raise too_large(limit)
        return self._first if self._more is None else self._more.getvalue()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
