"""What a handler starts is started once for each event: whoever delivers it again, and a replay, start it again only by force."""

import pytest

PROGRAM = """
config { name: "starts"  default_auth: public }
entity Note { id: uuid, primary, auto  text: text, required }
event Placed { payload { number: int, required } }
on Placed do workflow Asked
on Placed do workflow Both
on Placed { for n in [1, 2] { start Twice { number: n } }  run Job { number: event.number }  create Note { text: "{event.number}" } }
workflow Asked { input { number: int }  steps { a { do { return input.number } } } }
workflow Both { trigger: Placed  steps { a { do { return trigger.number } } } }
workflow Twice { input { number: int }  steps { a { do { return input.number } } } }
job Job { input { number: int }  do { return input.number } }
endpoint POST /places { body { number: int, required }  returns: void  do { emit Placed { number: body.number } } }
"""


@pytest.fixture
async def app(run_program):
    return await run_program(PROGRAM)


async def started(app):
    rows = await app.rows("SELECT workflow_id, count(*) FROM executions GROUP BY workflow_id ORDER BY workflow_id")
    return {str(name): int(number) for name, number in rows}


async def test_what_a_handler_starts_is_started_again_only_by_force(app):
    for number in (1, 2):
        assert (await app.http.post("/places", json={"number": number})).status_code == 204
    await app.idle()
    assert await started(app) == {"Asked": 2, "Both": 2, "Job": 2, "Twice": 4}
    control = app.composition.eventing.control
    event, _ = (await control.events()).data
    await control.replay_event(event.id)
    await app.idle()
    assert await started(app) == {"Asked": 2, "Both": 2, "Job": 3, "Twice": 4}  # a job is work of the handler, as its rows are
    assert await app.one("SELECT count(*) FROM notes") == 3
    await control.replay_event(event.id, force=True)
    await app.idle()
    found = await started(app)
    assert (found["Asked"], found["Twice"]) == (3, 6)
