"""What happens between two moments: keys that are freed, messages that two waits want, commits whose answer is late."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from programs import Process, unique

from codeai.durable.dispatch.claiming import LEASE_MS
from codeai.durable.dispatch.leases import BEGIN_WITHIN
from codeai.durable.executions import new_id
from codeai.durable.records import Record
from codeai.durable.refusals import WrongState
from codeai.durable.waiting import Addressee, wake
from codeai.jobs.statements import TEXTS
from codeai.storage.interface import Session
from codeai.storage.watching import WATCHER

PROGRAM = """
entity Note { id: uuid, primary, auto   text: string, required }
event Approved { payload { by: string } }
event Paid { payload { amount: int } }
workflow Queueing { input { k: string }  key: input.k  on_duplicate: queue  steps { a { sleep: 1h } } }
workflow Rejecting { input { k: string }  key: input.k  on_duplicate: reject  steps { a { check: false } } }
workflow Two {
    steps {
        parallel {
            a { wait: Approved  timeout: 1h  on_timeout: continue }
            b { wait: Approved  timeout: 1h  on_timeout: continue }
        }
        who { do { return [steps.a.ok, steps.b.ok] } }
    }
}
workflow Both { steps { both { wait: Approved  wait: Paid }  sum { do { return steps.both.amount } } } }
workflow Slow { input { text: string }  steps { write { do { create Note { text: input.text } }  timeout: 1s  retry: 3 times } } }
workflow Writes {
    input { text: string }
    steps { one { do { create Note { text: input.text } } }  two { do { create Note { text: input.text } } } }
}
integration Peer { base_url: "https://peer.example.com"  operation ping { method: POST path: "/" body { n: int } returns { id: string } } }
workflow Outside { steps { a { call: Peer.ping { n: 1 } }  b { call: Peer.ping { n: 2 } } } }
workflow Over { timeout: 1h  steps { a { wait: Approved } } }
"""


async def statuses(process: Process, *ids: str) -> list[str]:
    return [(await process.show(id_))[0].status for id_ in ids]


async def test_one_that_queues_begins_also_when_its_key_is_freed_before_it_is_seen(process: Process) -> None:
    if process.database.dialect == "sqlite":
        pytest.skip("one writer: nobody ends while another one starts")
    key = unique()
    first = await process.start("Queueing", {"k": key})
    await process.run()
    async with process.database.transaction() as session:
        second = await process.durable.executions.begin(session, "workflow", "Queueing", {"k": key})
        await process.advance(hours=1, seconds=1)
        assert await statuses(process, first) == ["completed"]
    await process.run()
    assert await statuses(process, second.id) == ["waiting"]


async def test_one_that_queues_may_be_cancelled_while_others_queue_behind_it(process: Process) -> None:
    key = unique()
    ids = [await process.start("Queueing", {"k": key}) for _ in range(3)]
    await process.run()
    await process.durable.control.cancel(ids[1])
    await process.run()
    assert await statuses(process, *ids) == ["waiting", "cancelled", "pending"]
    await process.advance(hours=1, seconds=1)
    assert await statuses(process, *ids) == ["completed", "cancelled", "waiting"]


async def test_one_that_queues_begins_after_one_that_no_program_can_run(process: Process) -> None:
    key = unique()
    ids = [await process.start("Queueing", {"k": key}) for _ in range(2)]
    await process.database.writing().execute(f"UPDATE executions SET version = 'nobody has it' WHERE id = '{ids[0]}'", ())
    await process.run()
    await process.run()
    assert await statuses(process, *ids) == ["failed", "waiting"]


async def test_what_only_another_version_can_run_is_left_to_it_while_one_lives(process: Process) -> None:
    version = process.durable.definitions.current("workflow", "Writes").version
    (body,) = await process.rows(f"SELECT body FROM codeai_definitions WHERE version = '{version}'")
    newer, at = unique(), process.durable.store.instant(process.time())  # type: ignore[misc]  # it has a clock
    defined = (newer, "Writes", "workflow", str(body[0]).replace('"Note"', '"Newer"'), at, at)
    await process.database.writing().execute(process.durable.store.sql.define, defined)
    id_ = await process.start("Writes", {"text": unique()})
    await process.database.writing().execute(f"UPDATE executions SET version = '{newer}' WHERE id = '{id_}'", ())
    alone, there = process.durable.engine.accompanied, True

    async def accompanied() -> bool:
        return there

    process.durable.engine.accompanied = accompanied
    for _ in range(30):
        await process.advance(seconds=2)
    assert await statuses(process, id_) == ["pending"]
    assert await process.rows(f"SELECT attempts FROM codeai_activations WHERE subject = '{id_}'") == [(0,)]
    process.durable.engine.accompanied = alone
    await process.advance(hours=1)
    assert await statuses(process, id_) == ["failed"]


async def test_a_key_that_is_freed_while_it_is_asked_for_begins_at_once(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    key = unique()
    first = await process.start("Queueing", {"k": key})
    found, insert = process.durable.executions, process.durable.executions._insert
    freed = False

    async def late(session: Session, *arguments: Any) -> Any:
        nonlocal freed
        made = await insert(session, *arguments)
        if not freed:
            freed = True
            statement = f"UPDATE executions SET status = 'completed', active_key = NULL WHERE id = '{first}'"
            await session.execute(statement, ())
        return made

    monkeypatch.setattr(found, "_insert", late)
    second = await process.start("Queueing", {"k": key})
    await process.run()
    assert second != first
    assert await statuses(process, second) == ["waiting"]


async def test_a_message_belongs_to_one_wait(process: Process) -> None:
    execution, _ = await process.complete("Two")
    await process.durable.control.signal(execution.id, "approved", {"by": "ann"})
    await process.run()
    assert (await process.show(execution.id))[0].status == "waiting"
    await process.advance(hours=1, seconds=1)
    execution, _ = await process.show(execution.id)
    assert execution.status == "completed"
    assert sorted(execution.output) == [False, True]


async def test_each_wait_of_a_step_looks_back(process: Process) -> None:
    execution, _ = await process.complete("Both")
    store = process.durable.store
    values = (store.uuid(new_id()), "paid", store.instant(process.durable.parts.clock()), '{"amount": 7}')
    listed = "$1, $2, $3, NULL, NULL, $4, 1" if process.database.dialect == "postgresql" else "?1, ?2, ?3, NULL, NULL, ?4, 1"
    text = f"INSERT INTO codeai_events (id, name, at, actor, key, payload, relayed) VALUES ({listed})"
    await process.database.writing().execute(text, values)
    await process.durable.control.signal(execution.id, "approved", {"by": "ann"})
    await process.run()
    execution, _ = await process.show(execution.id)
    assert (execution.status, execution.output) == ("completed", 7)


async def test_a_commit_whose_answer_is_late_is_not_taken_for_a_time_out(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    begin = process.database.transaction
    text, late = unique(), list[Any]()

    @asynccontextmanager
    async def slow(**more: Any) -> AsyncIterator[Session]:
        async with begin(**more) as session:
            yield session
            there = [] if late else await session.fetch(f"SELECT text FROM notes WHERE text = '{text}'", ())
        if there:
            late.extend(there)
            await asyncio.sleep(1.2)  # longer than the step may take

    id_ = await process.start("Slow", {"text": text})
    monkeypatch.setattr(process.database, "transaction", slow)
    await process.advance(minutes=1)
    assert await statuses(process, id_) == ["completed"]
    assert len(late) == 1
    assert await process.rows(f"SELECT count(*) FROM notes WHERE text = '{text}'") == [(1,)]


async def test_what_a_branch_writes_late_undoes_no_progress(process: Process) -> None:
    execution, store = new_id(), process.durable.store
    done = Record(name="a", status="done", position=2, seq=1, output=1)
    halfway = Record(name="b", position=1)
    async with process.database.transaction() as session:
        await store.save(session, execution, [done, halfway])
        await store.save(session, execution, [Record(name="a", position=1), Record(name="b")])
    found = await process.rows(f"SELECT name, status, position FROM codeai_steps WHERE execution_id = '{execution}' ORDER BY name")
    assert found == [("a", "done", 2), ("b", "running", 1)]


async def test_a_wait_that_ends_with_its_workflow_is_forgotten(process: Process) -> None:
    execution, _ = await process.complete("Over")
    await process.advance(hours=1, seconds=1)
    assert await statuses(process, execution.id) == ["failed"]
    assert await process.rows(f"SELECT count(*) FROM codeai_waits WHERE execution_id = '{execution.id}'") == [(0,)]


async def test_a_retry_does_not_share_its_key(process: Process) -> None:
    key = unique()
    failed, _ = await process.complete("Rejecting", {"k": key})
    assert failed.status == "failed"
    other = await process.start("Rejecting", {"k": key})
    with pytest.raises(WrongState) as found:
        await process.durable.control.retry(failed.id)
    assert other in found.value.hint


async def test_one_origin_is_one_execution_also_where_keys_are_refused(process: Process) -> None:
    key = unique()
    first = await process.start("Rejecting", {"k": key}, origin="event:1" + key)
    assert await process.start("Rejecting", {"k": key}, origin="event:1" + key) == first


async def _blocked(process: Process) -> None:
    """Until somebody waits for a lock."""
    async with asyncio.timeout(60):
        while not (await process.rows("SELECT count(*) FROM pg_locks WHERE NOT granted"))[0][0]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def _hold(session: Session, execution: str) -> None:
    """What whoever works on an execution does before every write."""
    await session.fetch("SELECT again FROM codeai_activations WHERE subject = $1 FOR SHARE", (execution,))


async def test_an_operator_and_a_worker_do_not_wait_for_each_other(process: Process) -> None:
    if process.database.dialect == "sqlite":
        pytest.skip("one writer")
    id_ = await process.start("Over")
    async with process.database.transaction() as session:
        await _hold(session, id_)
        cancelled = asyncio.create_task(process.durable.control.cancel(id_))
        await _blocked(process)
        await session.execute("UPDATE executions SET status = 'running' WHERE id = $1", (uuid.UUID(id_),))
    assert (await cancelled).status == "cancelling"


async def test_events_and_workers_do_not_wait_for_each_other(process: Process) -> None:
    if process.database.dialect == "sqlite":
        pytest.skip("one writer")
    first, second = await process.start("Over"), await process.start("Over")
    durable = process.durable

    async def deliver() -> None:
        async with process.database.transaction() as session:
            await wake(durable.store, durable.dispatcher, session, [Addressee(second, "default", 5), Addressee(first, "default", 5)])

    async with process.database.transaction() as session:
        await _hold(session, first)
        delivered = asyncio.create_task(deliver())
        await _blocked(process)
        await _hold(session, second)
    await delivered


class _Counting:
    def __init__(self) -> None:
        self.statements: list[str] = []

    async def watch(self, statement: str, call: Any) -> Any:
        self.statements.append(statement.strip())
        return await call


async def test_a_step_with_a_row_costs_its_statement_one_record_and_a_commit(process: Process) -> None:
    if process.database.dialect == "sqlite":
        pytest.skip("statements to a server are what costs")
    counting = _Counting()
    token = WATCHER.set(counting)
    try:
        await process.complete("Writes", {"text": unique()})
    finally:
        WATCHER.reset(token)
    sent = counting.statements
    second = [number for number, statement in enumerate(sent) if '"notes"' in statement][1]
    assert sent[second - 1] == "COMMIT"  # of the first step
    assert sent[second + 1].startswith("WITH held")
    assert sent[second + 2] == "COMMIT"


async def test_a_worker_whose_lease_is_nearly_over_begins_no_effect(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stands still after the first call, for instance since its machine does: the second one belongs to its successor."""
    call = process.peer.call

    async def standing_still(*arguments: Any) -> Any:
        answer = await call(*arguments)
        process.dispatcher.leases.renewed -= BEGIN_WITHIN
        return answer

    monkeypatch.setattr(process.peer, "call", standing_still)
    execution, records = await process.complete("Outside")
    assert (execution.status, records["a"].status, len(process.peer.calls)) == ("running", "done", 1)
    monkeypatch.undo()
    process.time.now += timedelta(milliseconds=LEASE_MS)  # type: ignore[union-attr]  # this process has one
    await process.run()
    assert await statuses(process, execution.id) == ["completed"]
    assert len(process.peer.calls) == 2


