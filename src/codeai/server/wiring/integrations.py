"""Integrations of a program, connected with clock, limits, health and the addresses that operators allow."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from codeai.evaluate.errors import NotCompilable
from codeai.integrations.calls import Integrations
from codeai.model.integration import Integration
from codeai.model.record_rules import RecordRules
from codeai.observability.health import Check, Degraded
from codeai.observability.metrics.instruments import Metrics
from codeai.server.errors import StartError
from codeai.server.wiring.foundation import Foundation
from codeai.server.wiring.sharing import Sharing

if TYPE_CHECKING:
    from codeai.integrations.building import Parts
    from codeai.integrations.recorded import RecordedIntegrations
    from codeai.server.wiring.breakers import Machines

_GAUGE: Final[Mapping[str, int]] = {"closed": 0, "half-open": 1, "open": 2}


def integrations(foundation: Foundation, sharing: Sharing) -> Integrations:
    """The clients of all integrations; none when nothing is to leave the process (``recorded`` stands for them).

    :raises StartError: one of them cannot be built
    """
    models = foundation.application.integrations
    if not models or foundation.recording:
        return Integrations({})
    from codeai.integrations.building import NotBuildable, client
    from codeai.server.wiring.breakers import Machines

    found = Integrations({})
    machines = Machines(sharing)
    parts = _parts(foundation, sharing, machines, found)
    try:
        found.clients = {model.name: client(model, foundation.evaluator, parts) for model in models}
    except (NotBuildable, NotCompilable) as error:
        raise StartError(str(error), error.at) from error
    machines.connect({name: client.breaker for name, client in found.clients.items()})
    return found


def _parts(foundation: Foundation, sharing: Sharing, machines: Machines, found: Integrations) -> Parts:
    """What clients have in common."""
    from codeai.integrations.addresses import AddressPolicy
    from codeai.integrations.building import Parts
    from codeai.integrations.client import Surroundings
    from codeai.integrations.throttle import LimitThrottle

    def throttle(model: Integration) -> LimitThrottle | None:
        limit = model.rate_limit
        return None if limit is None else LimitThrottle(sharing.limits, model.name, limit.requests, limit.window)

    return Parts(
        policy=AddressPolicy(foundation.settings.outbound_allow),
        machine=machines.of,
        throttle=throttle,
        # Processes that share a breaker need the same clock; one alone takes the one that never jumps.
        now=time.monotonic if sharing.redis is None else time.time,
        surroundings=Surroundings(now=foundation.clock, observer=found.observed),
        default=lambda field: foundation.default(field)(),
        absent=foundation.absent,
        records=RecordRules(foundation.application.shapes),
        cache=sharing.cache,
    )


def recorded(foundation: Foundation) -> RecordedIntegrations:
    """Integrations for tests, which answer what a test says.

    :raises StartError: one of them cannot be built
    """
    from codeai.integrations.building import NotBuildable, operations
    from codeai.integrations.recorded import RecordedIntegrations

    plans: dict[str, Any] = {}
    rules = RecordRules(foundation.application.shapes)
    try:
        for model in foundation.application.integrations:
            found = operations(model, foundation.evaluator, lambda field: foundation.default(field)(), foundation.absent, rules)
            plans |= {f"{model.name}.{name}": plan for name, plan in found.items()}
    except (NotBuildable, NotCompilable) as error:
        raise StartError(str(error), error.at) from error
    return RecordedIntegrations(plans)


def checks(found: Integrations) -> list[Check]:
    """One health check per integration: degraded while its breaker is not closed. Nobody is called for it."""

    def check(name: str) -> Check:
        async def run() -> None:
            state = await found.state(name)
            if state.state != "closed":
                raise Degraded(f"circuit breaker is {state.state}")

        return Check(f"integration_{name}", run, 1.0, critical=False)

    return [check(name) for name in found.clients]


def observe(found: Integrations, metrics: Metrics) -> None:
    """Shows the states of the breakers; of several processes, the worst (acceptance S130)."""

    def read() -> list[tuple[tuple[str, ...], float]]:
        return [((name,), float(_GAUGE[client.breaker.state])) for name, client in found.clients.items()]

    text = "State of the circuit breaker: 0 closed, 1 half-open, 2 open."
    metrics.gauge("circuit_breaker_state", text, read, labels=("integration",), merge="max")
    if not found.clients:
        return
    calls = metrics.counter("integration_calls_total", "Attempts of calls, by outcome.", ("integration", "operation", "outcome"))
    durations = metrics.histogram("integration_call_duration_seconds", "How long attempts took.", ("integration", "operation"))

    def observe_call(integration: str, operation: str, outcome: str, seconds: float | None) -> None:
        calls.add(integration, operation, outcome)
        if seconds is not None:
            durations.observe(seconds, integration, operation)

    found.observer = observe_call
