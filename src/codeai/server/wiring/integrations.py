"""Integrations of a program, connected with clock, limits, health and the addresses that operators allow."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable
from typing import Any

from codeai.evaluate.errors import NotCompilable
from codeai.evaluate.program import Evaluator
from codeai.integrations.calls import Integrations
from codeai.model.application import Application
from codeai.model.endpoint import InputField
from codeai.observability.health import Check, Degraded
from codeai.server.errors import StartError
from codeai.server.settings import Settings


def integrations(
    application: Application,
    evaluator: Evaluator,
    settings: Settings,
    clock: Callable[[], datetime.datetime],
    default: Callable[[InputField], Callable[[], Any]],
) -> Integrations:
    """The clients of all integrations.

    :raises StartError: one of them cannot be built
    """
    if not application.integrations:
        return Integrations({})
    from codeai.integrations.addresses import AddressPolicy
    from codeai.integrations.breaker import LocalMachine
    from codeai.integrations.building import NotBuildable, Parts, client
    from codeai.integrations.client import Surroundings

    parts = Parts(
        policy=AddressPolicy(settings.outbound_allow),
        machine=lambda name, model: LocalMachine(model),
        throttle=lambda model: None,
        now=time.monotonic,
        surroundings=Surroundings(now=clock),
        default=lambda field: default(field)(),
    )
    try:
        return Integrations({model.name: client(model, evaluator, parts) for model in application.integrations})
    except (NotBuildable, NotCompilable) as error:
        raise StartError(str(error), error.at) from error


def checks(found: Integrations) -> list[Check]:
    """One health check per integration: degraded while its breaker is not closed. Nobody is called for it."""

    def check(name: str) -> Check:
        async def run() -> None:
            state = await found.state(name)
            if state.state != "closed":
                raise Degraded(f"circuit breaker is {state.state}")

        return Check(f"integration_{name}", run, 1.0, critical=False)

    return [check(name) for name in found.clients]
