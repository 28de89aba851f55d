"""Workflows that operators register while processes run: others take them up at once, and no event in between is missed."""

import asyncio

import pytest

from services.polling import eventually

PROGRAM = """
config { name: "shop"  default_auth: public }
entity Note { id: uuid, primary, auto  text: text, required }
event Placed { payload { n: int, required } }
endpoint POST /places { returns: void  do { emit Placed { n: 7 } } }
"""
STARTED = 'workflow Begun { trigger: Placed  steps { note { do { create Note { text: "begun {trigger.n}" } } } } }'
WAITING = 'workflow Later { trigger: manual  steps { hear { wait: Placed } note { do { create Note { text: "heard" } } } } }'
TOKEN = {"Authorization": "Bearer an operator's token"}


async def register(app, source):
    answer = await app.http.post("/api/v1/workflows", json={"source": source}, headers=TOKEN)
    assert answer.status_code == 201, answer.text


async def noted(app, text):
    async def there():
        return await app.rows("SELECT text FROM notes") == [(text,)]

    await eventually(there)


async def test_an_event_right_after_the_registration_starts_the_workflow(run_program):
    app = await run_program(PROGRAM, CODEAI_OPERATOR_TOKEN="an operator's token")
    registered = app.composition.controlling._registered
    await registered.stop()  # no process looks by itself: what relays the event sees that there is news
    registered.announce = lambda: asyncio.sleep(0)
    await app.composition.dispatcher.stop(1)
    await register(app, STARTED)
    assert registered.workflows == {}
    assert (await app.http.post("/places")).status_code == 204
    await app.composition.dispatcher.start()
    await noted(app, "begun 7")


async def test_a_registered_workflow_that_waits_hears_of_events_in_a_program_without_workflows(run_program):
    app = await run_program(PROGRAM, CODEAI_OPERATOR_TOKEN="an operator's token")
    await register(app, WAITING)
    assert (await app.http.post("/api/v1/workflows/Later/executions", headers=TOKEN)).status_code == 202

    async def waits():
        return await app.one("SELECT count(*) FROM codeai_waits") == 1

    await eventually(waits)
    assert (await app.http.post("/places")).status_code == 204
    await noted(app, "heard")


@pytest.mark.parametrize("run_program", ["postgresql"], indirect=True)
async def test_other_processes_are_told(run_program, monkeypatch):
    monkeypatch.setattr("codeai.control.registered._SAFETY", 3600.0)  # one that is told nothing would look by itself only then
    app = await run_program(PROGRAM, CODEAI_OPERATOR_TOKEN="an operator's token")
    other = await run_program(PROGRAM, url=app.url)
    await register(app, STARTED)
    registered = other.composition.controlling._registered

    async def taken_up():
        return "Begun" in registered.workflows

    await eventually(taken_up)


@pytest.mark.parametrize("run_program", ["postgresql"], indirect=True)
async def test_what_starts_one_that_the_program_cannot_run_any_more_waits_for_a_program_that_can(run_program):
    whole = PROGRAM + "entity Other { id: uuid, primary, auto  text: text, required }\n"
    app = await run_program(whole, CODEAI_OPERATOR_TOKEN="an operator's token")
    await register(app, STARTED.replace("Note", "Other"))
    await app.composition.stop()
    less = await run_program(PROGRAM, url=app.url)
    assert list(less.composition.controlling._registered.unable) == ["Begun"]
    assert (await less.http.post("/places")).status_code == 204

    async def put_off():
        return await less.rows("SELECT kind, cause FROM codeai_activations WHERE cause IS NOT NULL") == [
            ("delivery", "no program that runs can run workflow 'Begun'")
        ]

    await eventually(put_off)
    assert await less.deliveries() == [("workflow", "Begun", "pending", 0)]
    await less.composition.stop()
    again = await run_program(whole, url=app.url)

    async def begun():
        return await again.rows("SELECT text FROM others") == [("begun 7",)]

    await eventually(begun)
