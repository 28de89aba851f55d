"""Step kinds, conditions, repetition, groups, failures: one program, each workflow a statement about the language page, section 9."""

import asyncio

import pytest
from programs import Process, unique

from codeai.durable.executions import new_id
from codeai.durable.statements import PAGE
from codeai.storage.portable import portable

PROGRAM = """
entity Stock { id: uuid, primary, auto   name: string, required, unique   held: int, default(0)   price: decimal(10,2), default(1.50) }
entity Shelf {
    id: uuid, primary, auto   label: string, required   code: string, secret   built: timestamp, required
    boxes: many(Box.shelf)
}
entity Box {
    id: uuid, primary, auto   name: string, required   weight: decimal(8,2), required   packed: timestamp, required
    shelf: ref(Shelf), required   spare_id: ref(Shelf)
}
event OrderShipped { payload { order: string } }
event Approved { payload { order: string, by: string } }
integration Payments {
    base_url: "https://payments.example.com"
    operation charge { method: POST path: "/charges" body { amount: int } returns { id: string, status: string } }
    operation refund { method: POST path: "/refunds" body { charge: string } returns { id: string, status: string } }
}
function double(n: int) -> int { return n * 2 }

workflow Data {
    input { name: string, n: int, default(3) }
    steps {
        make { do { let row = create Stock { name: input.name, held: input.n } return row } }
        read { query: get Stock(steps.make.id)  as: found }
        calc { action: double(found.held) }
        pure { do { let x = steps.calc.output + 1 return { total: x, price: steps.make.output.price } } }
        test { check: steps.pure.output.total == 7 }
    }
    on_complete { emit OrderShipped { order: input.name }  return { total: steps.pure.total, price: steps.pure.price } }
}
workflow Conditions {
    input { go: bool }
    steps {
        a { when: input.go  do { return 1 } }
        b { when: steps.a.ok  do { return 2 } }
        c { when: not steps.a.ok  do { return 3 } }
        d { do { return [steps.a.output, steps.b.output, steps.c.output] } }
    }
}
workflow Items {
    input { names: list(string) }
    steps {
        make for_each name in input.names { do { create Stock { name: name, held: index } return "{name}!" } }
        wide for_each name in steps.make.output parallel 3 { call: Payments.charge { amount: len(name) } }
        ids { do { return steps.wide.output.map(r => r.id) } }
    }
}
workflow Sides {
    steps {
        parallel { left { do { return 1 } }  right { do { return 2 } } }
        both { do { return steps.left.output + steps.right.output } }
    }
}
workflow Retried {
    input { amount: int }
    steps { charge { call: Payments.charge { amount: input.amount }  retry: 2 times with exponential_backoff } }
}
workflow Continues {
    steps {
        charge { call: Payments.charge { amount: 1 }  retry: 0 times  on_fail: continue }
        after { do { return { ok: steps.charge.ok, code: steps.charge.error.code, out: steps.charge.output } } }
    }
}
workflow Says {
    input { name: string }
    steps { a { check: false  on_fail: fail("no luck, {input.name}") } }
    on_fail { create Stock { name: "{input.name}: {error.message}" } }
}
workflow Handles {
    input { name: string }
    steps {
        a { check: false  on_fail { create Stock { name: input.name } return 5 } }
        b { do { return steps.a.output } }
    }
}
workflow Rollback {
    input { names: list(string), amount: int, default(1) }
    steps {
        hold for_each n in input.names {
            do { create Stock { name: n, held: 1 } }
            compensate { update Stock set held = held - 1 where name == n }
        }
        charge { call: Payments.charge { amount: input.amount }  compensate: call Payments.refund { charge: result.id } }
        fails { check: false  on_fail: rollback }
    }
    on_fail { create Stock { name: "{input.names[0]} failed: {error.step}" } }
}
workflow Sleeps { steps { a { do { return now() } }  nap { sleep: 1h }  b { do { return now() } } } }
workflow Waits {
    input { order: string }
    steps { ok { wait: Approved where event.order == input.order  timeout: 2d  on_timeout: continue }  who { do { return steps.ok.by } } }
}
workflow Later {
    input { order: string }
    steps { nap { sleep: 1h }  ok { wait: Approved where event.order == input.order }  who { do { return steps.ok.by } } }
}
workflow Parent {
    input { name: string }
    steps { child { start: Data { name: input.name } }  id { do { return steps.child.output.name } } }
}
workflow Rows {
    input { name: string }
    steps {
        make {
            do {
                let shelf = create Shelf { label: "s {input.name}", code: "hidden", built: "2026-01-02T03:04:05Z" }
                return create Box { name: input.name, weight: 1.25, packed: "2026-01-02T04:04:05Z", shelf: shelf }
            }
        }
        load { query: get Box(steps.make.id) with shelf, spare }
        whole {
            do {
                let shelf = get Shelf(steps.load.output.shelf.id) with boxes.shelf
                return shelf
            }
        }
        each for_each box in (select Box with shelf.boxes where name == input.name) {
            do {
                update box { weight: box.weight * 2, packed: box.packed + 1h }
                return { label: box.shelf.label, age: box.packed - box.shelf.built, boxes: box.shelf.boxes.length }
            }
            compensate { create Stock { name: "{box.name} was on {box.shelf.label} for {result.age}" } }
        }
        again { query: get Box(steps.make.id) }
        shelves {
            do {
                let labels = steps.whole.boxes.map(b => b.shelf.label)
                return { of_load: steps.load.shelf.built, spare: steps.load.spare.label, of_boxes: labels, each: steps.each.output }
            }
        }
        fails { check: false  on_fail: rollback }
    }
}
workflow Slow { timeout: 1h  steps { a { sleep: 2h }  b { do { return 1 } } } }
workflow Branches {
    input { name: string }
    steps {
        parallel {
            bad { check: false  on_fail: rollback }
            slow { sleep: 1h }
            good { do { create Stock { name: input.name, held: 1 } }  compensate { update Stock set held = 0 where name == input.name } }
        }
        never { do { create Stock { name: "never {input.name}" } } }
    }
}
workflow Lenient {
    input { names: list(string) }
    steps { charge for_each n in input.names parallel 2 { call: Payments.charge { amount: len(n) }  retry: 0 times  on_fail: continue } }
}
workflow Napping {
    input { minutes: list(int) }
    steps {
        nap for_each m in input.minutes parallel 2 { sleep: 10m }
        all { do { return len(input.minutes) } }
    }
}
workflow Late { steps { charge { call: Payments.charge { amount: 1 }  timeout: 50ms  retry: 0 times  on_timeout: continue } } }
workflow Narrow { concurrency: 2  steps { charge { call: Payments.charge { amount: 1 } } } }
workflow Keyed { input { k: string }  key: input.k  steps { a { sleep: 1h } } }
workflow Rejecting { input { k: string }  key: input.k  on_duplicate: reject  steps { a { sleep: 1h } } }
workflow Queueing { input { k: string }  key: input.k  on_duplicate: queue  steps { a { sleep: 1h } } }
workflow Once { input { k: string }  key: input.k  once: true  steps { a { do { return 1 } } } }
"""


