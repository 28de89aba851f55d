"""Handlers: their effects and their mark are one transaction; retries, order, dead letters, replays."""

import asyncio

from services.polling import eventually

PROGRAM = """
config { name: "shop"  default_auth: public }
entity Switch { id: uuid, primary, auto  name: string, required, unique  on: bool, required }
entity Note { id: uuid, primary, auto  text: text, required  attempt: int  event: uuid  replayed: bool }

event Placed { payload { name: string, required, number: int, required }  key: name }
event Noted { payload { text: text, required } }

on Placed {
    create Note { text: "{event.name} {event.number}", attempt: event.attempt, event: event.id, replayed: event.replay_of is not null }
    emit Noted { text: "{event.name} {event.number}" }
    require exists Switch where name == event.name and on else fail 409 "switched off"
}
on Placed where event.number > 100 { create Note { text: "large" } }
on Noted where exists Note where text == "never" { create Note { text: "never" } }
on Noted { log info "{event.text}" }

endpoint POST /places { body { name: string, required, number: int, required }  returns: void  do { emit(Placed, body) } }
"""
FIRST, LARGE = "placed#1", "placed#2"


async def started(run_program, *on, **environment):
    app = await run_program(PROGRAM, **environment)
    for name in ("a", "b"):
        await switch(app, name, name in on)
    return app


async def switch(app, name, on):
    key = f"00000000-0000-7000-8000-{ord(name):012d}"
    writing = app.database.writing()
    quoted = "true" if app.database.dialect == "postgresql" else "1"
    state = quoted if on else ("false" if app.database.dialect == "postgresql" else "0")
    await writing.execute("DELETE FROM switches WHERE name = '" + name + "'", ())
    await writing.execute(f"INSERT INTO switches (id, name, \"on\") VALUES ('{key}', '{name}', {state})", ())


async def place(app, name, *numbers):
    for number in numbers:
        answer = await app.http.post("/places", json={"name": name, "number": number})
        assert answer.status_code == 204, answer.text


async def notes(app):
    return await app.rows("SELECT text, attempt FROM notes ORDER BY id")


async def failures(app, number):
    async def reached():
        return await app.one("SELECT coalesce(max(attempts), 0) FROM codeai_deliveries WHERE status = 'pending'") >= number

    await eventually(reached)


async def test_a_failed_handler_leaves_nothing_and_is_tried_again(run_program):
    app = await started(run_program)
    await place(app, "a", 1)
    await failures(app, 1)
    assert await notes(app) == []
    assert await app.one("SELECT count(*) FROM codeai_events WHERE name = 'noted'") == 0
    [(kind, target, status, attempts)] = await app.deliveries()
    assert (kind, target, status, attempts) == ("handler", FIRST, "pending", 1)
    assert await app.one("SELECT error FROM codeai_deliveries") == "switched off"
    await switch(app, "a", True)
    await app.hurry()
    await app.idle()
    assert await notes(app) == [("a 1", 2)]
    assert await app.one("SELECT count(*) FROM codeai_events WHERE name = 'noted'") == 1


async def test_each_handler_has_a_delivery_of_its_own(run_program):
    app = await started(run_program)
    await place(app, "a", 101)
    await failures(app, 1)

    async def large():
        return await notes(app) == [("large", None)]

    await eventually(large)
    assert sorted((row[1], row[2]) for row in await app.deliveries()) == [(FIRST, "pending"), (LARGE, "delivered")]


async def test_one_key_is_in_order_and_waits_for_its_retries(run_program):
    app = await started(run_program, "b")
    await place(app, "a", 1, 2, 3)
    await place(app, "b", 1)
    await failures(app, 1)

    async def other_key():
        return await notes(app) == [("b 1", 1)]

    await eventually(other_key)
    assert [row[3] for row in await app.deliveries() if row[1:3] == (FIRST, "pending")] == [1, 0, 0]
    await switch(app, "a", True)
    await app.hurry()
    await app.idle()
    assert [text for text, _ in await notes(app) if text.startswith("a")] == ["a 1", "a 2", "a 3"]


async def test_a_dead_letter_does_not_block_its_key(run_program):
    app = await started(run_program)
    await place(app, "a", 1)
    for number in range(1, 9):
        await failures(app, number)
        await app.hurry()
    await app.idle()
    assert await app.deliveries() == [("handler", FIRST, "dead", 9)]
    await switch(app, "a", True)
    await place(app, "a", 2)
    await app.idle()
    assert [text for text, _ in await notes(app)] == ["a 2"]
    control = app.composition.eventing.control
    [dead] = (await control.dead_letters()).data
    assert (dead.event, dead.error, dead.attempts) == ("placed", "switched off", 9)
    replayed = await control.replay_delivery(dead.id)
    again = await control.replay_delivery(dead.id)
    assert again.id == replayed.id
    await app.idle()
    assert [text for text, _ in await notes(app)] == ["a 2", "a 1"]
    assert (await control.dead_letters()).data == []
    assert (await control.delivery(dead.id)).delivery.status == "replayed"


