"""Redis, where it is configured: shared by caches, limits and breakers, and never needed by any of them.

Whoever uses it gets an answer or ``RedisUnavailable`` within a fraction of a second. After a failure nobody asks for a while, so that
an outage costs the first requests a time-out and the others nothing; then one request looks again.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import msgspec

from codeai.storage.redis_causes import redis_cause

if TYPE_CHECKING:  # loaded by those who have a Redis
    from redis.asyncio import Redis as Client

_LOG: Final = logging.getLogger("codeai.redis")
_CONNECTIONS: Final = 50
_FIRST_PAUSE: Final = 0.25
_LONGEST_PAUSE: Final = 5.0
_COMPLAINTS: Final = 60.0
_REMEMBERED: Final = 30.0
_PATIENCE: Final = 1.0
_STALL: Final = 0.005
_DATABASE: Final = re.compile(r"/?\d{0,5}")
Keys = Sequence[str]
Arguments = Sequence[str | int | float | bytes]


class RedisUnavailable(Exception):
    """Redis does not answer, or not in time."""


@contextmanager
def _forgiving(limit: asyncio.Timeout, again: float) -> Iterator[None]:
    """Gives an exchange its time once more when this process stood still meanwhile: an answer may have lain there all the time.

    Else whatever stops the event loop, or a busy machine the process, would be taken for an outage of Redis.
    """
    loop, due = asyncio.get_running_loop(), limit.when()
    assert due is not None

    def look() -> None:
        if loop.time() - due > _STALL:
            limit.reschedule(loop.time() + again)

    handle = loop.call_at(due - _STALL, look)  # before the limit itself, also when both are late
    try:
        yield
    finally:
        handle.cancel()


class Script(msgspec.Struct, frozen=True):
    """A Lua script that Redis runs in one piece; ``KEYS`` and ``ARGV`` as usual."""

    text: str


def check_url(url: str) -> str:
    """The address of a Redis.

    :raises ValueError: it is none; the text says what is expected
    """
    parts = urlsplit(url)
    try:
        usable = (parts.scheme == "unix" and bool(parts.path)) or (parts.scheme in ("redis", "rediss") and bool(parts.hostname))
        usable = usable and parts.port != 0 and (parts.scheme == "unix" or _DATABASE.fullmatch(parts.path) is not None)
    except ValueError:  # the port is no number
        usable = False
    if not usable:
        raise ValueError("an address, as in redis://localhost:6379/0")
    return url


class Redis:
    """One pool of connections.

    :param url: ``redis://``, ``rediss://`` (TLS) or ``unix://``
    :param timeout: seconds for one exchange, connecting included
    :param monotonic: seconds, for the pauses
    """

    def __init__(self, url: str, *, timeout: float = 0.15, monotonic: Callable[[], float] = time.monotonic) -> None:
        parts = urlsplit(check_url(url))
        self.shown = f"{parts.hostname}:{parts.port or 6379}" if parts.hostname else parts.path
        self._url = url
        self.timeout = timeout
        self._monotonic = monotonic
        self._client: Client | None = None
        self._scripts: dict[Script, Any] = {}
        self._complained = -_COMPLAINTS
        self._refusal = ("", -_REMEMBERED)
        self._silent_until = 0.0
        self._pause = 0.0
        self._looking = False
        self._recovered: list[Callable[[], Awaitable[None]]] = []

    @property
    def available(self) -> bool:
        """Whether the last exchange succeeded."""
        return self._pause == 0.0

    def on_recovery(self, action: Callable[[], Awaitable[None]]) -> None:
        """Runs ``action`` after an outage, before anybody else gets an answer."""
        self._recovered.append(action)

    async def start(self) -> None:
        """Loads the library and connects, so that no request has to wait for it; a Redis that is not there is only noted."""
        client = self._opened()  # the library has to be read first, which takes a busy machine longer than an answer
        try:
            async with asyncio.timeout(_PATIENCE) as limit:
                with _forgiving(limit, _PATIENCE):
                    await client.ping()
        except Exception as error:
            self._failed(error)

    async def ping(self) -> None:
        """Looks now, whatever was, with a second of patience (acceptance S35); raises RedisUnavailable."""
        client = self._made(_PATIENCE)  # a connection of its own: those of requests have no such patience
        try:
            async with asyncio.timeout(_PATIENCE) as limit:
                with _forgiving(limit, _PATIENCE):
                    await client.ping()
        except Exception as error:
            raise RedisUnavailable(f"{self.shown} does not answer: {redis_cause(error)}") from error
        finally:
            await client.aclose()

    async def complaint(self) -> str:
        """Why it is of little use although it answers; "" when it is well."""
        if not self.available:
            try:
                await self.command("PING")
            except RedisUnavailable:
                return f"{self.shown} does not answer within {self.timeout * 1000:g} ms, going on without it"
        cause, at = self._refusal
        return f"{self.shown} refuses commands: {cause}" if self._monotonic() - at < _REMEMBERED else ""

    async def command(self, *words: str | int | float | bytes) -> Any:
        """One command; raises RedisUnavailable."""
        return await self._guarded(lambda client: client.execute_command(*words))  # type: ignore[no-untyped-call]  # of the library

    async def script(self, script: Script, keys: Keys, arguments: Arguments) -> Any:
        """Runs a script; raises RedisUnavailable."""

        def run(client: Client) -> Awaitable[Any]:
            if script not in self._scripts:
                self._scripts[script] = client.register_script(script.text)
            found: Awaitable[Any] = self._scripts[script](keys=list(keys), args=list(arguments), client=client)
            return found

        return await self._guarded(run)

    async def _guarded(self, work: Callable[[Client], Awaitable[Any]]) -> Any:
        recovering = self._admit()
        try:
            async with asyncio.timeout(self.timeout) as limit:
                with _forgiving(limit, self.timeout):
                    if recovering:
                        await self._opened().ping()
                        await self._recover()
                    found = await work(self._opened())
        except Exception as error:
            if not self._refused(error):
                self._failed(error)
            raise RedisUnavailable(f"{self.shown} does not answer: {redis_cause(error)}") from error
        finally:
            if recovering:
                self._looking = False
        self._pause = 0.0
        return found

    def _admit(self) -> bool:
        """Whether this exchange is the one that looks again; raises while nobody should ask."""
        if self._pause == 0.0:
            return False
        if self._looking or self._monotonic() < self._silent_until:
            raise RedisUnavailable(f"{self.shown} did not answer a moment ago")
        self._looking = True
        return True

    async def _recover(self) -> None:
        self._pause = 0.0
        _LOG.info("redis answers again", extra={"address": self.shown})
        for action in self._recovered:
            await action()

    def _refused(self, error: Exception) -> bool:
        """Whether Redis is well and does not want this (as writes when its memory is full): no reason to leave it alone."""
        from redis.exceptions import ResponseError

        if not isinstance(error, ResponseError):
            return False
        self._refusal = (str(error)[:200], self._monotonic())
        if self._monotonic() - self._complained >= _COMPLAINTS:
            self._complained = self._monotonic()
            _LOG.error("redis refuses commands", extra={"address": self.shown, "cause": self._refusal[0]})
        return True

    def _failed(self, error: Exception) -> None:
        if self._pause == 0.0:
            _LOG.error("redis does not answer, going on without it", extra={"address": self.shown, "cause": redis_cause(error)})
        self._pause = min(max(self._pause * 2, _FIRST_PAUSE), _LONGEST_PAUSE)
        self._silent_until = self._monotonic() + self._pause

    def _opened(self) -> Client:
        if self._client is None:
            self._client = self._made(None)  # each exchange has its own limit
        return self._client

    def _made(self, timeout: float | None) -> Client:
        from redis.asyncio import Redis as Client
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff

        return Client.from_url(
            self._url,
            max_connections=_CONNECTIONS,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            retry=Retry(NoBackoff(), 0),
        )

    async def close(self) -> None:
        """Closes the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None
