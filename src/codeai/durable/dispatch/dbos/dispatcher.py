"""Activations that DBOS distributes: a worker hands over what may run, DBOS's queue picks the process, and that one takes over.

The row of ours decides at each end. Handing over is a claim (see ``statements``), taking over moves its fence on, and from there all
is as in the local dispatcher: a lease that is renewed, settlements under the fence, a sweep for what the dead have left.
A process hands over as much as it could run itself, and, where activations are short, as much again as it ended in the last second,
so that DBOS always has some to give and an urgent one still overtakes the rest.
"""

from __future__ import annotations

import asyncio
import contextvars
import datetime
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Final, Protocol

from codeai.durable.batching import Batcher
from codeai.durable.dispatch.claiming import LEASE_MS
from codeai.durable.dispatch.dbos.engine import Receiver
from codeai.durable.dispatch.dbos.statements import Pair, columns, handing_over, pair_of, statements, workflow_id
from codeai.durable.dispatch.local import LocalDispatcher
from codeai.durable.dispatch.protocol import Claim, Queues
from codeai.storage.interface import Database

_LOG: Final = logging.getLogger("codeai.durable")
TAKEN_BACK_AFTER: Final = 10.0  # what nobody has begun by then is handed over anew
_FORGOTTEN_AFTER: Final = 2.0  # DBOS writes down the end of a workflow after its function has returned
_LEFT_AFTER: Final = 60.0
_FORGET_AT_ONCE: Final = 1_000


class Engine(Protocol):
    """What the dispatcher needs of DBOS (see ``engine.DbosEngine``)."""

    async def open(self, receiver: Receiver) -> None:
        """Begins to deliver."""

    def wake(self) -> None:
        """Something was handed over."""

    async def close(self, timeout: float) -> None:
        """Delivers nothing more, and ends."""

    async def forget(self, workflows: Sequence[str]) -> None:
        """Deletes workflows."""

    async def older(self, than: datetime.datetime) -> list[str]:
        """Workflows that were handed over before some time."""


