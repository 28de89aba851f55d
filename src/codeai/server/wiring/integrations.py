"""Integrations of a program, connected with clock, limits, health and the addresses that operators allow."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from codeai.evaluate.errors import NotCompilable
from codeai.evaluate.program import Evaluator
from codeai.integrations.calls import Integrations
from codeai.model.application import Application
from codeai.model.endpoint import InputField
from codeai.model.integration import Breaker, Integration
from codeai.observability.health import Check, Degraded
from codeai.observability.metrics.instruments import Metrics
from codeai.server.errors import StartError
from codeai.server.settings import Settings
from codeai.server.wiring.sharing import Sharing

if TYPE_CHECKING:
    from codeai.integrations.recorded import RecordedIntegrations

_TOPIC: Final = "breaker"
_GAUGE: Final[Mapping[str, int]] = {"closed": 0, "half-open": 1, "open": 2}


def integrations(
    application: Application,
    evaluator: Evaluator,
    settings: Settings,
    clock: Callable[[], datetime.datetime],
    default: Callable[[InputField], Callable[[], Any]],
    sharing: Sharing,
    *,
    recording: bool = False,
) -> Integrations:
    """The clients of all integrations; none when nothing is to leave the process (``recorded`` stands for them).

    :raises StartError: one of them cannot be built
    """
    if not application.integrations or recording:
        return Integrations({})
    from codeai.integrations.addresses import AddressPolicy
    from codeai.integrations.breaker import LocalMachine, Machine
    from codeai.integrations.building import NotBuildable, Parts, client
    from codeai.integrations.client import Surroundings
    from codeai.integrations.shared_breaker import RedisMachine
    from codeai.integrations.throttle import LimitThrottle
    from codeai.integrations.told_breaker import ASK, ToldMachine

    told: dict[str, ToldMachine] = {}

    def machine(name: str, model: Breaker) -> Machine:
        if sharing.telling:
            told[name] = ToldMachine(model, lambda what: sharing.notices.tell(_TOPIC, f"{what} {name}"))
            return told[name]
        if sharing.redis is None:
            return LocalMachine(model)
        return RedisMachine(sharing.redis, f"{sharing.prefix}breaker:{name}", model)

    def throttle(model: Integration) -> LimitThrottle | None:
        limit = model.rate_limit
        return None if limit is None else LimitThrottle(sharing.limits, model.name, limit.requests, limit.window)

    found = Integrations({})
    parts = Parts(
        policy=AddressPolicy(settings.outbound_allow),
        machine=machine,
        throttle=throttle,
        # Processes that share a breaker need the same clock; one alone takes the one that never jumps.
        now=time.monotonic if sharing.redis is None else time.time,
        surroundings=Surroundings(now=clock, observer=found.observed),
        default=lambda field: default(field)(),
        cache=sharing.cache,
    )
    try:
        found.clients = {model.name: client(model, evaluator, parts) for model in application.integrations}
    except (NotBuildable, NotCompilable) as error:
        raise StartError(str(error), error.at) from error
    if told:

        def heard(text: str) -> None:
            what, _, name = text.partition(" ")
            if name in told:
                found.clients[name].breaker.told(told[name].told(what, time.monotonic()))

        def ask() -> None:
            for name in told:
                sharing.notices.tell(_TOPIC, f"{ASK} {name}")

        sharing.notices.on(_TOPIC, heard)
        sharing.notices.on_hearing(ask)
    return found


def recorded(application: Application, evaluator: Evaluator, default: Callable[[InputField], Callable[[], Any]]) -> RecordedIntegrations:
    """Integrations for tests, which answer what a test says.

    :raises StartError: one of them cannot be built
    """
    from codeai.integrations.building import NotBuildable, operations
    from codeai.integrations.recorded import RecordedIntegrations

    plans: dict[str, Any] = {}
    try:
        for model in application.integrations:
            found = operations(model, evaluator, lambda field: default(field)())
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

    def observe_call(integration: str, operation: str, outcome: str, seconds: float) -> None:
        calls.add(integration, operation, outcome)
        durations.observe(seconds, integration, operation)

    found.observer = observe_call
