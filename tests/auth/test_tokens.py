"""Tokens, good and bad: the nine errors (acceptance S10 to S26, S77 to S85, T21) and what RFC 8725 warns of."""

import base64
import hashlib
import hmac
import json
import logging

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from signing import NOW, raw, signed

from codeai.auth import errors
from codeai.auth.building import AuthSettings, provider
from codeai.auth.errors import AuthConfigurationError
from codeai.auth.keys import FetchedDocument
from codeai.auth.principal import RoleTable
from codeai.model.security import Role
from services.service import SECRET

ROLES = RoleTable(
    (
        Role(name="viewer", permissions=("posts:read",)),
        Role(name="editor", permissions=("posts:*",), inherits=("viewer",)),
        Role(name="admin", permissions=("*:*",)),
    )
)


async def no_fetch(url):
    raise OSError("no network here")


def made(settings=None, values=None, method="jwt", clock=lambda: NOW, fetch=no_fetch):
    return provider("main", method, values or {}, settings or AuthSettings(secret=SECRET), ROLES, fetch, clock)


async def admitted(token, **parts):
    return await made(**parts).authenticate({b"authorization": b"Bearer " + token.encode("latin-1")})


async def test_s21_hs256_with_the_secret_of_the_environment():
    principal = await admitted(signed({"roles": ["editor"], "email": "ada@example.com", "tenant": "t1"}))
    assert (principal.id, principal.email, principal.tenant, principal.authenticated) == ("ada", "ada@example.com", "t1", True)
    assert principal.has_role("viewer") and principal.has_permission("posts:delete") and not principal.has_permission("users:read")


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
async def test_s21_a_static_public_key(pairs, algorithm):
    pair = pairs[algorithm]
    for settings, values in (
        (AuthSettings(public_key=pair.pem), {}),
        (AuthSettings(), {"public_key": pair.pem}),
        (AuthSettings(), {"public_key": pair.pem.replace("\n", "\\n")}),
    ):
        assert (await admitted(pair.token(), settings=settings, values=values)).id == "ada"


ISSUED = {"values": {"issuer": "https://issuer", "audience": "shop"}}
GOOD = {"iss": "https://issuer", "aud": "shop"}
CASES = [
    ("nothing", "", {}, errors.InvalidToken),
    ("one part", "abc", {}, errors.InvalidToken),
    ("four parts", "a.b.c.d", {}, errors.InvalidToken),
    ("empty parts", "..", {}, errors.InvalidToken),
    ("no base64", "!!.??.##", {}, errors.InvalidToken),
    ("no JSON", raw(b"{", b"{"), {}, errors.InvalidToken),
    ("no objects", raw([], []), {}, errors.InvalidToken),
    ("too long", "a." + "b" * 9000 + ".c", {}, errors.InvalidToken),
    ("deep header", raw(b"[" * 5000, {}), {}, errors.InvalidToken),
    ("null bytes", "a\x00b.c.d", {}, errors.InvalidToken),
    ("another key", signed(key="another secret that is long enough!!"), {}, errors.InvalidToken),
    ("empty signature", signed().rpartition(".")[0] + ".", {}, errors.InvalidToken),
    ("cut signature", signed()[:-4], {}, errors.InvalidToken),
    ("expired", signed({"exp": NOW - 31}), {}, errors.ExpiredToken),
    ("no exp", signed({"exp": None}), {}, errors.InvalidToken),
    ("exp as text", signed({"exp": None, "x": 1} | {"nbf": NOW}), {}, errors.InvalidToken),
    ("not yet", signed({"nbf": NOW + 31}), {}, errors.InvalidToken),
    ("issued in the future", signed({"iat": NOW + 31}), {}, errors.InvalidToken),
    ("another issuer", signed({**GOOD, "iss": "https://evil"}), ISSUED, errors.InvalidIssuer),
    ("no issuer", signed({"aud": "shop"}), ISSUED, errors.InvalidIssuer),
    ("issuer as a prefix", signed({**GOOD, "iss": "https://issuer.evil"}), ISSUED, errors.InvalidIssuer),
    ("another audience", signed({**GOOD, "aud": "other"}), ISSUED, errors.InvalidAudience),
    ("no audience", signed({"iss": "https://issuer"}), ISSUED, errors.InvalidAudience),
    ("audience as an object", raw({"alg": "HS256"}, {}), {}, errors.InvalidToken),
    ("alg none", raw({"alg": "none"}, {"sub": "ada", "exp": NOW + 600}, b"x"), {}, errors.UnsupportedAlgorithm),
    ("alg None", raw({"alg": "NoNe"}, {"sub": "ada", "exp": NOW + 600}, b"x"), {}, errors.UnsupportedAlgorithm),
    ("alg none without signature", raw({"alg": "none"}, {"sub": "ada", "exp": NOW + 600}, b""), {}, errors.InvalidToken),
    ("no alg", raw({"typ": "JWT"}, {"sub": "ada", "exp": NOW + 600}), {}, errors.InvalidToken),
    ("alg as a list", raw({"alg": ["HS256"]}, {}), {}, errors.InvalidToken),
    ("HS384 where HS256 is allowed", signed(algorithm="HS384", key=SECRET * 2), {}, errors.UnsupportedAlgorithm),
    ("RS256 where HS256 is allowed", raw({"alg": "RS256"}, {"exp": NOW + 600}), {}, errors.UnsupportedAlgorithm),
    ("another type", signed(typ="secevent+jwt"), {}, errors.InvalidToken),
    ("critical extension", signed(crit=["exp"]), {}, errors.InvalidToken),
    ("unencoded payload", signed(b64=False), {}, errors.InvalidToken),
    ("sub as a number", raw({"alg": "HS256"}, {"sub": 1}), {}, errors.InvalidToken),
]


