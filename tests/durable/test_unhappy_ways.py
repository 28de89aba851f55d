"""Ways that nobody takes on purpose: time-outs between tries, rollback while somebody cancels, signals at the end."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from programs import Peer, Process, unique

from codeai.durable.dispatch.claiming import LEASE_MS
from codeai.durable.dispatch.leases import BEGIN_WITHIN
from codeai.durable.refusals import WrongState
from codeai.storage.errors import PoolExhausted, SerializationFailure

PROGRAM = """
entity Note { id: uuid, primary, auto   text: string, required }
event Approved { payload { by: string } }
integration Peer {
    base_url: "https://peer.example.com"
    operation ping { method: POST path: "/" body { n: int } returns { id: string } }
    operation pong { method: POST path: "/pong" body { n: int } returns { id: string } }
}
workflow Impatient {
    timeout: 1h
    steps { a { call: Peer.ping { n: 1 }  retry: 3 times { delays: [3h] } } }
}
workflow Undone {
    steps {
        one { call: Peer.ping { n: 1 }  compensate: call Peer.pong { n: 1 } }
        two { call: Peer.ping { n: 2 }  retry: 0 times  on_fail: rollback }
    }
}
workflow Ends {
    input { text: string }
    steps { a { call: Peer.ping { n: 1 }  retry: 0 times } }
    on_fail { create Note { text: input.text } }
}
workflow Twice {
    steps {
        both { call: Peer.ping { n: 1 }  call: Peer.ping { n: 2 }  compensate { call Peer.pong { n: 1 }  call Peer.pong { n: 2 } } }
        bad { call: Peer.ping { n: 3 }  retry: 0 times  on_fail { call Peer.ping { n: 4 } } }
        stop { check: false  on_fail: rollback }
    }
}
workflow Wide {
    steps { each for_each n in [0, 1, 2, 3, 4, 5, 6, 7] parallel 2 { call: Peer.ping { n: n }  retry: 1 times { delays: [1h] } } }
}
workflow Conditional {
    input { n: int }
    steps { a { when: 10 / input.n > 1  call: Peer.ping { n: 1 }  retry: 2 times { delays: [1m] } } }
}
workflow Unlisted {
    input { n: int }
    timeout: 1h
    steps { a for_each n in [10 / input.n] { call: Peer.ping { n: 1 }  retry: 3 times { delays: [3h] } } }
}
workflow Cut {
    steps { each for_each n in [0, 1, 2, 3] { call: Peer.ping { n: n }  compensate: call Peer.pong { n: n } } }
}
workflow Waiting {
    steps { a { wait: Approved  timeout: 2d  compensate { call Peer.pong { n: 1 } } }  b { do { return 1 }  timeout: 5s } }
}
workflow Says {
    steps { a { do { return 1 } } }
    on_complete { call Peer.pong { n: 1 } }
}
"""


class Hooked(Peer):
    """A peer that does something of a test's before it answers."""

    def __init__(self) -> None:
        super().__init__()
        self.before: dict[int, Any] = {}
        self.bad: set[int] = set()

    async def call(self, context: Any, integration: str, operation: str, values: Mapping[str, Any]) -> Any:
        answer = await super().call(context, integration, operation, values)
        hook = self.before.pop(len(self.calls), None)
        if hook is not None:
            await hook()
        if values.get("n") in self.bad:
            raise ConnectionError("no answer")
        return answer

    def keys(self) -> list[str]:
        return [values["idempotency_key"].partition("/")[2] for _, values in self.calls]


@pytest.fixture
async def peer() -> Hooked:
    return Hooked()


async def test_a_workflow_ends_by_its_time_also_between_two_tries(process: Process, peer: Hooked) -> None:
    peer.bad = {1}
    id_ = await process.start("Impatient")
    await process.run()
    process.time.now += timedelta(minutes=61)  # type: ignore[union-attr]  # this process has one
    await asyncio.wait_for(process.run(), 60)
    execution, records = await process.show(id_)
    assert (execution.status, execution.error["code"], records["a"].status) == ("failed", "timeout", "failed")  # type: ignore[index]
    assert len(peer.calls) == 1


async def test_what_is_cancelled_before_it_goes_back_undoes_nothing_of_itself(process: Process, peer: Hooked) -> None:
    id_ = await process.start("Undone")
    peer.bad = {2}
    peer.before[2] = lambda: process.durable.control.cancel(id_)
    await process.run()
    execution, _ = await process.show(id_)
    assert (execution.status, execution.compensation) == ("cancelled", "none")
    assert peer.names() == ["Peer.ping", "Peer.ping"]
    await process.durable.control.compensate(id_)
    await process.run()
    execution, records = await process.show(id_)
    assert (execution.status, execution.compensation, records["one"].compensation) == ("compensated", "done", "done")


async def test_a_signal_at_the_end_repeats_no_try(process: Process, peer: Hooked) -> None:
    id_ = await process.start("Ends", {"text": unique()})
    peer.bad = {1}
    peer.before[1] = lambda: process.durable.control.signal(id_, "approved", {"by": "me"})
    await process.run()
    execution, _ = await process.show(id_)
    assert (execution.status, len(peer.calls)) == ("failed", 1)


