"""What must hold for any token and any signed message: it is refused by an error of its own, or it is what it says it is."""

import asyncio
import base64
import hashlib
import hmac
import json

from codeai.auth.errors import AuthError
from codeai.auth.principal import Principal, RoleTable
from codeai.auth.tokens import LEEWAY, TokenVerifier
from codeai.events.signatures import HmacVerifier, SignatureRejected, StandardVerifier, secret_keys, sign

NOW = 1_800_000_000
SECRET = b"a secret for tests that is long enough"
KEYS = (b"first key", b"second key")

_loop = asyncio.new_event_loop()
_standard = StandardVerifier(KEYS, 300.0, lambda: NOW)
_hmac = HmacVerifier(KEYS, "X-Signature", "", "X-Timestamp", 300.0, lambda: NOW)


def _verifier() -> TokenVerifier:
    roles = RoleTable({})
    return TokenVerifier("main", algorithms=frozenset(["HS256"]), keys=None, secret=SECRET, roles=roles, clock=lambda: NOW, kept=100)


_tokens = _verifier()


def _part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _verified(token: str) -> Principal | None:
    try:
        return _loop.run_until_complete(_tokens.verify(token))
    except AuthError:
        return None


def fuzz_token(data: bytes) -> None:
    """``S`` header NUL claims: a token with our signature; anything else: the text of a token."""
    if data[:1] != b"S":
        token = data[1:].decode("utf-8", "surrogateescape")
        found = _verified(token)
        assert found is None or _signature(token.rpartition(".")[0]) == token.rpartition(".")[2]
        return
    header, _, claims = data[1:].partition(b"\x00")
    signed = f"{_part(header)}.{_part(claims)}"
    found = _verified(f"{signed}.{_signature(signed)}")
    if found is not None:
        assert json.loads(header)["alg"] == "HS256"
        assert json.loads(claims)["exp"] > NOW - LEEWAY
        assert found.id == json.loads(claims).get("sub")
    assert _verified(f"{signed}.{_part(b'another signature of 32 bytes...')}") is None
    assert _verified(f"{signed}.") is None


def _signature(signed: str) -> str:
    return _part(hmac.new(SECRET, signed.encode("utf-8", "surrogateescape"), hashlib.sha256).digest())


def fuzz_signature(data: bytes) -> None:
    """``K`` secrets; ``S`` a message with our signature; ``H`` a code of the body; else Standard Webhooks as it comes."""
    if data[:1] == b"K":
        try:
            keys = secret_keys(data[1:].decode("utf-8", "replace"))
        except ValueError:
            return
        assert keys
        assert all(keys)
        return
    identifier, moment, given, body = (data[1:].split(b"\n", 3) + [b""] * 4)[:4]
    if data[:1] == b"H":
        _check_hmac(moment, given, body)
        return
    if data[:1] == b"S":
        given = sign(identifier.decode("latin-1").strip(), NOW, body, KEYS[1:]).encode()
        moment = str(NOW).encode()
    headers = {b"webhook-id": identifier, b"webhook-timestamp": moment, b"webhook-signature": given}
    try:
        found = _standard.verify(headers, body)
    except SignatureRejected:
        usable = 0 < len(identifier.decode("latin-1").strip()) <= 256 and b"." not in identifier
        assert data[:1] != b"S" or not usable
        return
    assert abs(int(moment) - NOW) <= 300
    codes = [sign(found, int(text), body, [key]) for key in KEYS for text in {moment.strip()}]
    assert any(code in given.decode("latin-1") for code in codes) or moment.strip() != str(int(moment)).encode()


def _check_hmac(moment: bytes, given: bytes, body: bytes) -> None:
    try:
        _hmac.verify({b"x-signature": given, b"x-timestamp": moment}, body)
    except SignatureRejected:
        return
    codes = [hmac.new(key, moment.strip() + b"." + body, hashlib.sha256).digest() for key in KEYS]
    text = given.decode("latin-1").strip().removeprefix("sha256=").removeprefix("v1=")
    assert any(text.lower() == code.hex() or text == base64.b64encode(code).decode() for code in codes)
