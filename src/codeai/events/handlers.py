"""Targets inside the database: handlers of the program, and workflows that an event starts."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from codeai.auth.principal import SYSTEM
from codeai.durable.definitions import DefinitionMissing
from codeai.evaluate.context import Context, Log, Services
from codeai.evaluate.effects import Effects
from codeai.evaluate.errors import ProgramFailure
from codeai.evaluate.program import Evaluator, Host
from codeai.events.deliverer import DeliveryFailed, NotHere
from codeai.events.deliveries import Delivery
from codeai.events.outbox import Outbox
from codeai.events.records import facts
from codeai.events.schedule import HANDLERS, Schedule
from codeai.events.wiring import Named
from codeai.model.application import Application
from codeai.model.statement import NOT_DECLARED, Branch, If
from codeai.storage.interface import Session


def event_of(delivery: Delivery, outbox: Outbox) -> dict[str, Any]:
    """What ``event`` is for a delivery.

    :raises NotHere: this version of the program has no such event
    """
    event = delivery.event
    plan = outbox.plans.get(event.name) if event is not None else None
    if event is None or plan is None:
        raise NotHere(f"unknown event '{event.name if event is not None else ''}'")
    payload = plan.schema.decoded(event.payload)
    return facts(event, payload, attempt=delivery.attempts + 1, replay_of=delivery.replay_of)


class Starts:
    """The origins of the workflows that a handler starts: one delivered again, or replayed without force, starts none a second time.

    :param triggered: the workflows that the event starts by itself: those have one origin with it
    """

    def __init__(self, delivery: Delivery, triggered: frozenset[str]) -> None:
        assert delivery.event is not None
        self._event = f"event:{delivery.event.id}"
        self._forced = f":{delivery.id}" if delivery.forced else ""
        self._handler = delivery.target
        self._triggered = triggered
        self._number = itertools.count(1)

    def of(self, workflow: str) -> str:
        """The origin of the next start."""
        number = next(self._number)
        return f"{self._event}{'' if workflow in self._triggered else f':{self._handler}:{number}'}{self._forced}"


class Handlers:
    """Runs ``on E { … }`` as the system."""

    def __init__(
        self,
        application: Application,
        evaluator: Evaluator,
        outbox: Outbox,
        clock: Callable[[], datetime.datetime],
        services: Services,
        log: Log,
        effects: Effects,
    ) -> None:
        self._outbox = outbox
        self._clock = clock
        self._services = services
        self._log = log
        self._effects = effects
        self._triggered: dict[str, frozenset[str]] = {}
        for workflow in application.workflows:
            wire = workflow.trigger.event
            if wire is not None:
                self._triggered[wire] = self._triggered.get(wire, frozenset()) | {workflow.name}
        self._hosts: dict[str, tuple[str, Host]] = {}
        for handler in application.handlers:
            body = handler.body if handler.where is None else (If(branches=(Branch(handler.where, handler.body),)),)
            self._hosts[handler.name] = (handler.event, evaluator.block(body, f"on {handler.name}"))

    def rename(self, names: Mapping[str, Named]) -> None:
        """Takes over the names that handlers keep from version to version, by those of this program alone."""
        self._hosts = {names[name].name: host for name, host in self._hosts.items() if name in names}

    def schedule(self, delivery: Delivery) -> Schedule:
        """See ``deliverer.Inside``."""
        return Schedule(HANDLERS)

    async def run(self, session: Session, delivery: Delivery) -> None:
        """See ``deliverer.Inside``."""
        known = self._hosts.get(delivery.target)
        if known is None or delivery.event is None or known[0] != delivery.event.name:
            raise NotHere(f"no version of the program that runs has handler '{delivery.target}'")
        starts = Starts(delivery, self._triggered.get(delivery.event.name, frozenset()))
        values = {"event": event_of(delivery, self._outbox), "@starts": starts}
        context = Context(SYSTEM, session, self._clock(), self._services, self._log, effects=self._effects, values=values)
        try:
            await known[1](context)
        except ProgramFailure as error:
            if error.code == NOT_DECLARED:
                raise DeliveryFailed(str(error), final=True) from error
            raise


class Starter(Protocol):
    """Starts workflows."""

    async def start_by_event(self, session: Session, workflow: str, trigger: Mapping[str, Any], origin: str, actor: str | None) -> None:
        """Starts a workflow in the transaction of the session, unless one of the same ``origin`` was started before.

        :param trigger: what the workflow calls ``trigger``: the payload of the event beside its facts
        """


class Workflows:
    """Starts workflows: exactly once by workflow and event; a forced replay once more."""

    def __init__(self, outbox: Outbox, starter: Starter) -> None:
        self._outbox = outbox
        self._starter = starter

    def schedule(self, delivery: Delivery) -> Schedule:
        """See ``deliverer.Inside``."""
        return Schedule(HANDLERS)

    async def run(self, session: Session, delivery: Delivery) -> None:
        """See ``deliverer.Inside``."""
        trigger = event_of(delivery, self._outbox)
        assert delivery.event is not None
        origin = f"event:{delivery.event.id}" + (f":{delivery.id}" if delivery.forced else "")
        try:
            await self._starter.start_by_event(session, delivery.target, trigger, origin, delivery.event.actor)
        except DefinitionMissing as error:
            raise NotHere(f"no version of the program that runs has workflow '{delivery.target}'") from error
