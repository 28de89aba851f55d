"""``send`` and the targets of ``publish_to`` that people read, from programs to real peers."""

import json
from contextlib import asynccontextmanager

import pytest

from codeai.server.errors import StartError
from codeai.storage.errors import DatabaseUnavailable
from services.mail import MailServerPeer
from services.peer import Peer, Reply
from services.polling import eventually

PROGRAM = """
config { name: "shop"  default_auth: public }
entity Order { id: uuid, primary, auto  number: int, required  email: email, required  total: decimal(10,2), required }
event OrderPlaced {
    payload { number: int, required, total: decimal(10,2), email: email, required }
    publish_to: [slack("#sales"), email("Sales <sales@example.com>")]
}
on OrderPlaced {
    send email(event.email) {
        template: "placed"
        data: { order: { number: event.number, total: event.total }, name: "<Ann>" }
        attachment: { name: "order.txt", content: "Order {event.number}" }
    }
    send slack("#ops") { message: "order {event.number}" }
}
endpoint POST /orders {
    body: Order.create
    returns: Order
    on_success: emit(OrderPlaced)
}
endpoint POST /mails {
    body { to: string, required, template: string, fails: bool }
    returns: void
    do {
        send email(body.to) { template: body.template, text: "plain", subject: "Hi", data: {} }
        require not (body.fails ?? false) else fail 409 "no"
    }
}
"""
ORDER = {"number": 7, "email": "ann@example.com", "total": 12.5}


@pytest.fixture
def folder(tmp_path):
    templates = tmp_path / "templates"
    templates.mkdir()
    (templates / "placed.subject.txt").write_text("Order {{ order.number }}")
    (templates / "placed.html").write_text("<p>{{ name }}: {{ order.total }}</p>")
    (templates / "wrong.txt").write_text("{{ nothing }}")
    return tmp_path


async def started(run_program, folder, mail, slack, program=PROGRAM):
    return await run_program(
        program,
        folder=folder,
        SMTP_HOST="127.0.0.1",
        SMTP_PORT=str(mail.port),
        SMTP_SECURITY="none",
        SMTP_FROM="Shop <shop@example.com>",
        SLACK_WEBHOOK_URL=f"ops={slack.url}/ops sales={slack.url}/sales",
    )


async def test_messages_leave_with_the_change_they_tell_of(run_program, folder):
    with MailServerPeer() as mail, Peer(lambda seen: Reply(200, b"ok")) as slack:
        app = await started(run_program, folder, mail, slack)
        answer = await app.http.post("/orders", json=ORDER)
        assert answer.status_code == 201, answer.text
        await app.idle()
    said = {seen.target: json.loads(seen.body) for seen in slack.seen}
    assert said["/ops"] == {"channel": "#ops", "text": "order 7"}
    assert said["/sales"]["text"] == "order.placed\nnumber: 7\ntotal: 12.50\nemail: ann@example.com"
    mails = {found["to"]: found for found in mail.messages}
    ours = mails["ann@example.com"]
    assert ours["subject"] == "Order 7"
    assert ours.get_body(("html",)).get_content().strip() == "<p>&lt;Ann&gt;: 12.50</p>"
    assert [part.get_content() for part in ours.iter_attachments()] == ["Order 7"]
    assert mails["Sales <sales@example.com>"]["subject"] == "order.placed"
    states = {(kind, target): status for kind, target, status, _ in await app.deliveries()}
    assert set(states.values()) == {"delivered"}
    assert len(states) == 5


async def test_a_template_of_its_name_dresses_an_event(run_program, folder):
    (folder / "templates" / "order.placed.subject.txt").write_text("New order {{ event.number }}")
    (folder / "templates" / "order.placed.txt").write_text("{{ event.total }} ({{ event.name }})")
    with MailServerPeer() as mail, Peer(lambda seen: Reply(200, b"ok")) as slack:
        app = await started(run_program, folder, mail, slack)
        await app.http.post("/orders", json=ORDER)
        await app.idle()
    [found] = [one for one in mail.messages if one["to"].startswith("Sales")]
    assert (found["subject"], found.get_content().strip()) == ("New order 7", "12.50 (order.placed)")


async def test_what_is_rolled_back_is_not_sent(run_program, folder):
    with MailServerPeer() as mail, Peer(lambda seen: Reply(200, b"ok")) as slack:
        app = await started(run_program, folder, mail, slack)
        answer = await app.http.post("/mails", json={"to": "ann@example.com", "template": "placed", "fails": True})
        assert answer.status_code == 422  # the template asks for what the data does not have
        answer = await app.http.post("/mails", json={"to": "ann@example.com", "fails": True})
        assert answer.status_code == 409
        await app.idle()
        assert await app.deliveries() == []
    assert mail.messages == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"to": "ann"}, "no e-mail address"),
        ({"to": "a@b.c\r\nBcc: x@y.z"}, "no e-mail address"),
        ({"to": "a@b.c", "template": "absent"}, "no template"),
        ({"to": "a@b.c", "template": "../placed"}, "no template"),
        ({"to": "a@b.c", "template": "wrong"}, "undefined"),
    ],
)
async def test_what_cannot_be_sent_is_seen_where_it_is_said(run_program, folder, body, said):
    with MailServerPeer() as mail, Peer(lambda seen: Reply(200, b"ok")) as slack:
        app = await started(run_program, folder, mail, slack)
        answer = await app.http.post("/mails", json=body)
    assert answer.status_code == 422
    assert said in answer.json()["detail"]


