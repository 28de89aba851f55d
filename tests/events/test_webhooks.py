"""Outbound webhooks against real HTTP peers, well-behaved and other."""

import base64
import json

import pytest
from standardwebhooks.webhooks import Webhook

from services import peer as peers
from services.peer import Peer, Reply
from services.polling import eventually

SECRET = "whsec_" + base64.b64encode(b"a key of twenty-four byte").decode()
OLD = "whsec_" + base64.b64encode(b"the key before this one..").decode()
PROGRAM = """
config { name: "shop"  default_auth: public }
event OrderPlaced { payload { order_id: int, required, total: decimal(10,2), text: text }  key: order_id }
webhook partners {
    event: OrderPlaced
    url: env(PARTNER_URL)
    secret: secret(PARTNER_SECRET)
    headers { X-Source: "shop"  Webhook-Id: "forged" }
    timeout: 60s
}
endpoint POST /orders {
    body { order_id: int, required, text: text }
    returns: void
    do { emit OrderPlaced { order_id: body.order_id, total: 12.50, text: body.text } }
}
"""


async def sent_to(run_program, peer, orders=1, program=PROGRAM, **body):
    app = await run_program(program, PARTNER_URL=f"{peer.url}/hook?token=1", PARTNER_SECRET=f"{SECRET} {OLD}")
    for number in range(orders):
        answer = await app.http.post("/orders", json={"order_id": number, **body})
        assert answer.status_code == 204, answer.text
    return app


async def attempts(app):
    return await app.rows("SELECT number, status, error FROM codeai_attempts ORDER BY delivery_id, number")


async def failed(app, number=1):

    async def tried():
        return await app.one("SELECT coalesce(max(attempts), 0) FROM codeai_deliveries") >= number

    await eventually(tried)


async def test_a_message_follows_the_specification(run_program):
    with Peer(lambda seen: Reply(202, b"thanks")) as peer:
        app = await sent_to(run_program, peer)
        await app.idle()
    [seen] = peer.seen
    assert (seen.method, seen.target) == ("POST", "/hook?token=1")
    assert (seen.headers["content-type"], seen.headers["x-source"]) == ("application/json", "shop")
    for secret in (SECRET, OLD):
        message = Webhook(secret).verify(seen.body, seen.headers)
        assert message["type"] == "order.placed"
        assert message["data"] == {"order_id": 0, "total": 12.5, "text": None}
        assert message["timestamp"].endswith(("Z", "+00:00"))
    assert seen.headers["webhook-id"] == str(await app.one("SELECT id FROM codeai_events"))
    assert await attempts(app) == [(1, 202, None)]
    assert await app.one("SELECT answer FROM codeai_attempts") == "thanks"
    assert await app.deliveries() == [("webhook", "partners", "delivered", 1)]


async def test_a_failure_is_tried_again_under_the_same_identifier_with_a_new_signature(run_program):
    answers = iter([Reply(500, b"oh"), Reply(503), Reply(200)])
    with Peer(lambda seen: next(answers)) as peer:
        app = await sent_to(run_program, peer)
        for number in (1, 2):
            await failed(app, number)
            await app.hurry()
        await app.idle()
    assert len({seen.headers["webhook-id"] for seen in peer.seen}) == 1
    assert len(peer.seen) == 3
    for seen in peer.seen:
        Webhook(SECRET).verify(seen.body, seen.headers)
    assert await attempts(app) == [(1, 500, "the receiver answered 500"), (2, 503, "the receiver answered 503"), (3, 200, None)]


@pytest.mark.parametrize(
    ("behaviour", "status", "error"),
    [
        (peers.hang, None, "peer_timeout"),
        (peers.drip, None, "peer_timeout"),
        (peers.reset, None, "peer_disconnected"),
        (peers.cut_off, None, "peer_disconnected"),
        (peers.no_http, None, "peer_disconnected"),
        (peers.endless, None, "answer_too_large"),
        (Reply(302, b"", {"location": "http://127.0.0.1:1/"}), 302, "redirects"),
        (Reply(301, b"", {"location": "/elsewhere"}), 301, "redirects"),
        (Reply(404, b"no"), 404, "answered 404"),
        (Reply(500, b"x" * 5000), 500, "answered 500"),
    ],
    ids=lambda value: getattr(value, "__name__", None) or str(getattr(value, "status", value)),
)
async def test_a_peer_that_misbehaves_costs_one_attempt(run_program, behaviour, status, error):
    program = PROGRAM.replace("timeout: 60s", "timeout: 1s") if error == "peer_timeout" else PROGRAM
    with Peer(lambda seen: behaviour) as peer:
        app = await sent_to(run_program, peer, program=program)
        await failed(app)
        [(number, said, why)] = await attempts(app)
        assert (number, said) == (1, status)
        assert error in why
        asked = [seen.target for seen in peer.seen]
        assert asked == ["/hook?token=1"] or (error == "peer_timeout" and not asked)  # a busy peer may not have read it by then
        assert "token" not in why
        answer = await app.one("SELECT answer FROM codeai_attempts")
        assert answer is None or len(answer) <= 2000
        due = await app.one("SELECT ready_ms - created_ms FROM codeai_activations WHERE kind = 'delivery'")
        assert due >= 60_000 + 4_000


