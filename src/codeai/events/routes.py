"""Who hears of which event: handlers, workflows, webhooks and the targets of ``publish_to``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal

import msgspec

from codeai.evaluate.errors import NotCompilable
from codeai.evaluate.program import Evaluator
from codeai.model import expression as ir
from codeai.model.application import Application
from codeai.model.workflow import Workflow

Kind = Literal["handler", "workflow", "webhook", "kafka", "slack", "email"]
Condition = Callable[[Any], Any]


class Route(msgspec.Struct, frozen=True):
    """One target of one event.

    :param line: of a handler: the name by which its deliveries are in order (see ``wiring``); None for the target itself
    :param where: decides over a context with the event, without waiting for anything; None when the target decides, or always
    """

    kind: Kind
    target: str
    where: Condition | None = None
    line: str | None = None


def routes_of(application: Application, evaluator: Evaluator) -> dict[str, tuple[Route, ...]]:
    """The routes of every event of a program, by wire name; a target that is named twice is one."""
    found: dict[str, dict[tuple[str, str], Route]] = {event.wire: {} for event in application.events}

    def add(wire: str, kind: Kind, target: str, where: Condition | None = None) -> None:
        if wire in found:
            found[wire].setdefault((kind, target), Route(kind, target, where))

    for handler in application.handlers:
        if handler.body:  # 'on E do webhook W' has none, and is among the events of the webhook
            add(handler.event, "handler", handler.name, condition(handler.where, evaluator))
    for workflow in application.workflows:
        trigger = workflow.trigger
        if trigger.event is not None:
            add(trigger.event, "workflow", workflow.name, condition(trigger.where, evaluator))
    for webhook in application.webhooks:
        for wire in webhook.events:
            add(wire, "webhook", webhook.name)
    for event in application.events:
        for publication in event.publish:
            add(event.wire, publication.kind, publication.target)
    return {wire: tuple(routes.values()) for wire, routes in found.items()}


def routes_to(workflows: Iterable[Workflow], evaluator: Evaluator) -> dict[str, tuple[Route, ...]]:
    """The routes to workflows alone, by wire name."""
    found: dict[str, tuple[Route, ...]] = {}
    for workflow in workflows:
        wire = workflow.trigger.event
        if wire is not None:
            found[wire] = (*found.get(wire, ()), Route("workflow", workflow.name, condition(workflow.trigger.where, evaluator)))
    return found


def condition(expression: ir.Expression | None, evaluator: Evaluator) -> Condition | None:
    """A condition that is decided while deliveries are made; None when there is none, or when it asks the database."""
    if expression is None:
        return None
    try:
        return evaluator.value(expression)
    except (NotCompilable, KeyError):  # the latter of a workflow that needs what the program does not have any more
        return None