async def test_every_call_of_a_step_has_a_key_of_its_own_and_the_first_that_of_the_step(process: Process, peer: Hooked) -> None:
    peer.bad = {3}
    execution, _ = await process.complete("Twice")
    assert (execution.status, execution.compensation) == ("compensated", "done")
    keys = peer.keys()
    assert len(keys) == len(set(keys)) == 6
    assert keys[0] == "both"
    again, _ = await process.complete("Twice")
    assert again.status == "compensated"
    assert peer.keys()[6:] == keys  # the same in every run, so also after a take-over


async def test_after_the_failure_of_an_item_those_under_way_end_and_no_other_begins(process: Process, peer: Hooked) -> None:
    peer.bad = {0, 1}
    id_ = await process.start("Wide")
    await process.run()
    assert sorted(values["n"] for _, values in peer.calls) == [0, 1]
    await process.advance(hours=2)
    assert (await process.show(id_))[0].status == "failed"
    assert sorted(values["n"] for _, values in peer.calls) == [0, 0, 1, 1]


async def test_a_worker_whose_lease_is_nearly_over_undoes_nothing_outside(
    process: Process, peer: Hooked, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer.bad = {2}

    async def standing_still() -> None:
        process.dispatcher.leases.renewed -= BEGIN_WITHIN

    peer.before[2] = standing_still
    id_ = await process.start("Undone")
    await process.run()
    assert peer.names() == ["Peer.ping", "Peer.ping"]
    process.time.now += timedelta(milliseconds=LEASE_MS)  # type: ignore[union-attr]  # this process has one
    await process.run()
    assert peer.names() == ["Peer.ping", "Peer.ping", "Peer.pong"]
    assert (await process.show(id_))[0].status == "compensated"


async def test_a_fork_does_not_take_over_what_was_undone(process: Process, peer: Hooked) -> None:
    peer.bad = {2}
    execution, _ = await process.complete("Undone")
    assert execution.status == "compensated"
    with pytest.raises(WrongState) as refused:
        await process.durable.control.fork(execution.id, "two")
    assert refused.value.hint == "step 'one' was undone; fork from it, or from a step before it"
    peer.bad = set()
    fork = await process.durable.control.fork(execution.id, "one")
    await process.run()
    assert (await process.show(fork.id))[0].status == "completed"


async def test_an_effect_outside_of_the_database_keeps_no_transaction_open(process: Process, peer: Hooked) -> None:
    used: list[int] = []

    async def look() -> None:
        used.append(process.database.statistics().in_use)

    peer.before[1] = look
    execution, _ = await process.complete("Says")
    assert (execution.status, used) == ("completed", [0])


async def test_a_condition_that_fails_is_asked_again_before_the_step_runs(process: Process, peer: Hooked) -> None:
    id_ = await process.start("Conditional", {"n": 0})
    await process.advance(minutes=10)
    execution, records = await process.show(id_)
    assert (execution.status, execution.error["code"], records["a"].attempt) == ("failed", "evaluation_error", 3)  # type: ignore[index]
    assert peer.calls == []


async def test_a_workflow_ends_by_its_time_also_while_a_list_cannot_be_had(process: Process) -> None:
    id_ = await process.start("Unlisted", {"n": 0})
    await process.run()
    process.time.now += timedelta(minutes=61)  # type: ignore[union-attr]  # this process has one
    await asyncio.wait_for(process.run(), 60)
    execution, _ = await process.show(id_)
    assert (execution.status, execution.error["code"]) == ("failed", "timeout")  # type: ignore[index]


async def test_a_list_that_cannot_be_had_is_tried_again_in_its_time_only(process: Process) -> None:
    id_ = await process.start("Unlisted", {"n": 0})
    await process.run()
    await process.durable.control.signal(id_, "approved", {"by": "me"})
    await process.run()
    assert (await process.show(id_))[1]["a"].attempt == 1


async def test_items_of_a_cancelled_step_are_undone_when_that_is_asked_for(process: Process, peer: Hooked) -> None:
    id_ = await process.start("Cut")
    peer.before[3] = lambda: process.durable.control.cancel(id_)
    await process.run()
    assert (await process.show(id_))[0].status == "cancelled"
    await process.durable.control.compensate(id_)
    await process.run()
    execution, _ = await process.show(id_)
    assert (execution.status, execution.compensation) == ("compensated", "done")
    assert [values["n"] for name, values in peer.calls if name == "Peer.pong"] == [1, 0]


async def test_how_long_a_step_waits_is_not_how_long_undoing_it_may_take(process: Process) -> None:
    steps = process.durable.definitions.current("workflow", "Waiting").plan.steps
    assert (steps["a"].timeout, steps["a"].limit, steps["b"].limit) == (2 * 86_400.0, 60.0, 5.0)


async def test_what_the_database_does_to_everybody_fails_no_step(process: Process, peer: Peer) -> None:
    """No connection was free, transactions stood in each other's way: the step is begun again, and no try is counted."""
    inner, refusals = peer.call, [PoolExhausted("none is free"), SerializationFailure("two waited for each other")]

    async def call(*arguments: Any) -> Any:
        if refusals:
            raise refusals.pop()
        return await inner(*arguments)

    peer.call = call  # type: ignore[method-assign]  # this once
    id_ = await process.start("Ends", {"text": unique()})
    await process.advance(seconds=5)
    execution, records = await process.show(id_)
    assert (execution.status, records["a"].attempt, refusals) == ("completed", 0, [])
