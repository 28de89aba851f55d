"""Steps that are repeated over thousands of items: a turn costs what is new, whatever has ended before."""

import uuid
from typing import Any

import pytest
from programs import Peer, Process, Time

from codeai.durable.run import _MOST_KEPT, Run
from codeai.model.application import Application
from codeai.storage.opening import open_database
from codeai.storage.settings import DatabaseSettings

PROGRAM = """
entity Note { id: uuid, primary, auto   n: int, required }
integration Peer {
    base_url: "https://peer.example.com"
    operation ping { method: POST path: "/" body { n: int } returns { id: string } }
    operation undo { method: POST path: "/undo" body { n: int } returns { id: string } }
}
workflow Naps {
    input { numbers: list(int) }
    steps { nap for_each n in input.numbers parallel 10 { sleep: 1h  do { return n * 2 } }  all { do { return len(steps.nap.output) } } }
}
workflow Unread {
    input { numbers: list(int) }
    steps { nap for_each n in input.numbers parallel 10 { sleep: 1h  do { return n * 2 } }  rest { sleep: 1h }  end { do { return 1 } } }
}
workflow Plain {
    input { numbers: list(int) }
    steps { each for_each n in input.numbers { do { return n * 2 } }  sum { do { return steps.each.output.sum() } } }
}
workflow Undone {
    input { numbers: list(int) }
    steps {
        first { do { return 1 }  compensate: call Peer.undo { n: -1 } }
        each for_each n in input.numbers parallel 5 { do { return n }  compensate { call Peer.undo { n: n } } }
        last { check: false  on_fail: rollback }
    }
}
workflow Fails {
    input { numbers: list(int) }
    steps {
        each for_each n in input.numbers parallel 4 { sleep: 1m  call: Peer.ping { n: n }  retry: 0 times }
        all { do { return len(steps.each.output) } }
    }
}
"""


class Counting:
    """Counts rows of steps that are read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, process: Process) -> None:
        self.rows = 0
        store = process.durable.store
        record_of = store.record_of

        def counted(row: Any) -> Any:
            self.rows += 1
            return record_of(row)

        monkeypatch.setattr(store, "record_of", counted)


async def opened(settings: DatabaseSettings, application: Application) -> Process:
    database = open_database(settings)
    await database.start()
    found = Process(application, database, Time(), Peer())
    await found.durable.register()
    return found


async def test_a_turn_reads_what_is_under_way_and_what_has_ended_since_the_last(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    id_ = await process.start("Naps", {"numbers": list(range(300))})
    await process.run()
    await process.advance(hours=25)  # 250 of them have ended
    ended = await process.rows(f"SELECT count(*) FROM codeai_steps WHERE execution_id = '{id_}' AND name LIKE '%[%' AND status = 'done'")
    assert 240 <= ended[0][0] <= 250
    counting = Counting(monkeypatch, process)
    await process.durable.control.signal(id_, "nothing", {})
    await process.run()
    assert counting.rows <= 2 + 10  # the step and its lanes
    await process.advance(hours=10)
    execution, _ = await process.show(id_)
    assert (execution.status, execution.output) == ("completed", 300)


async def test_what_nobody_reads_is_not_loaded(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    id_ = await process.start("Unread", {"numbers": list(range(40))})
    await process.advance(hours=4.5)
    assert (await process.show(id_))[0].status == "waiting"
    counting = Counting(monkeypatch, process)
    await process.advance(hours=2)
    assert counting.rows <= 4
    assert (await process.show(id_))[0].status == "completed"


async def test_another_process_goes_on_with_the_items_that_are_left(
    process: Process, settings: DatabaseSettings, application: Application
) -> None:
    id_ = await process.start("Naps", {"numbers": list(range(25))})
    await process.advance(minutes=90)
    other = await opened(settings, application)
    try:
        other.time.now = process.time.now  # type: ignore[union-attr]  # both have one
        await other.advance(hours=3)
    finally:
        await other.database.close()
    execution, records = await process.show(id_)
    assert (execution.status, execution.output) == ("completed", 25)
    assert [records[f"nap[{n}]"].output for n in range(25)] == [n * 2 for n in range(25)]


async def test_items_that_are_written_leave_the_memory(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    most = 0
    relieve = Run.relieve

    async def watched(run: Run) -> None:
        nonlocal most
        await relieve(run)
        most = max(most, len(run.records))

    monkeypatch.setattr(Run, "relieve", watched)
    execution, records = await process.complete("Plain", {"numbers": list(range(3_000))})
    assert (execution.status, execution.output) == ("completed", 2 * sum(range(3_000)))
    assert len(records) == 3_002
    assert most <= _MOST_KEPT + 64


async def test_many_items_are_undone_in_reverse_order_piece_by_piece(process: Process) -> None:
    execution, records = await process.complete("Undone", {"numbers": list(range(450))})
    assert (execution.status, execution.compensation) == ("compensated", "done")
    undone = [values["n"] for _, values in process.peer.calls]
    by_end = sorted((record for record in records.values() if "[" in record.name), key=lambda record: -record.seq)
    assert undone == [*(record.output for record in by_end), -1]


async def test_a_compensation_that_is_tried_again_repeats_no_other(process: Process) -> None:
    process.peer.failures["Peer.undo"] = 1
    execution, _ = await process.complete("Undone", {"numbers": list(range(5))})
    assert execution.status == "compensating"
    await process.advance(minutes=2)
    undone = [values["n"] for _, values in process.peer.calls]
    assert (len(undone), len(set(undone)), undone[-1]) == (7, 6, -1)
    assert (await process.show(execution.id))[0].status == "compensated"


async def test_a_retry_runs_the_items_that_failed_and_those_that_had_not_begun(process: Process) -> None:
    process.peer.failures["Peer.ping"] = 1
    execution, _ = await process.complete("Fails", {"numbers": list(range(12))})
    await process.advance(minutes=10)
    found, records = await process.show(execution.id)
    assert (found.status, records["each"].status) == ("failed", "failed")
    begun = {values["n"] for _, values in process.peer.calls}
    assert len(begun) < 12
    await process.durable.control.retry(execution.id)
    await process.advance(minutes=10)
    found, _ = await process.show(execution.id)
    called = [values["n"] for _, values in process.peer.calls]
    assert (found.status, found.output, len(called), set(called)) == ("completed", 12, 13, set(range(12)))


async def test_what_is_new_is_read_by_indexes_of_items_alone(process: Process) -> None:
    text = process.durable.store.sql.load_items
    if process.database.dialect == "sqlite":
        plan = await process.rows(f"EXPLAIN QUERY PLAN {text.replace('?1', repr('x')).replace('?2', '5')}")
    else:
        async with process.database.transaction() as session:
            await session.execute("SET LOCAL enable_seqscan = off", ())
            text = text.replace("$1", f"'{uuid.UUID(int=1)}'").replace("$2", "5")
            plan = [tuple(row) for row in await session.fetch(f"EXPLAIN {text}", ())]
    assert "codeai_steps_items_idx" in str(plan)
    assert "codeai_steps_open_items_idx" in str(plan)
