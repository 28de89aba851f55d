"""The state of a breaker in Redis, for all processes; the same machine as ``breaker.LocalMachine``, in one script.

While Redis does not answer, each process goes by a machine of its own.
"""

from __future__ import annotations

import math
from typing import Final, Literal

from codeai.integrations.breaker import LocalMachine, Machine, Outcome, Snapshot, State
from codeai.model.integration import Breaker
from codeai.storage.redis import Redis, RedisUnavailable, Script

# Fields: s state, p period, t since, n probes, k successes; KEYS[2] the times of failures. Answers: state, period or -1 when
# refused, the state before when it changed, milliseconds to wait.
_STEP: Final = Script(
    """
local what, now, permit = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local limit, window, pause, allowed, keep = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local kept = redis.call('HMGET', KEYS[1], 's', 'p', 't', 'n', 'k')
local state, period = kept[1] or 'closed', tonumber(kept[2]) or 0
local since, probes, successes = tonumber(kept[3]) or 0, tonumber(kept[4]) or 0, tonumber(kept[5]) or 0
local before, wait, number = '', 0, -1
local function move(to, started)
  if state ~= to then before = state end
  state, period, since, probes, successes = to, period + 1, now, started, 0
  redis.call('DEL', KEYS[2])
end
if what == 'admit' then
  local passed = now - since
  if state == 'closed' then number = period
  elseif state == 'open' then
    if passed < pause then wait = pause - passed else move('half-open', 1); number = period end
  elseif probes < allowed then probes = probes + 1; number = period
  elseif passed < pause then wait = pause - passed
  else move('half-open', 1); number = period end
elseif what == 'reset' then
  move('closed', 0)
elseif what ~= 'look' and permit == period then
  if what == 'cancelled' then probes = math.max(0, probes - 1)
  elseif what == 'failure' then
    if state == 'half-open' then move('open', 0)
    elseif state == 'closed' then
      redis.call('RPUSH', KEYS[2], now)
      redis.call('LTRIM', KEYS[2], -limit, -1)
      redis.call('PEXPIRE', KEYS[2], keep)
      local first = tonumber(redis.call('LINDEX', KEYS[2], 0))
      if redis.call('LLEN', KEYS[2]) == limit and (window < 0 or now - first <= window) then move('open', 0) end
    end
  elseif state == 'half-open' then
    successes = successes + 1
    if successes >= allowed then move('closed', 0) end
  elseif window < 0 then redis.call('DEL', KEYS[2]) end
end
if what ~= 'look' and (state ~= 'closed' or before ~= '' or period > 0) then
  redis.call('HSET', KEYS[1], 's', state, 'p', period, 't', now == since and now or since, 'n', probes, 'k', successes)
  redis.call('PEXPIRE', KEYS[1], keep)
end
local failures = 0
if what == 'look' then
  for _, at in ipairs(redis.call('LRANGE', KEYS[2], 0, -1)) do
    if window < 0 or now - tonumber(at) <= window then failures = failures + 1 end
  end
  if state == 'open' then wait = math.max(0, pause - (now - since)) end
end
return {state, number, before, tostring(wait), probes, successes, failures}
"""
)
_STATES: Final[dict[bytes, State]] = {b"closed": "closed", b"open": "open", b"half-open": "half-open"}
_DAY: Final = 86_400_000


class RedisMachine:
    """See ``Machine``. The clock of ``now`` must be the wall clock, which processes share."""

    def __init__(self, redis: Redis, key: str, model: Breaker) -> None:
        self._redis = redis
        # One hash slot, so that a cluster can run the script.
        self._keys = [f"{{{key}}}", f"{{{key}}}:failures"]
        keep = max(_DAY, 2 * model.reset_after, 2 * (model.window or 0))
        self._model = [model.failures, -1 if model.window is None else model.window, model.reset_after, model.half_open, keep]
        self._own: Machine = LocalMachine(model)

    async def _step(self, what: str, now: float, permit: int = -1) -> list[bytes | int]:
        found: list[bytes | int] = await self._redis.script(_STEP, self._keys, [what, math.floor(now * 1000), permit, *self._model])
        return found

    async def admit(self, now: float) -> Outcome:
        """See ``Machine``."""
        try:
            found = await self._step("admit", now)
        except RedisUnavailable:
            own = await self._own.admit(now)
            # Negative numbers are permits of the own machine: a result must reach the machine that gave the permit.
            return own if own.permit is None else Outcome(own.state, -1 - own.permit, own.before)
        number = int(found[1])
        return Outcome(_state(found[0]), None if number < 0 else number, _before(found[2]), float(found[3]) / 1000)

    async def report(self, now: float, permit: int, result: Literal["success", "failure", "cancelled"]) -> Outcome:
        """See ``Machine``."""
        if permit < 0:
            return await self._own.report(now, -1 - permit, result)
        try:
            found = await self._step(result, now, permit)
        except RedisUnavailable:
            return await self._own.report(now, (await self._own.admit(now)).permit or 0, result)
        return Outcome(_state(found[0]), before=_before(found[2]))

    async def reset(self, now: float) -> Outcome:
        """See ``Machine``."""
        own = await self._own.reset(now)
        try:
            found = await self._step("reset", now)
        except RedisUnavailable:
            return own
        return Outcome("closed", before=_before(found[2]))

    async def snapshot(self, now: float) -> Snapshot:
        """See ``Machine``."""
        try:
            found = await self._step("look", now)
        except RedisUnavailable:
            return await self._own.snapshot(now)
        return Snapshot(_state(found[0]), int(found[6]), int(found[4]), int(found[5]), float(found[3]) / 1000)


def _state(word: bytes | int) -> State:
    return _STATES[word] if isinstance(word, bytes) else "closed"


def _before(word: bytes | int) -> State | None:
    return _STATES.get(word) if isinstance(word, bytes) else None
