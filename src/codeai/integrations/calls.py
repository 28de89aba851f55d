"""All integrations of a program: calls by name, and what operators see of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from codeai.integrations.breaker import State
from codeai.integrations.errors import undeclared

if TYPE_CHECKING:  # programs without integrations do without the HTTP client
    from codeai.evaluate.context import Context
    from codeai.integrations.client import IntegrationClient, Observer


class IntegrationState(msgspec.Struct, frozen=True, kw_only=True):
    """One integration as the control API shows it; ``retry_after`` in seconds."""

    name: str
    base_url: str
    state: State
    failures: int
    probes: int
    successes: int
    retry_after: float


class Integrations:
    """The clients by name; what ``call`` statements reach (see ``evaluate.effects.Operations``)."""

    def __init__(self, clients: Mapping[str, IntegrationClient]) -> None:
        self.clients = clients
        self.observer: Observer | None = None

    def observed(self, integration: str, operation: str, outcome: str, seconds: float | None) -> None:
        """Passes an attempt on to whoever counts."""
        if self.observer is not None:
            self.observer(integration, operation, outcome, seconds)

    async def call(self, context: Context, integration: str, operation: str, values: Mapping[str, Any]) -> Any:
        """See ``Operations``."""
        client = self.clients.get(integration)
        if client is None or not client.has(operation):
            raise undeclared(integration, operation)
        return await client.call(operation, values)

    async def states(self) -> list[IntegrationState]:
        """The live state of every breaker."""
        return [await self.state(name) for name in self.clients]

    async def state(self, name: str) -> IntegrationState:
        """The live state of one; KeyError for an unknown name."""
        client = self.clients[name]
        found = await client.breaker.snapshot()
        return IntegrationState(
            name=name,
            base_url=client.base_url,
            state=found.state,
            failures=found.failures,
            probes=found.probes,
            successes=found.successes,
            retry_after=round(found.retry_after, 1),
        )

    async def reset(self, name: str) -> IntegrationState:
        """Closes the breaker of one by hand and returns its state; KeyError for an unknown name."""
        await self.clients[name].breaker.reset()
        return await self.state(name)

    async def close(self) -> None:
        """Closes all connections."""
        for client in self.clients.values():
            await client.close()