async def test_whether_a_job_is_under_way_is_asked_of_an_index_without_what_has_ended(process: Process) -> None:
    text = TEXTS["unfinished"].replace("$1", "'Over'")
    if process.database.dialect == "sqlite":
        plan = await process.rows(f"EXPLAIN QUERY PLAN {text}")
    else:
        async with process.database.transaction() as session:
            await session.execute("SET LOCAL enable_seqscan = off", ())
            plan = [tuple(row) for row in await session.fetch(f"EXPLAIN {text}", ())]
    assert "executions_unfinished_idx" in str(plan)


async def test_one_that_this_program_cannot_run_is_offered_in_its_lane(process: Process) -> None:
    """Another process may run it, and how many of it run at a time holds there as well."""
    store, at = process.durable.store, process.durable.store.instant(process.durable.parts.clock())
    body = '{"definition": {"$": "workflow.Workflow", "name": "Slow", "concurrency": 3, "steps": "of a later program"}, "functions": {}}'
    await process.database.writing().execute(store.sql.define, (version := unique(), "Slow", "workflow", body, at, at))
    id_ = await process.start("Slow", {"text": unique()})
    columns = f"status = 'failed', version = '{version}', finished_at = created_at"
    await process.database.writing().execute(f"UPDATE executions SET {columns} WHERE id = '{id_}'", ())
    await process.database.writing().execute("DELETE FROM codeai_activations", ())
    await process.durable.control.retry(id_)
    offered = await process.rows(f"SELECT lane, lane_limit FROM codeai_activations WHERE subject = '{id_}'")
    assert offered == [("workflow:Slow", 3)]
