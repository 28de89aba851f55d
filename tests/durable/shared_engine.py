"""One DBOS for all dispatchers of a test process: it has one instance per process, and tests have several workers in one."""

import asyncio
import datetime
from collections.abc import Sequence
from concurrent.futures import Future

from codeai.durable.dispatch.dbos.dispatcher import DbosDispatcher
from codeai.durable.dispatch.dbos.engine import DbosEngine, Receiver
from codeai.storage.settings import DatabaseSettings


class SharedEngine:
    """Gives each activation to the dispatcher that has handed it over."""

    def __init__(self, settings: DatabaseSettings, concurrency: int = 100) -> None:
        self.engine = DbosEngine(settings, concurrency=concurrency, polling=0.1)
        self.receivers: list[Receiver] = []
        self.lost = 0
        self._opened = False

    def share(self) -> "Share":
        """What one dispatcher sees."""
        return Share(self)

    def receive(self, number: int, fence: int) -> Future[None]:
        for receiver in self.receivers:
            if isinstance(receiver, DbosDispatcher) and receiver._handed.get(number, (None,))[0] == fence:
                return receiver.receive(number, fence)
        if self.receivers:
            return self.receivers[-1].receive(number, fence)
        self.lost += 1
        return ended()

    async def opened(self) -> None:
        if not self._opened:
            self._opened = True
            await self.engine.open(self)

    def end(self) -> None:
        if self._opened:
            asyncio.run(self.engine.close(0))


def ended() -> Future[None]:
    found: Future[None] = Future()
    found.set_result(None)
    return found


class Share:
    """See ``dispatcher.Engine``."""

    def __init__(self, shared: SharedEngine) -> None:
        self._shared = shared
        self._receiver: Receiver | None = None

    async def open(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._shared.receivers.append(receiver)
        await self._shared.opened()

    async def close(self, timeout: float) -> None:
        if self._receiver in self._shared.receivers:
            self._shared.receivers.remove(self._receiver)

    def wake(self) -> None:
        self._shared.engine.wake()

    async def forget(self, workflows: Sequence[str]) -> None:
        await self._shared.engine.forget(workflows)

    async def older(self, than: datetime.datetime) -> list[str]:
        return await self._shared.engine.older(than)
