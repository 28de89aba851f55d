"""Steps that wait for the workflow that they start."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from programs import Process, unique

from codeai.durable.faults import NoFaults
from codeai.durable.recorder import Recorder, Write
from codeai.durable.records import Change, Record
from codeai.durable.store import Store
from codeai.storage.errors import SerializationFailure
from codeai.storage.interface import Database, Session

PROGRAM = """
entity Note { id: uuid, primary, auto   text: string, required }
workflow Child {
    input { n: int, pause: bool, default(false) }
    steps {
        nap { when: input.pause  sleep: 1h }
        test { check: input.n > 0 }
        twice { do { return { value: input.n * 2 } } }
    }
}
workflow Keyed { input { k: string }  key: input.k  steps { nap { sleep: 1h }  one { do { return 1 } } } }
workflow Parent {
    input { n: int, pause: bool, default(false) }
    steps {
        child { start: Child { n: input.n, pause: input.pause }  await: true }
        next { do { return (steps.child.output.value as int) + 1 } }
    }
}
workflow Many {
    input { numbers: list(int) }
    steps {
        each for_each n in input.numbers parallel 2 { start: Child { n: n, pause: true }  await: true }
        sum { do { return steps.each.output.map(o => o.value) } }
    }
}
workflow Grand { steps { many { start: Many { numbers: [1, 2, 3] }  await: true } } }
workflow Brief {
    steps {
        child { start: Child { n: 1, pause: true }  await: true  timeout: 10m  on_timeout: continue }
        ok { do { return steps.child.ok } }
    }
}
workflow Again { input { n: int }  steps { child { start: Child { n: input.n }  await: true  retry: 2 times { delays: [1m] } } } }
workflow Undone {
    input { text: string }
    steps {
        note { do { create Note { text: input.text } }  compensate { delete Note where text == input.text } }
        child { start: Child { n: 0 }  await: true  on_fail: rollback }
    }
}
workflow Joins { input { k: string }  steps { child { start: Keyed { k: input.k }  await: true } } }
event Go { payload { k: string } }
integration Peer { base_url: "https://peer.example.com"  operation ping { method: POST path: "/" body { n: int } returns { id: string } } }
workflow Narrow { concurrency: 2  steps { go { wait: Go }  call { call: Peer.ping { n: 1 } } } }
"""


async def children(process: Process, parent: str) -> list[str]:
    return [str(row[0]) for row in await process.rows(f"SELECT id FROM executions WHERE parent_id = '{parent}' ORDER BY created_at, id")]


async def test_the_output_of_a_child_is_that_of_the_step(process: Process) -> None:
    execution, records = await process.complete("Parent", {"n": 4})
    assert (execution.status, execution.output, records["child"].output) == ("completed", 9, {"value": 8})


async def test_a_parent_that_waits_costs_nothing_and_goes_on_when_its_child_has_ended(process: Process) -> None:
    execution, records = await process.complete("Parent", {"n": 4, "pause": True})
    (child,) = await children(process, execution.id)
    assert (execution.status, records["child"].status, records["child"].output) == ("waiting", "waiting", {"id": child})
    assert await process.rows(f"SELECT id FROM codeai_activations WHERE subject = '{execution.id}'") == []
    await process.advance(hours=1)
    assert (await process.show(execution.id))[0].output == 9
    assert await process.rows("SELECT step FROM codeai_waits") == []


async def test_children_of_items_run_so_many_at_a_time(process: Process) -> None:
    execution, _ = await process.complete("Many", {"numbers": [1, 2, 3]})
    assert len(await children(process, execution.id)) == 2
    await process.advance(minutes=61)
    assert len(await children(process, execution.id)) == 3
    await process.advance(minutes=61)
    assert (await process.show(execution.id))[0].output == [2, 4, 6]


async def test_a_child_that_fails_fails_its_step_and_no_second_one_is_started(process: Process) -> None:
    execution, records = await process.complete("Parent", {"n": 0})
    (child,) = await children(process, execution.id)
    assert (execution.status, execution.error["code"]) == ("failed", "child_failed")  # type: ignore[index]
    assert execution.error["message"] == "'Child' is failed: the check of step 'test' does not hold"  # type: ignore[index]
    assert records["child"].error["body"]["id"] == child  # type: ignore[index]
    assert await process.rows("SELECT step FROM codeai_waits") == []


async def test_a_step_that_asks_for_tries_starts_another_child_for_each(process: Process) -> None:
    execution, _ = await process.complete("Again", {"n": 0})
    await process.advance(minutes=5)
    assert (await process.show(execution.id))[0].status == "failed"
    assert len(await children(process, execution.id)) == 3


async def test_what_came_before_a_child_that_fails_is_undone(process: Process) -> None:
    text = unique()
    execution, _ = await process.complete("Undone", {"text": text})
    assert (execution.status, await process.rows(f"SELECT text FROM notes WHERE text = '{text}'")) == ("compensated", [])


async def test_a_parent_waits_so_long_and_the_child_goes_on(process: Process) -> None:
    execution, _ = await process.complete("Brief")
    (child,) = await children(process, execution.id)
    await process.advance(minutes=10)
    assert (await process.show(execution.id))[0].output is False
    await process.advance(hours=1)
    assert (await process.show(child))[0].status == "completed"


async def test_a_parent_hears_of_a_child_that_is_cancelled(process: Process) -> None:
    execution, _ = await process.complete("Parent", {"n": 1, "pause": True})
    (child,) = await children(process, execution.id)
    await process.durable.control.cancel(child)
    await process.run()
    found = (await process.show(execution.id))[0]
    assert (found.status, found.error["message"]) == ("failed", "'Child' is cancelled")  # type: ignore[index]


@pytest.mark.parametrize("undone", [False, True])
async def test_who_cancels_a_parent_cancels_the_children_that_it_waits_for(process: Process, undone: bool) -> None:
    execution, _ = await process.complete("Grand")
    (parent,) = await children(process, execution.id)
    found = [execution.id, parent, *await children(process, parent)]
    assert len(found) == 4  # two at a time
    await process.durable.control.cancel(execution.id)
    if undone:
        await process.durable.control.compensate(execution.id)
    await process.run()
    first = "compensated" if undone else "cancelled"
    assert [(await process.show(id_))[0].status for id_ in found] == [first, "cancelled", "cancelled", "cancelled"]
    waits = await process.rows("SELECT execution_id FROM codeai_waits")
    assert not {str(row[0]) for row in waits} & set(found)


async def test_a_child_for_which_others_wait_outlives_who_started_it(process: Process) -> None:
    key = unique()
    first, _ = await process.complete("Joins", {"k": key})
    second, _ = await process.complete("Joins", {"k": key})
    for parent in (first, second):  # the other one did not start it
        await process.durable.control.cancel(parent.id)
        await process.run()
    (child,) = await children(process, first.id)
    assert [(await process.show(id_))[0].status for id_ in (first.id, second.id, child)] == ["cancelled", "cancelled", "waiting"]


async def test_two_parents_wait_for_the_one_that_has_the_key(process: Process) -> None:
    key = unique()
    first, _ = await process.complete("Joins", {"k": key})
    second, _ = await process.complete("Joins", {"k": key})
    assert (first.status, second.status) == ("waiting", "waiting")
    await process.advance(hours=1)
    assert [(await process.show(id_))[0].output for id_ in (first.id, second.id)] == [1, 1]


async def test_children_that_end_while_their_parents_begin_to_wait_are_heard(process: Process) -> None:
    """Workers of their own, so that both happen at once."""
    await process.dispatcher.start()
    ids = [await process.start("Parent", {"n": number}) for number in range(1, 30)]
    async with asyncio.timeout(60):
        while {(await process.show(id_))[0].status for id_ in ids} != {"completed"}:  # noqa: ASYNC110  # of another process it could not be heard
            await asyncio.sleep(0.05)
    await process.dispatcher.stop(5)


async def test_those_that_an_event_wakes_keep_to_how_many_run_at_a_time(process: Process) -> None:
    ids = [await process.start("Narrow") for _ in range(6)]
    await process.run()
    process.peer.together = 2
    for id_ in ids:
        await process.durable.control.signal(id_, "go", {"k": "x"})
    await process.run()
    assert {(await process.show(id_))[0].status for id_ in ids} == {"completed"}
    assert process.peer.most == 2


class Counting:
    """A database that counts the transactions which it had to end, since they waited for each other."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.ended = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    @asynccontextmanager
    async def transaction(self, **arguments: Any) -> AsyncIterator[Session]:
        try:
            async with self._database.transaction(**arguments) as session:
                yield session
        except SerializationFailure:
            self.ended += 1
            raise