async def test_a_mail_server_that_is_busy_gets_the_message_later_under_the_same_identifier(run_program, folder):
    with MailServerPeer() as mail, Peer(lambda seen: Reply(200, b"ok")) as slack:
        mail.answers.append("451 busy")
        app = await started(run_program, folder, mail, slack)
        await app.http.post("/mails", json={"to": "ann@example.com"})

        async def tried():
            return await app.one("SELECT coalesce(max(attempts), 0) FROM codeai_deliveries") == 1

        await eventually(tried)
        await app.hurry()
        await app.idle()
        identifier = await app.one("SELECT id FROM codeai_deliveries")
    assert [found["message-id"] for found in mail.messages] == [f"<{identifier}@example.com>"]


async def test_a_message_that_will_never_do_is_a_dead_letter(run_program, folder):
    with MailServerPeer() as mail, Peer(lambda seen: Reply(404, b"no_service")) as slack:
        mail.refused["ann@example.com"] = "550 unknown"
        app = await started(run_program, folder, mail, slack)
        await app.http.post("/mails", json={"to": "ann@example.com"})
        await app.http.post("/orders", json={**ORDER, "email": "bob@example.com"})
        await app.idle()
        errors = {row[0]: row[1] for row in await app.rows("SELECT target, error FROM codeai_deliveries WHERE status = 'dead'")}
    assert set(errors) == {"ann@example.com", "#ops", "#sales"}
    assert "550" in errors["ann@example.com"] and "no_service" in errors["#ops"]
    assert slack.url not in str(errors)


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "set SLACK_WEBHOOK_URL"),
        ({"SLACK_WEBHOOK_URL": "other=https://hooks.slack.com/x"}, "no address for '#sales'"),
        ({"SLACK_WEBHOOK_URL": "https://hooks.slack.com/x"}, "set SMTP_HOST and SMTP_FROM"),
        ({"SLACK_WEBHOOK_URL": "https://hooks.slack.com/x", "SMTP_HOST": "mail"}, "set SMTP_HOST and SMTP_FROM"),
        ({"SLACK_WEBHOOK_URL": "https://hooks.slack.com/x", "SMTP_HOST": "mail", "SMTP_FROM": "shop"}, "no e-mail address"),
    ],
)
async def test_what_is_missing_stops_the_start(run_program, folder, environment, said):
    with pytest.raises(StartError, match=said):
        await run_program(PROGRAM, folder=folder, **environment)


async def test_a_template_that_is_missing_or_broken_stops_the_start(run_program, folder):
    (folder / "templates" / "placed.html").write_text("{% if %}")
    settings = {"SLACK_WEBHOOK_URL": "https://hooks.slack.com/x", "SMTP_HOST": "mail", "SMTP_FROM": "a@example.com"}
    with pytest.raises(StartError, match=r"placed\.html"):
        await run_program(PROGRAM, folder=folder, **settings)
    (folder / "templates" / "placed.html").unlink()
    with pytest.raises(StartError, match="no template 'placed'"):
        await run_program(PROGRAM, folder=folder, **settings)


STEPS = """
config { name: "shop"  default_auth: public }
entity Note { id: uuid, primary, auto  text: text, required }
event Shipped { payload { number: int, required } }
on Shipped { create Note { text: "shipped {event.number}" } }
workflow Tell {
    input { number: int }
    steps {
        mail { send: email("ann@example.com") { template: "placed", data: { order: { number: input.number, total: 1 }, name: "Ann" } } }
        tell { emit: Shipped { number: input.number } }
    }
}
endpoint POST /tell { body { number: int, required }  returns: void  do { start Tell { number: body.number } } }
"""


@pytest.mark.parametrize("step", ["mail", "tell"])
async def test_steps_send_and_emit_once_although_their_commit_is_lost(run_program, folder, monkeypatch, step):
    with MailServerPeer() as mail, Peer(lambda seen: Reply(200, b"ok")) as slack:
        app = await started(run_program, folder, mail, slack, STEPS)
        database = app.composition.durable.parts.database
        begin, lost = database.transaction, []

        @asynccontextmanager
        async def losing(**more):
            async with begin(**more) as session:
                yield session
                done = f"SELECT count(*) FROM codeai_steps WHERE name = '{step}' AND status = 'done'"
                if not lost and (await session.fetch_row(done, ()))[0]:
                    lost.append(step)
                    raise DatabaseUnavailable("the connection was lost")

        monkeypatch.setattr(database, "transaction", losing)
        assert (await app.http.post("/tell", json={"number": 7})).status_code == 204

        async def ended():
            return await app.rows("SELECT status FROM executions") == [("completed",)]

        await eventually(ended)
        await app.idle()
    assert lost == [step]
    assert [found["subject"] for found in mail.messages] == ["Order 7"]
    assert await app.rows("SELECT text FROM notes") == [("shipped 7",)]
