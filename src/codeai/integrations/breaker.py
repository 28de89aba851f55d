"""Circuit breakers: a peer that fails again and again is left alone for a while (Nygard, Release It!, 'Circuit Breaker').

*Closed* lets all calls through and counts failures; *open* refuses all; after ``reset_after`` it is *half-open* and lets a limited
number of probes through: if all succeed it closes, if one fails it opens again.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import Final, Literal, Protocol

import msgspec

from codeai.integrations.errors import OutboundError
from codeai.model.integration import Breaker

State = Literal["closed", "open", "half-open"]
OnChange = Callable[[str, State], None]
_LOG: Final = logging.getLogger("codeai.integrations")


class CircuitOpen(OutboundError):
    """The peer has failed too often and is not called now. ``retry_after`` is the time in seconds until it is tried again."""

    code = "circuit_open"
    text = "circuit breaker is open"
    status = 503
    sent = False

    def __init__(self, retry_after: float = 0.0) -> None:
        super().__init__(self.text)
        self.retry_after = retry_after


class Snapshot(msgspec.Struct, frozen=True):
    """A breaker as operators see it: ``failures`` of the current window, ``retry_after`` seconds until probes."""

    state: State
    failures: int = 0
    probes: int = 0
    successes: int = 0
    retry_after: float = 0.0


class Outcome(msgspec.Struct, frozen=True):
    """What a step of the machine did: the permit (None when refused), the change of state if there was one."""

    state: State
    permit: int | None = None
    before: State | None = None
    retry_after: float = 0.0


class Machine(Protocol):
    """Where the state lives: in this process, or in Redis for all of them. Times are seconds of one clock."""

    async def admit(self, now: float) -> Outcome:
        """Asks for a call; a permit is the number of the state's period, which the result is reported with."""

    async def report(self, now: float, permit: int, result: Literal["success", "failure", "cancelled"]) -> Outcome:
        """Reports a result; those of an earlier period count no more."""

    async def reset(self, now: float) -> Outcome:
        """Closes, whatever was."""

    async def snapshot(self, now: float) -> Snapshot:
        """The state as it is."""


class LocalMachine:
    """The state of one process."""

    def __init__(self, model: Breaker) -> None:
        self._limit = model.failures
        self._window = model.window / 1000 if model.window is not None else None
        self._pause = model.reset_after / 1000
        self._probes_allowed = model.half_open
        self._state: State = "closed"
        self._period = 0
        self._since = 0.0
        self._failures: deque[float] = deque(maxlen=model.failures)
        self._probes = self._successes = 0

    @property
    def state(self) -> State:
        """The state as it is."""
        return self._state

    @property
    def failures(self) -> tuple[float, ...]:
        """The times of the failures that count towards opening."""
        return tuple(self._failures)

    def told(self, what: str, now: float) -> None:
        """Takes up what another process has seen: a failure, a success that ends a row of them, or a new state."""
        if what == "failure":
            # It counts, and opens nothing: who has made the call that is one too many opens, and says so.
            self._failures.append(now)
        elif what == "success":
            self._failures.clear()
        elif what == "closed":
            self._move("closed", now)
        elif (what == "open" and self._state != "open") or (what == "still-open" and self._state == "closed"):
            self._move("open", now)
        elif what == "half-open" and self._state == "open":
            self._move("half-open", now)
            self._probes = self._probes_allowed  # they are the other's

    async def admit(self, now: float) -> Outcome:
        """See ``Machine``."""
        if self._state == "closed":
            return Outcome("closed", self._period)
        passed = now - self._since
        if self._state == "open":
            if passed < self._pause:
                return Outcome("open", retry_after=self._pause - passed)
            before = self._move("half-open", now)
            self._probes = 1
            return Outcome("half-open", self._period, before)
        if self._probes >= self._probes_allowed:
            if passed < self._pause:
                return Outcome("half-open", retry_after=self._pause - passed)
            # The probes of this period never came back: whoever made them is gone.
            self._move("half-open", now)
        self._probes += 1
        return Outcome("half-open", self._period)

    async def report(self, now: float, permit: int, result: Literal["success", "failure", "cancelled"]) -> Outcome:
        """See ``Machine``."""
        before: State | None = None
        if permit != self._period:
            return Outcome(self._state)
        if result == "cancelled":
            self._probes = max(0, self._probes - 1)
        elif result == "failure":
            before = self._failed(now)
        elif self._state == "half-open":
            self._successes += 1
            before = self._move("closed", now) if self._successes >= self._probes_allowed else None
        elif self._window is None and self._failures:
            self._failures.clear()
        return Outcome(self._state, before=before)

    def _failed(self, now: float) -> State | None:
        if self._state == "half-open":
            return self._move("open", now)
        self._failures.append(now)
        full = len(self._failures) == self._limit
        if full and (self._window is None or now - self._failures[0] <= self._window):
            return self._move("open", now)
        return None

    async def reset(self, now: float) -> Outcome:
        """See ``Machine``."""
        before = self._state
        self._move("closed", now)
        return Outcome("closed", before=before if before != "closed" else None)

    async def snapshot(self, now: float) -> Snapshot:
        """See ``Machine``."""
        failures = [at for at in self._failures if self._window is None or now - at <= self._window]
        waiting = max(0.0, self._since + self._pause - now) if self._state == "open" else 0.0
        return Snapshot(self._state, len(failures), self._probes, self._successes, waiting)

    def _move(self, state: State, now: float) -> State:
        before, self._state = self._state, state
        self._period += 1
        self._since = now
        self._failures.clear()
        self._probes = self._successes = 0
        return before


class CircuitBreaker:
    """The breaker of one peer.

    :param now: seconds of a clock that all holders of the machine share
    :param on_change: told the name and the new state
    """

    def __init__(self, name: str, machine: Machine, now: Callable[[], float], on_change: OnChange | None = None) -> None:
        self.name = name
        self._machine = machine
        self._now = now
        self._on_change = on_change
        self.state: State = "closed"

    async def admit(self) -> int:
        """A permit for one call, to be given to ``report``.

        :raises CircuitOpen: the peer is not called now
        """
        found = await self._machine.admit(self._now())
        self._seen(found)
        if found.permit is None:
            raise CircuitOpen(found.retry_after)
        return found.permit

    async def report(self, permit: int, result: Literal["success", "failure", "cancelled"]) -> None:
        """How the call ended; ``cancelled`` says nothing of the peer."""
        self._seen(await self._machine.report(self._now(), permit, result))

    async def reset(self) -> None:
        """Closes the breaker by hand."""
        self._seen(await self._machine.reset(self._now()))

    async def snapshot(self) -> Snapshot:
        """The state as it is now."""
        found = await self._machine.snapshot(self._now())
        self._seen(Outcome(found.state))
        return found

    def told(self, outcome: Outcome) -> None:
        """Another process has changed the state (see ``told_breaker``)."""
        self._seen(outcome)

    def _seen(self, outcome: Outcome) -> None:
        if outcome.before is not None:
            level = logging.WARNING if outcome.state != "closed" else logging.INFO
            extra = {"from": outcome.before, "to": outcome.state, "integration": self.name}
            _LOG.log(level, "circuit breaker state changed", extra=extra)
        if outcome.state != self.state:
            self.state = outcome.state
            if self._on_change is not None:
                self._on_change(self.name, outcome.state)
