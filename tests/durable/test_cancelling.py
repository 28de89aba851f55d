"""Cancelling what runs: calls are cut short, what is recorded stays, and what was done can be undone then."""

import asyncio
from typing import Any

import pytest
from programs import Peer, Process

from codeai.storage.opening import open_database
from codeai.storage.settings import DatabaseSettings
from services.polling import eventually

PROGRAM = """
integration Peer {
    base_url: "https://peer.example.com"
    operation fast { method: POST path: "/fast" body { n: int } returns { id: string } }
    operation slow { method: POST path: "/slow" body { n: int } returns { id: string } }
    operation undo { method: POST path: "/undo" body { n: int } returns { id: string } }
}
workflow Slow {
    steps {
        one { call: Peer.fast { n: 1 }  compensate: call Peer.undo { n: 1 } }
        two { call: Peer.slow { n: 2 }  compensate: call Peer.undo { n: 2 } }
        three { call: Peer.fast { n: 3 } }
    }
}
workflow Sides {
    steps {
        parallel { a { call: Peer.slow { n: 1 } }  b { call: Peer.slow { n: 2 } }  c { sleep: 1h } }
        never { call: Peer.fast { n: 3 } }
    }
}
"""


class Hanging(Peer):
    """``slow`` does not answer before it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.cut = 0

    async def call(self, context: Any, integration: str, operation: str, values: Any) -> Any:
        answer = await super().call(context, integration, operation, values)
        if operation == "slow":
            try:
                await self.gate.wait()
            except asyncio.CancelledError:
                self.cut += 1
                raise
        return answer


@pytest.fixture
async def peer() -> Hanging:
    return Hanging()


async def begun(process: Process, peer: Hanging, name: str, calls: int) -> tuple[str, asyncio.Task[None]]:
    """An execution whose calls are under way, and the worker that makes them."""
    id_ = await process.start(name)
    running = asyncio.create_task(process.run())
    await eventually(lambda: len(peer.calls) == calls)
    return id_, running


async def test_a_call_that_runs_is_cut_short(process: Process, peer: Hanging) -> None:
    id_, running = await begun(process, peer, "Slow", 2)
    await process.durable.control.cancel(id_)
    await asyncio.wait_for(running, 60)
    execution, records = await process.show(id_)
    assert (execution.status, execution.compensation, peer.cut) == ("cancelled", "none", 1)
    assert (records["one"].status, records["two"].status) == ("done", "failed")
    assert records["two"].error["code"] == "cancelled"  # type: ignore[index]  # it has one
    assert peer.names() == ["Peer.fast", "Peer.slow"]


async def test_all_branches_are_cut_short(process: Process, peer: Hanging) -> None:
    id_, running = await begun(process, peer, "Sides", 2)
    await process.durable.control.cancel(id_)
    await asyncio.wait_for(running, 60)
    execution, records = await process.show(id_)
    assert (execution.status, peer.cut, len(peer.calls)) == ("cancelled", 2, 2)
    assert {record.status for record in records.values()} == {"failed"}


async def test_who_cancels_in_another_process_is_heard_within_a_second(process: Process, peer: Hanging, settings: DatabaseSettings) -> None:
    id_, running = await begun(process, peer, "Slow", 2)
    database = open_database(settings)
    await database.start()
    try:
        other = Process(process.durable.definitions._application, database, process.time, Peer())
        await other.durable.control.cancel(id_)
        await asyncio.wait_for(running, 60)
    finally:
        await database.close()
    assert ((await process.show(id_))[0].status, peer.cut) == ("cancelled", 1)


async def test_what_is_being_cancelled_is_undone_when_that_is_asked_for(process: Process, peer: Hanging) -> None:
    id_, running = await begun(process, peer, "Slow", 2)
    control = process.durable.control
    async with process.database.transaction() as session:  # as long as this lasts, nobody ends it
        if process.database.dialect == "postgresql":
            await session.fetch("SELECT id FROM codeai_activations FOR UPDATE", ())
            cancelling = asyncio.create_task(control.cancel(id_))
    if process.database.dialect == "postgresql":
        await cancelling
    else:
        await control.cancel(id_)
    await control.compensate(id_)
    await control.compensate(id_)
    await asyncio.wait_for(running, 60)
    await process.run()
    execution, records = await process.show(id_)
    assert (execution.status, execution.compensation) == ("compensated", "done")
    assert peer.names() == ["Peer.fast", "Peer.slow", "Peer.undo"]  # a call that was cut short is not undone
    assert (records["one"].compensation, records["two"].compensation) == ("done", "none")


async def test_undoing_may_be_asked_for_before_the_cancelled_one_has_ended(process: Process, peer: Hanging) -> None:
    id_ = await process.start("Slow")
    control = process.durable.control
    await control.cancel(id_)
    found = await control.compensate(id_)
    assert (found.status, found.compensation) == ("cancelling", "running")
    await process.run()
    assert ((await process.show(id_))[0].status, peer.calls) == ("compensated", [])


async def test_a_worker_that_stops_is_no_cancellation(process: Process, peer: Hanging) -> None:
    id_, running = await begun(process, peer, "Slow", 2)
    await process.dispatcher.stop(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert (await process.show(id_))[0].status == "running"
    peer.gate.set()
    await process.run()
    execution, records = await process.show(id_)
    assert (execution.status, records["two"].status) == ("completed", "done")
