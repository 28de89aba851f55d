"""Many small requests of one moment, answered by one statement: while one batch is on its way, the next one gathers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")


class Batcher(Generic[_Item, _Answer]):
    """Gathers items and runs them together.

    :param run: answers for items, in their order
    :param size: the most items of one batch
    :param common: failures of all items; after another one each item is run by itself, so that none fails for its neighbour
    """

    def __init__(
        self,
        run: Callable[[Sequence[_Item]], Awaitable[Sequence[_Answer]]],
        size: int = 200,
        *,
        common: tuple[type[Exception], ...] = (Exception,),
    ) -> None:
        self._run = run
        self._common = common
        self._size = size
        self._waiting: list[tuple[_Item, asyncio.Future[_Answer]]] = []
        self._task: asyncio.Task[None] | None = None

    def submit(self, item: _Item) -> asyncio.Future[_Answer]:
        """The answer to one item, later."""
        answer: asyncio.Future[_Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        if self._task is None:
            self._task = asyncio.create_task(self._work())
        return answer

    async def _work(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[: self._size], self._waiting[self._size :]
                await self._one(batch)
        finally:
            self._task = None

    async def _one(self, batch: list[tuple[_Item, asyncio.Future[_Answer]]]) -> None:
        try:
            answers = await self._run([item for item, _ in batch])
        except BaseException as error:
            if len(batch) > 1 and isinstance(error, Exception) and not isinstance(error, self._common):
                for one in batch:
                    await self._one([one])
                return
            for _, answer in batch:
                if not answer.done():
                    answer.set_exception(error if isinstance(error, Exception) else asyncio.CancelledError())
                    answer.exception()
            if not isinstance(error, Exception):
                raise
            return
        for (_, answer), found in zip(batch, answers, strict=True):
            if not answer.done():
                answer.set_result(found)