async def test_processes_that_end_children_beside_the_parents_of_others_never_wait_in_a_circle(process: Process) -> None:
    """Each process writes the end of a child and a record of the parent for which the other one ends a child."""
    database = Counting(process.database)
    store = Store(database)  # type: ignore[arg-type]  # it stands for one
    process.durable.parts.store.database = database  # type: ignore[assignment]  # as above
    for _ in range(3):
        ids = [await process.start("Child", {"n": 1}) for _ in range(4)]
        claims = {claim.subject: claim for claim in await process.dispatcher._claimer.claim(10)}
        ended = Change(status="completed", finished_at=process.durable.parts.clock())
        batches = []
        for child, parent, other in ((ids[0], ids[1], ids[3]), (ids[2], ids[3], ids[1])):
            await database.writing().execute(store.sql.wait, (store.uuid(parent), "child", "@child", child))
            batches.append([Write(claims[child], child, (), ended, -1), Write(claims[other], other, (Record(name="note", status="done"),))])
        recorders = [Recorder(store, process.dispatcher, NoFaults()) for _ in batches]
        answers = await asyncio.gather(*(recorder._run(batch) for recorder, batch in zip(recorders, batches, strict=True)))
        assert answers == [["written", "written"]] * 2
        rows = await process.rows("SELECT subject, again FROM codeai_activations ORDER BY id")
        assert rows == [(ids[1], 1), (ids[3], 1)]  # both have heard of the end of their child
        await database.writing().execute("DELETE FROM codeai_activations", ())
    assert database.ended == 0
