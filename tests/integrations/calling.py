"""A program's integrations, made as the server makes them, with a clock that tests move."""

import datetime
import random
from typing import Any

from codeai.cache.flights import Cache
from codeai.cache.memory import MemoryStore
from codeai.evaluate.program import Evaluator
from codeai.integrations.addresses import AddressPolicy
from codeai.integrations.breaker import LocalMachine, Machine
from codeai.integrations.building import Parts, client
from codeai.integrations.client import IntegrationClient, Surroundings
from codeai.integrations.throttle import LimitThrottle
from codeai.limits.stores import LocalLimits
from codeai.model.integration import Integration
from codeai.query.statements import Statements
from services.programs import application_of

BEGIN = datetime.datetime(2026, 11, 25, 12, tzinfo=datetime.UTC)


class Clock:
    """Time that passes only by ``sleep`` and ``advance``; ``slept`` notes the sleeps."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.slept: list[float] = []

    def now(self) -> datetime.datetime:
        return BEGIN + datetime.timedelta(seconds=self.passed)

    def seconds(self) -> float:
        return self.passed

    def advance(self, seconds: float) -> None:
        self.passed += seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.passed += seconds


class Calling:
    """The clients of a program; ``observed`` are the attempts, ``timed`` whether they took time, ``changes`` the states of breakers."""

    def __init__(self, text: str, environment: dict[str, str] | None = None, machine: Any = None) -> None:
        self.clock = Clock()
        self._limits = LocalLimits(lambda: self.clock.passed * 1000)
        self.observed: list[tuple[str, str, str]] = []
        self.timed: list[bool] = []
        self.changes: list[tuple[str, str]] = []
        application = application_of(text)
        evaluator = Evaluator(application, Statements(application, "sqlite"), environment or {})

        def make(name: str, model: Any) -> Machine:
            return machine(model) if machine is not None else LocalMachine(model)

        parts = Parts(
            policy=AddressPolicy(),
            machine=make,
            throttle=self._throttle,
            cache=Cache(MemoryStore(self.clock.seconds)),
            now=self.clock.seconds,
            surroundings=Surroundings(sleep=self.clock.sleep, now=self.clock.now, observer=self._observe),
            default=lambda field: evaluator.constant(field.default),
            on_change=lambda name, state: self.changes.append((name, state)),
        )
        self.clients: dict[str, IntegrationClient] = {model.name: client(model, evaluator, parts) for model in application.integrations}

    def _throttle(self, model: Integration) -> LimitThrottle | None:
        limit = model.rate_limit
        return None if limit is None else LimitThrottle(self._limits, model.name, limit.requests, limit.window)

    def _observe(self, integration: str, operation: str, outcome: str, seconds: float | None) -> None:
        self.observed.append((integration, operation, outcome))
        self.timed.append(seconds is not None)

    async def call(self, name: str, **arguments: Any) -> Any:
        """``call("Peer.operation", …)``"""
        integration, _, operation = name.partition(".")
        return await self.clients[integration].call(operation, arguments)

    async def close(self) -> None:
        for each in self.clients.values():
            await each.close()


def integration(url: str, operations: str, settings: str = "") -> str:
    """The text of a program with one integration."""
    return f'integration Peer {{ base_url: "{url}" {settings}\n{operations}\n}}\n'


random.seed(1)