async def test_steps_see_what_was_before_and_results_keep_their_types(process: Process) -> None:
    name = unique()
    execution, records = await process.complete("Data", {"name": name})
    assert (execution.status, execution.error) == ("completed", None)
    assert execution.output == {"total": 7, "price": "1.50"} or execution.output["total"] == 7
    assert {step: record.status for step, record in records.items()} == dict.fromkeys(("make", "read", "calc", "pure", "test"), "done")
    assert await process.rows(f"SELECT held FROM stocks WHERE name = '{name}'") == [(3,)]
    assert process.outbox.events == [("order.shipped", {"order": name})]


@pytest.mark.parametrize(("go", "wanted"), [(True, [1, 2, None]), (False, [None, None, 3])])
async def test_when_skips(process: Process, go: bool, wanted: list[int | None]) -> None:
    execution, _ = await process.complete("Conditions", {"go": go})
    assert execution.output == wanted


async def test_items_have_records_of_their_own_and_outputs_in_order(process: Process) -> None:
    names = [unique() for _ in range(5)]
    execution, records = await process.complete("Items", {"names": names})
    assert execution.status == "completed", execution.error
    assert [records[f"make[{index}]"].output for index in range(5)] == [f"{name}!" for name in names]
    assert len(execution.output) == 5
    keys = sorted(values["idempotency_key"] for _, values in process.peer.calls)
    assert keys == [f"{execution.id}/wide[{index}]" for index in range(5)]


