"""Writes what activations record: those of one moment in one transaction, each under its fence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Literal

import msgspec

from codeai.durable.batching import Batcher
from codeai.durable.children import wake_parents
from codeai.durable.dispatch.failures import REFUSALS
from codeai.durable.dispatch.protocol import Claim, Dispatcher, LeaseLost
from codeai.durable.faults import FaultPoints, NoFaults
from codeai.durable.records import Change, Record
from codeai.durable.store import Store
from codeai.storage.errors import DatabaseUnavailable, SerializationFailure

Answer = Literal["written", "again", "lost", "by itself"]
_TRIES: Final = 4  # of a transaction that PostgreSQL has ended since it stood in another's way


class NotRecorded(Exception):
    """What an activation writes cannot be written: no step can be blamed for that, and beginning again is of use for so long only."""


class Write(msgspec.Struct, frozen=True):
    """What one activation writes at once: records, a change of its execution, and what becomes of the activation itself.

    :param settle: None keeps the claim; a number of milliseconds is when the work goes on; -1 ends it
    :param ended_items: which items have ended, for each repeated step: stored sets (see ``settled``)
    """

    claim: Claim
    execution: str
    records: tuple[Record, ...] = ()
    change: Change | None = None
    settle: int | None = None
    ended_items: tuple[tuple[str, str], ...] = ()


class Recorder:
    """Batches writes of concurrent activations. ``on_step`` is told of the status of every record that was written."""

    def __init__(self, store: Store, dispatcher: Dispatcher, faults: FaultPoints | NoFaults) -> None:
        self._store = store
        self._dispatcher = dispatcher
        self._faults = faults
        self.on_step: Callable[[str], None] = lambda status: None
        self._batcher: Batcher[Write, Answer | Exception] = Batcher(self._run, common=REFUSALS)

    async def write(self, write: Write) -> bool:
        """Writes, and says whether there is news: the subject was offered again, so the activation was neither changed nor settled.

        :raises LeaseLost: the activation is somebody else's
        :raises DatabaseUnavailable: the database writes nothing now: the activation begins again from what is recorded
        :raises NotRecorded: it does not write this
        """
        try:
            answer = await self._batcher.submit(write)
        except Exception as error:
            answer = error
        if answer == "lost" or isinstance(answer, LeaseLost):
            raise LeaseLost
        if isinstance(answer, Exception):
            raise (DatabaseUnavailable if isinstance(answer, REFUSALS) else NotRecorded)(f"not recorded: {answer}") from answer
        return answer == "again"

    async def _run(self, writes: Sequence[Write]) -> Sequence[Answer | Exception]:
        """Writes all, and behind it by itself what ends an execution that others wait for.

        Whoever ends it holds its activation and wants theirs. So nothing else is held then, and since children wait for no parents,
        processes that end children never wait in a circle.
        """
        answers: list[Answer | Exception] = [*await self._tried(writes, together=len(writes) > 1)]
        for number, write in enumerate(writes):
            if answers[number] == "by itself":
                try:
                    (answers[number],) = await self._tried((write,), together=False)
                except Exception as error:
                    answers[number] = error
        return answers

    async def _tried(self, writes: Sequence[Write], *, together: bool) -> Sequence[Answer]:
        for _ in range(_TRIES - 1):
            try:
                return await self._write_all(writes, together=together)
            except SerializationFailure:
                continue
        return await self._write_all(writes, together=together)

    async def _write_all(self, writes: Sequence[Write], *, together: bool) -> Sequence[Answer]:
        store = self._store
        self._faults("before-batch")
        async with store.database.transaction() as session:
            held = {row[0]: row[1:4] for row in await session.fetch(store.sql.hold_all, (self._ids(writes),))}
            answers = [_answer(write, held.get(write.claim.id), together) for write in writes]
            good = [write for write, answer in zip(writes, answers, strict=True) if answer in ("written", "again")]
            steps = [store.step_values(write.execution, record) for write in good for record in write.records]
            if steps:
                await session.execute_many(store.sql.save_step, steps)
            items = [(store.uuid(write.execution), name, text) for write in good for name, text in write.ended_items]
            if items:
                await session.execute_many(store.sql.items_ended, items)
            plain = [write for write, answer in zip(writes, answers, strict=True) if answer == "written"]
            changes = [store.change_values(write.execution, write.change) for write in plain if write.change is not None]
            if changes:
                await session.execute_many(store.sql.change, changes)
            ended = [write for write in plain if write.settle == -1]
            if ended:
                await session.execute(store.sql.done_all, (self._ids(ended),))
                if any(write.claim.restricted for write in ended):
                    session.after_commit(self._dispatcher.wake_restricted)
            for write in plain:
                if write.settle is not None and write.settle >= 0:
                    await self._dispatcher.later(session, write.claim, write.settle)
            news = [write for write, answer in zip(writes, answers, strict=True) if answer == "again"]
            if news:
                await session.execute(store.sql.seen, (self._ids(news),))
            last = [write.execution for write in plain if _ends(write)]
            if last:  # behind the settlements: a parent may begin to wait in the same batch
                await wake_parents(store, self._dispatcher, session, last)
            self._faults("in-batch")
        self._faults("after-batch")
        for write in good:
            for record in write.records:
                self.on_step(record.status)
        return answers

    def _ids(self, writes: Sequence[Write]) -> object:
        return self._store.listed([write.claim.id for write in writes])


def _ends(write: Write) -> bool:
    return write.change is not None and write.change.finished_at is not None


def _answer(write: Write, held: Sequence[object] | None, together: bool) -> Answer:
    if held is None or held[0] != write.claim.fence:
        return "lost"
    if held[1] and write.settle is not None:
        return "again"
    return "by itself" if together and held[2] and _ends(write) else "written"
