"""What is past its time goes, and nothing else: events, executions with their records, keys of requests; counted, logged and noted."""

import datetime
import uuid

import pytest

from services.polling import eventually

PROGRAM = """
config { name: "shop"  default_auth: public }
entity Note { id: uuid, primary, auto  text: text, required }
event Placed { payload { n: int, required } }
on Placed where event.n > 100 { fail 409 "too large" }
workflow Count { trigger: Placed  steps { a { do { create Note { text: "counted {trigger.n}" } } } } }
workflow Plain { input { n: int }  steps { a { do { create Note { text: "plain" } } } b { check: input.n < 100 } } }
workflow Once { input { n: int }  key: input.n  once: true  steps { a { do { create Note { text: "once" } } } } }
workflow Waits { steps { a { wait: Placed where event.n == 1000 } } }
endpoint POST /places { body { n: int, required }  returns: void  do { emit(Placed, body) } }
"""
TOKEN = {"Authorization": "Bearer an operator's token"}
PAST = datetime.timedelta(days=31)


@pytest.fixture
async def app(run_program):
    found = await run_program(PROGRAM, CODEAI_OPERATOR_TOKEN="an operator's token")

    async def first_round():
        return await found.one("SELECT count(*) FROM codeai_activations WHERE kind = 'retention' AND state = 2") == 1

    await eventually(first_round)
    return found


async def start(app, name, **body):
    answer = await app.http.post(f"/api/v1/workflows/{name}/executions", json=body, headers=TOKEN)
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


async def still(app):
    async def settled():
        return await app.one("SELECT count(*) FROM executions WHERE status IN ('pending', 'running')") == 0

    await app.idle()
    await eventually(settled)


async def purge(app):
    retention = app.composition.retention
    retention._clock = lambda: datetime.datetime.now(datetime.UTC) + PAST
    return await retention.purge()


async def workflows(app):
    return sorted(row[0] for row in await app.rows("SELECT workflow_id FROM executions"))


async def test_what_has_ended_goes_with_all_that_belongs_to_it(app):
    for n in (1, 200):
        await start(app, "Plain", input={"n": n})
    await start(app, "Once", input={"n": 1})
    await start(app, "Waits")
    assert (await app.http.post("/places", json={"n": 1})).status_code == 204
    await still(app)
    assert await workflows(app) == ["Count", "Once", "Plain", "Plain", "Waits"]
    found = await purge(app)
    assert (found["event"], found["execution"]) == (1, 3)
    assert await workflows(app) == ["Once", "Waits"]  # a key that is taken for good, and what has not ended
    assert await app.one("SELECT count(*) FROM codeai_steps WHERE execution_id NOT IN (SELECT id FROM executions)") == 0
    assert await app.one("SELECT count(*) FROM codeai_steps") >= 1
    noted = await app.rows("SELECT actor, action, entity FROM audit_log WHERE action = 'purge' ORDER BY entity")
    assert noted == [("system", "purge", "event"), ("system", "purge", "execution")]
    figures = (await app.http.get("/metrics", headers=TOKEN)).text
    assert 'retention_purged_total{kind="execution"} 3' in figures
    assert not any((await purge(app)).values())


async def test_an_execution_is_kept_as_long_as_its_event_might_start_it_again(app):
    await app.http.post("/places", json={"n": 101})

    async def counted():
        return await app.one("SELECT count(*) FROM executions WHERE status = 'completed'") == 1

    await eventually(counted)
    found = await purge(app)  # another delivery of the event is still tried
    assert (found["event"], found["execution"]) == (0, 0)


async def test_nothing_is_deleted_when_told_so_and_before_its_time(run_program):
    app = await run_program(
        PROGRAM, CODEAI_OPERATOR_TOKEN="an operator's token", CODEAI_EXECUTION_RETENTION="0s", CODEAI_EVENT_RETENTION="60d"
    )
    await start(app, "Plain", input={"n": 1})
    await app.http.post("/places", json={"n": 1})
    await still(app)
    assert await purge(app) == {"event": 0, "trace": 0, "idempotency_key": 0}


async def test_more_than_a_batch_goes_in_one_round(app):
    old = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=40)
    forms = app.composition.eventing.outbox.forms
    moment = forms.moment(old)
    ids = [forms.identifier(uuid.UUID(int=(int(old.timestamp() * 1000) << 80) + number)) for number in range(1201)]
    columns = "id, workflow_id, kind, version, status, compensation, attempt, queue, priority, created_at, finished_at"
    marks = ", ".join(f"{'?' if app.database.dialect == 'sqlite' else '$'}{number}" for number in range(1, 12))
    rows = [(id_, "Plain", "workflow", "v", "failed", "none", 1, "default", 5, moment, moment) for id_ in ids]
    await app.database.writing().execute_many(f"INSERT INTO executions ({columns}) VALUES ({marks})", rows)
    assert (await purge(app))["execution"] == 1201


async def test_one_whose_end_somebody_waits_for_is_kept(app):
    child = await start(app, "Plain", input={"n": 1})
    await still(app)
    values = f"VALUES ('{uuid.uuid4()}', 'a', '@child', '{child}')"
    await app.database.writing().execute(f"INSERT INTO codeai_waits (execution_id, step, event, match) {values}", ())
    assert (await purge(app))["execution"] == 0
    await app.database.writing().execute("DELETE FROM codeai_waits", ())
    assert (await purge(app))["execution"] == 1


async def test_an_event_that_is_being_replayed_is_not_deleted(run_program, app):
    if app.database.dialect == "sqlite":
        return  # one writer: nothing runs beside the purge
    await app.http.post("/places", json={"n": 1})
    await still(app)
    event = await app.one("SELECT id FROM codeai_events")
    async with app.database.transaction() as session:
        await session.fetch("SELECT id FROM codeai_events WHERE id = $1 FOR SHARE", (event,))
        assert (await purge(app))["event"] == 0
    assert (await purge(app))["event"] == 1


async def test_a_key_names_one_request_and_expires(app):
    headers = {**TOKEN, "Idempotency-Key": "k1"}
    path = "/api/v1/workflows/Plain/executions"
    first = await app.http.post(path, json={"input": {"n": 1}}, headers=headers)
    again = await app.http.post(path, json={"input": {"n": 1}}, headers=headers)
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json()["id"] == again.json()["id"]
    other = await app.http.post(path, json={"input": {"n": 2}}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    await app.database.writing().execute("UPDATE codeai_idempotency SET expires_ms = 1", ())
    fresh = await app.http.post(path, json={"input": {"n": 2}}, headers=headers)
    assert fresh.status_code == 202
    assert fresh.json()["id"] != first.json()["id"]
    await app.database.writing().execute("UPDATE codeai_idempotency SET expires_ms = 1", ())
    assert (await purge(app))["idempotency_key"] == 1
    assert await app.one("SELECT count(*) FROM codeai_idempotency") == 0