async def test_rows_keep_their_types_and_the_relations_that_their_query_names(process: Process) -> None:
    name = unique()
    execution, records = await process.complete("Rows", {"name": name})
    assert (execution.status, execution.error["step"]) == ("compensated", "fails")
    shelf = records["load"].output["shelf"]
    assert (shelf["label"], records["load"].output["spare"]) == (f"s {name}", None)
    assert records["whole"].output["boxes"][0]["shelf"]["id"] == shelf["id"]
    assert "hidden" not in str([record.output for record in records.values()])
    assert records["each[0]"].output == {"label": f"s {name}", "age": "1h", "boxes": 1}
    assert records["shelves"].output["of_load"].startswith("2026-01-02T03:04:05")
    assert records["shelves"].output["of_boxes"] == [f"s {name}"]
    assert records["again"].output["weight"] == 2.5
    assert await process.rows(f"SELECT count(*) FROM stocks WHERE name = '{name} was on s {name} for 1h'") == [(1,)]


async def test_an_empty_list_is_no_work(process: Process) -> None:
    execution, _ = await process.complete("Items", {"names": []})
    assert (execution.status, execution.output) == ("completed", [])


async def test_parallel_steps_end_before_what_follows(process: Process) -> None:
    execution, _ = await process.complete("Sides")
    assert execution.output == 3


async def test_failures_are_tried_again_with_growing_delays_and_one_key(process: Process) -> None:
    process.peer.failures["Payments.charge"] = 2
    execution, records = await process.complete("Retried", {"amount": 5})
    assert (execution.status, records["charge"].status, records["charge"].attempt) == ("waiting", "retrying", 1)
    await process.advance(seconds=10)
    execution, records = await process.show(execution.id)
    assert (execution.status, records["charge"].attempt) == ("completed", 2)
    assert len({values["idempotency_key"] for _, values in process.peer.calls}) == 1


async def test_after_the_last_try_it_has_failed_and_retry_goes_on_from_there(process: Process) -> None:
    process.peer.failures["Payments.charge"] = 3
    execution, _ = await process.complete("Retried", {"amount": 5})
    await process.advance(minutes=5)
    execution, _ = await process.show(execution.id)
    assert (execution.status, execution.error["step"]) == ("failed", "charge")
    assert "not reachable" in execution.error["message"]
    await process.durable.control.retry(execution.id, "ops")
    await process.durable.control.retry(execution.id, "ops")
    await process.run()
    execution, _ = await process.show(execution.id)
    assert (execution.status, execution.attempt) == ("completed", 2)


async def test_what_waits_for_its_next_try_is_tried_now_when_somebody_says_so(process: Process) -> None:
    process.peer.failures["Payments.charge"] = 2
    execution, records = await process.complete("Retried", {"amount": 5})
    for attempt in (1, 2):
        assert (records["charge"].status, records["charge"].attempt) == ("retrying", attempt)
        await process.durable.control.retry(execution.id, "ops")
        await process.durable.control.retry(execution.id, "ops")  # asked for already
        await process.run()  # time stands still
        execution, records = await process.show(execution.id)
    assert (execution.status, execution.attempt) == ("completed", 1)
    retries = f"SELECT count(*) FROM audit_log WHERE key = '{execution.id}' AND action = 'retry'"
    assert await process.rows(retries) == [(2,)]


