"""The arithmetic of rate limits, without clock and storage.

Fixed and sliding windows count requests; the two buckets are one algorithm with another burst: the generic cell rate algorithm (ITU-T
I.371), which keeps a single time, the one at which the next request would be on schedule.
"""

from __future__ import annotations

import math
from typing import Final, Literal

import msgspec

Strategy = Literal["fixed_window", "sliding_window", "token_bucket", "leaky_bucket"]
STRATEGIES: Final[tuple[Strategy, ...]] = ("fixed_window", "sliding_window", "token_bucket", "leaky_bucket")


class Rule(msgspec.Struct, frozen=True):
    """``requests`` in a window of ``window`` milliseconds. ``burst``: so many at once, of buckets.

    A token bucket starts full, so its burst is all requests of a window unless it says otherwise. A leaky bucket lets requests through
    evenly, so its burst is one.
    """

    requests: int
    window: int
    strategy: Strategy = "sliding_window"
    burst: int | None = None

    @property
    def capacity(self) -> int:
        """The most requests at one moment."""
        if self.strategy in ("fixed_window", "sliding_window"):
            return self.requests
        return self.burst or (self.requests if self.strategy == "token_bucket" else 1)

    @property
    def interval(self) -> float:
        """Milliseconds between two requests of a steady stream."""
        return self.window / self.requests


class Decision(msgspec.Struct, frozen=True):
    """Whether a request may pass. Times in seconds: ``reset`` until all is free again, ``retry_after`` until the next one may pass."""

    allowed: bool
    limit: int
    remaining: int
    reset: float
    retry_after: float = 0.0


class State(msgspec.Struct):
    """What is kept for one key; the meaning of ``at`` and the counts is the strategy's. ``until``: when it may be forgotten (ms)."""

    at: float = 0.0
    count: int = 0
    before: int = 0
    until: float = 0.0


def take(rule: Rule, state: State, now: float) -> Decision:
    """Decides on a request at ``now`` (milliseconds) and notes it in ``state`` if it may pass."""
    if rule.strategy == "fixed_window":
        return _fixed(rule, state, now)
    return _sliding(rule, state, now) if rule.strategy == "sliding_window" else _paced(rule, state, now)


def _fixed(rule: Rule, state: State, now: float) -> Decision:
    window = math.floor(now / rule.window)
    if state.at != window:
        state.at, state.count = window, 0
    allowed = state.count < rule.requests
    state.count += allowed
    state.until = (window + 1) * rule.window
    return counted(rule, allowed, state.count, state.until - now, state.until - now)


def _sliding(rule: Rule, state: State, now: float) -> Decision:
    """The window that ends now holds this window's requests and, in proportion, those of the window before."""
    window = math.floor(now / rule.window)
    if state.at != window:
        state.before = state.count if state.at == window - 1 else 0
        state.at, state.count = window, 0
    passed = now - window * rule.window
    used = state.before * (1 - passed / rule.window) + state.count
    allowed = used + 1 <= rule.requests
    state.count += allowed
    state.until = (window + 2) * rule.window
    wait = _slides(rule, state.before, state.count, passed)
    return counted(rule, allowed, math.ceil(used) + allowed, rule.window - passed, wait)


def _slides(rule: Rule, before: int, count: int, passed: float) -> float:
    """Milliseconds until one more request fits."""
    room = rule.requests - 1 - count
    if room >= 0 and before:
        return max(0.0, (1 - room / before) * rule.window - passed)
    # This window alone is full: its requests must slide out of the next one.
    return rule.window - passed + max(0.0, (1 - (rule.requests - 1) / count) * rule.window) if count else 0.0


def _paced(rule: Rule, state: State, now: float) -> Decision:
    schedule = max(state.at, now)
    if schedule - now > rule.capacity * rule.interval + 1:  # farther than it can be: the clock has gone back
        schedule = now
    ahead = schedule - now
    allowed = ahead <= (rule.capacity - 1) * rule.interval + 1e-6
    if allowed:
        state.at = schedule + rule.interval
    state.until = max(state.at, now)
    return paced(rule, allowed, state.at, now)


def counted(rule: Rule, allowed: bool, used: int, reset: float, wait: float) -> Decision:
    """The decision of a window; times in milliseconds."""
    remaining = max(0, rule.requests - used)
    return Decision(allowed, rule.requests, remaining, reset / 1000, 0.0 if allowed else max(wait, 1.0) / 1000)


def paced(rule: Rule, allowed: bool, schedule: float, now: float) -> Decision:
    """The decision of a bucket whose next request is due at ``schedule``; times in milliseconds."""
    ahead = max(0.0, schedule - now)
    free = math.floor((rule.capacity * rule.interval - ahead) / rule.interval + 1e-6)
    wait = ahead - (rule.capacity - 1) * rule.interval
    return Decision(allowed, rule.capacity, max(0, free), ahead / 1000, 0.0 if allowed else max(wait, 1.0) / 1000)