@pytest.mark.parametrize(("token", "parts", "error"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
async def test_bad_tokens_have_their_own_error(token, parts, error):
    with pytest.raises(errors.AuthError) as found:
        await admitted(token, **parts)
    assert type(found.value) is error


@pytest.mark.parametrize(
    "claims", [{"exp": "soon"}, {"exp": 10**400}, {"exp": True}, {"exp": [NOW]}, {"nbf": "x"}, {"iat": {}}, {"sub": 7}, {"sub": ""}]
)
async def test_claims_of_wrong_types_are_refused(claims):
    body = {"sub": "ada", "exp": NOW + 600} | claims
    head = base64.urlsafe_b64encode(b'{"alg":"HS256"}').rstrip(b"=")
    data = head + b"." + base64.urlsafe_b64encode(json.dumps(body).encode()).rstrip(b"=")
    mac = base64.urlsafe_b64encode(hmac.new(SECRET.encode(), data, hashlib.sha256).digest()).rstrip(b"=")
    with pytest.raises(errors.InvalidToken):
        await admitted((data + b"." + mac).decode())


async def test_a_claim_that_stands_twice_is_refused():
    head = base64.urlsafe_b64encode(b'{"alg":"HS256"}').rstrip(b"=")
    data = head + b"." + base64.urlsafe_b64encode(b'{"exp":1900000000,"sub":"ada","sub":"eve"}').rstrip(b"=")
    mac = base64.urlsafe_b64encode(hmac.new(SECRET.encode(), data, hashlib.sha256).digest()).rstrip(b"=")
    with pytest.raises(errors.InvalidToken):
        await admitted((data + b"." + mac).decode())


async def test_a_public_key_is_never_a_secret(pairs):
    """RFC 8725, section 2.1: HS256 with the bytes of the public key as the secret."""
    pair = pairs["RS256"]
    head = base64.urlsafe_b64encode(b'{"alg":"HS256"}').rstrip(b"=")
    data = head + b"." + base64.urlsafe_b64encode(b'{"exp":1900000000,"sub":"eve"}').rstrip(b"=")
    for key in (pair.pem, pair.pem.strip()):
        mac = base64.urlsafe_b64encode(hmac.new(key.encode(), data, hashlib.sha256).digest()).rstrip(b"=")
        with pytest.raises(errors.UnsupportedAlgorithm):
            await admitted((data + b"." + mac).decode(), settings=AuthSettings(public_key=pair.pem))


async def test_keys_that_the_token_brings_along_are_ignored(pairs):
    """RFC 8725, section 3.5 and 3.10: jwk, jku, x5u and x5c are the attacker's words."""
    foreign, own = pairs["ES256"], pairs["RS256"]
    fetched = []

    async def fetch(url):
        fetched.append(url)
        return FetchedDocument(json.dumps({"keys": [own.jwk]}).encode())

    values = {"jwks_url": "https://issuer/keys"}
    for header in ({"jwk": foreign.jwk}, {"jku": "https://evil/keys"}, {"x5u": "https://evil/cert"}, {"x5c": ["MII"]}):
        with pytest.raises(errors.AuthError):
            await admitted(foreign.token(**header), values=values, settings=AuthSettings(), fetch=fetch)
    assert set(fetched) == {"https://issuer/keys"}


async def test_s84_a_symmetric_algorithm_without_a_secret():
    settings = AuthSettings()
    with pytest.raises(errors.NoSecretConfigured):
        await admitted(signed(), settings=settings, values={})


async def test_leeway_is_thirty_seconds():
    assert (await admitted(signed({"exp": NOW - 29}))).id == "ada"
    assert (await admitted(signed({"nbf": NOW + 29, "iat": NOW + 29}))).id == "ada"


async def test_t21_a_provider_may_do_without_exp():
    assert (await admitted(signed({"exp": None}), values={"require_exp": False})).id == "ada"


async def test_a_kept_token_still_expires():
    now = NOW
    parts = made(clock=lambda: now)
    header = {b"authorization": b"Bearer " + signed().encode()}
    assert parts.quick(header) is None
    await parts.authenticate(header)
    assert parts.quick(header).id == "ada"
    now = NOW + 601
    assert parts.quick(header) is None
    now = NOW + 631
    with pytest.raises(errors.ExpiredToken):
        await parts.authenticate(header)


async def test_roles_from_another_claim_and_from_a_path():
    token = signed({"groups": "editor viewer", "realm_access": {"roles": ["admin", 7, None]}})
    assert (await admitted(token, values={"roles_claim": "groups"})).roles == ["editor", "viewer"]
    assert (await admitted(token, values={"roles_claim": "realm_access.roles"})).has_permission("anything:at-all")
    assert (await admitted(token, values={"roles_claim": "nowhere.at.all"})).roles == []


@pytest.mark.parametrize(
    ("header", "error"),
    [
        (b"Bearer", errors.InvalidToken),
        (b"Bearer ", errors.InvalidToken),
        (b"bearer x.y.z", errors.InvalidToken),
        (b"Bearer a b", errors.InvalidToken),
        (b"Bearer a, Bearer b", errors.InvalidToken),
        (b"Bearer \xff\xfe", errors.InvalidToken),
        (b"Token abc", None),
        (b"", None),
    ],
)
async def test_headers_that_carry_no_token(header, error):
    if error is None:
        assert await made().authenticate({b"authorization": header}) is None
        return
    with pytest.raises(error):
        await made().authenticate({b"authorization": header})


@pytest.mark.parametrize("key", ["", "x", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "a\x00b"])
def test_a_broken_public_key_stops_the_start(key):
    with pytest.raises(AuthConfigurationError):
        made(settings=AuthSettings(), values={"public_key": key} if key else {"public_key": " "})


def test_t17_a_short_secret_is_refused_outside_of_development():
    with pytest.raises(AuthConfigurationError, match="32 bytes"):
        made(settings=AuthSettings(secret="short", development=False))
    made(settings=AuthSettings(secret="short", development=True))


def test_an_empty_secret_stops_the_start_everywhere():
    with pytest.raises(AuthConfigurationError, match="is empty"):
        made(settings=AuthSettings(), values={"secret": ""})


@pytest.mark.parametrize("make", [lambda: rsa.generate_private_key(65537, 1024), lambda: ec.generate_private_key(ec.SECP256K1())])
def test_a_weak_public_key_stops_the_start(make):
    key = make().public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    with pytest.raises(AuthConfigurationError, match="neither"):
        made(settings=AuthSettings(public_key=key))


@pytest.mark.parametrize(("method", "values"), [("oauth2", {}), ("api_key", {}), ("basic", {})])
def test_a_provider_without_what_it_needs_stops_the_start(method, values):
    with pytest.raises(AuthConfigurationError):
        made(method=method, values=values, settings=AuthSettings())


async def test_api_keys_and_basic():
    keys = made(method="api_key", values={"header": "X-Key", "keys": "robot:k1:viewer, k2"})
    assert (await keys.authenticate({b"x-key": b"k1"})).has_permission("posts:read")
    assert (await keys.authenticate({b"x-key": b"k2"})).id == "main"
    assert await keys.authenticate({}) is None
    for wrong in (b"", b"k3", b"robot:k1", b"\xff"):
        with pytest.raises(errors.InvalidToken):
            await keys.authenticate({b"x-key": wrong})
    basic = made(method="basic", values={"users": "ada:pass:word:admin,bob:geheim"})
    for text in (b"bob:geheim",):
        assert (await basic.authenticate({b"authorization": b"Basic " + base64.b64encode(text)})).id == "bob"
    for wrong in (b"bob:x", b"eve:", b":", b"", b"bob", b"\xff\xfe:x"):
        with pytest.raises(errors.InvalidToken):
            await basic.authenticate({b"authorization": b"Basic " + base64.b64encode(wrong)})
    with pytest.raises(errors.InvalidToken):
        await basic.authenticate({b"authorization": b"Basic !!!"})


PROGRAM = """
auth main { method: jwt  secret: secret(JWT_SECRET) }
auth service { method: api_key  header: "X-API-Key"  keys: "robot:robot-key:reader" }
role reader { permissions: ["things:read"] }
endpoint GET /open { auth: public  returns: json  do { return { user: user.id } } }
endpoint GET /maybe { auth: optional  returns: json  do { return { user: user.id } } }
endpoint GET /closed { auth: required  returns: json  do { return { user: user.id } } }
endpoint GET /readers { roles: [reader]  returns: json  do { return { user: user.id } } }
"""


@pytest.mark.parametrize(
    ("path", "credentials", "status", "code"),
    [
        ("/open", None, 200, None),
        ("/open", "bad", 200, None),
        ("/open", "good", 200, None),
        ("/maybe", None, 200, None),
        ("/maybe", "bad", 401, "AUTH001"),
        ("/maybe", "good", 200, None),
        ("/closed", None, 401, "AUTH005"),
        ("/closed", "bad", 401, "AUTH001"),
        ("/closed", "expired", 401, "AUTH002"),
        ("/closed", "asymmetric", 400, "AUTH007"),
        ("/closed", "good", 200, None),
        ("/closed", "key", 200, None),
        ("/closed", "bad key", 401, "AUTH001"),
        ("/readers", None, 401, "AUTH005"),
        ("/readers", "good", 403, "forbidden"),
        ("/readers", "reader", 200, None),
        ("/readers", "key", 200, None),
    ],
)
def test_the_guard_answers_with_the_codes_of_the_guide(sqlite_service_of, caplog, path, credentials, status, code):
    service = sqlite_service_of(PROGRAM)
    now = service.composition.clock().timestamp()
    texts = {
        "bad": "Bearer a.b.c",
        "good": "Bearer " + service.token("ada"),
        "reader": "Bearer " + service.token("ada", "reader"),
        "expired": "Bearer " + signed({"exp": now - 100}),
        "asymmetric": "Bearer " + raw({"alg": "RS256"}, {"sub": "eve"}),
    }
    keys = {"key": "robot-key", "bad key": "other"}
    headers = {"authorization": texts[credentials]} if credentials in texts else {}
    headers |= {"x-api-key": keys[credentials]} if credentials in keys else {}
    with caplog.at_level(logging.WARNING):
        answer = service.request("GET", path, headers=headers)
    assert answer.status == status
    if code is not None:
        assert answer.code == code
    if status == 401:
        challenge = answer.header("www-authenticate") or ""
        assert challenge.startswith("Bearer") and ("invalid_token" in challenge) == (credentials in texts)
    if credentials == "bad key":
        assert answer.json["hint"] == "the key in X-API-Key is none that this server knows"
    if code is not None:
        assert any("authentication" in line and "failed" in line for line in caplog.messages)  # S11, S134
        assert not any(text.split()[-1] in caplog.text for text in texts.values() if len(text) > 20)


def test_several_bearer_providers_are_asked_in_turn(sqlite_service_of, pairs):
    program = """
    auth own { method: jwt  secret: secret(JWT_SECRET) }
    auth partner { method: jwt  public_key: env(PARTNER_KEY) }
    endpoint GET /closed { auth: required  returns: json  do { return { user: user.id } } }
    """
    pair = pairs["ES256"]
    service = sqlite_service_of(program, env={"PARTNER_KEY": pair.pem})
    assert service.request("GET", "/closed", token=service.token("ada")).json == {"user": "ada"}
    assert service.request("GET", "/closed", token=pair.token({"sub": "bob", "exp": 4_000_000_000})).json == {"user": "bob"}
    late = service.request("GET", "/closed", token=pair.token({"exp": 1}))
    assert (late.status, late.code) == (401, "AUTH002")
    foreign = service.request("GET", "/closed", token=pairs["EdDSA"].token())
    assert (foreign.status, foreign.code) == (400, "AUTH007")