async def test_a_compensation_that_waits_for_its_next_try_is_tried_now_when_somebody_says_so(process: Process) -> None:
    process.peer.failures["Payments.refund"] = 1
    execution, records = await process.complete("Rollback", {"names": [unique()]})
    assert (execution.status, records["charge"].compensation) == ("compensating", "running")
    await process.durable.control.retry(execution.id, "ops")
    await process.run()
    execution, _ = await process.show(execution.id)
    assert (execution.status, execution.compensation) == ("compensated", "done")


async def test_continue_leaves_null_and_says_why(process: Process) -> None:
    process.peer.failures["Payments.charge"] = 1
    execution, _ = await process.complete("Continues")
    assert execution.output == {"ok": False, "code": "internal_error", "out": None}


async def test_fail_says_its_text_and_runs_what_follows_a_failure(process: Process) -> None:
    name = unique()
    execution, _ = await process.complete("Says", {"name": name})
    assert (execution.status, execution.error["message"], execution.compensation) == ("failed", f"no luck, {name}", "none")
    assert await process.rows(f"SELECT count(*) FROM stocks WHERE name = '{name}: no luck, {name}'") == [(1,)]


async def test_a_block_handles_a_failure(process: Process) -> None:
    execution, _ = await process.complete("Handles", {"name": unique()})
    assert (execution.status, execution.output) == ("completed", 5)


async def test_rollback_undoes_in_reverse_order_with_item_and_result(process: Process) -> None:
    names = [unique(), unique()]
    execution, records = await process.complete("Rollback", {"names": names})
    assert (execution.status, execution.compensation, execution.error["step"]) == ("compensated", "done", "fails")
    assert process.peer.names() == ["Payments.charge", "Payments.refund"]
    assert process.peer.calls[1][1] == {"charge": "r1", "idempotency_key": f"{execution.id}/charge/compensate"}
    assert await process.rows(f"SELECT held FROM stocks WHERE name IN ('{names[0]}', '{names[1]}')") == [(0,), (0,)]
    undone = sorted((record for record in records.values() if record.compensation == "done"), key=lambda record: -record.seq)
    assert [record.name for record in undone] == ["charge", "hold[1]", "hold[0]"]
    assert await process.rows(f"SELECT count(*) FROM stocks WHERE name = '{names[0]} failed: fails'") == [(1,)]


async def test_a_compensation_that_fails_stops_for_an_operator_who_goes_on(process: Process) -> None:
    process.peer.failures["Payments.refund"] = 4
    names = [unique()]
    execution, _ = await process.complete("Rollback", {"names": names})
    await process.advance(minutes=10)
    execution, records = await process.show(execution.id)
    assert (execution.status, execution.compensation, records["charge"].compensation) == ("failed", "failed", "failed")
    assert records["hold[0]"].compensation == "none"
    await process.durable.control.compensate(execution.id, "ops")
    await process.run()
    execution, records = await process.show(execution.id)
    assert (execution.status, execution.compensation, records["hold[0]"].compensation) == ("compensated", "done", "done")
    assert await process.rows(f"SELECT count(*) FROM stocks WHERE name = '{names[0]} failed: fails'") == [(1,)]


async def test_sleeping_costs_nothing_and_ends_in_time(process: Process) -> None:
    execution, _ = await process.complete("Sleeps")
    assert execution.status == "waiting"
    await process.advance(minutes=59)
    assert (await process.show(execution.id))[0].status == "waiting"
    await process.advance(minutes=2)
    assert (await process.show(execution.id))[0].status == "completed"


