"""What operators see of events and do with them."""

import datetime
import uuid

import pytest

from codeai.events.control import NotKnown
from services.polling import eventually

PROGRAM = """
config { name: "shop"  default_auth: public }
entity Note { id: uuid, primary, auto  text: text, required }
entity Start { id: uuid, primary, auto  number: int, required }
event Placed { payload { number: int, required, card: string, secret } }
event Other { payload { number: int, required } }
on Placed { create Note { text: "{event.number}" }  require event.number < 100 else fail 409 "too large" }
on Placed { log info "{event.number}" }
workflow Count { trigger: Placed  steps { count { do { create Start { number: trigger.number } } } } }
webhook partners { event: Other  url: "https://hooks.example.com/in?key=secret"  secret: "whsec_YWJj" }
endpoint POST /places { body { number: int, required }  returns: void  do { emit Placed { number: body.number, card: "4111" } } }
"""


@pytest.fixture
async def app(run_program):
    return await run_program(PROGRAM)


async def place(app, *numbers):
    for number in numbers:
        assert (await app.http.post("/places", json={"number": number})).status_code == 204
    await app.idle()


async def test_events_are_listed_newest_first_by_pages_and_secrets_are_masked(app):
    await place(app, *range(5))
    control = app.composition.eventing.control
    found, cursor = [], None
    while True:
        page = await control.events(name="placed", cursor=cursor, limit=2)
        assert len(page.data) <= 2
        found += page.data
        cursor = page.next
        if cursor is None:
            break
    assert [event.payload["number"] for event in found] == [4, 3, 2, 1, 0]
    assert {event.payload["card"] for event in found} == {"[secret]"}
    assert all(event.relayed for event in found)
    assert (await control.events(name="other")).data == []
    assert len((await control.events(since=found[1].time)).data) == 2
    with pytest.raises(ValueError, match="badly formed"):
        await control.events(cursor="nonsense")


async def test_an_event_is_shown_with_what_was_made_of_it(app):
    await place(app, 7)
    control = app.composition.eventing.control
    [event] = (await control.events()).data
    detail = await control.event(event.id)
    assert sorted((one.kind, one.target, one.status) for one in detail.deliveries) == [
        ("handler", "placed#1", "delivered"),
        ("handler", "placed#2", "delivered"),
        ("workflow", "Count", "delivered"),
    ]
    assert {one.event for one in detail.deliveries} == {"placed"}


async def starts(app):
    return await app.one("SELECT count(*) FROM executions")


async def test_a_replay_starts_workflows_again_only_by_force(app):
    await place(app, 7)
    control = app.composition.eventing.control
    [event] = (await control.events()).data
    assert await starts(app) == 1
    made = await control.replay_event(event.id)
    assert sorted(one.target for one in made) == ["placed#1", "placed#2"]
    await app.idle()
    assert await starts(app) == 1
    made = await control.replay_event(event.id, force=True)
    assert sorted(one.target for one in made) == ["Count", "placed#1", "placed#2"]
    await app.idle()
    assert await starts(app) == 2
    [first] = [one for one in (await control.event(event.id)).deliveries if one.kind == "workflow" and not one.forced]
    await control.replay_delivery(first.id)
    await app.idle()
    assert await starts(app) == 2
    await control.replay_delivery(first.id, force=True)
    await app.idle()
    assert await starts(app) == 3


async def test_what_is_not_there_is_said_and_what_is_to_be_tried_later_is_tried_now(app):
    assert (await app.http.post("/places", json={"number": 100})).status_code == 204
    control = app.composition.eventing.control
    nobody = uuid.uuid4()
    for ask in (control.event, control.replay_event, control.delivery, control.replay_delivery):
        with pytest.raises(NotKnown, match=str(nobody)):
            await ask(nobody)
    for ask in (control.enable_webhook, control.disable_webhook):
        with pytest.raises(NotKnown, match="'nothing'"):
            await ask("nothing")

    async def tried():
        return await app.one("SELECT coalesce(max(attempts), 0) FROM codeai_deliveries WHERE status = 'pending'") > 0

    await eventually(tried)
    [waiting] = (await control.deliveries(target="placed#1")).data
    assert waiting.next_attempt is not None
    assert waiting.error == "too large"
    detail = await control.delivery(waiting.id)
    assert [(attempt.number, attempt.error) for attempt in detail.attempts] == [(1, "too large")]
    assert (await control.replay_delivery(waiting.id)).id == waiting.id  # it is tried now instead of later

    async def tried_again():
        return len((await control.delivery(waiting.id)).attempts) == 2

    await eventually(tried_again)


async def test_webhooks_are_shown_without_their_secrets(app):
    control = app.composition.eventing.control
    [webhook] = await control.webhooks()
    assert (webhook.name, webhook.events, webhook.url, webhook.signed) == ("partners", ("other",), "https://hooks.example.com/in", True)
    await control.disable_webhook("partners", "maintenance")
    await control.disable_webhook("partners", "again")
    [webhook] = await control.webhooks()
    assert (webhook.enabled, webhook.reason) == (False, "maintenance")
    await control.enable_webhook("partners")
    await control.enable_webhook("partners")
    assert (await control.webhooks())[0].enabled


async def test_what_is_old_and_delivered_goes_and_nothing_else(app):
    await place(app, 1, 2)
    assert (await app.http.post("/places", json={"number": 100})).status_code == 204

    async def relayed():
        return await app.one("SELECT count(*) FROM codeai_events WHERE relayed = 1") == 3

    await eventually(relayed)
    retention = app.composition.eventing.retention
    now = datetime.datetime.now(datetime.UTC)
    assert await retention.purge(now - datetime.timedelta(hours=1)) == 0
    assert await retention.purge(now + datetime.timedelta(hours=1)) == 2
    assert await app.one("SELECT count(*) FROM codeai_events") == 1
    assert await app.one("SELECT count(DISTINCT event_id) FROM codeai_deliveries") == 1


async def test_a_change_that_cannot_be_noted_is_not_made(app):
    await place(app, 1)
    control = app.composition.eventing.control
    [event] = (await control.events(name="placed")).data
    before = await app.deliveries()
    delivered = next(one for one in (await control.deliveries()).data if one.status == "delivered")

    async def refused(session, what):
        raise ConnectionError("no trail")

    for change in (
        control.replay_event(event.id, noted=refused),
        control.replay_delivery(delivered.id, noted=refused),
        control.disable_webhook("partners", noted=refused),
    ):
        with pytest.raises(ConnectionError):
            await change
    assert await app.deliveries() == before
    assert await app.rows("SELECT name FROM codeai_webhooks") == []


async def test_what_has_been_done_before_is_noted_once(app):
    await place(app, 1)
    control, notes = app.composition.eventing.control, []
    await app.composition.dispatcher.stop(1)

    async def noted(session, what):
        notes.append(dict(what))

    [event] = (await control.events(name="placed")).data
    for _ in range(2):
        await control.replay_event(event.id, noted=noted)
        await control.disable_webhook("partners", "maintenance", noted=noted)
    for _ in range(2):
        await control.enable_webhook("partners", noted=noted)
    assert len(notes) == 3
    assert notes[1:] == [{"reason": "maintenance"}, {}]
