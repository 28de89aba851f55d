"""Where the states of circuit breakers are: in Redis, told by notices over PostgreSQL, or in this process alone."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

from codeai.integrations.breaker import CircuitBreaker, LocalMachine, Machine
from codeai.integrations.shared_breaker import RedisMachine
from codeai.integrations.told_breaker import ASK, ToldMachine
from codeai.model.integration import Breaker
from codeai.server.wiring.sharing import Sharing

_TOPIC: Final = "breaker"


class Machines:
    """Makes the state of each breaker, and has processes that share no Redis tell each other of changes."""

    def __init__(self, sharing: Sharing) -> None:
        self._sharing = sharing
        self._told: dict[str, ToldMachine] = {}
        self._breakers: Mapping[str, CircuitBreaker] = {}

    def of(self, name: str, model: Breaker) -> Machine:
        """The state of the breaker of an integration."""
        sharing = self._sharing
        if sharing.telling:
            found = self._told[name] = ToldMachine(model, lambda what: self._tell(what, name))
            return found
        if sharing.redis is None:
            return LocalMachine(model)
        return RedisMachine(sharing.redis, f"{sharing.prefix}breaker:{name}", model)

    def connect(self, breakers: Mapping[str, CircuitBreaker]) -> None:
        """Hears from now on of other processes, for the breakers of this one."""
        if self._told:
            self._breakers = breakers
            self._sharing.notices.on(_TOPIC, self._heard)
            self._sharing.notices.on_hearing(self._ask)

    def _tell(self, what: str, name: str) -> None:
        self._sharing.notices.tell(_TOPIC, f"{what} {name}")

    def _heard(self, text: str) -> None:
        what, _, name = text.partition(" ")
        if name in self._told:
            self._breakers[name].told(self._told[name].told(what, time.monotonic()))

    def _ask(self) -> None:
        for name in self._told:
            self._tell(ASK, name)
