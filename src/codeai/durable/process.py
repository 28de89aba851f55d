"""Durable execution in one process: what starts runs, what runs them, and what operators may do with them."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable, Mapping
from typing import Any

from codeai.durable.control import Control
from codeai.durable.definitions import Definitions, EvaluatorOf
from codeai.durable.dispatch.protocol import Dispatcher
from codeai.durable.engine import Engine
from codeai.durable.executions import KIND, Executions
from codeai.durable.faults import fault_points
from codeai.durable.parts import Parts
from codeai.durable.store import Store
from codeai.evaluate.context import Context, Log, Services
from codeai.evaluate.effects import Effects, Operations
from codeai.evaluate.program import Evaluator
from codeai.model.application import Application
from codeai.storage.interface import Database


class Durable:
    """The durable room of a process. Every process may start and control executions; those that ``start`` run them.

    :param evaluator_of: makes an evaluator for a program with older functions
    :param on_change: told of every execution that ends: its definition, status and seconds since it was created
    """

    def __init__(
        self,
        application: Application,
        database: Database,
        dispatcher: Dispatcher,
        evaluator: Evaluator,
        evaluator_of: EvaluatorOf,
        effects: Effects,
        services: Services,
        log: Log,
        clock: Callable[[], datetime.datetime],
        *,
        on_change: Callable[[str, str, float], None] = lambda name, status, seconds: None,
    ) -> None:
        self.dispatcher = dispatcher
        self.active = bool(application.workflows or application.jobs)
        self.store = Store(database)
        self.parts = Parts(self.store, self.dispatcher, effects, services, log, clock, fault_points(os.environ), on_change)
        self.definitions = Definitions(application, evaluator, evaluator_of, self.store)
        self.executions = Executions(self.parts, self.definitions)
        self.control = Control(self.parts, self.definitions, self.executions)
        self.engine = Engine(self.parts, self.definitions)
        self.dispatcher.register(KIND, self.engine)

    async def register(self) -> None:
        """Writes down the definitions of the program, before anything starts."""
        await self.definitions.register(self.parts.clock())


class KeyedOperations:
    """Gives calls from steps an idempotency key of execution, step and item, the same in every attempt and after every take-over.

    The second call of one block has a key of its own (``…#2``), else its peer would take it for a repetition of the first.

    :param inner: what really calls
    """

    def __init__(self, inner: Operations) -> None:
        self._inner = inner

    async def call(self, context: Context, integration: str, operation: str, values: Mapping[str, Any]) -> Any:
        """See ``evaluate.effects.Operations``."""
        key = context.values.get("@key")
        if key is not None and values.get("idempotency_key") is None:
            values = {**values, "idempotency_key": str(key) if (number := next(key.calls)) == 1 else f"{key}#{number}"}
        return await self._inner.call(context, integration, operation, values)
