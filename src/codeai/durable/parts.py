"""What an execution needs of the process that runs it."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

from codeai.auth.principal import SYSTEM
from codeai.durable.dispatch.protocol import Dispatcher
from codeai.durable.faults import FaultPoints, NoFaults
from codeai.durable.interrupting import Interrupts
from codeai.durable.lanes import Lanes
from codeai.durable.lists import Lists
from codeai.durable.recorder import Recorder
from codeai.durable.store import Store
from codeai.evaluate.context import Context, Log, Services
from codeai.evaluate.effects import Effects
from codeai.storage.interface import Session


class Parts:
    """The parts of one process, shared by all executions.

    :param clock: the program's time
    :param on_change: told of every execution that ended: its definition, status and seconds since it was created
    """

    def __init__(
        self,
        store: Store,
        dispatcher: Dispatcher,
        effects: Effects,
        services: Services,
        log: Log,
        clock: Callable[[], datetime.datetime],
        faults: FaultPoints | NoFaults,
        on_change: Callable[[str, str, float], None],
    ) -> None:
        self.store = store
        self.database = store.database
        self.dispatcher = dispatcher
        self.recorder = Recorder(store, dispatcher, faults)
        self.interrupts = Interrupts(store)
        self.lists = Lists(store)
        self.lanes = Lanes(store)
        self.effects = effects
        self.services = services
        self.log = log
        self.clock = clock
        self.faults = faults
        self.on_change = on_change

    def now_ms(self) -> int:
        """The program's time in milliseconds."""
        return int(self.clock().timestamp() * 1000)

    def context(self, session: Session, values: dict[str, Any]) -> Context:
        """The context of a block of a run: it runs as the system."""
        return Context(SYSTEM, session, self.clock(), self.services, self.log, effects=self.effects, values=values)


class NoRows:
    """The session of what evaluates only; that it is never used was found out when the plan was made."""

    async def fetch(self, statement: str, values: Any) -> Any:
        """See ``Session``."""
        raise AssertionError("a block without statements sent one")

    fetch_row = execute = fetch

    async def execute_many(self, statement: str, rows: Any) -> None:
        """See ``Session``."""
        raise AssertionError("a block without statements sent one")

    def after_commit(self, work: Callable[[], None]) -> None:
        """See ``Session``."""
        work()