async def test_a_replayed_event_keeps_its_identifier_and_says_what_it_is(run_program):
    app = await started(run_program, "a")
    await place(app, "a", 1)
    await app.idle()
    control = app.composition.eventing.control
    [event] = (await control.events(name="placed")).data
    made = await control.replay_event(event.id)
    assert [(one.target, one.replay_of) for one in made] == [(FIRST, event.id)]
    await app.idle()
    shown = await app.rows("SELECT replayed FROM notes ORDER BY id")
    assert [bool(row[0]) for row in shown] == [False, True]
    assert len(await app.rows("SELECT DISTINCT event FROM notes")) == 1


async def test_a_condition_that_asks_the_database_is_decided_by_the_delivery(run_program):
    app = await started(run_program, "a")
    await place(app, "a", 1)
    await app.idle()
    asking = [row for row in await app.deliveries() if row[1] == "noted#1"]
    assert [row[2] for row in asking] == ["delivered"]
    assert [text for text, _ in await notes(app)] == ["a 1"]


async def test_an_event_that_cannot_be_read_any_more_fails_in_sight_and_keeps_no_other_from_its_handlers(run_program):
    app = await started(run_program, "a")
    await place(app, "a", 1)
    await app.idle()
    columns = "id, name, at, actor, key, payload, relayed"
    kind = "uuid" if app.database.dialect == "postgresql" else "text"
    payload = '{"name": "old", "number": "many"}'
    old = f"SELECT CAST('00000000-0000-7000-8000-000000000001' AS {kind}), name, at, actor, 'old', '{payload}', 0"
    await app.database.writing().execute(f"INSERT INTO codeai_events ({columns}) {old} FROM codeai_events WHERE name = 'placed'", ())
    await place(app, "a", 2)

    async def handled():
        return await notes(app) == [("a 1", 1), ("a 2", 1)]

    await eventually(handled)
    said = "the payload does not fit event 'Placed' as this version of the program declares it"

    async def both_fail_in_sight():
        failing = await app.rows("SELECT target, error FROM codeai_deliveries WHERE status = 'pending' AND attempts > 0 ORDER BY target")
        return failing == [("placed#1", said), ("placed#2", said)]

    await eventually(both_fail_in_sight)


async def test_what_no_version_that_runs_has_is_a_dead_letter_at_once(run_program):
    app = await started(run_program, "a")
    await place(app, "a", 1)
    await app.idle()
    control = app.composition.eventing.control
    [delivery] = [one for one in (await control.deliveries()).data if one.target == FIRST]
    await app.database.writing().execute("UPDATE codeai_deliveries SET target = 'placed#9' WHERE target = 'placed#1'", ())
    await control.replay_delivery(delivery.id)
    await app.idle()
    [dead] = (await control.dead_letters()).data
    assert (dead.target, dead.error) == ("placed#9", "no version of the program that runs has handler 'placed#9'")


async def test_two_processes_share_the_work_and_double_nothing(run_program):
    app = await started(run_program, "a", "b")
    if app.database.dialect == "sqlite":
        return  # one process owns the file
    other = await run_program(PROGRAM, url=app.url)
    await asyncio.gather(*(place(one, name, *range(first, first + 20)) for first, one in ((0, app), (50, other)) for name in "ab"))
    await app.idle()
    found = [text for text, _ in await notes(app)]
    assert len(found) == len(set(found)) == 80
    for first in (0, 50):
        for name in "ab":
            mine = [int(text.split()[1]) for text in found if text.startswith(name)]
            assert [number for number in mine if first <= number < first + 20] == list(range(first, first + 20))


async def test_operators_see_attempts_and_what_waits_in_the_metrics(run_program):
    app = await started(run_program, CODEAI_METRICS_ACCESS="open")
    await place(app, "a", 1)
    for number in range(1, 9):
        await failures(app, number)
        await app.hurry()
    await app.idle()
    answer = await app.http.get("/metrics")
    assert 'event_deliveries_total{kind="handler",outcome="failed",target="placed#1"} 8.0' in answer.text
    assert 'event_deliveries_total{kind="handler",outcome="dead",target="placed#1"} 1.0' in answer.text
    assert 'dead_letters{kind="handler"} 1.0' in answer.text
    assert "events_waiting 0.0" in answer.text