async def test_a_wait_takes_the_matching_signal(process: Process) -> None:
    execution, _ = await process.complete("Waits", {"order": "o1"})
    signal = process.durable.control.signal
    await signal(execution.id, "approved", {"order": "o2", "by": "nobody"})
    assert await signal(execution.id, "approved", {"order": "o1", "by": "ann"}, event_id="e1")
    assert not await signal(execution.id, "approved", {"order": "o1", "by": "bob"}, event_id="e1")
    await process.run()
    execution, _ = await process.show(execution.id)
    assert (execution.status, execution.output) == ("completed", "ann")


async def test_a_wait_ends_by_its_time(process: Process) -> None:
    execution, _ = await process.complete("Waits", {"order": "o1"})
    await process.advance(days=2, seconds=1)
    execution, _ = await process.show(execution.id)
    assert (execution.status, execution.output) == ("completed", None)


async def test_a_child_starts_with_the_step(process: Process) -> None:
    execution, records = await process.complete("Parent", {"name": unique()})
    assert (execution.status, execution.output) == ("completed", "Data")
    child, _ = await process.show(records["child"].output["id"])
    assert child.status == "completed"


async def test_a_workflow_ends_by_its_time(process: Process) -> None:
    execution, _ = await process.complete("Slow")
    await process.advance(hours=3)
    execution, _ = await process.show(execution.id)
    assert (execution.status, execution.error["code"]) == ("failed", "timeout")


async def test_a_taken_key_gives_the_running_execution(process: Process) -> None:
    key = unique()
    first = await process.start("Keyed", {"k": key})
    assert await process.start("Keyed", {"k": key}) == first
    await process.advance(hours=1, seconds=1)
    assert await process.start("Keyed", {"k": key}) != first


async def test_a_taken_key_can_be_refused(process: Process) -> None:
    key = unique()
    await process.start("Rejecting", {"k": key})
    with pytest.raises(Exception, match="runs already for key"):
        await process.start("Rejecting", {"k": key})


async def test_a_taken_key_can_queue(process: Process) -> None:
    key = unique()
    ids = [await process.start("Queueing", {"k": key}) for _ in range(3)]
    await process.run()
    assert [(await process.show(id_))[0].status for id_ in ids] == ["waiting", "pending", "pending"]
    await process.advance(hours=1, seconds=1)
    assert [(await process.show(id_))[0].status for id_ in ids] == ["completed", "waiting", "pending"]
    await process.durable.control.cancel(ids[1])
    await process.run()
    assert [(await process.show(id_))[0].status for id_ in ids] == ["completed", "cancelled", "waiting"]


async def test_once_counts_finished_ones_too(process: Process) -> None:
    key = unique()
    first, _ = await process.complete("Once", {"k": key})
    assert await process.start("Once", {"k": key}) == first.id


async def test_once_counts_cancelled_ones_too(process: Process) -> None:
    key = unique()
    first = await process.start("Once", {"k": key})
    await process.durable.control.cancel(first)
    await process.run()
    assert (await process.show(first))[0].status == "cancelled"
    assert await process.start("Once", {"k": key}) == first


async def test_concurrent_starts_of_one_key_are_one(process: Process) -> None:
    key = unique()
    found = await asyncio.gather(*(process.start("Keyed", {"k": key}) for _ in range(8)))
    assert len(set(found)) == 1


async def test_cancel_ends_what_waits_and_may_be_repeated(process: Process) -> None:
    execution, _ = await process.complete("Sleeps")
    for _ in range(2):
        await process.durable.control.cancel(execution.id, "ops")
    await process.run()
    execution, _ = await process.show(execution.id)
    assert execution.status == "cancelled"
    trail = await process.rows(f"SELECT actor, action FROM audit_log WHERE key = '{execution.id}' AND action = 'cancel'")
    assert trail == [("ops", "cancel")]


async def test_compensate_on_demand_undoes_a_complete_execution(process: Process) -> None:
    process.peer.answer["Payments.charge"] = {"id": "c9", "status": "ok"}
    names = [unique()]
    execution, _ = await process.complete("Rollback", {"names": names})
    assert execution.status == "compensated"
    execution, _ = await process.complete("Retried", {"amount": 1})
    await process.durable.control.compensate(execution.id)
    await process.run()
    assert (await process.show(execution.id))[0].status == "compensated"


