"""Where the counts of limits live: in this process, or in Redis, which decides in one step for all processes."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Protocol

from codeai.limits.rules import Decision, Rule, State, counted, paced, take
from codeai.storage.redis import Redis, RedisUnavailable, Script

Milliseconds = Callable[[], float]


class LimitStore(Protocol):
    """Decides and counts."""

    async def take(self, name: str, key: str, rule: Rule) -> Decision:
        """Whether a request of ``key`` under the limit called ``name`` may pass; it is counted if it may."""


def wall_clock() -> float:
    """Milliseconds since the epoch."""
    return time.time() * 1000


class LocalLimits:
    """The counts of this process; at most ``keys`` of them, the least used are forgotten first.

    :param now: milliseconds
    """

    def __init__(self, now: Milliseconds = wall_clock, keys: int = 100_000) -> None:
        self._now = now
        self._keys = keys
        self._states: OrderedDict[tuple[str, str], State] = OrderedDict()

    async def take(self, name: str, key: str, rule: Rule) -> Decision:
        """See ``LimitStore``."""
        return self.decide(name, key, rule)

    def decide(self, name: str, key: str, rule: Rule) -> Decision:
        """The same without waiting."""
        found = self._states.get((name, key))
        if found is None:
            found = self._states[(name, key)] = State()
            self._forget()
        else:
            self._states.move_to_end((name, key))
        return take(rule, found, self._now())

    def _forget(self) -> None:
        """Drops what has run out at the old end, and the oldest when there are too many."""
        now = self._now()
        for _ in range(2):
            oldest = next(iter(self._states.items()))
            if len(self._states) <= self._keys and oldest[1].until >= now:
                return
            if len(self._states) > 1:
                del self._states[oldest[0]]


# Each script answers: allowed, a number of the strategy's (used, or the schedule), the time it decided at, and the wait.
_CLOCK: Final = """
local now = tonumber(ARGV[1])
if now < 0 then local t = redis.call('TIME'); now = t[1] * 1000 + math.floor(t[2] / 1000) end
local requests, window = tonumber(ARGV[2]), tonumber(ARGV[3])
"""
_FIXED: Final = Script(
    _CLOCK
    + """
local at = math.floor(now / window)
local kept = redis.call('HMGET', KEYS[1], 'at', 'count')
local count = (tonumber(kept[1]) == at) and tonumber(kept[2]) or 0
local allowed = count < requests and 1 or 0
redis.call('HSET', KEYS[1], 'at', at, 'count', count + allowed)
redis.call('PEXPIRE', KEYS[1], window * 2)
return {allowed, tostring(count + allowed), tostring((at + 1) * window - now), tostring((at + 1) * window - now)}
"""
)
_SLIDING: Final = Script(
    _CLOCK
    + """
local at = math.floor(now / window)
local kept = redis.call('HMGET', KEYS[1], 'at', 'count', 'before')
local last, count, before = tonumber(kept[1]), tonumber(kept[2]) or 0, tonumber(kept[3]) or 0
if last ~= at then
  before = (last == at - 1) and count or 0
  count = 0
end
local passed = now - at * window
local used = before * (1 - passed / window) + count
local allowed = used + 1 <= requests and 1 or 0
count = count + allowed
redis.call('HSET', KEYS[1], 'at', at, 'count', count, 'before', before)
redis.call('PEXPIRE', KEYS[1], window * 2)
local room, wait = requests - 1 - count, 0
if room >= 0 and before > 0 then wait = math.max(0, (1 - room / before) * window - passed)
elseif count > 0 then wait = window - passed + math.max(0, (1 - (requests - 1) / count) * window) end
return {allowed, tostring(math.ceil(used) + allowed), tostring(window - passed), tostring(wait)}
"""
)
_PACED: Final = Script(
    _CLOCK
    + """
local capacity, interval = tonumber(ARGV[4]), window / requests
local schedule = math.max(tonumber(redis.call('GET', KEYS[1])) or 0, now)
if schedule - now > capacity * interval + 1 then schedule = now end
local allowed = (schedule - now <= (capacity - 1) * interval + 1e-6) and 1 or 0
if allowed == 1 then
  schedule = schedule + interval
  redis.call('SET', KEYS[1], string.format('%.4f', schedule), 'PX', math.ceil(schedule - now) + 1)
end
return {allowed, string.format('%.4f', schedule), string.format('%.4f', now)}
"""
)


class Deciding(Protocol):
    """Decides without waiting for anybody."""

    def decide(self, name: str, key: str, rule: Rule) -> Decision:
        """See ``LimitStore.take``."""


class RedisLimits:
    """The counts of all servers; while Redis does not answer, those of this server or process.

    :param prefix: of all keys
    :param local: where counting goes on then
    :param now: milliseconds; None takes the clock of Redis, which all processes share
    """

    def __init__(self, redis: Redis, prefix: str, local: Deciding, now: Milliseconds | None = None) -> None:
        self._redis = redis
        self._prefix = prefix
        self._local = local
        self._now = now

    async def take(self, name: str, key: str, rule: Rule) -> Decision:
        """See ``LimitStore``."""
        try:
            return await self._shared(f"{self._prefix}limit:{name}:{key}", rule)
        except RedisUnavailable:
            return self._local.decide(name, key, rule)

    async def _shared(self, key: str, rule: Rule) -> Decision:
        now = self._now() if self._now is not None else -1.0
        script = {"fixed_window": _FIXED, "sliding_window": _SLIDING}.get(rule.strategy, _PACED)
        found = await self._redis.script(script, [key], [repr(now), rule.requests, rule.window, rule.capacity])
        numbers = [float(part) for part in found]
        if script is _PACED:
            return paced(rule, numbers[0] == 1, numbers[1], numbers[2])
        return counted(rule, numbers[0] == 1, int(numbers[1]), numbers[2], numbers[3])
