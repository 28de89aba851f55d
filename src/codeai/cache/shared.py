"""The cache of all processes, in Redis. While it does not answer there is no cache; nothing fails.

A write that cannot be noted there would leave old answers for others. So a process that owes a note tries until everything is
forgotten, and takes nothing from the cache meanwhile; who reads makes sure once a second that Redis takes writes at all (a replica, or a
Redis that cannot save, answers reads for hours); and a process that begins forgets everything, since one before it may have died owing.
"""

from __future__ import annotations

import asyncio
import math
import secrets
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final

from codeai.cache.entries import Entry
from codeai.cache.memory import ALL
from codeai.storage.redis import Redis, RedisUnavailable, Script

_SURE: Final = 1.0  # seconds for which it is known that Redis takes writes
_AGAIN: Final = 0.5

# An entry is a hash: body, moment, tables. It is good while no table (nor all of them, '*') was written after its moment, and while
# Redis knows of writes at all: where the clock or the writes are gone, nothing that was kept counts.
_GET: Final = Script(
    """
local kept = redis.call('HMGET', KEYS[1], 'm', 't')
if not kept[1] then return false end
local moment = tonumber(kept[1])
if redis.call('EXISTS', KEYS[2], KEYS[3]) < 2 then redis.call('DEL', KEYS[1]); return false end
for name in string.gmatch(kept[2] .. ' *', '%S+') do
  local at = redis.call('HGET', KEYS[2], name)
  if at and tonumber(at) > moment then redis.call('DEL', KEYS[1]); return false end
end
return redis.call('HGET', KEYS[1], 'b')
"""
)
_PUT: Final = Script(
    """
redis.call('HSET', KEYS[1], 'b', ARGV[1], 'm', ARGV[2], 't', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
"""
)
# The clock counts writes. It begins with the time in microseconds, so that it never repeats a moment of one that is gone.
_BEGIN: Final = """
if redis.call('EXISTS', KEYS[1], KEYS[2]) < 2 then
  local time = redis.call('TIME')
  local now = string.format('%.0f', time[1] * 1000000 + time[2])
  redis.call('SET', KEYS[2], now)
  redis.call('HSET', KEYS[1], '*', now)
end
"""
_MOMENT: Final = Script(_BEGIN + "return redis.call('GET', KEYS[2])")
_WRITTEN: Final = Script(
    _BEGIN
    + """
local now = redis.call('INCR', KEYS[2])
for _, name in ipairs(ARGV) do redis.call('HSET', KEYS[1], name, string.format('%.0f', now)) end
"""
)
_RELEASE: Final = Script("if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end")


class RedisStore:
    """Entries in Redis.

    :param prefix: of all keys
    :param version: of the program: another one may answer otherwise
    :param largest: bytes of a value that is kept
    :param monotonic: seconds
    """

    def __init__(
        self,
        redis: Redis,
        prefix: str,
        *,
        version: str = "",
        largest: int = 8 * 1024 * 1024,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._redis = redis
        self._monotonic = monotonic
        kept = f"{version}:" if version else ""
        self._entries = f"{prefix}cache:{kept}"
        self._probe = f"{prefix}cache-probe"
        self._writes = f"{prefix}cache-writes"
        self._clock = f"{prefix}cache-clock"
        self._leads = f"{prefix}cache-lead:{kept}"
        self._largest = largest
        self._mark = secrets.token_hex(8)
        self._sure_until = 0.0
        self._owes = False
        self._owing: asyncio.Task[None] | None = None
        self.failures = 0
        # Writes that happened meanwhile may not have arrived, here or from other processes: what was kept counts no more.
        redis.on_recovery(self._forget_all)

    @property
    def shared(self) -> bool:
        """See ``CacheStore``."""
        return True

    async def _forget_all(self) -> None:
        await self._note([ALL])
        self._owes = False

    async def _note(self, tables: Iterable[str]) -> None:
        """Notes that tables were written. A Redis that is full refuses that, but nobody may be given old values: all of them go."""
        try:
            await self._redis.script(_WRITTEN, [self._writes, self._clock], list(tables))
        except RedisUnavailable:
            if not self._redis.available:
                raise
            self.failures += 1
            await self._redis.command("DEL", self._clock)

    async def start(self) -> None:
        """Forgets everything, when there is a Redis."""
        await self.written([ALL])

    async def stop(self) -> None:
        """Ends what it does by itself."""
        if self._owing is not None:
            self._owing.cancel()
            with suppress(asyncio.CancelledError):
                await self._owing

    def _owe(self) -> None:
        self._owes = True
        if self._owing is None or self._owing.done():
            self._owing = asyncio.get_running_loop().create_task(self._settle())

    async def _settle(self) -> None:
        while self._owes:  # nobody may ask for anything for hours
            await asyncio.sleep(_AGAIN)
            if self._owes:
                with suppress(RedisUnavailable):
                    await self._forget_all()

    async def _make_sure(self) -> None:
        """Raises RedisUnavailable when Redis takes no writes, or not the one that this process owes."""
        if self._owes:
            await self._forget_all()
        now = self._monotonic()
        if now < self._sure_until:
            return
        try:
            await self._redis.command("DEL", self._probe)  # which a Redis that is merely full takes
        except RedisUnavailable:
            if self._redis.available:
                self._owe()  # others may owe, and their turn may come after this one's next answer
            raise
        self._sure_until = now + _SURE

    async def moment(self) -> int | None:
        """See ``CacheStore``."""
        try:
            return int(await self._redis.script(_MOMENT, [self._writes, self._clock], []))
        except RedisUnavailable:
            self.failures += 1
            return None

    async def get(self, key: str) -> bytes | None:
        """See ``CacheStore``."""
        try:
            await self._make_sure()
            found: bytes | None = await self._redis.script(_GET, [self._entries + key, self._writes, self._clock], [])
        except RedisUnavailable:
            self.failures += 1
            return None
        return found

    async def put(self, key: str, entry: Entry, ttl: float) -> None:
        """See ``CacheStore``."""
        milliseconds = math.floor(ttl * 1000)
        if len(entry.body) > self._largest or milliseconds <= 0:
            return
        try:
            await self._redis.script(_PUT, [self._entries + key], [entry.body, entry.moment, " ".join(entry.tables), milliseconds])
        except RedisUnavailable:
            self.failures += 1

    async def written(self, tables: Iterable[str]) -> None:
        """See ``CacheStore``."""
        try:
            await self._note(tables)
        except RedisUnavailable:
            self.failures += 1
            self._owe()

    async def lead(self, key: str, seconds: float) -> bool:
        """See ``CacheStore``; without Redis everybody leads."""
        try:
            return bool(await self._redis.command("SET", self._leads + key, self._mark, "NX", "PX", max(1, math.floor(seconds * 1000))))
        except RedisUnavailable:
            self.failures += 1
            return True

    async def yield_lead(self, key: str) -> None:
        """See ``CacheStore``."""
        try:
            await self._redis.script(_RELEASE, [self._leads + key], [self._mark])
        except RedisUnavailable:
            self.failures += 1