async def test_a_fork_takes_over_what_lies_before_a_step(process: Process) -> None:
    name = unique()
    first, _ = await process.complete("Data", {"name": name})
    fork = await process.durable.control.fork(first.id, "calc", "ops")
    await process.run()
    forked, records = await process.show(fork.id)
    assert (forked.status, records["make"].compensation) == ("completed", "copied")
    assert await process.rows(f"SELECT count(*) FROM stocks WHERE name = '{name}'") == [(1,)]


async def test_a_paused_definition_begins_nothing_until_it_is_active(process: Process) -> None:
    await process.durable.control.set_definition_status("Sides", "paused")
    execution, _ = await process.complete("Sides")
    assert execution.status == "pending"
    await process.durable.control.set_definition_status("Sides", "active")
    await process.run()
    assert (await process.show(execution.id))[0].status == "completed"


async def test_a_branch_that_fails_waits_for_its_siblings_before_rollback(process: Process) -> None:
    name = unique()
    execution, records = await process.complete("Branches", {"name": name})
    assert (execution.status, records["bad"].status, records["good"].compensation) == ("waiting", "failed", "none")
    await process.advance(hours=1, seconds=1)
    execution, records = await process.show(execution.id)
    assert (execution.status, records["slow"].status, records["good"].compensation) == ("compensated", "done", "done")
    assert await process.rows(f"SELECT count(*) FROM stocks WHERE name = 'never {name}'") == [(0,)]


async def test_continue_counts_for_each_item(process: Process) -> None:
    process.peer.failures["Payments.charge"] = 1
    execution, records = await process.complete("Lenient", {"names": ["a", "b", "c"]})
    assert execution.status == "completed"
    assert sorted(record.status for name, record in records.items() if "[" in name) == ["continued", "done", "done"]
    assert sum(output is None for output in execution.output) == 1


async def test_items_that_sleep_keep_their_lanes(process: Process) -> None:
    execution, records = await process.complete("Napping", {"minutes": [1, 2, 3, 4, 5]})
    assert sum(record.status == "waiting" for record in records.values()) == 2
    await process.advance(minutes=20, seconds=5)
    assert (await process.show(execution.id))[0].status == "waiting"
    await process.advance(minutes=11)
    execution, _ = await process.show(execution.id)
    assert (execution.status, execution.output) == ("completed", 5)


async def test_a_step_that_takes_too_long_is_a_time_out(process: Process) -> None:
    process.peer.pause = 30.0
    execution, records = await process.complete("Late")
    assert (execution.status, records["charge"].status) == ("completed", "continued")
    assert records["charge"].error is not None
    assert records["charge"].error["code"] == "timeout"


async def test_concurrency_is_how_many_are_worked_on_at_a_time(process: Process) -> None:
    process.peer.together = 2
    for _ in range(7):
        await process.start("Narrow")
    await process.run()
    assert process.peer.most == 2
    assert len(process.peer.calls) == 7


async def test_a_wait_finds_events_that_came_before_it_also_behind_many_others(process: Process) -> None:
    execution, _ = await process.complete("Later", {"order": "o1"})
    store, now = process.durable.store, process.durable.parts.clock()
    rows = [
        (store.uuid(new_id()), "approved", store.instant(now), None, None, f'{{"order": "{order}", "by": "early"}}', 1)
        for order in (*(["o2"] * (2 * PAGE + 1)), "o1")
    ]
    async with process.database.transaction() as session:
        text = "INSERT INTO codeai_events (id, name, at, actor, key, payload, relayed) VALUES ($1, $2, $3, $4, $5, $6, $7)"
        await session.execute_many(portable(text, process.database.dialect), rows)
    await process.advance(hours=1, seconds=1)
    execution, _ = await process.show(execution.id)
    assert (execution.status, execution.output) == ("completed", "early")