@pytest.mark.parametrize("status", [200, 500])
async def test_an_answer_with_a_null_character_is_kept_as_far_as_it_goes(run_program, status):
    with Peer(lambda seen: Reply(status, b"a\0b\xff")) as peer:
        app = await sent_to(run_program, peer)
        await (app.idle() if status == 200 else failed(app))
        assert await app.one("SELECT answer FROM codeai_attempts") == "a\ufffdb\ufffd"
    assert len(peer.seen) == 1


async def test_retry_after_is_respected(run_program):
    with Peer(lambda seen: Reply(429, b"", {"retry-after": "3600"})) as peer:
        app = await sent_to(run_program, peer)
        await failed(app)
        due = await app.one("SELECT ready_ms - created_ms FROM codeai_activations WHERE kind = 'delivery'")
        assert 3_600_000 <= due < 3_700_000


async def test_410_disables_the_webhook_until_an_operator_enables_it(run_program):
    answers = iter([Reply(410), Reply(200)])
    with Peer(lambda seen: next(answers)) as peer:
        app = await sent_to(run_program, peer)
        await app.idle()
        await app.http.post("/orders", json={"order_id": 1})
        await app.idle()
        assert len(peer.seen) == 1
        control = app.composition.eventing.control
        [webhook] = await control.webhooks()
        assert (webhook.name, webhook.enabled, webhook.deliveries) == ("partners", False, {"dead": 2})
        assert "410" in (webhook.reason or "")
        assert "token" not in webhook.url
        await control.enable_webhook("partners")
        dead = await control.dead_letters()
        await control.replay_delivery(dead.data[-1].id)
        await app.idle()
        assert len(peer.seen) == 2
        assert (await control.webhooks())[0].enabled


async def test_after_the_last_retry_a_delivery_is_dead(run_program):
    with Peer(lambda seen: Reply(500)) as peer:
        app = await sent_to(run_program, peer)
        for number in range(1, 9):
            await failed(app, number)
            await app.hurry()
        await app.idle()
    assert len(peer.seen) == 9
    assert await app.deliveries() == [("webhook", "partners", "dead", 9)]
    assert await app.one("SELECT count(*) FROM codeai_activations WHERE kind = 'delivery'") == 0


async def test_a_huge_payload_is_dead_at_once(run_program):
    with Peer(lambda seen: Reply()) as peer:
        app = await sent_to(run_program, peer, text="x" * 300_000)
        await app.idle()
    assert peer.seen == []
    [(_, _, error)] = await attempts(app)
    assert "larger than" in error


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:9/", "http://localhost:9/", "http://169.254.169.254/latest", "http://10.0.0.1/", "http://[::1]:9/", "http://0/"],
)
async def test_an_address_inside_is_not_called(run_program, url):
    app = await run_program(PROGRAM, PARTNER_URL=url, PARTNER_SECRET=SECRET, CODEAI_OUTBOUND_ALLOW="192.0.2.1")
    await app.http.post("/orders", json={"order_id": 1})
    await failed(app)
    [(_, _, error)] = await attempts(app)
    assert "address_forbidden" in error


async def test_messages_of_one_key_keep_their_order(run_program):
    seen_orders = []

    def script(seen):
        seen_orders.append(json.loads(seen.body)["data"]["text"])
        return Reply(500) if seen_orders.count("0") == 1 and seen_orders[-1] == "0" else Reply(200)

    with Peer(script) as peer:
        app = await run_program(PROGRAM, PARTNER_URL=peer.url, PARTNER_SECRET=SECRET)
        for number in range(4):
            await app.http.post("/orders", json={"order_id": 1, "text": str(number)})
        await app.http.post("/orders", json={"order_id": 2, "text": "other"})
        await failed(app)
        await app.hurry()
        await app.idle()
    assert [text for text in seen_orders if text != "other"] == ["0", "0", "1", "2", "3"]
    assert "other" in seen_orders


async def test_a_peer_that_hangs_keeps_nobody_else_waiting(run_program):
    program = PROGRAM.replace("key: order_id", "")
    program += """
entity Note { id: uuid, primary, auto  text: text, required }
event Other { payload { text: text, required } }
on Other { create Note { text: event.text } }
endpoint POST /others { returns: void  do { emit Other { text: "heard" } } }
"""
    with Peer(lambda seen: peers.hang) as peer:
        app = await run_program(program, PARTNER_URL=peer.url, PARTNER_SECRET=SECRET)
        for number in range(60):
            await app.http.post("/orders", json={"order_id": number})

        async def busy():
            return len(peer.seen) == 8

        await eventually(busy)
        await app.http.post("/others")

        async def heard():
            return await app.one("SELECT count(*) FROM notes") == 1

        await eventually(heard)
        assert len(peer.seen) == 8  # which are waited for still
