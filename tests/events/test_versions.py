"""Two versions of a program on one database: whoever relays, an event reaches the handlers of the newest; none fails on what it lacks."""

import pytest

from services.polling import eventually

pytestmark = pytest.mark.parametrize("run_program", ["postgresql"], indirect=True)
HEAD = """
config { name: "shop"  default_auth: public }
entity Note { id: uuid, primary, auto  text: text, required }
event Placed { payload { n: int, required }  key: n }
endpoint POST /places { body { n: int, required }  returns: void  do { emit(Placed, body) } }
"""
FIRST = 'on Placed { create Note { text: "first {event.n}" } }\n'
SECOND = 'on Placed { create Note { text: "second {event.n}" } }\n'
LARGE = 'on Placed where event.n > 100 { create Note { text: "large {event.n}" } }\n'
WAITS = 'workflow Later { steps { hear { wait: Placed where event.n == 7 } note { do { create Note { text: "heard" } } } } }\n'
STARTED = 'workflow Begun { trigger: Placed where event.n > 100  steps { note { do { create Note { text: "begun {trigger.n}" } } } } }\n'


async def place(app, *numbers):
    for number in numbers:
        assert (await app.http.post("/places", json={"n": number})).status_code == 204


async def notes(app):
    return sorted(row[0] for row in await app.rows("SELECT text FROM notes"))


async def asleep(app):
    """A process that serves and works on nothing."""
    await app.composition.dispatcher.stop(5)


async def awake(app):
    await app.composition.dispatcher.start()


async def relayed(app):
    async def done():
        return await app.one("SELECT count(*) FROM codeai_events WHERE relayed = 0") == 0

    await eventually(done)


async def gone(app):
    """The process ends without a farewell, and a minute passes."""
    await asleep(app)
    versions = app.composition.eventing.versions
    versions._beating.cancel()
    await app.database.writing().execute("UPDATE codeai_processes SET seen_ms = 1 WHERE id = $1", (versions._process,))


async def test_an_old_process_relays_to_handlers_that_only_the_new_one_has(run_program):
    old = await run_program(HEAD + FIRST)
    new = await run_program(HEAD + FIRST + SECOND, url=old.url)
    await asleep(new)
    await place(new, 1)
    await place(old, 2)
    await relayed(old)

    async def own_done():
        return await notes(old) == ["first 1", "first 2"]

    await eventually(own_done)
    waiting = await old.rows("SELECT target, status, attempts FROM codeai_deliveries WHERE status <> 'delivered'")
    assert waiting == [("placed#2", "pending", 0)] * 2
    await awake(new)
    await new.idle()
    assert await notes(new) == ["first 1", "first 2", "second 1", "second 2"]


async def test_an_old_process_that_has_no_handler_at_all_leaves_its_events_for_the_new_one(run_program):
    old = await run_program(HEAD)
    await asleep(old)
    new = await run_program(HEAD + FIRST, url=old.url)
    await place(old, 1)
    await new.idle()
    assert await notes(new) == ["first 1"]


async def test_conditions_of_the_new_version_are_decided_by_it(run_program):
    old = await run_program(HEAD + FIRST)
    new = await run_program(HEAD + FIRST + LARGE + STARTED, url=old.url)
    await asleep(new)
    await place(old, 1, 101)
    await relayed(old)
    await awake(new)
    await new.idle()

    async def begun():
        return await notes(new) == ["begun 101", "first 1", "first 101", "large 101"]

    await eventually(begun)
    assert await new.one("SELECT count(*) FROM executions") == 1


async def test_executions_of_the_new_version_hear_what_the_old_one_relays(run_program):
    old = await run_program(HEAD)
    new = await run_program(HEAD + WAITS, url=old.url)
    await new.composition.durable.control.start("workflow", "Later", {})

    async def waits():
        return await new.one("SELECT count(*) FROM codeai_waits") == 1

    await eventually(waits)
    await asleep(new)
    await old.composition.eventing.start()
    await awake(old)  # a program without handlers works on nothing by itself
    await place(old, 7)
    await relayed(old)
    await asleep(old)
    await awake(new)

    async def heard():
        return await notes(new) == ["heard"]

    await eventually(heard)


async def test_an_event_that_only_the_new_version_has_is_relayed_by_the_old_one(run_program):
    old = await run_program(HEAD + FIRST)
    more = """event Sold { payload { n: int } }  on Sold { create Note { text: "sold {event.n}" } }
    endpoint POST /sales { returns: void  do { emit Sold { n: 1 } } }"""
    new = await run_program(HEAD + FIRST + more, url=old.url)
    await asleep(new)
    assert (await new.http.post("/sales")).status_code == 204
    await relayed(old)
    await asleep(old)
    await awake(new)
    await new.idle()
    assert await notes(new) == ["sold 1"]