class DbosDispatcher(LocalDispatcher):
    """See ``protocol.Dispatcher``. Every process may offer; those that ``start`` have DBOS in them."""

    def __init__(self, database: Database, engine: Engine, queues: Queues | None = None, *, clock: Callable[[], int] | None = None) -> None:
        super().__init__(database, queues, clock=clock, shared=True)
        self._engine = engine
        self._sql = self._claimer.sql = handing_over(self._sql)
        self._texts = statements()
        self._begins: Batcher[Pair, Claim | None] = Batcher(self._begin)
        self._handed: dict[int, tuple[int, float]] = {}  # by activation: its fence, and since when
        self._received: dict[asyncio.Task[None], Pair] = {}
        self._ended: deque[float] = deque()
        self._over: deque[tuple[float, str]] = deque()
        self._cleaning: asyncio.Task[None] | None = None
        self._next_search = 0.0
        self._quiet = asyncio.Event()
        self._opened = self._draining = False

    # -- handing over ----------------------------------------------------------------------------------------------

    async def _fill(self) -> int:
        found = await super()._fill()
        if found:
            self._engine.wake()
        return found

    def _room(self) -> int:
        concurrency = self._queues.concurrency
        while self._ended and self._ended[0] < time.monotonic() - 1.0:
            self._ended.popleft()
        most = concurrency + min(concurrency, len(self._ended))
        if len(self._handed) > most // 2:
            return 0  # in handfuls: it is one statement
        return most - max(len(self._received), len(self._running)) - len(self._handed)

    def _leased(self) -> list[int]:
        return list({*self._running, *self._handed, *(number for number, _ in self._received.values())})

    def _taken(self, claim: Claim) -> None:
        if (claim.id, claim.fence) not in self._received.values():  # DBOS may be faster than the answer to the claim
            self._handed[claim.id] = (claim.fence, time.monotonic())

    # -- taking over -----------------------------------------------------------------------------------------------

    def receive(self, number: int, fence: int) -> Future[None]:
        """See ``engine.Receiver``."""
        ended: Future[None] = Future()
        self._loop.call_soon_threadsafe(self._receive, number, fence, ended, context=self._context)
        return ended

    def _receive(self, number: int, fence: int, ended: Future[None]) -> None:
        if self._handed.get(number, (None,))[0] == fence:
            del self._handed[number]
        task = asyncio.create_task(self._deliver((number, fence)))
        self._received[task] = (number, fence)
        task.add_done_callback(lambda _: self._delivered((number, fence), task, ended))

    def _delivered(self, pair: Pair, task: asyncio.Task[None], ended: Future[None]) -> None:
        now = time.monotonic()
        del self._received[task]
        self._ended.append(now)
        self._over.append((now, workflow_id(pair)))
        if not task.cancelled() and task.exception() is not None:
            _LOG.error("activation not taken over", extra={"activation": pair[0], "cause": str(task.exception())})
        if not self._received:
            self._quiet.set()
        if self._backlog:
            self._wakes.claims.set()
        if not ended.done():
            ended.set_result(None)

    async def _deliver(self, pair: Pair) -> None:
        self._faults("before-begin")
        claim = await self._begins.submit(pair)
        if claim is None:
            return  # handed over anew, or begun already
        if self._draining:
            await self._give_back([(claim.id, claim.fence)])
            return
        self._faults("after-begin")
        task = asyncio.create_task(self._work(claim))
        self._running[claim.id] = (claim, task)
        await asyncio.wait([task])

    async def _begin(self, pairs: Sequence[Pair]) -> Sequence[Claim | None]:
        if not (self._running or self._handed):
            self.leases.fresh()
        values = (self._now(), LEASE_MS, self.worker, *columns(pairs))
        try:
            rows = await self._database.writing().fetch(self._texts.begin, values)
        except Exception:
            self._doubtful = True  # they may be ours by now
            raise
        found = {int(str(row[0])): Claim(*row) for row in rows}  # type: ignore[arg-type]  # columns in the order of the fields
        return [found.pop(number, None) for number, _ in pairs]

    async def _give_back(self, pairs: Sequence[Pair]) -> None:
        await self._database.writing().execute(self._texts.give_back, columns(pairs))

    # -- looking after ---------------------------------------------------------------------------------------------

    async def _look_after(self) -> None:
        if self._handed:
            await self._look_after_handed()
        if self._opened and (self._cleaning is None or self._cleaning.done()):
            self._cleaning = asyncio.create_task(self._clean())

    async def _look_after_handed(self) -> None:
        """Forgets what others have begun, and takes back what nobody begins: they may be busy, or dead since DBOS gave it to them."""
        pairs = [(number, fence) for number, (fence, _) in self._handed.items()]
        rows = await self._database.writing().fetch(self._texts.not_begun, columns(pairs))
        waiting = {row[0] for row in rows}
        late = time.monotonic() - TAKEN_BACK_AFTER
        for number, fence in pairs:
            if number not in waiting and self._handed.get(number, (None,))[0] == fence:
                del self._handed[number]
        back = [(number, fence) for number, (fence, since) in self._handed.items() if since < late]
        if back:
            _LOG.info("handed over anew", extra={"activations": len(back)})
            await self._give_back(back)
            for number, _ in back:
                self._handed.pop(number, None)

    async def _clean(self) -> None:
        """Deletes from DBOS what has ended here, and now and then what processes that died have left."""
        now = time.monotonic()
        try:
            while batch := self._batch_before(now - _FORGOTTEN_AFTER):
                await self._engine.forget(batch)
            if now >= self._next_search:
                self._next_search = now + _LEFT_AFTER
                await self._clean_left()
        except Exception as error:  # whatever DBOS says: the next search finds what is left
            _LOG.warning("ended workflows not deleted", extra={"cause": str(error)})

    def _batch_before(self, moment: float) -> list[str]:
        batch: list[str] = []
        while self._over and self._over[0][0] < moment and len(batch) < _FORGET_AT_ONCE:
            batch.append(self._over.popleft()[1])
        return batch

    async def _clean_left(self) -> None:
        found = await self._engine.older(datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=_LEFT_AFTER))
        pairs = [pair for pair in map(pair_of, found) if pair is not None]
        if pairs:
            rows = await self._database.reading().fetch(self._texts.in_use, columns(pairs))
            used = {(row[0], row[1]) for row in rows}
            await self._engine.forget([workflow_id(pair) for pair in pairs if pair not in used])

    def _abandon(self) -> None:
        super()._abandon()
        self._handed.clear()

    # -- begin and end ---------------------------------------------------------------------------------------------

    async def _open(self) -> None:
        if not self._opened:
            self._loop = asyncio.get_running_loop()
            self._context = contextvars.copy_context()
            await self._engine.open(self)
            self._opened, self._draining = True, False

    async def start(self) -> None:
        """See ``Dispatcher``."""
        await self._open()
        await super().start()

    async def stop(self, timeout: float) -> None:
        """See ``Dispatcher``."""
        self._draining = True
        closing = asyncio.create_task(self._engine.close(timeout if self._busy() else 0.0)) if self._opened else None
        await super().stop(timeout)
        self._handed.clear()  # given back with the rest
        if closing is not None:
            await closing
        if self._cleaning is not None:
            await asyncio.gather(self._cleaning, return_exceptions=True)
        self._opened = False

    def _busy(self) -> bool:
        """Whether DBOS has something to write down still."""
        return bool(self._received) or (bool(self._over) and self._over[-1][0] > time.monotonic() - _FORGOTTEN_AFTER)

    async def run_due(self) -> int:
        """See ``Dispatcher``."""
        await self._open()
        await self._limits.refresh()
        total = 0
        while True:
            self._quiet.clear()
            await self.sweep()
            found = await self._fill()
            total += found
            if not (found or self._handed or self._received):
                return total
            with suppress(TimeoutError):
                await asyncio.wait_for(self._quiet.wait(), 1.0)
