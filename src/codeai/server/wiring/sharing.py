"""What processes share through Redis when there is one: cache, limits, states of breakers. When there is none, each has its own, and
they tell each other through PostgreSQL what became old and which breaker changed; the processes of one server count limits together in a
mapped file.
"""

from __future__ import annotations

import datetime
import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from codeai import __version__
from codeai.cache.announcing import Announcements, Hearing
from codeai.cache.flights import Cache
from codeai.cache.memory import MemoryStore
from codeai.cache.shared import RedisStore
from codeai.cache.watching import Announcer
from codeai.limits.mapped import MappedLimits
from codeai.limits.stores import LimitStore, LocalLimits, Milliseconds, RedisLimits
from codeai.model.application import Application
from codeai.model.storing import digest, dumped
from codeai.observability.health import Check, Degraded
from codeai.observability.metrics.instruments import Metrics
from codeai.server.errors import StartError
from codeai.server.readers import LIMIT, SIZE, Reader, count
from codeai.server.settings import Settings
from codeai.storage.notices import Notices
from codeai.storage.redis import Redis, check_url

Setting = Callable[[tuple[str, ...]], object]
_LOG: Final = logging.getLogger("codeai.server")
_ITEMS: Final = 10_000
_BYTES: Final = 64 * 1024 * 1024


class Sharing:
    """Cache, limits and the connection behind them.

    :param setting: a value of the program's ``config``
    :param notices: of other processes at this database
    :param folder: what the processes of this server have in common, None when it is one
    """

    def __init__(
        self,
        application: Application,
        settings: Settings,
        setting: Setting,
        clock: Callable[[], datetime.datetime],
        notices: Notices,
        folder: Path | None = None,
    ) -> None:
        self.notices = notices
        self.redis = _redis(application, settings, setting)
        prefix = setting(("cache", "prefix"))
        self.prefix = prefix if isinstance(prefix, str) else f"{application.name}:"
        local = _counting(application, lambda: clock().timestamp() * 1000, folder)
        self.limits: LimitStore = RedisLimits(self.redis, self.prefix, local) if self.redis is not None else local
        ttl = _read(setting, ("cache", "ttl"), LIMIT)
        self.default_ttl = ttl.total_seconds() if isinstance(ttl, datetime.timedelta) else ttl if isinstance(ttl, float) else 300.0
        if self.redis is not None:
            version = digest([__version__, dumped(application)])[:12]
            self._shared = RedisStore(self.redis, self.prefix, version=version)
            self.cache = Cache(self._shared)
        else:
            items, size = _read(setting, ("cache", "items"), count(1)), _read(setting, ("cache", "size"), SIZE)
            store = MemoryStore(
                time.monotonic, items=items if isinstance(items, int) else _ITEMS, size=size if isinstance(size, int) else _BYTES
            )
            self.cache = Cache(store)
            self._local = store
        self._hearing: Hearing | None = None

    @property
    def telling(self) -> bool:
        """Whether processes tell each other by notices what Redis would have known."""
        return self.redis is None and self.notices.possible

    def announced(self) -> Announcer | None:
        """What tells other processes of writes, for caches in memory; from now on those of others are heard here."""
        if not self.telling:
            return None
        self._hearing = Hearing(self._local, time.monotonic)
        self._hearing.connect(self.notices)
        return Announcements(self.notices, time.monotonic)

    def check(self) -> Check:
        """The health check ``cache`` (acceptance S34, S35, S124)."""

        async def run() -> None:
            if self.redis is not None:
                await self.redis.ping()
                complaint = await self.redis.complaint()
                if complaint:
                    raise Degraded(complaint)

        return Check("cache", run, 1.5, False, self._details)  # the ping itself gives up after one second

    def _details(self) -> Mapping[str, object]:
        found = self.cache.statistics()
        kind = "redis" if self.redis is not None else "memory"
        return {"type": kind, "hits": found.hits, "misses": found.misses, "items": found.items, "bytes": found.size}

    def observe(self, metrics: Metrics) -> None:
        """Shows the figures of the cache."""

        def of(field: str) -> Callable[[], list[tuple[tuple[str, ...], float]]]:
            return lambda: [((), float(getattr(self.cache.statistics(), field)))]

        for field, text in _FIGURES.items():
            metrics.gauge(f"cache_{field}", text, of(field))

    async def start(self) -> None:
        """Connects."""
        if self.redis is not None:
            await self.redis.start()
            await self._shared.start()

    async def close(self) -> None:
        """Closes the connections to Redis; nothing is heard any more."""
        if self._hearing is not None:
            await self._hearing.stop()
        if self.redis is not None:
            await self._shared.stop()
            await self.redis.close()


_FIGURES: Final = {
    "hits": "Values that the cache had, since the process began.",
    "misses": "Values that it had not.",
    "failures": "Exchanges with Redis that failed.",
    "evicted": "Values that made room for others.",
    "items": "Values in the memory of the process.",
    "size": "Bytes of them.",
}


def _counting(application: Application, now: Milliseconds, folder: Path | None) -> LocalLimits | MappedLimits:
    """Counts of the processes of this server, or of this process where it has none beside it or nothing is limited."""
    if folder is None or not limited(application):
        return LocalLimits(now)
    try:
        return MappedLimits(folder / "limits", now)
    except OSError as error:
        _LOG.warning("limits are counted by each process for itself", extra={"folder": str(folder), "cause": error.strerror or str(error)})
        return LocalLimits(now)


def limited(application: Application) -> bool:
    """Whether the program limits what callers may send, or what is sent to others."""
    return (
        any(endpoint.rate_limit is not None for endpoint in application.endpoints)
        or any(found.kind == "rate_limiting" for found in application.middleware)
        or any(found.rate_limit is not None for found in application.integrations)
    )


def _redis(application: Application, settings: Settings, setting: Setting) -> Redis | None:
    url = settings.redis_url
    if url is None:
        named = setting(("cache", "url"))
        url = named if isinstance(named, str) and named else None
    try:
        if url is not None:
            return Redis(check_url(url))
    except ValueError as error:
        raise StartError(f"the address of the cache is not {error}", _place(application)) from error
    if setting(("cache",)) == "redis" and not settings.development:
        raise StartError("the program says 'cache: redis' and there is no REDIS_URL", _place(application))
    return None


def _place(application: Application) -> int:
    return next((found.at for found in application.settings if found.path[0] == "cache"), -1)


def _read(setting: Setting, path: tuple[str, ...], reader: Reader) -> object:
    """A setting, also one that the environment gives, as a text.

    :raises StartError: the text is no such value
    """
    value = setting(path)
    if not isinstance(value, str):
        return value
    try:
        return reader.read(value)
    except ValueError as wanted:
        raise StartError(f"config {'.'.join(path)} is '{value[:40]}', expected {wanted}") from None
