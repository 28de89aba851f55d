"""``oauth2``: the keys of an issuer are found where its OpenID configuration says (OpenID Connect Discovery 1.0, section 4)."""

import json

import pytest
from signing import NOW, Pair

from codeai.auth.building import AuthSettings, provider
from codeai.auth.errors import AuthConfigurationError, AuthError, JWKSFetchFailed
from codeai.auth.guard import BearerProvider
from codeai.auth.principal import RoleTable
from codeai.auth.tokens import TokenVerifier
from codeai.integrations.addresses import AddressPolicy
from codeai.server.wiring.key_sets import KeySetDocuments
from services import peer

CONFIGURATION = "/.well-known/openid-configuration"


def made(at: str, **settings: object) -> TokenVerifier:
    documents, elsewhere = KeySetDocuments(AddressPolicy()), KeySetDocuments(AddressPolicy(), trusting=False)
    found = provider("sso", "oauth2", {"issuer": at, **settings}, AuthSettings(), RoleTable(()), documents, lambda: NOW, elsewhere)
    assert isinstance(found, BearerProvider)
    return found._verifier


def answers(pair: Pair, **configuration: object):
    """An issuer whose configuration has these members; ``KEYS`` stands for the address of its keys."""

    def script(seen: peer.Seen) -> peer.Reply:
        own = f"http://{seen.headers['host']}"
        if seen.target == CONFIGURATION:
            said = {"issuer": own, "jwks_uri": f"{own}/keys", **configuration}
            return peer.Reply(200, json.dumps(said).encode(), {"content-type": "application/json"})
        return peer.Reply(200, json.dumps({"keys": [pair.jwk]}).encode()) if seen.target == "/keys" else peer.Reply(404)

    return script


async def test_the_keys_of_an_issuer_are_found_and_kept(pairs):
    pair = pairs["RS256"]
    with peer.Peer(answers(pair)) as at:
        sso = made(at.url)
        for name in ("ada", "bob"):
            assert (await sso.verify(pair.token({"sub": name, "iss": at.url}))).id == name
        assert [seen.target for seen in at.seen] == [CONFIGURATION, "/keys"]


async def test_the_tokens_of_other_issuers_and_clients_are_refused(pairs):
    pair = pairs["RS256"]
    with peer.Peer(answers(pair)) as at:
        sso = made(at.url, client_id="shop")
        assert (await sso.verify(pair.token({"iss": at.url, "aud": "shop"}))).id == "ada"
        for claims in (
            {"iss": at.url, "aud": "other"},
            {"iss": at.url},
            {"iss": "https://login.example.com", "aud": "shop"},
            {"aud": "shop"},
        ):
            with pytest.raises(AuthError):
                await sso.verify(pair.token(claims))


@pytest.mark.parametrize(
    "configuration",
    [
        {"issuer": "https://login.example.com"},  # a document of somebody else's (section 4.3)
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": "http://localhost:1/keys"},  # another host, which only the issuer names, within the network
        {"jwks_uri": "https://169.254.169.254/latest/meta-data"},
        {"jwks_uri": 5},
        {"jwks_uri": None},
    ],
    ids=lambda given: str(next(iter(given.values()))),
)
async def test_a_configuration_that_cannot_be_trusted_gives_no_keys(pairs, configuration):
    pair = pairs["RS256"]
    with peer.Peer(answers(pair, **configuration)) as at:
        with pytest.raises(JWKSFetchFailed):
            await made(at.url).verify(pair.token({"iss": at.url}))
        assert [seen.target for seen in at.seen] == [CONFIGURATION]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b"\xff", b"[" * 100_000, b" " * 1_000_001], ids=("empty", "list", "map", "bytes", "deep", "large")
)
async def test_a_malformed_configuration_gives_no_keys(pairs, body):
    pair = pairs["RS256"]
    with peer.Peer(lambda _: peer.Reply(200, body)) as at, pytest.raises(JWKSFetchFailed):
        await made(at.url).verify(pair.token({"iss": at.url}))


@pytest.mark.parametrize("settings", [{"issuer": ""}, {"issuer": "shop"}, {"issuer": "ftp://login.example.com"}])
def test_an_issuer_that_is_no_address_needs_one_of_its_keys(settings):
    with pytest.raises(AuthConfigurationError, match="needs 'issuer'"):
        made("", **settings)
    made("", **settings, jwks_url="https://login.example.com/keys")