async def test_handlers_keep_their_deliveries_when_they_are_moved_and_edited(run_program):
    old = await run_program(HEAD + FIRST + SECOND)
    await asleep(old)
    await place(old, 1)
    new = await run_program(HEAD + SECOND + FIRST.replace("first", "1st"), url=old.url)
    await relay_alone(old)
    await old.composition.eventing.versions.stop()
    await new.idle()
    assert await notes(new) == ["1st 1", "second 1"]
    assert sorted(row[1:] for row in await new.deliveries()) == [("placed#2", "delivered", 1), ("placed#3", "delivered", 1)]


async def test_the_order_of_a_key_holds_over_an_edit(run_program):
    failing = 'on Placed { require exists Note where text == "go" else fail 409 "not yet"  create Note { text: "{event.n} old" } }\n'
    old = await run_program(HEAD.replace("key: n", "key: 1") + failing)
    await place(old, 1)

    async def failed():
        return await old.one("SELECT max(attempts) FROM codeai_deliveries") == 1

    await eventually(failed)
    await asleep(old)
    new = await run_program(HEAD.replace("key: n", "key: 1") + failing.replace("old", "new"), url=old.url)
    await old.composition.eventing.versions.stop()
    await place(new, 2)
    await new.database.writing().execute("INSERT INTO notes (id, text) VALUES (gen_random_uuid(), 'go')", ())
    await relayed(new)
    await new.hurry()
    await new.idle()
    assert [row[0] for row in await new.rows("SELECT text FROM notes ORDER BY id") if row[0] != "go"] == ["1 new", "2 new"]


async def test_a_delivery_to_a_handler_that_is_gone_waits_for_the_old_process_and_is_a_dead_letter_without_it(run_program):
    old = await run_program(HEAD + FIRST + SECOND)
    await asleep(old)
    await place(old, 1)
    await relay_alone(old)
    new = await run_program(HEAD + FIRST, url=old.url)

    async def first():
        return await notes(new) == ["first 1"]

    await eventually(first)
    assert await new.rows("SELECT target, attempts FROM codeai_deliveries WHERE status = 'pending'") == [("placed#2", 0)]
    await old.composition.eventing.versions.stop()
    await new.idle()
    found = await new.rows("SELECT target, error FROM codeai_deliveries WHERE status = 'dead'")
    assert found == [("placed#2", "no version of the program that runs has handler 'placed#2'")]


async def relay_alone(app):
    """Relays, and delivers nothing."""
    dispatcher = app.composition.dispatcher
    deliverer = dispatcher._handlers["delivery"]

    async def idle(claim):
        async with app.database.transaction() as session:
            await dispatcher.later(session, claim, 200)

    dispatcher._handlers["delivery"] = idle
    await awake(app)
    await relayed(app)
    await asleep(app)
    dispatcher._handlers["delivery"] = deliverer


async def test_the_old_version_counts_again_when_the_new_one_is_gone(run_program):
    old = await run_program(HEAD + FIRST)
    new = await run_program(HEAD + SECOND + LARGE, url=old.url)
    await gone(new)
    await place(old, 1)
    await old.idle()
    assert await notes(old) == ["first 1"]


async def test_an_old_process_that_starts_again_is_still_the_old_one(run_program):
    old = await run_program(HEAD + FIRST)
    new = await run_program(HEAD + FIRST + SECOND, url=old.url)
    again = await run_program(HEAD + FIRST, url=old.url)
    await asleep(new)
    await place(again, 1)
    await relayed(old)
    await awake(new)
    await new.idle()
    assert await notes(new) == ["first 1", "second 1"]


async def test_a_webhook_of_the_new_version_is_left_to_it(run_program):
    old = await run_program(HEAD)
    hook = 'webhook partners { event: Placed  url: "http://127.0.0.1:9/"  retry: 1 times }\n'
    new = await run_program(HEAD + hook, url=old.url)
    await asleep(new)
    await awake(old)
    await place(old, 1)
    await relayed(old)
    assert await old.rows("SELECT target, status, attempts FROM codeai_deliveries") == [("partners", "pending", 0)]


DAILY = 'job Daily { schedule: "0 6 * * *"  do { create Note { text: "daily" } } }\n'


async def ledger(app):
    return await app.rows("SELECT name, expression, status FROM codeai_schedules ORDER BY name")


async def test_schedules_are_those_of_the_newest_version_whoever_starts_last(run_program):
    old = await run_program(HEAD + DAILY)
    new = await run_program(HEAD + DAILY.replace("0 6", "0 7") + DAILY.replace("Daily", "More"), url=old.url)
    both = [("Daily", "0 7 * * *", "active"), ("More", "0 6 * * *", "active")]
    assert await ledger(new) == both
    again = await run_program(HEAD + DAILY, url=old.url)
    assert await ledger(new) == both
    await again.composition.eventing.versions.beat()
    assert await ledger(new) == both
    await new.composition.eventing.versions.stop()
    await again.composition.eventing.versions.beat()
    assert await ledger(again) == [("Daily", "0 6 * * *", "active"), ("More", "0 6 * * *", "removed")]
