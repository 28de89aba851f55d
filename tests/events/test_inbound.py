"""Inbound webhooks: verified by the raw body, received once."""

import asyncio
import base64
import datetime
import hashlib
import hmac
import json

import pytest
from standardwebhooks.webhooks import Webhook

SECRET = "whsec_" + base64.b64encode(b"a key of twenty-four byte").decode()
NEXT = "whsec_" + base64.b64encode(b"the key that comes next...").decode()
PROGRAM = """
config { name: "shop" }
auth main { method: jwt }
entity Payment { id: uuid, primary, auto  reference: string, required  amount: decimal(10,2), required }
event PaymentReceived { payload { reference: string, required, amount: decimal(10,2) } }
on PaymentReceived { log info "{event.reference}" }

endpoint POST /hooks/payments {
    verify: standard_webhooks(secret(PAYMENTS_SECRET))
    body { type: string, required, data: { reference: string, amount: decimal }, required }
    returns: void
    do {
        require body.data.amount < 1000 else fail 422 "too much"
        create Payment { reference: body.data.reference, amount: body.data.amount }
        emit PaymentReceived { reference: body.data.reference, amount: body.data.amount }
    }
}
endpoint POST /hooks/code {
    verify: hmac_sha256(header: "X-Sig", id: "X-Delivery", secret(CODE_SECRET))
    body: json
    returns: int status 202
    do { create Payment { reference: "code", amount: 1 }  return count(Payment) }
}
endpoint POST /hooks/plain {
    verify: hmac_sha256(header: "X-Sig", secret(CODE_SECRET))
    returns: void
    do { create Payment { reference: "plain", amount: 1 } }
}
endpoint POST /hooks/guarded {
    auth: required
    verify: hmac_sha256(header: "X-Sig", secret(CODE_SECRET))
    returns: void
    do { create Payment { reference: "guarded", amount: 1 } }
}
"""


async def started(run_program):
    return await run_program(PROGRAM, PAYMENTS_SECRET=f"{SECRET} {NEXT}", CODE_SECRET="partner_secret")


def signed(body, identifier="msg_1", secret=SECRET, ago=0):
    moment = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=ago)
    return {
        "content-type": "application/json",
        "webhook-id": identifier,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(secret).sign(identifier, moment, body),
    }


def message(amount=5, reference="r1"):
    return json.dumps({"type": "payment", "data": {"reference": reference, "amount": amount}})


async def payments(app):
    return await app.one("SELECT count(*) FROM payments")


async def post(app, body, headers, path="/hooks/payments"):
    return await app.http.post(path, content=body, headers=headers)


async def test_a_message_is_received_once_with_its_events(run_program):
    app = await started(run_program)
    body = message()
    first = await post(app, body, signed(body))
    assert first.status_code == 204, first.text
    again = await post(app, body, signed(body, ago=20))
    assert (again.status_code, again.headers.get("idempotency-replayed")) == (204, "true")
    assert await payments(app) == 1
    assert await app.one("SELECT count(*) FROM codeai_events") == 1
    other = await post(app, body, signed(body, "msg_2", NEXT))
    assert other.status_code == 204
    assert await payments(app) == 2


async def test_the_same_message_many_times_at_once_has_one_effect(run_program):
    app = await started(run_program)
    body = message()
    answers = await asyncio.gather(*(post(app, body, signed(body)) for _ in range(8)))
    assert {answer.status_code for answer in answers} <= {204, 409}
    assert await payments(app) == 1


async def test_what_was_refused_may_come_again(run_program):
    app = await started(run_program)
    body = message(amount=5000)
    for _ in range(2):
        answer = await post(app, body, signed(body))
        assert answer.status_code == 422
        assert "idempotency-replayed" not in answer.headers
    assert await payments(app) == 0


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda headers: headers.pop("webhook-signature"), "missing_signature"),
        (lambda headers: headers.update({"webhook-id": "msg_9"}), "bad_signature"),
        (lambda headers: headers.update({"webhook-signature": "v1,AAAA"}), "bad_signature"),
        (lambda headers: headers.update({"webhook-timestamp": "12"}), "bad_timestamp"),
    ],
)
async def test_nobody_else_is_heard(run_program, change, code):
    app = await started(run_program)
    body = message()
    headers = signed(body)
    change(headers)
    answer = await post(app, body, headers)
    assert (answer.status_code, answer.json()["code"]) == (401, code)
    assert SECRET not in answer.text
    assert await payments(app) == 0


async def test_an_old_message_is_no_message(run_program):
    app = await started(run_program)
    body = message()
    answer = await post(app, body, signed(body, ago=400))
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_timestamp")


@pytest.mark.parametrize("changed", [b"", b"{", b'{"type": "payment"} '])
async def test_the_body_is_verified_before_it_is_read(run_program, changed):
    app = await started(run_program)
    answer = await post(app, changed, signed(message()))
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_signature")


async def test_a_body_that_is_no_json_is_malformed_once_it_is_verified(run_program):
    app = await started(run_program)
    answer = await post(app, "{", signed("{"))
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_json")


async def test_a_huge_body_is_not_read(run_program):
    app = await started(run_program)
    body = message(reference="x" * 2_000_000)
    assert (await post(app, body, signed(body))).status_code == 413


def code_of(body):
    return hmac.new(b"partner_secret", body, hashlib.sha256).hexdigest()


async def test_a_delivery_is_known_by_its_header(run_program):
    app = await started(run_program)
    headers = {"x-sig": f"sha256={code_of(b'{}')}", "x-delivery": "d1", "content-type": "application/json"}
    first = await post(app, b"{}", headers, "/hooks/code")
    assert (first.status_code, first.json()) == (202, 1)
    again = await post(app, b"{}", headers, "/hooks/code")
    assert (again.status_code, again.json()) == (202, 1)
    other = await post(app, b"{}", {**headers, "x-delivery": "d2"}, "/hooks/code")
    assert other.json() == 2


async def test_without_such_a_header_the_content_is_the_identifier(run_program):
    app = await started(run_program)
    for body, expected in ((b"a", 1), (b"a", 1), (b"b", 2)):
        answer = await post(app, body, {"x-sig": code_of(body)}, "/hooks/plain")
        assert answer.status_code == 204, answer.text
        assert await payments(app) == expected


async def test_a_signature_does_not_stand_for_a_token_that_is_asked_for(run_program):
    app = await started(run_program)
    answer = await post(app, b"a", {"x-sig": code_of(b"a")}, "/hooks/guarded")
    assert answer.status_code == 401
    assert answer.json()["code"].startswith("AUTH")
