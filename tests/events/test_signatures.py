"""Signatures, against the reference library of Standard Webhooks and against every way to get them wrong."""

import base64
import datetime
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from codeai.events.signatures import HmacVerifier, SignatureRejected, StandardVerifier, secret_keys, sign

SECRET = "whsec_" + base64.b64encode(b"a key of twenty-four byte").decode()
OLD = "whsec_" + base64.b64encode(b"the key before this one..").decode()
NOW = 1_790_000_000
BODY = b'{"type":"order.placed","data":{"total":3}}'


def headers(identifier="msg_1", moment=NOW, signature=None, body=BODY, secret=SECRET):
    made = sign(identifier, moment, body, secret_keys(secret)) if signature is None else signature
    return {b"webhook-id": identifier.encode(), b"webhook-timestamp": str(moment).encode(), b"webhook-signature": made.encode()}


def verifier(*secrets, tolerance=300.0, now=NOW):
    return StandardVerifier(secret_keys(list(secrets) or [SECRET]), tolerance, lambda: now)


# -- with the reference library ----------------------------------------------------------------------------------------


def test_the_reference_library_accepts_what_we_sign():
    moment = int(datetime.datetime.now(datetime.UTC).timestamp())
    signature = sign("msg_1", moment, BODY, secret_keys([SECRET, OLD]))
    for secret in (SECRET, OLD):
        found = Webhook(secret).verify(BODY, {"webhook-id": "msg_1", "webhook-timestamp": str(moment), "webhook-signature": signature})
        assert found == {"type": "order.placed", "data": {"total": 3}}
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + base64.b64encode(b"someone else's key here..").decode()).verify(
            BODY, {"webhook-id": "msg_1", "webhook-timestamp": str(moment), "webhook-signature": signature}
        )


@given(st.binary(max_size=300), st.text("abcdefgh0123_-", min_size=1, max_size=30))
def test_we_accept_what_the_reference_library_signs(body, identifier):
    body = base64.b64encode(body)  # the library signs text
    signature = Webhook(SECRET).sign(identifier, datetime.datetime.fromtimestamp(NOW, datetime.UTC), body.decode())
    assert verifier().verify(headers(identifier, signature=signature, body=body), body) == identifier


# -- secrets -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("secret", "keys"),
    [
        ("whsec_YQ==", (b"a",)),
        ("YWI=", (b"ab",)),
        ("not base64!", (b"not", b"base64!")),
        ("partner_secret", (b"partner_secret",)),
        (["whsec_YQ==", "whsec_Yg=="], (b"a", b"b")),
        ("whsec_YQ==, whsec_Yg==", (b"a", b"b")),
    ],
)
def test_secrets_have_several_forms(secret, keys):
    assert secret_keys(secret) == keys


@pytest.mark.parametrize("secret", ["", None, [], "whsec_", "whsec_%%%", [""]])
def test_what_is_no_secret_is_refused(secret):
    with pytest.raises(ValueError, match=r"empty|base64"):
        secret_keys(secret)


# -- verification ------------------------------------------------------------------------------------------------------


def test_the_old_secret_does_during_a_rotation():
    assert verifier(SECRET, OLD).verify(headers(secret=OLD), BODY) == "msg_1"


@pytest.mark.parametrize(
    ("changed", "body", "code"),
    [
        ({b"webhook-signature": b""}, BODY, "missing_signature"),
        ({b"webhook-id": b""}, BODY, "missing_signature"),
        ({b"webhook-timestamp": b""}, BODY, "missing_signature"),
        ({b"webhook-timestamp": b"soon"}, BODY, "bad_timestamp"),
        ({b"webhook-timestamp": b"-1"}, BODY, "bad_timestamp"),
        ({b"webhook-timestamp": str(NOW - 301).encode()}, BODY, "bad_timestamp"),
        ({b"webhook-timestamp": str(NOW + 301).encode()}, BODY, "bad_timestamp"),
        ({b"webhook-timestamp": str(NOW + 1).encode()}, BODY, "bad_signature"),
        ({b"webhook-id": b"msg_2"}, BODY, "bad_signature"),
        ({b"webhook-id": b"msg_1." + str(NOW).encode()}, BODY, "bad_signature"),
        ({b"webhook-id": b"x" * 300}, BODY, "bad_signature"),
        ({}, BODY + b" ", "bad_signature"),
        ({}, b"", "bad_signature"),
        ({b"webhook-signature": b"v1,%%%"}, BODY, "bad_signature"),
        ({b"webhook-signature": b"v2,abc v1a,abc"}, BODY, "bad_signature"),
        ({b"webhook-signature": b"v1,"}, BODY, "bad_signature"),
        ({b"webhook-signature": b"v1,AAAA " * 5000}, BODY, "bad_signature"),
        ({b"webhook-signature": b"\xff\xfe"}, BODY, "bad_signature"),
    ],
)
def test_what_does_not_prove_itself_is_rejected(changed, body, code):
    with pytest.raises(SignatureRejected) as caught:
        verifier().verify({**headers(), **changed}, body)
    assert caught.value.code == code
    assert SECRET not in str(caught.value)


@given(
    st.dictionaries(st.sampled_from([b"webhook-id", b"webhook-timestamp", b"webhook-signature"]), st.binary(max_size=60)),
    st.binary(max_size=60),
)
def test_garbage_is_rejected_and_nothing_else_happens(given_headers, body):
    with pytest.raises(SignatureRejected):
        verifier().verify(given_headers, body)


def code_of(content, key=b"partner_secret"):
    return hmac.new(key, content, hashlib.sha256).hexdigest()


@pytest.mark.parametrize("form", ["{}", "sha256={}"])
def test_a_plain_code_of_the_body_will_do(form):
    plain = HmacVerifier(secret_keys("partner_secret"), "X-Sig", "", "", 300, lambda: NOW)
    first = plain.verify({b"x-sig": form.format(code_of(BODY)).encode()}, BODY)
    assert first == plain.verify({b"x-sig": base64.b64encode(bytes.fromhex(code_of(BODY)))}, BODY)
    with pytest.raises(SignatureRejected):
        plain.verify({b"x-sig": form.format(code_of(BODY + b"!")).encode()}, BODY)


def test_a_timestamp_is_part_of_what_is_signed():
    timed = HmacVerifier(secret_keys("partner_secret"), "X-Sig", "X-Id", "X-Time", 300, lambda: NOW)
    good = {b"x-sig": code_of(f"{NOW}.".encode() + BODY).encode(), b"x-time": str(NOW).encode(), b"x-id": b"d1"}
    assert timed.verify(good, BODY) == "d1"
    for changed in ({b"x-time": str(NOW - 1000).encode()}, {b"x-time": str(NOW + 1).encode()}, {b"x-id": b""}):
        with pytest.raises(SignatureRejected):
            timed.verify({**good, **changed}, BODY)
